# The version that binaries carry; releases pass VERSION=v1.2.3.
VERSION ?=
LDFLAGS := -s -w $(if $(VERSION),-X github.com/plimsoll-sec/plimsoll/internal/cli.version=$(VERSION))
GO      ?= go
FUZZTIME ?= 60s

.PHONY: build test test-short lint bench score fuzz demo demo-snapshot bootstrap-rbac cluster docs clean

build: ## the program, bin/plimsoll
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/plimsoll ./cmd/plimsoll

test: cluster ## all tests, those against a real API server included
	$(GO) test ./...

test-short: ## the tests that need no API server
	$(GO) test -short ./...

lint: ## gofmt, go vet, staticcheck
	@files=$$(git ls-files '*.go' | xargs gofmt -l); test -z "$$files" || { echo "gofmt -w $$files"; exit 1; }
	$(GO) vet ./...
	$(GO) -C test/cluster vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

bench: ## speed and memory
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...

score: ## precision and recall on labelled cases of other tools (PLIMSOLL_CORPORA says where they are)
	$(GO) test -count=1 -v -run TestLabels ./test/corpora

fuzz: ## every fuzz target for FUZZTIME each
	@grep -rl --include='*_test.go' '^func Fuzz' internal | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' "$$file"); do \
	    echo "$$target in $$(dirname "$$file")"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "./$$(dirname "$$file")" || exit 1; \
	  done; \
	done

demo: ## scan the sample cluster
	$(GO) run ./cmd/plimsoll demo

cluster: ## build kube-apiserver, kube-controller-manager and etcd once, into the user's cache
	$(GO) -C test/cluster run ./build

demo-snapshot: cluster ## make the sample cluster anew on a real API server
	$(GO) run ./test/e2e/demo -o internal/cli/demo/cluster.json.gz

bootstrap-rbac: ## take the RBAC policy of the known Kubernetes minors from upstream's test data
	$(GO) run ./test/bootstrap -o internal/fact/access/bootstrap/policy.json

docs: ## write the documents that are derived from code
	$(GO) test ./internal/docgen -run TestGenerated -update

clean:
	rm -rf bin
