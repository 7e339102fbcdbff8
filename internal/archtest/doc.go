// Package archtest holds the tests of the architecture: who may import whom,
// and the house rules that a reader relies on. It has no code of its own.
package archtest
