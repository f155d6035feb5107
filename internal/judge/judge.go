// Package judge says which transfers an analyst should see, and why. In come the
// transfers and accesses of a run; out come findings with reasons that add up to
// a score in nats, and the artifacts that moved. Each analytic is one file here:
// a pure function from its state and one event to its state and marks. Nothing
// here reads an input, knows a format, or asks the clock: time is the events'.
package judge

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"waybill/internal/history"
	"waybill/internal/model"
	"waybill/internal/spread"
)

// Window is how far back the analytics look when it is not set.
const Window model.Time = 24 * 3600e9

// Settings are what sites set: ATT&CK's mutable elements of AN0516, and what the
// user knows.
type Settings struct {
	Window model.Time // 0 is Window
	// TrustedAccounts and TrustedPaths are globs, compared without case, with \ as the
	// only separator: transfers by such an account, or of a file of such a path, are
	// printed and held against nobody.
	TrustedAccounts, TrustedPaths []string
	// TrustedChannels are globs of channels that may carry anything here; AllowedTools
	// those of tools whose use by a command is everyday life here.
	TrustedChannels, AllowedTools []string
	Known                         []Known
	// StartsLogged are the hosts, lower case, whose logs show what was started.
	StartsLogged map[string]bool
	// Usual is what is normal here; nil is nothing known yet. It is added to.
	Usual *history.Normal
	// Marks are what analysts said of findings, artifacts and transfers.
	Marks []history.Mark
	// Held are transfers of earlier runs that took part in a finding of medium or above.
	Held []history.Held
	// Learned says of a transfer that it was learned from before; nil is none.
	Learned func(t *model.Transfer) bool
	// Withheld takes, at the end, what was not learned since it took part in a finding of
	// medium or above. May be nil.
	Withheld func(t *model.Transfer, h history.Held)
	// Closed takes each cluster once nothing can be added to it, with the marks that count;
	// f is nil where it makes no finding. The judge keeps none of its transfers. May be nil.
	Closed func(f *model.Finding, marks []Mark, all []*model.Transfer)
	// Assets are the hardware addresses that are known, lower case, with the system on
	// each, and known hosts by address where their hardware is not; empty: no list.
	Assets map[string]string
	// Spread bounds what is kept of contents and where they went.
	Spread spread.Settings
}

// trusts says whether a transfer is nothing to look at.
func (s *Settings) trusts(t *model.Transfer) bool {
	if len(s.TrustedAccounts)+len(s.TrustedPaths)+len(s.TrustedChannels) == 0 {
		return false
	}
	if anyGlob(s.TrustedChannels, t.Channel) {
		return true
	}
	for _, g := range s.TrustedAccounts {
		if t.User != "" && (Glob(g, t.User) || Glob(g, t.Account())) {
			return true
		}
	}
	for _, g := range s.TrustedPaths {
		g = pathKey(g)
		if Glob(g, pathKey(t.Path)) || t.Share != "" && Glob(g, pathKey(lastElement(t.Share)+`\`+t.Path)) {
			return true
		}
	}
	return false
}

// anyGlob says whether one of some globs fits.
func anyGlob(globs []string, s string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return Glob(g, s) })
}

// Glob matches without case: * is any text, ? one character, [a-z] one of some. Both
// slashes are one, and stand for themselves; * goes over them.
func Glob(pattern, s string) bool {
	ok, err := path.Match(globForm(pattern), plainForm(s))
	return err == nil && ok
}

// CheckGlob says whether a pattern is one.
func CheckGlob(pattern string) error {
	_, err := path.Match(globForm(pattern), "")
	return err
}

func plainForm(s string) string { return strings.ReplaceAll(strings.ToLower(s), "/", `\`) }

func globForm(pattern string) string { return strings.ReplaceAll(plainForm(pattern), `\`, `\\`) }

// Event is one transfer, one access or one file that a listing shows; the others are nil.
type Event struct {
	Time     model.Time
	Transfer *model.Transfer
	Access   *model.Access
	Listed   *model.Listed
	Window   model.Time // how far back to look; 0 is the Window
	Facts               // of a transfer
	Shelf    string     // where what an access opens was put on a share; "" else
	Usual    *Usual     // never nil in the judge: events are handed on often, and this is large
	put      *landing   // of a transfer that many analytics will ask for
}

func (e Event) window() model.Time { return cmp.Or(e.Window, Window) }

// Mark is what an analytic holds against a transfer: one term of a score. Nats
// below the analytic's first ones say that less than all of it was seen.
type Mark struct {
	Family, Analytic string
	Transfer         string // id
	Time             model.Time
	Nats             float64
	Text             string
	Evidence         []model.Evidence
	Techniques       []string
	Hosts            []string         // that it names beside those of transfers
	Execution        *model.Execution // the file was started
	Alone            bool             // it is said even where nothing else speaks against the transfer
}

// Analytic is one way to tell an intruder's transfer from others.
type Analytic interface {
	Name() string
	// Step takes the next event, in the order of time, and gives what it shows.
	Step(e Event) []Mark
	// Wide says whether it looks at transfers of what neither runs nor may, too.
	Wide() bool
	// Able says whether inputs with this coverage let the analytic see anything.
	Able(c *model.Coverage) model.Ableness
}

// Partitions is the number of parts that the keys of every analytic's state are
// dealt into, now and when many processes share the work.
const Partitions = 256

// rule makes an Analytic of a pure function. S is the state of one key; it holds
// only what can be written as JSON.
type rule[S any] struct {
	name string
	// key is what an event's state belongs to; "" when it does not concern the rule.
	key func(Event) string
	// keys stands in its place where an event belongs to several states.
	keys func(Event) []string
	// look gives the next state from a state, which it may reuse, and an event.
	look func(S, Event) (S, []Mark)
	able func(*model.Coverage) model.Ableness
	// begins says whether an event may begin a state; nil: each does. What only adds to one
	// leaves nothing where there is none.
	begins func(Event) bool
	// wide says that it looks at what neither runs nor may, too.
	wide bool
	// keep is how long after its last event a state is kept; 0 is twice the Window.
	keep model.Time

	states [Partitions]map[string]*held[S]
	swept  model.Time // when a partition was swept last
	broom  uint8      // the next one to sweep
}

// held is a state and when it was looked at last.
type held[S any] struct {
	State S          `json:"state"`
	Last  model.Time `json:"last"`
}

func (r *rule[S]) Name() string { return r.name }

func (r *rule[S]) Able(c *model.Coverage) model.Ableness { return r.able(c) }

func (r *rule[S]) Step(e Event) []Mark {
	if r.keys == nil {
		return r.step(r.key(e), &e)
	}
	var marks []Mark
	for _, key := range r.keys(e) {
		marks = append(marks, r.step(key, &e)...)
	}
	return marks
}

func (r *rule[S]) step(key string, e *Event) []Mark {
	if key == "" {
		return nil
	}
	if r.stateless() {
		var none S
		_, marks := r.look(none, *e)
		return marks
	}
	if r.begins != nil && r.states[partition(key)][key] == nil && !r.begins(*e) {
		return nil
	}
	h := r.state(key)
	next, marks := r.look(h.State, *e)
	*h = held[S]{next, e.Time}
	r.sweep(e.Time)
	return marks
}

// stateless says that a state holds nothing: there is none to keep.
func (r *rule[S]) stateless() bool {
	var s S
	_, empty := any(s).(struct{})
	return empty
}

// state gives the state of a key, an empty one where there is none.
func (r *rule[S]) state(key string) *held[S] {
	part := &r.states[partition(key)]
	h := (*part)[key]
	if h != nil {
		return h
	}
	if *part == nil {
		*part = map[string]*held[S]{}
	}
	h = &held[S]{}
	(*part)[key] = h
	return h
}

// sweep drops the states of one partition that nothing touched for long, now and then:
// all partitions in the time that a state is kept.
func (r *rule[S]) sweep(now model.Time) {
	keep := cmp.Or(r.keep, 2*Window)
	if now-r.swept < keep/Partitions {
		return
	}
	r.swept = now
	maps.DeleteFunc(r.states[r.broom], func(_ string, h *held[S]) bool { return now-h.Last > keep })
	r.broom++
}

func (r *rule[S]) Wide() bool { return r.wide }

// partition deals a key into one of the Partitions (FNV-1a).
func partition(key string) uint8 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return uint8(h ^ h>>8 ^ h>>16 ^ h>>24)
}

// analytics makes all of them, with empty state.
func analytics(set Settings) []Analytic {
	return []Analytic{adminShareWrite(), shareDrop(), toolPull(), toolPush(), rdpCopy(), transferUtility(set.AllowedTools), syncFolderRelay(),
		pipeContext(), networkWriter(), remoteStart(), sharedStart(), sharedRead(), policyStart(), executorMatch(), sameFileManyHosts(), relay(set.Held), opaqueRelay(), disguise(), rareFile(), nobodyMade(),
		rawTransfer(), opaqueBulk(), unknownHardware(set.Assets), newEdge(), roleBreak(), distributor()}
}

// events puts everything in the order of time. A transfer counts when it ended.
func events(transfers []*model.Transfer, accesses []*model.Access, listed []model.Listed) []Event {
	out := make([]Event, 0, len(transfers)+len(accesses)+len(listed))
	for _, t := range transfers {
		out = append(out, Event{Time: t.End, Transfer: t})
	}
	for _, a := range accesses {
		out = append(out, Event{Time: a.Time, Access: a})
	}
	for i := range listed {
		if l := &listed[i]; l.Time != 0 {
			out = append(out, Event{Time: l.Time, Listed: l})
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.id(), b.id()))
	})
	return out
}

// rank orders what logs say of one second: a file was put somewhere before it was
// fetched from there, and moved before it was started.
func (e Event) rank() int {
	switch {
	case e.Transfer == nil:
		return 2
	case e.Transfer.Operation == model.Pull:
		return 1
	}
	return 0
}

func (e Event) id() string {
	switch {
	case e.Transfer != nil:
		return e.Transfer.ID
	case e.Listed != nil:
		return e.Listed.Host.Name() + " " + e.Listed.Path
	}
	return e.Access.ID
}

// moved says whether the event is a file that one of its ends sent or fetched, and
// that reached its destination.
func (e Event) moved() bool {
	return e.Transfer != nil && e.Transfer.Operation != model.Copy && e.landed()
}

// landed says whether the file of a transfer reached its destination.
func (e Event) landed() bool {
	return e.Transfer.Status == model.Done || e.Transfer.Status == model.Interrupted || e.Transfer.Status == model.Claimed
}

// sameStart says whether two sensors saw one start: packets and a log, whose clocks
// may differ by seconds.
func sameStart(a, b *model.Execution) bool {
	return a.How == b.How && max(a.Time-b.Time, b.Time-a.Time) < 10e9
}

// counted adds one to how often something was seen, and gives how often it was before.
// The map passed in is given up; it remembers the first countedMost.
func counted(times map[string]int, what string) (map[string]int, int) {
	n := times[what]
	if times == nil {
		times = map[string]int{}
	}
	if n > 0 || len(times) < countedMost {
		times[what] = n + 1
	}
	return times, n
}

// countedMost bounds what is counted under one key.
const countedMost = 1024

// sortedKeys gives the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Expected is how many findings of a severity and above so many transfers would
// give if all were everyday traffic: the contract's figures for 2 million a day.
func Expected(transfers int) map[string]float64 {
	share := float64(transfers) / 2e6
	return map[string]float64{"medium": 90 * share, "high": 0.6 * share, "critical": 0.03 * share}
}
