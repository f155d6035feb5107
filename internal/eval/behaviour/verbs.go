package behaviour

import (
	"fmt"
	"strconv"
	"strings"
)

// call is what a step says: words in their places, options NAME=VALUE, and the rest of the line.
type call struct {
	words   []string
	options map[string]string
	rest    string
}

func (c call) option(name, otherwise string) string {
	if v, ok := c.options[name]; ok {
		return v
	}
	return otherwise
}

// verb is one thing that happens on hosts.
type verb struct {
	form string // of its words: capital ones are needed, those in brackets are options
	rest bool   // the last word is the rest of the line
	play func(b *stage, c call)
}

// Verbs are what steps can be, with their forms. Single quotes keep words together.
var Verbs = map[string]verb{}

func init() {
	for _, table := range []map[string]verb{generalVerbs, shareVerbs, startVerbs, desktopVerbs, fetchVerbs, carryVerbs, unixVerbs, hypervisorVerbs, macVerbs, wireVerbs} {
		for name, v := range table {
			Verbs[name] = v
		}
	}
}

// call reads the words of a step.
func (b *stage) call(v verb, text string) (call, error) {
	c := call{options: map[string]string{}}
	var allowed []string
	needed := 0
	for _, w := range strings.Fields(v.form) {
		if name, ok := strings.CutPrefix(w, "["); ok {
			allowed = append(allowed, strings.TrimSuffix(name, "=]"))
			continue
		}
		needed++
	}
	if v.rest {
		needed--
	}
	for text != "" {
		word, rest := cutWord(text)
		name, value, isOption := strings.Cut(word, "=")
		switch {
		case isOption && contains(allowed, name):
			c.options[name] = b.text(value)
		case len(c.words) < needed:
			c.words = append(c.words, b.text(word))
		case v.rest:
			c.rest, rest = b.text(text), ""
		default:
			return c, fmt.Errorf("too much: %q", text)
		}
		text = strings.TrimSpace(rest)
	}
	if len(c.words) < needed || v.rest && c.rest == "" {
		return c, fmt.Errorf("wanted: %s", v.form)
	}
	return c, nil
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}

// cutWord cuts a text after its first word, which may stand in single quotes.
func cutWord(s string) (word, rest string) {
	var out strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == ' ' && !quoted:
			return out.String(), s[i:]
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String(), ""
}

// generalVerbs are those of no channel.
var generalVerbs = map[string]verb{
	// wait SECONDS, or a random time between two: 20-90.
	"wait": {form: "SECONDS", play: func(b *stage, c call) {
		from, to, isRange := strings.Cut(c.words[0], "-")
		least, _ := strconv.ParseFloat(from, 64)
		if most, err := strconv.ParseFloat(to, 64); isRange && err == nil {
			least += b.rng.Float64() * (most - least)
		}
		b.later(least)
	}},
	// context: what the next step moves is no tool: no finding need name it.
	"context": {form: "", play: func(b *stage, _ call) { b.context = true }},
	// again: the workstations and servers of the draw are others from here on.
	"again": {form: "ROLE", play: func(b *stage, c call) {
		from := b.office.desks
		if contains(drawnServers, c.words[0]) {
			from = b.office.racks
		}
		b.bound[c.words[0]] = from[b.rng.IntN(len(from))]
	}},
	// say NAME VALUE: a word from here on.
	"say": {form: "NAME VALUE", rest: true, play: func(b *stage, c call) { b.words[c.words[0]] = c.rest }},
}

// atoi reads a number of a scenario: a test plays all of them.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}
