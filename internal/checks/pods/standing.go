package pods

import (
	"fmt"
	"slices"

	"k8s.io/pod-security-admission/api"

	"github.com/plimsoll-sec/plimsoll/internal/check"
	"github.com/plimsoll-sec/plimsoll/internal/fact/podsecurity"
	"github.com/plimsoll-sec/plimsoll/internal/fact/workload"
	"github.com/plimsoll-sec/plimsoll/internal/inventory"
	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// standing is what the workloads of a namespace meet today.
type standing struct {
	level     api.Level
	workloads int
	// violators are what does not meet baseline, obstacles what meets it and
	// does not meet restricted; each with the controls that are in the way.
	violators, obstacles []string
	partial              bool // not all workloads were read
}

func today(e *check.Eval, namespace string, v api.Version, workloads []*workload.Workload) standing {
	s := standing{level: api.LevelRestricted, workloads: len(workloads)}
	for _, w := range workloads {
		level := meets(w, v)
		if api.CompareLevels(level, s.level) < 0 {
			s.level = level
		}
		switch level {
		case api.LevelPrivileged:
			s.violators = append(s.violators, inTheWay(w, api.LevelVersion{Level: api.LevelBaseline, Version: v}))
		case api.LevelBaseline:
			s.obstacles = append(s.obstacles, inTheWay(w, api.LevelVersion{Level: api.LevelRestricted, Version: v}))
		}
	}
	s.partial = slices.ContainsFunc(workload.Needs(), func(n inventory.Need) bool { return len(e.Missing(n.Kind, namespace)) > 0 })
	return s
}

// inTheWay names a workload with each control that it violates, and the first
// field of it.
func inTheWay(w *workload.Workload, lv api.LevelVersion) string {
	var controls []string
	for _, v := range podsecurity.Evaluate(lv, w.PodAnnotations(), w.Spec()) {
		controls = append(controls, v.Control+": "+w.Field(v.Fields[0].Path))
	}
	return fmt.Sprintf("%q (%s)", w.Kind+" "+w.Name, few(controls))
}

// wanted is the level to enforce: what the workloads meet, at least baseline.
func (s standing) wanted() api.Level {
	if s.level == api.LevelPrivileged {
		return api.LevelBaseline
	}
	return s.level
}

func (s standing) String() string {
	read := ""
	if s.partial {
		read = " that could be read"
	}
	all := report.Plural(s.workloads, "workload") + read
	switch {
	case s.workloads == 0:
		return "it has no workloads" + read
	case len(s.violators) > 0:
		verb := "do"
		if len(s.violators) == 1 {
			verb = "does"
		}
		return fmt.Sprintf("%d of %s %s not meet baseline: %s", len(s.violators), all, verb, few(s.violators))
	case len(s.obstacles) > 0:
		return fmt.Sprintf("what runs in it meets baseline today (%s); in the way of restricted: %s", all, few(s.obstacles))
	}
	return fmt.Sprintf("what runs in it meets restricted today (%s)", all)
}

// few names up to three; one name may stand in several files.
func few(list []string) string { return report.Some(slices.Compact(slices.Clone(list))) }
