package secrets

import (
	"fmt"
	"strconv"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/access"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// defaultAccount is the ServiceAccount that the controller manager makes in
// every namespace.
const defaultAccount = "default"

// account is the ServiceAccount of a workload, as far as it is known.
type account struct {
	id access.Subject
	// objects are the accounts that it can be: the one of its namespace, or,
	// where a namespace is not known, those of its name.
	objects []inventory.Object[inventory.ServiceAccount]
	// exact is true where the namespace agrees as well, apart where it can only
	// be one that stands apart from the workload, with no namespace either.
	exact, apart bool
	// gap is set where accounts could not be read.
	gap *report.Gap
}

func accountOf(e *check.Eval, w *workload.Workload) account {
	a := account{id: access.Account(w.Namespace, w.ServiceAccount())}
	for o := range inventory.Named(e, inventory.ServiceAccounts, w.Namespace, a.id.Name) {
		if inventory.Beside(o, w.Object) {
			a.objects, a.exact = append(a.objects, o), true
		}
	}
	if a.exact {
		return a
	}
	if gaps := e.Missing(inventory.ServiceAccounts.ID, w.Namespace); len(gaps) > 0 {
		a.gap = &gaps[0]
	}
	candidates := inventory.Named(e, inventory.ServiceAccounts, "", a.id.Name)
	if w.Namespace == "" {
		candidates = inventory.All(e, inventory.ServiceAccounts)
	}
	for o := range candidates {
		if o.Name == a.id.Name {
			a.objects = append(a.objects, o)
			a.apart = a.apart || o.Namespace == w.Namespace
		}
	}
	return a
}

// elsewhere reports whether the account has to come from outside of the input.
// Every namespace has a default account, which manifests rarely hold.
func (a account) elsewhere() bool {
	return len(a.objects) == 0 && a.gap == nil && a.id.Name != defaultAccount
}

// state says whether a pod mounts a token for the API server.
type state int

const (
	notMounted state = iota
	mounted
	unknownMount
)

// mount is the state with its evidence, and why it is unknown.
type mount struct {
	state    state
	why      string
	evidence []report.Evidence
}

const automountField = "automountServiceAccountToken"

// mountOf decides as the ServiceAccount admission plugin does: the pod's word
// counts, then the account's, then yes. Projected tokens count beside it.
func mountOf(w *workload.Workload, a account) mount {
	projected := projectedTokens(w)
	if own := w.Spec().AutomountServiceAccountToken; own != nil && !w.Admitted() {
		e := w.PodEvidence("spec."+automountField, strconv.FormatBool(*own), "false")
		if *own {
			return mount{state: mounted, evidence: append([]report.Evidence{e}, projected...)}
		}
		if len(projected) == 0 {
			return mount{}
		}
	}
	if len(projected) > 0 {
		return mount{state: mounted, evidence: projected}
	}
	if w.Admitted() {
		return mount{}
	}
	return silent(w, a)
}

// silent decides for a pod that leaves it to its account.
func silent(w *workload.Workload, a account) mount {
	m := mount{evidence: []report.Evidence{w.PodEvidence("spec."+automountField, "(not set)", "false")}}
	yes, no := 0, 0
	for _, o := range a.objects {
		if o.Value.Automount != nil && !*o.Value.Automount {
			no++
			m.evidence = append(m.evidence, o.Evidence(automountField, "false", ""))
		} else {
			yes++
			m.evidence = append(m.evidence, o.Evidence(automountField, quote(o.Value.Automount), "false"))
		}
	}
	// Every namespace has a default account, so one in the input need not be it.
	known := a.exact || a.id.Name != defaultAccount && !a.apart
	switch {
	case !a.exact && a.gap != nil:
		m.state, m.why = unknownMount, fmt.Sprintf("whether it mounts a token is up to ServiceAccount %q, but %s", a.id.Name, a.gap)
	case yes+no == 0 && known:
		m.state, m.why = unknownMount, fmt.Sprintf("whether it mounts a token is up to ServiceAccount %q, which is not in the input", a.id.Name)
	case no == 0 && (!a.apart || a.id.Name == defaultAccount):
		m.state = mounted
	case yes == 0 && a.exact: // an account of that name alone proves nothing
		return mount{}
	default:
		m.state, m.why = unknownMount, fmt.Sprintf("whether it mounts a token is up to ServiceAccount %q, and which one is meant is not known", a.id.Name)
	}
	return m
}

func quote(b *bool) string {
	if b == nil {
		return "(not set)"
	}
	return strconv.FormatBool(*b)
}
