package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"waybill/internal/judge"
	"waybill/internal/model"
)

// weights are what evidence that is not there could show.
var weights = judge.Weights()

// maxCollect bounds what is asked for; worthCollecting is the gain from which on.
const (
	maxCollect      = 8
	worthCollecting = 0.05
)

// want is one piece of evidence to collect.
type want struct {
	what      string   // with %s where the hosts stand
	analytics []string // that it would feed
	analytic  string   // of these the one that would gain most
	gain      float64
	lowers    float64 // by how much it may lower the score, by showing that this is everyday life
	hosts     []string
}

// collectNext says which evidence could change the score, the most first. What a finding
// could gain counts as far as it would then reach beyond the strongest one.
func (c *chain) collectNext() []string {
	wants := map[string]*want{}
	for _, m := range c.members {
		if !m.core() {
			continue
		}
		for _, w := range c.wanted(m) {
			for _, a := range w.analytics {
				if g := m.gain(a); g > w.gain {
					w.gain, w.analytic = g, a
				}
			}
			if w.gain -= c.strongest.Score - m.Score; m != c.strongest {
				w.lowers = 0 // the score stays that of the strongest
			}
			if w.change() >= worthCollecting {
				merge(wants, w)
			}
		}
	}
	all := slices.SortedFunc(maps.Values(wants), func(a, b *want) int {
		return cmp.Or(cmp.Compare(b.change(), a.change()), cmp.Compare(a.what, b.what))
	})
	var out []string
	for _, w := range all[:min(len(all), maxCollect)] {
		out = append(out, w.text())
	}
	return out
}

// change is by how much it could change the score, either way.
func (w *want) change() float64 { return max(w.gain, w.lowers) }

// merge puts the hosts together for which one kind of evidence would give the same.
func merge(wants map[string]*want, w want) {
	key := w.what
	if len(w.hosts) > 0 {
		key = fmt.Sprintf("%.1f %s", w.gain, w.what)
	}
	old := wants[key]
	if old == nil || w.gain > old.gain {
		if old != nil {
			w.lowers = max(w.lowers, old.lowers)
		}
		old = &w
		wants[key] = old
	}
	old.hosts = append(slices.Clip(old.hosts), w.hosts...)
	slices.Sort(old.hosts)
	old.hosts = slices.Compact(old.hosts)
}

func (w *want) text() string {
	what := w.what
	if len(w.hosts) > 0 {
		what = fmt.Sprintf(what, some(w.hosts))
	}
	text := fmt.Sprintf("%s: could add %.1f nats (%s)", what, w.gain, w.analytic)
	if w.lowers > 0 {
		text += fmt.Sprintf(", or take away up to %.0f where it shows that this is everyday life", w.lowers)
	}
	return text
}

// gain is what a finding's score would gain from an analytic at its full weight: of a
// family the strongest counts in full and the others a quarter (design, Scores).
func (m *member) gain(analytic string) float64 {
	w := weights[analytic]
	var full []float64
	now := 0.0
	for _, r := range m.Reasons {
		if r.Family != w.Family {
			continue
		}
		now += r.Nats
		if r.Analytic != analytic {
			full = append(full, r.Nats)
		}
	}
	strongest := 0.0
	if len(full) > 0 {
		strongest = slices.Max(full)
	}
	then := now + w.Nats*judge.Share
	if w.Nats > strongest {
		then = w.Nats + strongest*judge.Share
	}
	return then - now
}

// wanted is the evidence that a finding lacks.
func (c *chain) wanted(m *member) []want {
	out := []want{
		{what: "process start logs (Sysmon 1, Security 4688, auditd) of %s", analytics: []string{"remote-start"}, hosts: c.unloggedStarts(m)},
		{what: "packets or share audit (5145) of %s, to see who wrote it there", analytics: []string{"admin-share-write", "executor-match", "role-break"}, hosts: m.ends(func(t *model.Transfer) bool { return t.Source.Name() == "" })},
		{what: "the file itself, or packets, of %s: its content is not known", analytics: []string{"disguise"}, hosts: m.ends(unread)},
		{what: "session keys or a keytab for the encrypted exchanges with %s, or the file itself", analytics: []string{"disguise"}, hosts: m.ends(sealed)},
		{what: "process start logs (Sysmon 1, Security 4688, auditd) of %s, to see what moved it", analytics: []string{"transfer-utility"}, hosts: c.unloggedActor(m)},
		{what: "logs and packets of %s from before, to see how it came there", analytics: []string{"relay"}, hosts: c.origin(m)},
	}
	out = slices.DeleteFunc(out, func(w want) bool { return len(w.hosts) == 0 })
	if judge.LacksHistory(m.Finding) {
		out = append(out, want{what: "a history of what is usual here (--history)", analytics: []string{"new-edge"}, lowers: judge.Explains})
	}
	return out
}

// ends names the destinations of a finding's transfers for which something holds.
func (m *member) ends(holds func(*model.Transfer) bool) []string {
	var out []string
	for _, t := range m.moves {
		if n := t.Destination.Name(); n != "" && landed(t) && holds(t) {
			out = append(out, n)
		}
	}
	return out
}

// unread: no bytes of it were seen, and no log gives its hash.
func unread(t *model.Transfer) bool {
	return len(t.Hashes) == 0 && (t.Completeness == model.Logged || t.Completeness == model.Inferred)
}

func sealed(t *model.Transfer) bool { return t.Completeness == model.Opaque }

// unloggedStarts are the hosts where it came and where starts are not logged.
func (c *chain) unloggedStarts(m *member) []string {
	return m.ends(func(t *model.Transfer) bool {
		return len(t.Executed) == 0 && !c.known.startsLogged[strings.ToLower(t.Destination.Host)]
	})
}

// unloggedActor is the host at work where its commands are not logged.
func (c *chain) unloggedActor(m *member) []string {
	for _, t := range m.moves {
		a := t.Actor()
		if a.Name() != "" && t.Process == "" && t.Command == "" && !c.known.startsLogged[strings.ToLower(a.Host)] {
			return []string{a.Name()}
		}
	}
	return nil
}

// origin is the first holder that is visible, where nothing shows how it came there.
func (c *chain) origin(m *member) []string {
	if m != c.strongest || c.lead == "" {
		return nil
	}
	return []string{c.lead}
}
