package kubeapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// now is the time for texts about certificates.
func now() time.Time { return time.Now() }

func answered(err error, code int) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == code
}

func forbidden(err error) bool { return answered(err, http.StatusForbidden) }
func notFound(err error) bool  { return answered(err, http.StatusNotFound) }

// gapOf says what of a listing is missing and why.
func gapOf(l *listing, scope string, err error) report.Gap {
	g := report.Gap{Kind: l.resource.Kind, Scope: scope}
	g.Cause, g.Detail, g.How = explain(l.resource, scope, err)
	if n := l.count(); n > 0 {
		g.Cause = report.Truncated
		g.Detail = fmt.Sprintf("only the first %d %s could be read: %s", n, l.resource.Resource, g.Detail)
	}
	return g
}

// explain says why a resource could not be read and what to do about it.
func explain(res inventory.Resource, scope string, err error) (cause report.Cause, detail, how string) {
	var status *statusError
	var conn *connectionError
	var content *contentError
	const again = "scan again; if it persists, look at the load and the log of the API server"
	switch {
	case errors.As(err, &status):
		switch status.code {
		case http.StatusForbidden:
			return report.Forbidden, status.Error(), grant(res, scope)
		case http.StatusNotFound:
			return report.NotServed, fmt.Sprintf("the server does not serve %s in %s", res.Resource, groupPath(res.Group, res.Version)), "scan a cluster of a version that serves it, or give the objects as PATH"
		case http.StatusNotAcceptable:
			return report.Unreadable, status.Error(), "look for a proxy before the API server that changes what is asked for"
		case http.StatusGatewayTimeout:
			return report.TimedOut, status.Error(), again
		}
		return report.Failed, status.Error(), again
	case errors.As(err, &conn) && conn.timeout:
		return report.TimedOut, conn.Error(), again
	case errors.As(err, &content):
		how = "look for a proxy or an aggregated server that answers in place of the API server"
		if content.cause == report.Truncated {
			how = "make the object smaller"
		}
		return content.cause, content.Error(), how
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return report.TimedOut, "the scan was ended before this was read", "scan again, with more time"
	default:
		return report.Failed, err.Error(), again
	}
}

// grant names the right that is missing.
func grant(res inventory.Resource, scope string) string {
	where := " cluster-wide"
	if scope != "" {
		where = fmt.Sprintf(" in namespace %q", scope)
	}
	return fmt.Sprintf("grant the verb list on %s%s; deploy/rbac.yaml grants all that a scan reads", qualified(res), where)
}

// qualified is the name of a resource as kubectl takes it: "deployments.apps".
func qualified(res inventory.Resource) string {
	if res.Group == "" {
		return res.Resource
	}
	return res.Resource + "." + res.Group
}
