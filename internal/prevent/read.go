package prevent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxPolicy bounds the text of a policy: 262,144 hosts fit.
const MaxPolicy = 32 << 20

// Read reads a policy and checks it. Errors name the file and the line, and say what to do.
func Read(name string, text []byte) (*Policy, error) {
	if len(text) > MaxPolicy {
		return nil, fmt.Errorf("%s: %d MiB are no policy: the largest has %d", name, len(text)>>20, MaxPolicy>>20)
	}
	var root yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&root); errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0 {
		return nil, fmt.Errorf("%s:1: empty: have a policy learned with waybill prevent learn -o %s PATH", name, name)
	} else if err != nil {
		return nil, fmt.Errorf("%s%s", name, lineOf(err.Error()))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: a second document: a policy is one", name)
	}
	top := root.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: a policy is a mapping with version, management, groups, services and rules", name, top.Line)
	}
	if line := aliased(top); line > 0 {
		return nil, fmt.Errorf("%s:%d: anchors and aliases are not read: write it out", name, line)
	}
	p := &Policy{}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(p); err != nil {
		return nil, fmt.Errorf("%s%s", name, lineOf(err.Error()))
	}
	if err := p.Check(); err != nil {
		return nil, located(name, top, err)
	}
	return p, nil
}

// aliased is the line of the first anchor or alias, 0 for none.
func aliased(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n.Line
	}
	for _, c := range n.Content {
		if line := aliased(c); line > 0 {
			return line
		}
	}
	return 0
}

var (
	yamlLine    = regexp.MustCompile(`line (\d+): (.*)`)
	yamlUnknown = regexp.MustCompile(`field (\S+) not found in type \S+`)
	yamlInto    = regexp.MustCompile(`cannot unmarshal !!\S+ (.*)into \S+`)
)

// lineOf turns an error of the YAML reader into ":LINE: what is wrong".
func lineOf(text string) string {
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return ": " + strings.TrimPrefix(text, "yaml: ")
	}
	what := yamlUnknown.ReplaceAllString(m[2], "unknown key $1: take it out, or see docs/prevent.md for those that there are")
	what = yamlInto.ReplaceAllString(what, "${1}does not belong here: see docs/prevent.md for the form")
	return ":" + m[1] + ": " + what
}

// located puts the line before what is wrong.
func located(name string, top *yaml.Node, err error) error {
	var p *Problem
	if !errors.As(err, &p) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s:%d: %s", name, lineAt(top, p.Where), p.Text)
}

// lineAt is the line of what lies deepest on a way from the top.
func lineAt(n *yaml.Node, where []any) int {
	if len(where) == 0 {
		return n.Line
	}
	switch w := where[0].(type) {
	case int:
		if n.Kind == yaml.SequenceNode && w < len(n.Content) {
			return lineAt(n.Content[w], where[1:])
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == w {
				if len(where) == 1 {
					return n.Content[i].Line
				}
				return lineAt(n.Content[i+1], where[1:])
			}
		}
	}
	return n.Line
}
