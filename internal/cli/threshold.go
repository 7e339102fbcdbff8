package cli

import (
	"slices"
	"strings"

	"github.com/plimsoll-sec/plimsoll/internal/report"
)

// threshold is what makes a scan fail.
type threshold struct {
	severity report.Severity // "" for never
	verdicts []report.Verdict
}

// parseThreshold reads "critical|high|medium|low|never[,unknown][,manual]".
func parseThreshold(s string) (threshold, error) {
	var t threshold
	first, rest, more := strings.Cut(s, ",")
	switch sev := report.Severity(first); sev {
	case report.Critical, report.High, report.Medium, report.Low:
		t.severity = sev
	case "never":
	default:
		return t, usagef("--fail-on %q: want critical, high, medium, low or never, then ,unknown or ,manual", s)
	}
	if !more {
		return t, nil
	}
	for word := range strings.SplitSeq(rest, ",") {
		switch v := report.Verdict(word); v {
		case report.Unknown, report.Manual:
			t.verdicts = append(t.verdicts, v)
		default:
			return t, usagef("--fail-on %q: after the severity only unknown and manual can stand, not %q", s, word)
		}
	}
	return t, nil
}

// exceeded reports whether the report holds a finding or an item that the
// threshold does not allow.
func (t threshold) exceeded(r *report.Report) bool {
	for _, it := range r.Items {
		// A box that this version cannot decide, or was told not to, says
		// nothing about what was scanned.
		if slices.Contains(t.verdicts, it.Verdict) && slices.ContainsFunc(it.Checks, func(c report.CheckResult) bool { return c.Verdict == it.Verdict }) {
			return true
		}
		for _, c := range it.Checks {
			if t.severity != "" && c.Verdict == report.Fail && c.Severity.Rank() <= t.severity.Rank() {
				return true
			}
		}
	}
	return false
}
