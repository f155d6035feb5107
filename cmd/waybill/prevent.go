package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/nftables"
	"waybill/internal/prevent/suricata"
	"waybill/internal/prevent/winfw"
	"waybill/internal/prevent/zeekscript"
	"waybill/internal/report"
	"waybill/internal/scan"
)

// targets are what policies can be written for.
var targets = []prevent.Target{nftables.Target, winfw.Target, suricata.Target, zeekscript.Target}

// preventCommand makes filters from what was seen. It applies nothing.
type preventCommand struct {
	Overview preventOverview `cmd:"" default:"withargs" help:"Policy, rules and replay on one screen; the word overview can be left out."`
	Learn    preventLearn    `cmd:"" help:"Learn which hosts may exchange files over what, and write it down as a policy."`
	Check    preventCheck    `cmd:"" help:"Check a policy, and replay what was seen through it."`
	Export   preventExport   `cmd:"" help:"Write the files of a target that enforces a policy."`
}

// learning is the flags of what learns.
type learning struct {
	Management []string `placeholder:"HOST" help:"Hosts that administer others, by name, address or network (proposed where not given)."`
	Keep       string   `placeholder:"POLICY" help:"Take over the management sources and exceptions of this policy."`
}

// options gives what is learned with, and the policy that is kept of, if there is one.
func (l *learning) options() (o prevent.LearnOptions, kept *prevent.Policy, err error) {
	o.Management = l.Management
	if l.Keep == "" {
		return o, nil, nil
	}
	if kept, err = readPolicy(l.Keep); err != nil {
		return o, nil, err
	}
	if len(o.Management) == 0 && !kept.Proposed() {
		o.Management = kept.Management
	}
	return o, kept, nil
}

// learned is what a scan taught.
type learned struct {
	policy *prevent.Policy
	moves  []prevent.Move
	o      prevent.LearnOptions
}

// learn makes a policy of what a scan found.
func (l *learning) learn(found *model.Records) (*learned, error) {
	o, kept, err := l.options()
	if err != nil {
		return nil, err
	}
	moves := prevent.Moves(found)
	if len(moves) == 0 {
		return nil, errors.New("prevent: nothing to learn from: these inputs show no exchange between two hosts inside (waybill scan shows what they do show)")
	}
	p := prevent.Learn(moves, o)
	p.Indicators = prevent.Indicators(found)
	if kept != nil {
		p.Exceptions = kept.Exceptions
	}
	if err := p.Check(); err != nil && len(p.Management) > 0 {
		return nil, usagef("prevent: with --management or --keep as given: %w", err)
	}
	return &learned{p, moves, o}, nil
}

// preventLearn writes a policy.
type preventLearn struct {
	learning
	scanCommand
}

// Run learns, and writes the policy.
func (c *preventLearn) Run(p *program) error {
	return c.run(p, func(out io.Writer, found *scan.Records, _ report.Selection, _ error) error {
		l, err := c.learn(&found.Records)
		if err != nil {
			return err
		}
		text, err := l.policy.Marshal()
		if err != nil {
			return err
		}
		c.advise(p, l.policy)
		_, err = out.Write(text)
		return err
	})
}

// advise says what to do with the policy.
func (c *preventLearn) advise(p *program, policy *prevent.Policy) {
	if c.Quiet {
		return
	}
	switch {
	case len(policy.Management) == 0:
		fmt.Fprintln(p.stderr, "waybill: no management source was seen: name the hosts that administer others with --management or in the policy, before it can be used")
	case policy.Proposed():
		fmt.Fprintf(p.stderr, "waybill: %s proposed: look at them in the policy before you use it\n", plural(len(policy.Management), "management source"))
	}
}

// preventOverview shows what a policy of the inputs would be, and do.
type preventOverview struct {
	learning
	scanCommand
}

// Run learns, replays, and shows both.
func (c *preventOverview) Run(p *program) error {
	if c.Format != "table" && c.Format != "ndjson" {
		return usagef("--format %s: give table or ndjson", c.Format)
	}
	return c.run(p, func(out io.Writer, found *scan.Records, _ report.Selection, _ error) error {
		l, err := c.learn(&found.Records)
		if err != nil {
			return err
		}
		replays, err := prevent.Replay(l.moves, &found.Records, l.o)
		if err != nil {
			return err
		}
		if c.Format == "ndjson" {
			if err := report.Lines(out, recordsOf(l.policy)); err != nil {
				return err
			}
			return report.ReplayNDJSON(out, replays)
		}
		return c.show(out, l.policy, replays)
	})
}

// show writes policy, replay and rules, what the policy must not do first.
func (c *preventOverview) show(out io.Writer, policy *prevent.Policy, replays []*model.Replay) error {
	total := *replays[len(replays)-1]
	if err := report.ReplayWarnings(out, &total); err != nil {
		return err
	}
	total.Warnings, total.StrictWarnings = nil, nil
	page := overview{policy: policy, paths: c.Paths}
	page.write()
	if err := report.Replay(&page, append(replays[:len(replays)-1:len(replays)-1], &total)); err != nil {
		return err
	}
	page.targets()
	_, err := out.Write(page.Bytes())
	return err
}

// recordsOf gives the parts of a policy as records.
func recordsOf(p *prevent.Policy) []any {
	records := []any{policyRecord{"policy", p.Learned, p.Management, p.Exceptions}}
	for i := range p.Groups {
		records = append(records, groupRecord{"group", &p.Groups[i]})
	}
	for i := range p.Rules {
		records = append(records, ruleRecord{"rule", i + 1, &p.Rules[i]})
	}
	for i := range p.Indicators {
		records = append(records, indicatorRecord{"indicator", &p.Indicators[i]})
	}
	return records
}

type policyRecord struct {
	Kind       string              `json:"kind"`
	Learned    *prevent.Learned    `json:"learned,omitempty"`
	Management []string            `json:"management"`
	Exceptions []prevent.Exception `json:"exceptions,omitempty"`
}

type groupRecord struct {
	Kind string `json:"kind"`
	*prevent.Group
}

type ruleRecord struct {
	Kind   string `json:"kind"`
	Number int    `json:"number"`
	*prevent.Rule
}

type indicatorRecord struct {
	Kind string `json:"kind"`
	*prevent.Indicator
}

// pasted joins words of a command that can be pasted.
func pasted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = report.Plain(w)
		if strings.ContainsAny(w, " '\"$&;|<>()*?\\`!#~") || out[i] != w {
			out[i] = "'" + strings.ReplaceAll(out[i], "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
