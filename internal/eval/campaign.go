package eval

import (
	"cmp"
	"math/rand/v2"

	"waybill/internal/model"
)

// Running is one campaign in a world: what it did.
type Running struct {
	*Campaign
	ID     int
	Start  model.Time // of its first hostile movement
	Primed int        // days on which its hosts exchanged harmless files before
	Moves  []*Move    // the hostile ones, in the order of time
	label  *Label
	prime  *Label
	rng    *rand.Rand
}

// plan puts all campaigns into the days that are judged.
func (w *World) plan() {
	for range max(1, w.Repeat) {
		for _, c := range w.Campaigns {
			c = c.varied(w.Varied)
			r := &Running{Campaign: c, ID: len(w.Running)}
			r.rng = seeded(w.Seed, 9, uint64(r.ID), text(c.Name))
			r.label = w.label(Label{Row: c.Name, Campaign: r, Irreducible: c.Irreducible})
			r.prime = w.label(Label{Row: c.Name + " (priming)", Boundary: true})
			w.Running = append(w.Running, r)
			w.attack(r)
		}
	}
}

// attack makes what a campaign does.
func (w *World) attack(r *Running) {
	targets, source := w.victims(r)
	if source == nil || len(targets) == 0 {
		return
	}
	via := w.via(r, source)
	if r.Via != "" && via == nil {
		return
	}
	a := &attack{w: w, r: r, source: source, via: via, user: w.stolen(r, source), key: mix(w.Seed, uint64(r.ID), 31), name: intruderName(r.Names, r.rng)}
	at := w.begin(r, len(targets))
	r.Start = at
	w.primed(a, targets, at)
	holders := []*Host{source}
	for i, target := range targets {
		if at >= Epoch+model.Time(w.Days)*day {
			break // the world ends
		}
		at = a.on(i, holders, target, at)
		holders = append(holders, target)
		at += model.Time(Range{r.Pace[0].Seconds(), r.Pace[1].Seconds()}.draw(r.rng) * 1e9)
		if r.PerDay > 0 && (i+1)%r.PerDay == 0 {
			at = Epoch + ((at-Epoch)/day+1)*day + model.Time(8+r.rng.IntN(9))*hour
		}
		at = workhours(r.Hours, at, r.rng)
	}
}

// victims picks the hosts of a campaign.
func (w *World) victims(r *Running) (targets []*Host, source *Host) {
	if source = w.pick(r.From, nil, r.rng); source == nil {
		return nil, nil
	}
	known := map[*Host]bool{source: true}
	n := int(float64(r.Hosts.whole(r.rng)) * min(1, w.Varied.factor("campaign hosts")))
	for range 40 * max(1, n) {
		if len(targets) == max(1, n) {
			break
		}
		if t := w.pick(r.To, source, r.rng); t != nil && !known[t] {
			known[t] = true
			targets = append(targets, t)
		}
	}
	return targets, source
}

func (w *World) via(r *Running, source *Host) *Host {
	if r.Via == "" {
		return nil
	}
	return w.pick(r.Via, source, r.rng)
}

// stolen is the account that a campaign uses; "" means that of each action.
func (w *World) stolen(r *Running, source *Host) string {
	switch r.Account {
	case "admin":
		if source.Role == "paw" {
			return "adm-" + source.User
		}
		return "adm-" + w.pick("paw", nil, r.rng).User
	case "service":
		return []string{"svc-jobs", "svc-sql", "svc-backup"}[r.rng.IntN(3)]
	}
	return ""
}

// begin is when a campaign begins, so that it ends within the world where that can be.
func (w *World) begin(r *Running, targets int) model.Time {
	first := min(w.Learn, w.Days-1)
	if r.Prime > 0 {
		first = max(first, min(r.Prime, w.Days-2))
	}
	need := 1
	if r.PerDay > 0 {
		need = (targets/r.PerDay + 4) * 7 / 5 // and weekends
	}
	last := max(first, w.Days-1-need)
	at := Epoch + model.Time(first+r.rng.IntN(last-first+1))*day
	at += model.Time(r.rng.Int64N(int64(20 * hour)))
	return workhours(r.Hours, at, r.rng)
}

// workhours moves a time into the hours in which people work.
func workhours(word string, at model.Time, rng *rand.Rand) model.Time {
	if word != "work" {
		return at
	}
	for {
		clock := (at - Epoch) % day
		weekday := (at - Epoch) / day % 7
		if weekday < 5 && clock >= 8*hour && clock < 17*hour {
			return at
		}
		next := Epoch + (at-Epoch)/day*day + 8*hour + model.Time(rng.Int64N(int64(2*hour)))
		if clock >= 8*hour {
			next += day
		}
		for (next-Epoch)/day%7 >= 5 {
			next += day
		}
		at = next
	}
}

// attack is what stays the same in a campaign.
type attack struct {
	w           *World
	r           *Running
	source, via *Host
	user, name  string
	folder      string
	key         uint64
	pads        int
}

// primed moves harmless files between the pairs on the days before.
func (w *World) primed(a *attack, targets []*Host, hostile model.Time) {
	for d := range a.r.Prime {
		for _, t := range targets {
			at := hostile - model.Time(d+1)*day + model.Time(a.r.rng.Int64N(int64(3*hour)))
			if at < Epoch {
				continue
			}
			a.r.Primed = d + 1
			act := Action{Push: true, Channel: "smb", Share: "C$", Path: `Temp\notes{rand:3}.txt`, Content: ContentSpec{Type: "text", Size: Range{200, 9000}, Fresh: true}}
			m := w.move(&act, a.r.prime, a.source, t, at, &filled{})
			m.User, m.Domain = a.user, domain
			w.later(m)
		}
	}
}

// on takes the steps against one host, and gives when the last one was over.
func (a *attack) on(i int, holders []*Host, target *Host, at model.Time) model.Time {
	r := a.r
	src := a.source
	if i > 0 && r.rng.Float64() < r.Relay {
		src = holders[r.rng.IntN(len(holders))]
	}
	if i == 0 || r.Renamed {
		a.name = intruderName(r.Names, r.rng)
	}
	if i == 0 || r.rng.Float64() < 0.2 {
		a.folder = folders[r.rng.IntN(len(folders))]
	}
	if r.Padded {
		a.pads++
	}
	for j := range r.Steps {
		s := &r.Steps[j]
		if s.Once && i > 0 {
			continue
		}
		m := a.take(s, a.end(s.Ends[0], src, target), a.end(s.Ends[1], src, target), at)
		at = m.End + model.Time(1+r.rng.IntN(20))*second
		if m.Start != nil {
			at = max(at, m.Start.Time+second)
		}
	}
	return at
}

func (a *attack) end(word string, src, target *Host) *Host {
	switch word {
	case "via":
		return a.via
	case "target":
		return target
	}
	return src
}

// take makes the movement of one step.
func (a *attack) take(s *Step, src, dst *Host, at model.Time) *Move {
	f := &filled{name: a.name, folder: a.folder, job: a.name}
	own := s.Content.Per == "campaign"
	content := Content{}
	if own {
		content = made(a.key, s.Content)
		if a.pads > 0 {
			content.Pad, content.Padding = mix(a.key, uint64(a.pads)), 1+a.r.rng.Int64N(100_000)
		}
		f.content = content.Key
	}
	act := s.Action
	byAccount := act.Start != nil && (act.Start.User == "account" || act.Start.User == "" && (act.Start.How == "wmi" || act.Start.How == "winrm"))
	m := a.w.move(&act, a.r.label, src, dst, at, f)
	if own {
		content.Type = typeOf(content.Type, m.Name)
		m.Content = content
	}
	if a.user != "" && (s.Account == "admin" || s.Account == "service") {
		m.User, m.Domain = a.user, domain
	}
	if m.Start != nil && byAccount {
		m.Start.User = domain + `\` + cmp.Or(a.user, m.User, m.Destination.User, "svc")
	}
	if own && s.Content.Type != "none" {
		a.r.Moves = append(a.r.Moves, m)
	}
	a.w.later(m)
	return m
}
