package main

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"waybill/internal/prevent"
	"waybill/internal/report"
)

// overview writes a policy for people, in short.
type overview struct {
	bytes.Buffer
	policy *prevent.Policy
	paths  []string
}

// Bounds of what an overview shows.
const (
	shownGroups  = 10
	shownMembers = 3
	shownRules   = 16
	shownLines   = 2 // of a target
)

func (o *overview) f(format string, args ...any) { fmt.Fprintf(o, format, args...) }

func (o *overview) write() {
	o.head()
	o.groups()
	o.rules()
	o.indicators()
	o.f("\n")
}

// head says what was learned from, and what to look at first.
func (o *overview) head() {
	p := o.policy
	n := map[string]int{}
	for _, r := range p.Rules {
		n[r.Action]++
	}
	o.f("Policy: %s; rules: %d allow, %d deny, %d candidate; learned from %s on %s\n", plural(len(p.Groups), "group"), n[prevent.Allow], n[prevent.Deny], n[prevent.Candidate],
		plural(p.Learned.Moves, "exchange"), plural(p.Learned.Days, "day"))
	if p.Learned.LeftOut > 0 {
		o.f("  not learned: %s that findings hold\n", plural(p.Learned.LeftOut, "exchange"))
	}
	if p.Learned.Lost > 0 {
		o.f("  not learned: %s of more hosts and pairs than are kept\n", plural(p.Learned.Lost, "exchange"))
	}
	if p.Learned.Undenied > 0 {
		o.f("  not denied: %s that only findings hold, past those that have rules\n", plural(p.Learned.Undenied, "pair"))
	}
	switch {
	case len(p.Management) == 0:
		o.f("  no management source was seen: name the hosts that administer others with --management\n")
	case p.Proposed():
		o.f("  management sources, PROPOSED: %s (give them with --management)\n", few(p.Management))
	default:
		o.f("  management sources: %s\n", few(p.Management))
	}
}

// few shows some of many words.
func few(words []string) string {
	out := make([]string, 0, shownMembers)
	for _, w := range words[:min(len(words), shownMembers)] {
		out = append(out, report.Plain(w))
	}
	text := strings.Join(out, ", ")
	if more := len(words) - len(out); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (o *overview) groups() {
	o.f("\nGroups\n")
	width := 0
	for _, g := range o.policy.Groups {
		width = max(width, len(g.Name))
	}
	for i, g := range o.policy.Groups {
		if i == shownGroups {
			o.f("  ... and %d more\n", len(o.policy.Groups)-i)
			return
		}
		var members []string
		for _, n := range g.Networks {
			members = append(members, n.String())
		}
		for _, h := range g.Hosts {
			members = append(members, nameOf(h))
		}
		o.f("  %-*s  %6d  %s\n", width, g.Name, len(g.Hosts), few(members))
	}
}

func nameOf(h prevent.Host) string {
	if h.Name == "" && len(h.Addresses) > 0 {
		return h.Addresses[0].String()
	}
	return h.Name
}

func (o *overview) rules() {
	o.f("\nRules: the first that fits counts\n")
	shown := o.chosen()
	ends, services := 0, 0
	for _, i := range shown {
		r := o.policy.Rules[i]
		ends, services = max(ends, len(r.From)+len(r.To)+3), max(services, len(r.Service))
	}
	for _, i := range shown {
		r := o.policy.Rules[i]
		o.f("  %4d  %-9s  %-*s  %-*s  %s\n", i+1, r.Action, ends, report.Plain(r.From+" > "+r.To), services, r.Service, clipped(report.Plain(because(r))))
	}
	if more := len(o.policy.Rules) - len(shown); more > 0 {
		o.f("        ... and %d more (waybill prevent learn writes all)\n", more)
	}
	o.f("        %-9s  all else: it never happened in the window; denied only with --strict\n", prevent.Candidate)
}

// chosen are the numbers of the rules that are shown: those of groups before those of hosts, with
// the most moves first; of what is allowed and denied half of the lines each, where there is so much; candidates last.
func (o *overview) chosen() []int {
	groups := map[string]bool{prevent.AnyGroup: true}
	for _, g := range o.policy.Groups {
		groups[g.Name] = true
	}
	rules := o.policy.Rules
	wide := func(i int) bool { return groups[rules[i].From] && groups[rules[i].To] }
	out := make([]int, len(rules))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int {
		switch x, y := wide(a), wide(b); {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return cmp.Compare(rules[b].Moves, rules[a].Moves)
	})
	place, seen := make([]int, len(rules)), map[string]int{}
	for _, i := range out {
		action := rules[i].Action
		seen[action]++
		place[i] = seen[action]
		if action == prevent.Candidate {
			place[i] += shownRules / 2
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(place[a], place[b]) })
	out = out[:min(len(out), shownRules)]
	slices.Sort(out)
	return out
}

// because is the reason of a rule, with its counts.
func because(r prevent.Rule) string {
	if r.Moves == 0 {
		return r.Why
	}
	what := plural(r.Moves, "move")
	if r.Days > 1 {
		what += " on " + plural(r.Days, "day")
	}
	if len(r.Directions) > 0 {
		what = strings.Join(r.Directions, " and ") + ", " + what
	}
	return what + ": " + r.Why
}

// indicators counts what sensors can look for.
func (o *overview) indicators() {
	all := o.policy.Indicators
	if len(all) == 0 {
		return
	}
	var kinds []string
	n, findings := map[string]int{}, map[string]bool{}
	for _, x := range all {
		if n[x.What] == 0 {
			kinds = append(kinds, x.What)
		}
		n[x.What]++
		findings[x.Finding] = true
	}
	for i, k := range kinds {
		kinds[i] = plural(n[k], strings.ReplaceAll(k, "-", " "))
	}
	o.f("\nIndicators for sensors: %s, from %s\n", strings.Join(kinds, ", "), plural(len(findings), "finding"))
}

// targets shows what there is for each, and the first rules that deny or warn.
func (o *overview) targets() {
	o.f("\nFilters of it, in short; waybill applies none\n  waybill prevent learn -o policy.yaml %s\n", pasted(o.paths))
	if len(o.policy.Management) == 0 {
		o.f("  then name management sources in it, without which none is written: waybill prevent export policy.yaml --to %s\n", strings.ReplaceAll(targetNames(), ", ", "|"))
		return
	}
	for _, t := range targets {
		o.f("  waybill prevent export policy.yaml -o %s --to %s: %s\n", t.Name, t.Name, t.What)
		files, err := t.Write(o.policy, prevent.Choice{})
		if err != nil {
			o.f("      not now: %s\n", report.Plain(err.Error()))
			continue
		}
		for _, line := range begins(files) {
			o.f("      %s\n", report.Plain(line))
		}
	}
}

// ruleLine is what a line has that denies or warns, in the words of any target.
var ruleLine = regexp.MustCompile(`\b(drop|reject)\b|^(alert|pass) |-Action Block`)

// begins are the first rules of files.
func begins(files []prevent.File) (out []string) {
	for _, f := range files {
		for line := range strings.Lines(string(f.Text)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "#") || !ruleLine.MatchString(line) {
				continue
			}
			out = append(out, clipped(line))
			if len(out) == shownLines {
				return out
			}
		}
	}
	return out
}

// clipped is a line that fits a wide terminal.
func clipped(line string) string {
	const wide = 130
	if runes := []rune(line); len(runes) > wide {
		return string(runes[:wide]) + "..."
	}
	return line
}
