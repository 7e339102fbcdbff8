// Package report is the vocabulary of a result: what was judged, how, and on
// what evidence. Its types are the wire schema "plimsoll.report/v1" that every
// output format is rendered from. It also holds the law that turns findings
// and gaps into verdicts ([CheckResult.Conclude]), because accepted findings
// have to be folded by the same law as fresh ones. It imports only the
// standard library, so that a reader of reports needs nothing else.
package report

import "time"

// SchemaV1 names the wire form of [Report].
const SchemaV1 = "plimsoll.report/v1"

// Report is the whole answer of one scan.
type Report struct {
	Schema  string  `json:"schema"`
	Tool    Tool    `json:"tool"`
	Scan    Scan    `json:"scan"`
	Summary Summary `json:"summary"`
	// Items holds the 35 boxes of the checklist in upstream order, always all
	// of them, and then those items outside of it that were judged.
	Items []Item `json:"items"`
	// Statements says what became of each waiver and attestation.
	Statements []Statement `json:"statements,omitempty"`
}

// Tool names the program that made the report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Scan says what was looked at.
type Scan struct {
	// Observed is when the evidence was taken, not when it was rendered.
	Observed time.Time `json:"observed"`
	// DurationMS is the wall time of the scan in milliseconds.
	DurationMS int64 `json:"durationMs"`
	// Scope lists the namespaces that the scan was limited to; empty means no limit.
	Scope []string `json:"scope,omitempty"`
	// Skipped lists the check ids that were left out on request.
	Skipped []string `json:"skipped,omitempty"`
	Sources []Source `json:"sources"`
	Cluster Cluster  `json:"cluster"`
}

// Cluster is what is known of the cluster as a whole. Empty strings and -1
// mean not known.
type Cluster struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Distribution string `json:"distribution"`
	Provider     string `json:"provider"`
	Nodes        int    `json:"nodes"`
	Workloads    int    `json:"workloads"`
	Pods         int    `json:"pods"`
}

// Source is one place that evidence came from.
type Source struct {
	// Type is the name of the source: "files", "kubeapi", "config".
	Type string `json:"type"`
	// Detail says which one: paths, a context name and server.
	Detail string `json:"detail"`
	// Objects is the number of objects that were read and kept.
	Objects int `json:"objects"`
	// Problems lists what could not be read. Each also stands as a gap where
	// it bears on a verdict.
	Problems []Problem `json:"problems,omitempty"`
	// Ignored counts what was read and is not evidence ("CustomResourceDefinition",
	// "not Kubernetes"), by what it is.
	Ignored []Count `json:"ignored,omitempty"`
	// Notes counts peculiarities that do not change a verdict, such as
	// objects in API versions that Kubernetes no longer serves.
	Notes []Count `json:"notes,omitempty"`
}

// Problem is one thing that could not be read, and why.
type Problem struct {
	// At is "file:line", a path, or the request.
	At      string `json:"at"`
	Message string `json:"message"`
}

// Count is a number of things of one sort, with an example.
type Count struct {
	What  string `json:"what"`
	Count int    `json:"count"`
	// Example is where one of them is.
	Example string `json:"example,omitempty"`
}

// Summary counts by verdict and severity. There is deliberately no score.
type Summary struct {
	// Items counts the 35 boxes, Companion the items outside of them.
	Items     map[Verdict]int `json:"items"`
	Companion map[Verdict]int `json:"companion"`
	// Findings and Waived count the findings of both.
	Findings map[Severity]int `json:"findings"`
	Waived   int              `json:"waived"`
}

// Item is one box of the checklist with its verdict, or an item outside of it.
type Item struct {
	Number  string `json:"number"`
	ID      string `json:"id"`
	Section string `json:"section"`
	// Companion is true for an item outside of the 35 boxes. It is there only
	// where a check of it was run.
	Companion bool    `json:"companion,omitempty"`
	Title     string  `json:"title"`
	Verdict   Verdict `json:"verdict"`
	// Basis says what a pass rests on; empty for other verdicts.
	Basis  Basis         `json:"basis,omitempty"`
	Reason string        `json:"reason"`
	Checks []CheckResult `json:"checks"`
	// Skipped lists the checks of the item that were left out on request. An
	// item is never a pass without all its checks.
	Skipped []string `json:"skipped,omitempty"`
}

// CheckResult is what one check concluded.
type CheckResult struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Verdict  Verdict  `json:"verdict"`
	Basis    Basis    `json:"basis,omitempty"`
	// Examined is the number of subjects judged, Passed how many of them hold.
	Examined int `json:"examined"`
	Passed   int `json:"passed"`
	// Any is true where one passing subject decides (see Conclude).
	Any bool `json:"any,omitempty"`
	// Noun names what is examined in the singular: "workload", "namespace".
	Noun   string `json:"noun"`
	Reason string `json:"reason"`
	// Remediation says in general what to do about a failure, in Markdown; a
	// finding's Remedy says it for one subject.
	Remediation string    `json:"remediation,omitempty"`
	Gaps        []Gap     `json:"gaps,omitempty"`
	Findings    []Finding `json:"findings,omitempty"`
	// Table shows what the check saw as a whole, where findings tell only parts.
	Table *Table `json:"table,omitempty"`
}

// Table is what a check saw, in rows: who runs where.
type Table struct {
	Title   string   `json:"title"`
	Columns []string `json:"columns"`
	// Rows have a cell for each column; the first one names the row.
	Rows [][]string `json:"rows"`
	// Left is the number of rows that were left out.
	Left int `json:"left,omitempty"`
}

// Finding is one verdict about one subject.
type Finding struct {
	Verdict  Verdict    `json:"verdict"`
	Message  string     `json:"message"`
	Subject  Subject    `json:"subject"`
	Evidence []Evidence `json:"evidence,omitempty"`
	// Control is a sub-code that the field has of its own, in its own
	// spelling: a Pod Security Standards control, a CIS id.
	Control string `json:"control,omitempty"`
	// Count is the number of objects that the finding stands for: the pods of
	// a workload, identical copies in several files. 0 means one.
	Count int `json:"count,omitempty"`
	// Remedy is what to change here; the check's documentation says it in general.
	Remedy   string       `json:"remedy,omitempty"`
	Waived   *Waived      `json:"waived,omitempty"`
	Attested *Attestation `json:"attested,omitempty"`
	// Fingerprint is the same across runs, line moves, API versions and
	// generated names.
	Fingerprint string `json:"fingerprint"`
}

// Subject names what a finding is about.
type Subject struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	// Part is a piece of the object: a container's name, a direction.
	Part string `json:"part"`
	// Stable names the subject in fingerprints where Name is generated and
	// changes from run to run.
	Stable string `json:"-"`
	// Copy tells apart objects of one name that differ, such as those of
	// several environments: 0 for the first, in the order of their places.
	Copy int `json:"-"`
}

// Evidence is one fact as it was observed.
type Evidence struct {
	// At is where: "web.yaml:12", "node:cp-1:/etc/…", "live:/api/v1/…@resourceVersion".
	At string `json:"at"`
	// Field is the path in the object, in the API server's notation.
	Field string `json:"field,omitempty"`
	Got   string `json:"got,omitempty"`
	Want  string `json:"want,omitempty"`
}

// Waived says who accepted a finding, why and until when.
type Waived struct {
	Reason string `json:"reason"`
	By     string `json:"by,omitempty"`
	// Until is the last day on which the waiver holds, YYYY-MM-DD.
	Until string `json:"until"`
}

// Attestation says who stated that a finding which only a person can decide
// holds, and until when. Such a finding was manual and is now a pass.
type Attestation struct {
	Statement string `json:"statement"`
	By        string `json:"by"`
	// Until is the last day on which the statement holds, YYYY-MM-DD.
	Until string `json:"until"`
}

// Statement is what became of a waiver or attestation.
type Statement struct {
	// Type is "waiver" or "attestation".
	Type string `json:"type"`
	// At is where it was stated.
	At string `json:"at"`
	// Detail repeats what it covers.
	Detail string `json:"detail"`
	// State is "used", "unused" (it matches nothing), "expired" or "refused".
	State string `json:"state"`
	// Matched is the number of findings that it covers.
	Matched int `json:"matched"`
	// Message says why it is not used.
	Message string `json:"message,omitempty"`
}

// KindID names one kind of evidence: "v1/Pod", "apps/v1/Deployment",
// "config/settings".
type KindID string

// Gap is evidence that was wanted and is not there.
type Gap struct {
	Kind KindID `json:"kind"`
	// Scope is a namespace or node; "" means everywhere.
	Scope string `json:"scope"`
	Cause Cause  `json:"cause"`
	// Detail says what happened, in one sentence.
	Detail string `json:"detail"`
	// How says what would close the gap: a command, a flag, a right.
	How string `json:"how,omitempty"`
}

// Cause says why evidence is missing.
type Cause string

// The causes of a gap.
const (
	NotCollected  Cause = "not-collected"  // no source for it was asked
	NotGiven      Cause = "not-given"      // the input does not contain it
	Forbidden     Cause = "forbidden"      // the identity of the scan may not read it
	NotServed     Cause = "not-served"     // the server does not have this API
	Unreadable    Cause = "unreadable"     // it is there and cannot be parsed
	Truncated     Cause = "truncated"      // only a part could be read
	TimedOut      Cause = "timed-out"      // the server did not answer in time
	Failed        Cause = "failed"         // the server answered with an error
	Conflict      Cause = "conflict"       // two sources disagree
	Unsupported   Cause = "unsupported"    // it is there, and this version of the tool does not read it
	CheckPanicked Cause = "check-panicked" // a defect of the tool
)

// Severity ranks a check by the effect of its failure.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical" // takeover by anyone on the network
	High     Severity = "high"     // takeover or secret disclosure from one workload or one ordinary account
	Medium   Severity = "medium"   // a missing layer of defence
	Low      Severity = "low"      // hygiene
	Info     Severity = "info"     // never makes an item fail
)

// Severities lists all severities, worst first.
var Severities = []Severity{Critical, High, Medium, Low, Info}

// Rank is 0 for the worst severity and grows as it gets milder.
func (s Severity) Rank() int {
	for i, t := range Severities {
		if s == t {
			return i
		}
	}
	return 0 // not a severity: treated as the worst, so that it is not overlooked
}

// Reference points to a rule elsewhere that a check corresponds to.
type Reference struct {
	Name string // "CIS Kubernetes Benchmark 5.2.1", "KEP-2413"
	URL  string
}
