package report

import "testing"

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		Plural(0, "workload"):              "0 workloads",
		Plural(1, "policy"):                "1 policy",
		Plural(2, "policy"):                "2 policies",
		Some(nil):                          "",
		Some([]string{"a", "b", "c"}):      "a, b, c",
		Some([]string{"a", "b", "c", "d"}): "a, b, c and 1 more",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
