package main

import (
	"fmt"
	"io"
	"os"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/report"
	"waybill/internal/scan"
)

// preventCheck replays through a policy.
type preventCheck struct {
	Policy string `arg:"" help:"The policy, as waybill prevent learn writes it."`
	scanCommand
}

// readPolicy reads a policy and checks it.
func readPolicy(file string) (*prevent.Policy, error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > prevent.MaxPolicy {
		return nil, usagef("%s: %d MiB are no policy", file, info.Size()>>20)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("policy: %w: write one with waybill prevent learn -o %s PATH", err, file)
	}
	p, err := prevent.Read(file, text)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

// Run checks the policy, and replays what was seen through it.
func (c *preventCheck) Run(p *program) error {
	policy, err := readPolicy(c.Policy)
	if err != nil {
		return err
	}
	if c.Format != "table" && c.Format != "ndjson" {
		return usagef("--format %s: give table or ndjson", c.Format)
	}
	return c.run(p, func(out io.Writer, found *scan.Records, _ report.Selection, _ error) error {
		moves := prevent.Moves(&found.Records)
		replays, err := prevent.ReplayPolicy(policy, moves, &found.Records)
		if err != nil {
			return err
		}
		if !c.Quiet {
			sayShadowed(p, c.Policy, policy)
		}
		if len(moves) > 0 && !c.Quiet {
			sayExpired(p, c.Policy, policy, moves[len(moves)-1].Time, "with the newest of these inputs")
		}
		if c.Format == "ndjson" {
			return report.ReplayNDJSON(out, replays)
		}
		return report.Replay(out, replays)
	})
}

// maxShadowed bounds the rules that are named although they never count.
const maxShadowed = 10

// sayShadowed names the rules that never count.
func sayShadowed(p *program, file string, policy *prevent.Policy) {
	all := policy.Shadowed()
	for i, line := range all {
		if i == maxShadowed {
			fmt.Fprintf(p.stderr, "waybill: %s: ... and %s more that never count\n", file, plural(len(all)-i, "rule"))
			return
		}
		fmt.Fprintf(p.stderr, "waybill: %s: %s\n", file, report.Plain(line))
	}
}

// sayExpired names the exceptions that are over.
func sayExpired(p *program, file string, policy *prevent.Policy, at model.Time, when string) {
	for _, x := range policy.Expired(at) {
		fmt.Fprintf(p.stderr, "waybill: %s: the exception %s > %s over %s of %s ended with %s and counts no longer %s: %s\n",
			file, report.Plain(x.From), report.Plain(x.To), x.Service, report.Plain(x.Owner), x.Until, when, report.Plain(x.Reason))
	}
}
