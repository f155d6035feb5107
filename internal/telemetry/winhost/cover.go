package winhost

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// channel is what one log of the host covers.
type channel struct {
	model.LogCoverage
	kinds map[uint32]int64 // provider and id
	pages map[uint64]*page // record numbers that were seen
	seen  int64
	span  [2]uint64

	unknown bool // not all record numbers could be kept
}

// Bounds of what is kept for coverage: 512 million record numbers of all logs (some
// 70 MiB), and the channels of a host.
const (
	maxPages    = 1 << 17
	maxChannels = 2048
)

// page is 4,096 record numbers: a bit for each that was seen, and their times.
type page struct {
	seen        [64]uint64
	first, last model.Time
}

// cover counts an event for coverage. It reports whether the event is new: a record
// of the same number and time is the same one from another collector.
func (h *host) cover(e *winevent.Event) bool {
	c := h.channels[e.Channel]
	if c == nil && len(h.channels) >= maxChannels {
		return true
	}
	if c == nil {
		name := strings.Clone(e.Channel)
		c = &channel{LogCoverage: model.LogCoverage{Channel: name}, kinds: map[uint32]int64{}, pages: map[uint64]*page{}}
		h.channels[name] = c
	}
	if e.Record != 0 && !h.s.number(c, e.Record, e.Time) {
		return false
	}
	c.Events++
	if e.Time != 0 {
		if c.First == 0 || e.Time < c.First {
			c.First = e.Time
		}
		c.Last = max(c.Last, e.Time)
	}
	if e.Wanted() {
		c.kinds[e.Kind()]++
	}
	return true
}

// number notes a record's number, and reports whether it is new.
func (s *Hosts) number(c *channel, n uint64, t model.Time) bool {
	if c.seen == 0 {
		c.span = [2]uint64{n, n}
	}
	p := c.pages[n>>12]
	if p == nil {
		if s.pages >= maxPages {
			c.unknown = true
			return true
		}
		s.pages++
		p = &page{first: t, last: t}
		c.pages[n>>12] = p
	}
	word, bit := &p.seen[n>>6&63], uint64(1)<<(n&63)
	if *word&bit != 0 && t >= p.first-twinGap && t <= p.last+twinGap {
		return false
	}
	if *word&bit == 0 {
		*word |= bit
		c.seen++
	}
	p.first, p.last = min(p.first, t), max(p.last, t)
	c.span[0], c.span[1] = min(c.span[0], n), max(c.span[1], n)
	return true
}

// missing is how many record numbers between the first and the last were not seen.
func (c *channel) missing() int64 {
	if c.seen == 0 || c.unknown {
		return 0
	}
	return int64(c.span[1]-c.span[0]) + 1 - c.seen
}

// maxChanges bounds what is told of one log.
const maxChanges = 32

// changed notes what makes a log less than complete.
func (h *host) changed(e *winevent.Event, channelName, what string) {
	c := h.channels[channelName]
	if c == nil {
		c = &channel{LogCoverage: model.LogCoverage{Channel: strings.Clone(channelName)}, kinds: map[uint32]int64{}, pages: map[uint64]*page{}}
		h.channels[c.Channel] = c
	}
	if len(c.Changes) < maxChanges {
		c.Changes = append(c.Changes, model.LogChange{Time: e.Time, What: what, Evidence: h.evidence(e, eventName(e)+" "+what)})
	}
}

// oversight takes the events about the logs themselves.
func (h *host) oversight(e *winevent.Event) {
	switch {
	case e.Provider == winevent.Eventlog && e.ID == 1102, e.Provider == winevent.Security && e.ID == 1102:
		h.changed(e, "Security", clearedBy(e))
	case e.Provider == winevent.Eventlog && e.ID == 104:
		name := e.First("Channel", "param3")
		if name == "" {
			name = e.Channel
		}
		h.changed(e, name, clearedBy(e))
	case e.Provider == winevent.Security && e.ID == 4719:
		h.changed(e, "Security", "audit policy changed")
	case e.Provider == winevent.Security && e.ID == 4616:
		h.clockSet(e, e.Get("PreviousTime"), e.Get("NewTime"))
	case e.Provider == winevent.KernelGeneral && e.ID == 1:
		h.clockSet(e, e.Get("OldTime"), e.Get("NewTime"))
	case e.Provider == winevent.Sysmon && e.ID == 4 && strings.EqualFold(e.Get("State"), "stopped"):
		h.changed(e, e.Channel, "stopped")
	case e.Provider == winevent.Sysmon && e.ID == 16:
		h.changed(e, e.Channel, "configuration changed")
	case e.Provider == winevent.Sysmon && e.ID == 255:
		h.changed(e, e.Channel, "error "+clip(e.First("ID", "Description")))
	}
}

func clearedBy(e *winevent.Event) string {
	if who := account(e.Get("SubjectDomainName"), e.Get("SubjectUserName")); who != "" {
		return "cleared by " + who
	}
	return "cleared"
}

// clockSet notes a clock that was set by a minute or more; less is everyday.
func (h *host) clockSet(e *winevent.Event, before, after string) {
	a, ok1 := winevent.ParseTime(before)
	b, ok2 := winevent.ParseTime(after)
	if ok1 && ok2 && max(a-b, b-a) >= minute {
		h.changed(e, e.Channel, fmt.Sprintf("clock set by %d s", int64(b-a)/1e9))
	}
}

// coverage is one record a log, and what each host never logged.
func (s *Hosts) coverage() {
	hosts := s.all()
	blind := map[string][]string{}
	for _, h := range hosts {
		kinds := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(h.channels)) {
			c := h.channels[name]
			log := c.LogCoverage
			log.Host, log.Missing = h.name, c.missing()
			s.out.Logs = append(s.out.Logs, log)
			for k := range c.kinds {
				kinds[winevent.KindName(k)] = true
			}
			if kinds["sysmon/1"] || kinds["defender-hunting/1"] || kinds["security/4688"] {
				if s.out.StartsLogged == nil {
					s.out.StartsLogged = map[string]bool{}
				}
				s.out.StartsLogged[strings.ToLower(h.name)] = true
			}
		}
		for _, n := range needed {
			if !slices.ContainsFunc(n.any, func(k string) bool { return kinds[k] }) {
				blind[n.what] = append(blind[n.what], h.name)
			}
		}
	}
	for _, n := range needed {
		if list := blind[n.what]; len(list) > 0 {
			s.out.NeverLogged = append(s.out.NeverLogged, never(n, list, len(hosts)))
		}
	}
}

// need is a kind of event that shows something which nothing else does.
type need struct {
	any  []string
	what string
	so   string
}

var needed = []need{
	{[]string{"security/5145"}, "5145", "share writes there cannot be seen as who wrote what"},
	{[]string{"sysmon/11", "defender-hunting/11"}, "Sysmon 11", "files that appear there cannot be seen"},
	{[]string{"sysmon/1", "security/4688", "defender-hunting/1"}, "process starts (Sysmon 1, 4688)", "starts and commands there cannot be seen"},
	{[]string{"security/4624"}, "4624", "network logons there cannot be seen"},
	{[]string{"sysmon/3", "security/5156", "defender-hunting/3"}, "connections (Sysmon 3, 5156)", "which hosts connected there cannot be seen"},
}

func never(n need, list []string, hosts int) string {
	if hosts == 1 {
		return fmt.Sprintf("no %s on %s: %s", n.what, list[0], n.so)
	}
	names := strings.Join(list[:min(len(list), 5)], ", ")
	if len(list) > 5 {
		names += ", ..."
	}
	return fmt.Sprintf("no %s on %d of %d hosts (%s): %s", n.what, len(list), hosts, names, n.so)
}

// nearMovement is how near to a movement the clearing of a log is evidence.
const nearMovement model.Time = 3600e9

// cleared notes in a movement that a log of this host was cleared near it.
func (h *host) cleared(tr *model.Transfer) {
	for _, name := range slices.Sorted(maps.Keys(h.channels)) {
		for _, change := range h.channels[name].Changes {
			if t := max(tr.Start, tr.End); !strings.HasPrefix(change.What, "cleared") || max(t-change.Time, change.Time-t) > nearMovement {
				continue
			}
			tr.Notes = append(tr.Notes, fmt.Sprintf("the %s log of %s was %s at %s", name, h.name, change.What, change.Time))
			tr.Evidence = append(tr.Evidence, change.Evidence)
		}
	}
}
