package eval

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"waybill/internal/model"
)

// Config says which world is made.
type Config struct {
	Hosts, Days int // Learn days of it are not judged
	Learn       int
	Seed        uint64
	Bulk        float64 // share of the rows marked bulk that is made
	Parameters  *Parameters
	Campaigns   []*Campaign // each runs Repeat times
	Repeat      int
	Prevent     bool       // learn policies, and try them on what happens
	Varied      *Variation // of all parameters; nil: none
}

// HeldOutSeed gives a seed of the worlds that are held out, for one of those that are
// tuned on.
func HeldOutSeed(seed uint64) uint64 { return mix(seed, text("held out")) }

// Epoch is when worlds begin: a Monday at midnight, UTC.
const Epoch model.Time = 1_772_409_600e9 // 2026-03-02

const (
	second model.Time = 1e9
	minute            = 60 * second
	hour              = 60 * minute
	day               = 24 * hour
)

// World is a network and what happens in it, in the order of time.
type World struct {
	Config
	*Network
	Running []*Running // campaigns, in the order of their beginnings
	rows    []*row
	labels  []*Label
	pending pending
	rng     *rand.Rand
	hour    int
	seq     uint64
	// Changed hosts of the day that begins: for those who tell sensors.
	Moved []*Host
}

// row is a routine with what was drawn for this world.
type row struct {
	*Routine
	label  *Label
	volume float64 // events a day
	weekly int     // weekday of what happens weekly
	next   int     // host whose turn was last
}

// NewWorld makes a world.
func NewWorld(c Config) *World {
	w := &World{Config: c, rng: seeded(c.Seed, 1)}
	p := c.Parameters.varied(c.Varied)
	w.Parameters = p
	w.Network = newNetwork(c.Hosts, p, w.rng)
	for _, r := range p.Benign {
		w.addRow(r)
	}
	w.plan()
	return w
}

func (w *World) label(l Label) *Label {
	l.Index = len(w.labels)
	w.labels = append(w.labels, &l)
	return &l
}

func (w *World) addRow(r *Routine) {
	volume := r.Volume.draw(w.rng)
	of := float64(len(w.All))
	if r.Per != "" {
		of = float64(len(w.byRole[r.Per]))
	}
	volume *= of / 1000 * w.Varied.factor("volume "+r.What)
	if r.ShareOf > 0 {
		volume *= r.ShareOf
	}
	if r.Bulk {
		volume *= w.Bulk
	}
	w.rows = append(w.rows, &row{Routine: r, volume: volume, weekly: w.rng.IntN(5),
		label: w.label(Label{Row: r.Row, Boundary: r.Boundary, Irreducible: r.Irreducible})})
}

// Done says whether the world has come to its end.
func (w *World) Done() bool { return w.hour >= 24*w.Days }

// Hour gives what happens in the next hour, in the order of time.
func (w *World) Hour(see func(*Move)) {
	from := Epoch + model.Time(w.hour)*hour
	if w.hour%24 == 0 {
		w.changes(w.hour / 24)
	}
	for _, r := range w.rows {
		w.benign(r, from)
	}
	w.hour++
	for len(w.pending) > 0 && w.pending[0].Time < from+hour {
		see(heap.Pop(&w.pending).(*Move))
	}
}

// changes lets hosts join, and get other addresses and names.
func (w *World) changes(today int) {
	w.Moved = w.Moved[:0]
	if today == 0 {
		w.Moved = append(w.Moved, w.All...)
		return
	}
	per := float64(len(w.All)) / 1000
	p := w.Parameters
	for range poisson(w.rng, p.value("new_hosts")*per) {
		w.Moved = append(w.Moved, w.add("workstation", p, w.rng))
	}
	for range poisson(w.rng, p.value("new_address")*per) {
		h := w.pick("client", nil, w.rng)
		h.IP = w.address(h)
		w.Moved = append(w.Moved, h)
	}
	for range poisson(w.rng, p.value("renamed_hosts")*per) {
		h := w.pick("client", nil, w.rng)
		h.Name = strings.TrimRight(h.Name, "R") + "R"
		w.Moved = append(w.Moved, h)
	}
}

// pending is what will happen, the earliest first.
type pending []*Move

func (p pending) Len() int { return len(p) }
func (p pending) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(p[i].Time, p[j].Time), cmp.Compare(p[i].seq, p[j].seq)) < 0
}
func (p pending) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pending) Push(x any)   { *p = append(*p, x.(*Move)) }
func (p *pending) Pop() any {
	old := *p
	m := old[len(old)-1]
	*p = old[:len(old)-1]
	return m
}

func (w *World) later(m *Move) {
	w.seq++
	m.seq = w.seq
	heap.Push(&w.pending, m)
}

// hourNames are the words for when things happen.
var hourNames = map[string]bool{"work": true, "day": true, "night": true, "backup": true, "logon": true}

// share is which part of a day's events fall in an hour.
func (w *World) share(r *row, h int) float64 {
	today, clock := h/24, h%24
	weekday := today % 7 // 0 is Monday
	part := 0.0
	switch r.Hours {
	case "work":
		part = [24]float64{7: 0.04, 8: 0.1, 9: 0.13, 10: 0.13, 11: 0.12, 12: 0.07, 13: 0.1, 14: 0.11, 15: 0.09, 16: 0.06, 17: 0.03, 18: 0.02}[clock]
	case "logon":
		part = [24]float64{6: 0.05, 7: 0.25, 8: 0.4, 9: 0.2, 12: 0.05, 13: 0.05}[clock]
	case "night":
		part = [24]float64{1: 0.3, 2: 0.3, 3: 0.25, 4: 0.15}[clock]
	case "backup":
		part = [24]float64{21: 0.3, 22: 0.3, 23: 0.2, 0: 0.2}[clock]
	default:
		part = 0.6/24 + 0.4*[24]float64{8: 0.1, 9: 0.12, 10: 0.12, 11: 0.12, 12: 0.1, 13: 0.12, 14: 0.12, 15: 0.1, 16: 0.1}[clock]
	}
	if weekday >= 5 && (r.Hours == "work" || r.Hours == "logon") {
		part *= w.Parameters.value("weekend")
	}
	switch r.Days {
	case "weekly":
		part *= 7 * truth(weekday == r.weekly)
	case "patch": // Microsoft's second Tuesday, and the days after it
		part *= 0.5 + 4*truth(today%28 >= 8 && today%28 <= 10)
	}
	return part
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// benign makes what a routine does in the hour from a time.
func (w *World) benign(r *row, from model.Time) {
	rate := r.volume * w.share(r, w.hour)
	if r.Jobs[1] > 0 {
		for range poisson(w.rng, rate/max(1, r.Jobs.middle())) {
			w.job(r, from+w.within(hour))
		}
		return
	}
	for range poisson(w.rng, rate) {
		w.event(r, from+w.within(hour), nil, nil, 0, "")
	}
}

func (w *World) within(d model.Time) model.Time { return model.Time(w.rng.Int64N(int64(d))) }

// job makes one content go to several hosts, or several files to one.
func (w *World) job(r *row, at model.Time) {
	n := max(1, r.Jobs.whole(w.rng))
	name := hexOf(mix(w.Seed, text(r.What), w.rng.Uint64()))[:8]
	var src, dst *Host
	if src = w.pick(r.From, nil, w.rng); src == nil {
		return
	}
	if r.OneTarget {
		dst = w.pick(r.To, src, w.rng)
	}
	over := max(model.Time(r.Over), minute)
	for i := range n {
		w.event(r, at+w.within(over), src, dst, i, name)
	}
}

// event makes one movement of a routine.
func (w *World) event(r *row, at model.Time, src, dst *Host, i int, job string) {
	src, dst = w.ends(r, src, dst)
	if src == nil || dst == nil || src == dst {
		return
	}
	if (r.Hours == "work" || r.Hours == "logon") && (w.away(src, at) || w.away(dst, at)) {
		return
	}
	m := w.move(&r.Action, r.label, src, dst, at, &filled{n: i, job: job})
	w.later(m)
	if r.Then != nil {
		w.fetched(r, m)
	}
}

// away says whether the person of a host is not at work that day.
func (w *World) away(h *Host, at model.Time) bool {
	return h.client() && seeded(w.Seed, uint64(h.ID), uint64(dayOf(at)), 71).Float64() < w.Parameters.value("absent")
}

// ends picks the hosts of a movement: first the one that others depend on.
func (w *World) ends(r *row, src, dst *Host) (*Host, *Host) {
	relative := r.From == "peer" || r.From == "own-fileserver" || strings.HasPrefix(r.From, "same:")
	if dst == nil && !r.Each && (relative || src == nil && !r.Push) {
		dst = w.pick(r.To, src, w.rng)
	}
	if src == nil {
		src = w.pick(r.From, dst, w.rng)
	}
	if r.Each && dst == nil && src != nil {
		dst = w.turn(r, src)
	}
	if dst == nil && src != nil {
		dst = w.pick(r.To, src, w.rng)
	}
	return src, dst
}

// turn gives the next host of a kind, so that each has its turn before the first has its
// second.
func (w *World) turn(r *row, src *Host) *Host {
	for range len(w.All) {
		r.next = (r.next + 1) % len(w.All)
		if h := w.All[r.next]; h != src && h.Is(r.To) {
			return h
		}
	}
	return nil
}

// fetched lets others fetch what was put on a share.
func (w *World) fetched(r *row, put *Move) {
	t := r.Then
	if w.rng.Float64() >= t.Chance {
		return
	}
	for range t.Times.whole(w.rng) {
		who := w.pick(t.To, put.Source, w.rng)
		if who == nil {
			continue
		}
		m := *put
		m.Push, m.Source, m.Destination = false, put.Destination, who
		m.Time = put.End + model.Time(t.After.draw(w.rng)*1e9)
		m.End = m.Time + put.End - put.Time
		f := w.fill(&m, &filled{content: m.Content.Key})
		m.User, m.Process, m.Command, m.Writer, m.Local = who.User, "", "", t.Writer, f.expand(t.Local)
		m.Start = w.start(t.Start, &m, f)
		w.later(&m)
	}
}

// move makes a movement of an action.
func (w *World) move(a *Action, l *Label, src, dst *Host, at model.Time, f *filled) *Move {
	m := &Move{Time: at, Label: l, Source: src, Destination: dst, Push: a.Push, Channel: a.Channel, Port: a.Port, Process: a.Process, Writer: a.Writer}
	f.pick = w.zipf(400)
	if a.Content.Pool > 0 {
		f.pick = w.zipf(a.Content.Pool)
	}
	f.guid = w.rng.IntN(30)
	if f.content == 0 { // campaigns bring theirs
		m.Content = w.content(a, m, f)
		f.content = m.Content.Key
	}
	w.fill(m, f)
	m.Share, m.Path = f.expand(a.Share), f.expand(a.Path)
	m.Name = m.Path[strings.LastIndexAny(m.Path, `\/`)+1:]
	f.name = cmp.Or(f.name, m.Name)
	m.User, m.Domain = w.account(a.Account, m)
	m.Command = f.expand(a.Command)
	m.Local = f.expand(a.Local)
	if m.Local == "" && m.Push {
		m.Local = localPath(m.Share, m.Path)
	}
	m.Content.Type = typeOf(m.Content.Type, m.Name)
	// Over the wire: up to some 30 MB a second, and what the protocol takes.
	m.End = at + model.Time(float64(m.Content.Bytes())/(3e6+w.rng.Float64()*3e7)*1e9) + model.Time(w.rng.Int64N(int64(second/2)))
	m.Start = w.start(a.Start, m, f)
	return m
}

// fill prepares what fills the blanks.
func (w *World) fill(m *Move, f *filled) *filled {
	f.rng, f.src, f.dst, f.srcIP = w.rng, m.Source.Name, m.Destination.Name, m.Source.IP.String()
	f.user = cmp.Or(m.client().User, "svc")
	f.dept = fmt.Sprint(m.client().Dept)
	f.date = dateOf(m.Time)
	if f.folder == "" {
		f.folder = folders[w.rng.IntN(len(folders))]
	}
	return f
}

func dateOf(t model.Time) string { return strings.ReplaceAll(t.String()[:10], "-", "") }

// zipf picks one of n, the first ones more often.
func (w *World) zipf(n int) int {
	x := math.Pow(float64(n), w.rng.Float64()) - 1
	return min(n-1, max(0, int(x)))
}

// content is what an event of a routine moves.
func (w *World) content(a *Action, m *Move, f *filled) Content {
	s := a.Content
	key := []uint64{w.Seed, text(a.Channel + a.Share + a.Path)}
	if s.Pool > 0 {
		key = append(key, uint64(f.pick))
	}
	switch s.Per {
	case "job":
		key = append(key, text(f.job))
	case "n":
		key = []uint64{w.Seed, text(a.Path), uint64(f.n)}
	case "dept":
		key = append(key, uint64(m.client().Dept))
	}
	if s.Like != "" {
		key = []uint64{w.Seed, text(s.Like)}
	}
	if s.Fresh || s.Per == "event" {
		key = append(key, w.rng.Uint64())
	} else if s.Life > 0 {
		phase := float64(mix(key...)%1000) / 1000
		key = append(key, uint64(float64(m.Time-Epoch)/float64(day)/s.Life+phase+100))
	}
	return made(mix(key...), s)
}

// made is a content by its key.
func made(key uint64, s ContentSpec) Content {
	return Content{Key: key, Size: max(1, int64(s.Size.draw(seeded(key, 2)))), Type: s.Type, Original: s.Original}
}

// typeOf is the type that waybill tells of such a file.
func typeOf(kind, name string) string {
	ext := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	switch kind {
	case "document":
		switch ext {
		case "pdf":
			return "pdf"
		case "jpg":
			return "image"
		case "txt":
			return "text"
		}
		return "office"
	case "mixed":
		return [...]string{"office", "pdf", "image", "data", "pe", "script", "archive", "text"}[text(name)%8]
	case "msi":
		return "office" // an MSI is an OLE compound file
	case "iso":
		return "iso"
	}
	return kind
}

// account is who is logged on at the server.
func (w *World) account(word string, m *Move) (user, dom string) {
	c := m.client()
	switch word {
	case "none":
		return "", ""
	case "machine":
		return c.Name + "$", domain
	case "user":
		return cmp.Or(c.User, "svc"), domain
	case "admin":
		return "adm-" + cmp.Or(c.User, "it"), domain
	}
	return word, domain
}

// start is how the file is started, nil where it is not.
func (w *World) start(s *StartSpec, m *Move, f *filled) *Start {
	if s == nil || s.Chance > 0 && w.rng.Float64() >= s.Chance {
		return nil
	}
	after := s.After
	if after[1] == 0 {
		after = Range{1, 20}
	}
	x := &Start{Time: m.End + model.Time(after.draw(w.rng)*1e9), How: s.How, Service: f.expand(s.Service), Image: f.expand(s.Image), Command: f.expand(s.Command), Parent: f.expand(s.Parent)}
	x.User = w.starter(cmp.Or(s.User, map[string]string{"wmi": "account", "winrm": "account"}[s.How]), m)
	if x.Image == "" {
		x.Image = m.Local
	}
	if s.How == "unc" && s.Image == "" {
		x.Image = `\\` + m.Source.Name + `\` + m.Share + `\` + m.Path
	}
	if x.Command == "" {
		x.Command = x.Image
	}
	if s.How == "unc" && s.Image != "" {
		x.Command = x.Image + ` /c \\` + m.Source.Name + `\` + m.Share + `\` + m.Path
	}
	return x
}

func (w *World) starter(word string, m *Move) string {
	switch word {
	case "user":
		return domain + `\` + cmp.Or(m.Destination.User, "svc")
	case "account":
		return domain + `\` + m.User
	case "admin":
		return domain + `\adm-` + cmp.Or(m.Source.User, "it")
	case "":
		return `NT AUTHORITY\SYSTEM`
	}
	return word
}

// localPath is where a file of a share lies on its server.
func localPath(share, path string) string {
	switch s := strings.ToLower(share); {
	case s == "":
		return ""
	case s == "admin$":
		return `C:\Windows\` + path
	case len(s) == 2 && s[1] == '$':
		return strings.ToUpper(s[:1]) + `:\` + path
	case s == "sysvol", s == "netlogon":
		return `C:\Windows\SYSVOL\` + s + `\` + path
	}
	return `D:\Shares\` + share + `\` + path
}

// poisson draws a count; great ones by a normal.
func poisson(rng *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 50 {
		return max(0, int(math.Round(mean+rng.NormFloat64()*math.Sqrt(mean))))
	}
	n, p, limit := 0, rng.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= rng.Float64()
	}
	return n
}
