package checks

import (
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/tools/txtar"
)

// Explanation is what a person is told of a check beside its own words.
type Explanation struct {
	// Decided says how the check decides: the paragraphs of the comment that
	// stands above it in the source, each with its heading ("Fails when").
	Decided []Paragraph
	// Bad and Good are manifests, one that the check fails and one that it
	// passes: its fixtures bad.txtar and good.txtar.
	Bad, Good string
}

// Paragraph is a heading and one paragraph of text.
type Paragraph struct{ Heading, Text string }

//go:embed explained.txtar
var explained []byte

var explanations = sync.OnceValue(func() map[string]Explanation { return Explanations(explained) })

// Explanations reads the file that "make docs" gathers, by the checks' ids.
func Explanations(file []byte) map[string]Explanation {
	out := map[string]Explanation{}
	for _, f := range txtar.Parse(file).Files {
		i := strings.LastIndexByte(f.Name, '/')
		id, part := f.Name[:i], f.Name[i+1:]
		x := out[id]
		switch part {
		case "bad":
			x.Bad = string(f.Data)
		case "good":
			x.Good = string(f.Data)
		default:
			for line := range strings.Lines(string(f.Data)) {
				heading, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
				x.Decided = append(x.Decided, Paragraph{heading, text})
			}
		}
		out[id] = x
	}
	return out
}

// Explain explains the check with the id.
func Explain(id string) Explanation { return explanations()[id] }
