// Package corpora holds the test that compares plimsoll with what others say:
// labelled manifests of other tools' test suites and of collections of bad
// examples. Where the specification disagrees with a label, the specification
// stands, and the label is listed in disagreements.txt with the reason.
package corpora
