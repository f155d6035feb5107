package scan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"waybill/internal/input"
	"waybill/internal/judge"
	"waybill/internal/ledger"
	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// summarize adds coverage and the summary to the records.
func (p *pipeline) summarize(r *Records, l *logs, inputs int, verdict judge.Verdict) {
	all := &model.Coverage{Kind: "coverage", Decoded: map[string]int64{}, Blind: map[string]int64{}, Other: map[string]int64{}, Events: map[string]int64{}}
	p.settle()
	for i, s := range p.sources {
		p.coverage[i].streams(p.table.Stats(i))
		r.Coverage = append(r.Coverage, p.inputCoverage(i, s))
	}
	for _, s := range l.sources {
		r.Coverage = append(r.Coverage, s.coverage(&p.o))
		r.Summary.Events += s.events
		if s.notKept != nil {
			r.Ignored = append(r.Ignored, s.in.Name+": "+s.notKept.Error())
		}
		if s.fault != "" {
			l.faults = append(l.faults, s.fault)
		}
	}
	for _, c := range r.Coverage {
		r.damaged(c)
		addCoverage(all, c)
	}
	all.HostPairsSeen = p.pairsSeen()
	p.faults = append(p.faults, l.faults...)
	all.DecoderFaults = p.faults
	all.Conflicting += p.fragments.Overlap
	if n := p.fragments.Lost; n > 0 {
		all.Blind["lost-fragments"] += n
	}
	all.UnknownPorts = mostUnknown(p.unknownPorts)
	all.Logs, all.NeverLogged, all.DuplicateEvents = l.hostLogs, l.never, l.twins
	all.EvictedRecords = l.room.Transfers + l.room.Accesses
	all.Contradictions, all.Renamed = l.joined.Contradictions, l.renamed
	if l.clocks != nil {
		all.Clock = l.clocks.Errors
	}
	all.NeverLogged = append(all.NeverLogged, lateLogs(l.hostLogs, r.Findings)...)
	all.Carved = !p.o.NoCarve
	if p.o.Keytab != nil {
		all.Tickets = &model.Tickets{Opened: p.tickets.Opened, Unopened: p.tickets.Unopened}
	}
	all.Analytics = verdict.Able(all)
	all.Advice = append(p.advice(all), wrongClocks(l.clocks)...)
	r.Coverage = append(r.Coverage, all)
	p.fillSummary(r, inputs, all)
}

// wrongClocks says how to set right what is known of the clocks of hosts.
func wrongClocks(c *ledger.Clocks) (out []string) {
	if c == nil {
		return nil
	}
	ahead := c.Ahead()
	for _, host := range slices.Sorted(maps.Keys(ahead)) {
		off := time.Duration(ahead[host]).Round(time.Second)
		out = append(out, fmt.Sprintf("the clock of %s is %s off, as movements show that others saw too: --clock %s=%s sets its times right", host, off, host, -off))
	}
	return out
}

// lateLogs says which logs of a host begin after the first finding on it: what came
// before is not shown by them. A log that is written when a movement has ended begins
// a little after it. Of many hosts some are named: each one's begin stands in its coverage.
func lateLogs(logs []model.LogCoverage, findings []*model.Finding) []string {
	first := map[string]model.Time{}
	for _, f := range findings {
		for _, h := range f.Hosts {
			if t, ok := first[h]; !ok || f.Start < t {
				first[h] = f.Start
			}
		}
	}
	late := map[string][]model.LogCoverage{}
	for _, c := range logs {
		if t, ok := first[c.Host]; ok && t != 0 && c.First-t > 60e9 {
			late[c.Channel] = append(late[c.Channel], c)
		}
	}
	var out []string
	for _, channel := range slices.Sorted(maps.Keys(late)) {
		out = append(out, lateLog(channel, late[channel]))
	}
	return out
}

// lateNamed is how many hosts of late logs are named.
const lateNamed = 4

func lateLog(channel string, all []model.LogCoverage) string {
	if len(all) == 1 {
		return fmt.Sprintf("the %s log of %s begins at %s, after the first finding there", channel, all[0].Host, all[0].First)
	}
	var hosts []string
	for _, c := range all[:min(len(all), lateNamed)] {
		hosts = append(hosts, c.Host)
	}
	names := strings.Join(hosts, ", ")
	if len(all) > lateNamed {
		names += ", ..."
	}
	return fmt.Sprintf("the %s logs of %d hosts (%s) begin after the first finding there", channel, len(all), names)
}

// coverageOf begins the coverage record of an input.
func (o *Options) coverageOf(in *input.Input, broken error) *model.Coverage {
	c := &model.Coverage{Kind: "coverage", Input: in.Name, Digest: in.Digest()}
	if in.Size >= 0 {
		c.Size = &in.Size
	}
	if o.HashInputs {
		sum, err := in.SHA256()
		if err != nil {
			c.Damaged = append(c.Damaged, err.Error())
		}
		c.SHA256 = sum
	}
	if broken != nil {
		c.Damaged = append(c.Damaged, broken.Error())
	}
	return c
}

// inputCoverage is the coverage record of a capture.
func (p *pipeline) inputCoverage(i int, s *source) *model.Coverage {
	c, in, stats := p.o.coverageOf(s.in, s.err), &p.coverage[i], p.table.Stats(i)
	c.Start, c.End, c.Packets, c.Bytes = in.start, in.end, in.packets, in.bytes
	c.Unverified = slices.Sorted(maps.Keys(in.unverified))
	c.Decoded, c.Blind, c.Other = in.decoded, in.blind, in.other
	maps.DeleteFunc(c.Decoded, func(_ string, n int64) bool { return n == 0 })
	c.Duplicate, c.Conflicting, c.Checksum = stats.Duplicate, stats.Conflicting, stats.Checksum
	c.Gaps, c.EvictedFlows = stats.Gaps, stats.Evicted
	if s.reader != nil {
		for _, d := range s.reader.Damage() {
			c.Damaged = append(c.Damaged, d.String())
		}
	}
	return c
}

// coverage is the coverage record of a log.
func (s *logSource) coverage(o *Options) *model.Coverage {
	c := o.coverageOf(s.in, s.err)
	c.Start, c.End, c.Bytes, c.Events = s.start, s.end, s.bytes, s.counts()
	c.Unverified = s.unconfirmed(c.Events)
	c.Damaged = append(c.Damaged, s.damage...)
	if s.log != nil { // it was broken off
		c.Damaged = append(c.Damaged, s.log.Damage()...)
	}
	return c
}

// counts names the kinds of records and how many there were.
func (s *logSource) counts() map[string]int64 {
	out := maps.Clone(s.streams)
	for k, n := range s.kinds {
		out[winevent.KindName(k)] += n
	}
	return out
}

// damaged puts the damage of an input among the problems.
func (r *Records) damaged(c *model.Coverage) {
	for _, d := range c.Damaged {
		r.Problems = append(r.Problems, c.Input+": "+d)
		r.Failed = true
	}
	if len(c.Damaged) > 0 {
		r.Summary.Errors++
	}
}

func addCoverage(all, c *model.Coverage) {
	all.Packets += c.Packets
	all.Bytes += c.Bytes
	for k, n := range c.Decoded {
		all.Decoded[k] += n
	}
	for k, n := range c.Blind {
		all.Blind[k] += n
	}
	for k, n := range c.Other {
		all.Other[k] += n
	}
	all.Duplicate += c.Duplicate
	all.Conflicting += c.Conflicting
	all.Checksum += c.Checksum
	all.Gaps += c.Gaps
	all.EvictedFlows += c.EvictedFlows
	for k, n := range c.Events {
		all.Events[k] += n
	}
	all.Unverified = union(all.Unverified, c.Unverified)
	if all.Start == 0 || c.Start != 0 && c.Start < all.Start {
		all.Start = c.Start
	}
	all.End = max(all.End, c.End)
}

func (p *pipeline) fillSummary(r *Records, inputs int, all *model.Coverage) {
	s := &r.Summary
	s.Kind, s.Version = "summary", p.o.Version
	s.Inputs, s.Packets, s.Bytes = inputs, all.Packets, all.Bytes
	s.Transfers, s.Findings, s.Incidents = map[string]int64{}, map[string]int64{}, map[string]int64{}
	external := 0
	for _, t := range r.Transfers {
		s.Transfers[t.Completeness]++
		if t.Scope != model.ScopeInternal {
			external++
		}
	}
	if len(r.Transfers) > 0 {
		s.Expected = judge.Expected(len(r.Transfers))
	}
	for _, f := range r.Findings {
		if f.Suppressed == nil {
			s.Findings[f.Severity.String()]++
		}
	}
	for _, i := range r.Incidents {
		s.Incidents[i.Severity.String()]++
	}
	if len(r.Transfers) == 0 {
		s.Notes = append(s.Notes, p.whyNothing(r, all))
	}
	if 2*external > len(r.Transfers) {
		s.Notes = append(s.Notes, "most file-sharing ends are outside: name your own networks with --internal")
	}
	for _, f := range p.faults {
		r.Problems = append(r.Problems, "fault of waybill, please report it: "+f)
	}
}

// whyNothing says why no transfer was found.
func (p *pipeline) whyNothing(r *Records, all *model.Coverage) string {
	switch {
	case r.Summary.Events > 0 && len(r.Summary.LeftOut) == 0:
		return fmt.Sprintf("no event shows a file that moved, in %d events and %d packets", r.Summary.Events, all.Packets)
	case all.Packets == 0 && r.Summary.Events == 0:
		return "no packets and no events"
	case len(r.Summary.LeftOut) > 0:
		return "all transfers were left out by the print rules and flags"
	case len(all.Decoded) == 0:
		return fmt.Sprintf("no file-carrying protocol in %d packets", all.Packets)
	}
	return fmt.Sprintf("no file moved in %d packets", all.Packets)
}

// begins is when the captures begin; 0 without any.
func (p *pipeline) begins() (t model.Time) {
	for _, c := range p.coverage {
		if c.start != 0 && (t == 0 || c.start < t) {
			t = c.start
		}
	}
	return t
}
