package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"waybill/internal/model"
)

func amount(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// read says what of the inputs was read.
func (p *page) read(all []*model.Coverage) {
	if len(all) == 0 || all[len(all)-1].Packets == 0 {
		return
	}
	c := all[len(all)-1]
	p.section("What was read")
	for _, protocol := range bySize(c.Decoded) {
		p.f("  %9s  %s\n", amount(c.Decoded[protocol]), Plain(protocol))
	}
	if len(c.Other) > 0 {
		p.f("  %9s  of protocols that carry no files: %s\n", amount(sum(c.Other)), listed(c.Other))
	}
	if c.Duplicate > 0 {
		p.f("  %9s  seen before: sent again, or seen by another sensor too\n", amount(c.Duplicate))
	}
	p.f("  %s of hosts spoke\n", count(c.HostPairsSeen, "pair"))
	if c.Tickets != nil {
		p.f("  %s by a Kerberos ticket that the keytab opened\n", count(int(c.Tickets.Opened), "logon"))
	}
}

// glossed are reasons of blindness that their name alone does not explain.
var glossed = map[string]string{
	"around-loss":      "seen, but not what they belong to: a hole, a late start or damage",
	"lost-segments":    "in no packet of these captures",
	"lost-fragments":   "parts of datagrams whose rest was not seen",
	"out-of-sequence":  "segments that fit nowhere in their connection",
	"over-budget":      "no room within --memory",
	"snaplen":          "cut off when the packets were captured",
	"one-direction":    "of one side of a connection no packet was seen",
	"malformed":        "frames whose headers contradict themselves",
	"unknown-protocol": "",
}

// notSeen says what the inputs could not show.
func (p *page) notSeen(all []*model.Coverage) {
	if len(all) == 0 {
		return
	}
	c := all[len(all)-1]
	if c.Packets == 0 && len(c.Events) == 0 {
		return
	}
	p.section("What could not be seen")
	if c.Packets > 0 && len(c.Blind) == 0 && len(c.DecoderFaults) == 0 {
		p.f("  nothing: every byte of a file-carrying protocol in these packets was read\n")
	}
	for _, reason := range bySize(c.Blind) {
		gloss := glossed[reason]
		if reason == "unknown-protocol" {
			gloss = listed(c.UnknownPorts)
		}
		if gloss != "" {
			gloss = ": " + gloss
		}
		p.f("  %9s  %s%s\n", amount(c.Blind[reason]), Plain(reason), Plain(gloss))
	}
	p.logs(c)
	if len(c.Unverified) > 0 {
		p.f("  read by a form that was checked against no real sample: %s\n", Plain(strings.Join(c.Unverified, ", ")))
	}
	p.unopened(c.Tickets)
	for _, d := range c.DecoderFaults {
		p.f("  fault of waybill: %s\n", Plain(d))
	}
	p.ableness(c.Analytics)
	p.advice(c.Advice)
}

// unopened says which Kerberos tickets the keytab did not fit.
func (p *page) unopened(t *model.Tickets) {
	if t == nil {
		return
	}
	for i, why := range bySize(t.Unopened) {
		if i == maxPairs {
			break
		}
		p.f("  %s by a Kerberos ticket that the keytab did not open: %s\n", count(int(t.Unopened[why]), "logon"), Plain(why))
	}
}

// ableness says how far these inputs feed the analytics, those with one cause on one
// line.
func (p *page) ableness(all map[string]model.Ableness) {
	if len(all) == 0 {
		return
	}
	p.section("What the analytics could see")
	for _, able := range []string{"able", "partly", "unable"} {
		causes := map[string][]string{}
		for _, name := range sorted(all) {
			if a := all[name]; a.Able == able {
				causes[a.Why] = append(causes[a.Why], name)
			}
		}
		for _, why := range sorted(causes) {
			line := strings.Join(causes[why], ", ")
			if why != "" {
				line += ": " + why
			}
			p.f("  %-6s  %s\n", able, Plain(line))
		}
	}
}

// advice says where sensors would show more.
func (p *page) advice(all []string) {
	if len(all) == 0 {
		return
	}
	p.section("Where to look")
	for _, a := range all {
		p.f("  %s\n", Plain(a))
	}
}

// shownParts bounds how many parts of a sum are named.
const shownParts = 6

// listed names the largest parts of a sum.
func listed(parts map[string]int64) string {
	var out []string
	for i, name := range bySize(parts) {
		if i == shownParts {
			out = append(slices.Clip(out), "...")
			break
		}
		out = append(out, fmt.Sprintf("%s %s", name, amount(parts[name])))
	}
	return strings.Join(out, ", ")
}

func sum(m map[string]int64) (n int64) {
	for _, x := range m {
		n += x
	}
	return n
}

// logs says what the hosts' logs could not show.
func (p *page) logs(c *model.Coverage) {
	for _, n := range c.NeverLogged {
		p.f("  %s\n", Plain(n))
	}
	for i, l := range c.Logs {
		if i == maxPairs {
			break
		}
		for _, change := range l.Changes {
			p.f("  %s  %s of %s: %s\n", second(change.Time), Plain(l.Channel), Plain(l.Host), Plain(change.What))
		}
	}
}
