// Package e2e holds the tests that need a real API server: what plimsoll says
// of a live cluster, and whether its semantics agree with the server's own. Run
// "make cluster" once before them; they are skipped only under -short.
package e2e
