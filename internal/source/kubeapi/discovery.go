package kubeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// acceptDiscovery asks for all groups with all their resources at once
// (KEP-3352, Kubernetes 1.26). Older servers answer with the names of the groups.
const acceptDiscovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

// discovery is what a server says it serves, of the groups that matter here.
type discovery struct {
	groups map[string]*servedGroup
}

// servedGroup is one API group in all its versions.
type servedGroup struct {
	resources []servedResource
	// failed says which version could not be discovered, and why; empty if all
	// could.
	failed string
}

type servedResource struct{ version, resource, kind string }

// relevant says whether anything of a group bears on a verdict.
func relevant(group string) bool {
	return slices.ContainsFunc(inventory.Foreigns, func(f inventory.Foreign) bool { return f.Group == group }) ||
		slices.ContainsFunc(inventory.Customs, func(c inventory.Custom) bool { return c.Group == group }) ||
		slices.ContainsFunc(inventory.Resources, func(r inventory.Resource) bool { return r.Group == group }) ||
		distributionOf(group) != ""
}

// discover asks what is served.
func (c *Client) discover(ctx context.Context) (*discovery, error) {
	d := &discovery{groups: map[string]*servedGroup{}}
	var plain *metav1.APIGroupList
	err := c.do(ctx, call{path: "/apis", accept: acceptDiscovery}, func(resp *http.Response) error {
		contentType, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
		if contentType != acceptJSON {
			return notKubernetes(contentType)
		}
		if params["as"] != "APIGroupDiscoveryList" {
			plain = &metav1.APIGroupList{}
			return decodeJSON(resp.Body, plain, func() string { return plain.Kind }, "APIGroupList")
		}
		var list apidiscoveryv2.APIGroupDiscoveryList
		if err := decodeJSON(resp.Body, &list, func() string { return list.Kind }, "APIGroupDiscoveryList"); err != nil {
			return err
		}
		d.take(list.Items)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if plain != nil {
		c.discoverEach(ctx, d, plain.Groups)
	}
	return d, nil
}

func (d *discovery) take(groups []apidiscoveryv2.APIGroupDiscovery) {
	clear(d.groups)
	for _, g := range groups {
		if !relevant(g.Name) {
			continue
		}
		served := &servedGroup{}
		for _, v := range g.Versions {
			if v.Freshness == apidiscoveryv2.DiscoveryFreshnessStale {
				served.failed = fmt.Sprintf("the server behind %s/%s does not answer", g.Name, v.Version)
			}
			for _, r := range v.Resources {
				kind := ""
				if r.ResponseKind != nil {
					kind = r.ResponseKind.Kind
				}
				served.resources = append(served.resources, servedResource{v.Version, r.Resource, kind})
			}
		}
		d.groups[g.Name] = served
	}
}

// discoverEach asks for each version of the relevant groups by itself.
func (c *Client) discoverEach(ctx context.Context, d *discovery, groups []metav1.APIGroup) {
	for _, g := range groups {
		if !relevant(g.Name) {
			continue
		}
		served := &servedGroup{}
		for _, v := range g.Versions {
			var list metav1.APIResourceList
			err := c.do(ctx, call{path: "/apis/" + v.GroupVersion, accept: acceptJSON}, func(resp *http.Response) error {
				list = metav1.APIResourceList{}
				return decodeJSON(resp.Body, &list, func() string { return list.Kind }, "APIResourceList")
			})
			if err != nil {
				served.failed = fmt.Sprintf("%s cannot be discovered: %s", v.GroupVersion, err)
			}
			for _, r := range list.APIResources {
				if !strings.Contains(r.Name, "/") {
					served.resources = append(served.resources, servedResource{v.Version, r.Name, r.Kind})
				}
			}
		}
		d.groups[g.Name] = served
	}
}

func decodeJSON(body io.Reader, into any, kind func() string, want string) error {
	data, err := io.ReadAll(&sizeLimit{body, pageSize})
	if err != nil {
		return err
	}
	if json.Unmarshal(data, into) != nil || kind() != want {
		return unreadablef("the answer is not an %s", want)
	}
	return nil
}

// foreigns records which families of policies the cluster may have.
func (r *reading) foreigns(ctx context.Context) {
	d, err := r.discovery()
	if err == nil {
		r.sawGroups(d)
	}
	for _, f := range inventory.Foreigns {
		if !r.wanted(f.ID()) {
			continue
		}
		if err != nil {
			r.undiscovered(f.ID(), err)
			continue
		}
		g := d.groups[f.Group]
		if g == nil {
			r.b.Collected(f.ID())
			continue
		}
		i := slices.IndexFunc(g.resources, func(s servedResource) bool { return slices.Contains(f.Kinds, s.kind) })
		switch {
		case i >= 0:
			r.b.Gap(f.Gap(fmt.Sprintf("the API server serves %s.%s", g.resources[i].resource, f.Group)))
		case g.failed != "":
			gap := report.Gap{Kind: f.ID(), Cause: report.Failed, Detail: g.failed, How: "repair or remove the APIService: \"kubectl get apiservices\" shows it"}
			r.b.Gap(gap)
			r.problem("GET /apis", gap)
		default:
			r.b.Collected(f.ID())
		}
	}
}

// undiscovered records that nothing says whether the cluster has a kind.
func (r *reading) undiscovered(k report.KindID, err error) {
	cause, detail, how := explain(inventory.Resource{Resource: "APIs", Version: "v1"}, "", err)
	if cause == report.Forbidden {
		how = "grant the verb get on the URL /apis; the ClusterRole system:discovery does"
	}
	g := report.Gap{Kind: k, Cause: cause, Detail: "what the API server serves could not be read: " + detail, How: how}
	r.b.Gap(g)
	r.problem("GET /apis", g)
}

// custom reads a kind of another project where the cluster has it.
func (r *reading) custom(ctx context.Context, c inventory.Custom) {
	d, err := r.discovery()
	if err != nil {
		r.undiscovered(c.ID, err)
		return
	}
	g := d.groups[c.Group]
	if g == nil {
		r.b.Collected(c.ID)
		return
	}
	byName := map[string][]servedResource{} // a resource, in its versions
	for _, s := range g.resources {
		if (c.Kind == s.kind || c.Kind == string(inventory.AnyKind)) && !strings.Contains(s.resource, "/") {
			byName[s.resource] = append(byName[s.resource], s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		served := byName[name]
		i := slices.IndexFunc(c.Versions, func(v string) bool {
			return slices.ContainsFunc(served, func(s servedResource) bool { return s.version == v })
		})
		if i < 0 {
			r.b.Gap(c.Gap(fmt.Sprintf("the API server serves %s.%s in %s", name, c.Group, served[0].version)))
			continue
		}
		res := c.At(c.Versions[i])
		res.Resource = name
		r.kind(ctx, res)
	}
	switch {
	case g.failed != "":
		gap := report.Gap{Kind: c.ID, Cause: report.Failed, Detail: g.failed, How: "repair or remove the APIService: \"kubectl get apiservices\" shows it"}
		r.b.Gap(gap)
		r.problem("GET /apis", gap)
	case len(byName) == 0:
		r.b.Collected(c.ID)
	}
}

// younger are the kinds that a server may be too old for: where no version of
// their group has them, there are no such objects. All other kinds are older
// than any server that still runs, and must be there.
var younger = []report.KindID{
	inventory.ValidatingAdmissionPolicies.ID, inventory.ValidatingAdmissionPolicyBindings.ID,
	inventory.MutatingAdmissionPolicies.ID, inventory.MutatingAdmissionPolicyBindings.ID,
}

// absent says whether the cluster has no objects of a resource that the server
// answered with 404, because it does not know the kind in any version.
func (r *reading) absent(res inventory.Resource) bool {
	if !slices.Contains(younger, res.Kind) {
		return false
	}
	d, err := r.discovery()
	if err != nil {
		return false
	}
	g := d.groups[res.Group]
	return g != nil && g.failed == "" &&
		!slices.ContainsFunc(g.resources, func(s servedResource) bool { return s.resource == res.Resource })
}

// version asks for the version of the server. It is the first contact: an
// error here is one of the connection or the credentials.
func (c *Client) version(ctx context.Context) (string, error) {
	var info struct {
		GitVersion string `json:"gitVersion"`
	}
	err := c.do(ctx, call{path: "/version", accept: acceptJSON, first: true}, func(resp *http.Response) error {
		data, err := io.ReadAll(&sizeLimit{resp.Body, statusSize})
		if err != nil {
			return err
		}
		if json.Unmarshal(data, &info) != nil || info.GitVersion == "" {
			return unreadablef("%s is not a Kubernetes API server: check the server address in the kubeconfig, and whether a login page stands before it", c.target.base.Host)
		}
		return nil
	})
	var status *statusError
	switch {
	case err == nil:
		return c.secrets.clean(info.GitVersion), nil
	case answered(err, http.StatusUnauthorized):
		return "", errors.New(c.target.unauthorized(now()))
	case errors.As(err, &status) && status.code >= http.StatusBadRequest:
		return "", nil // it answers, and may still serve lists
	default:
		return "", fmt.Errorf("connecting to the cluster (%s): %w", c.target, err)
	}
}
