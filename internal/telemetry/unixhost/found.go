package unixhost

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// moved is what a record says of a movement between the host and another one.
type moved struct {
	operation string // push to the host, or pull from it
	channel   string
	other     model.Endpoint // the client
	at        model.Endpoint // the host's own end, where it is known
	share     string
	path      string
	size      int64 // -1 unknown
	start     model.Time
	status    string // done when empty
	reason    string
	user      string
	auth      string
	what      string // for the evidence
	confident string
	mode      string // permission bits of the file, where the record says them
	loose     bool   // the log replaces blanks and other letters in names
}

// entry is a movement in the book, and the logs that vouch for it.
type entry struct {
	t      *model.Transfer
	by     []voucher
	loose  bool // its name is as a log mangles names
	client model.Endpoint
}

type voucher struct {
	stream string
	input  int32
	time   model.Time
}

// book finds the movements of a host by name and by path.
type book struct {
	all    []*model.Transfer
	byName map[string][]*entry // by mangled name
	byPath map[string]*model.Transfer
}

// apart is how far apart in time two logs of a host may date one movement; again is
// how far apart two copies of one log do.
const (
	apart = 2 * minute
	again = 2e9
)

// found takes a movement that a record shows. It gives the transfer, nil for what is
// none between hosts.
func (h *host) found(r *telemetry.Record, m moved) *model.Transfer {
	if h.isSelf(m.other) || base(m.path) == "" {
		return nil
	}
	key := model.GarbledFTP(base(m.path))
	if e := h.known(r, &m, key); e != nil {
		h.vouch(e, r, &m)
		return e.t
	}
	t := h.transfer(r, &m)
	e := &entry{t: t, by: []voucher{{strings.Clone(r.Stream), r.Input, r.Time}}, loose: m.loose, client: m.other}
	h.enter(e, key)
	return t
}

// transfer is what a record says by itself.
func (h *host) transfer(r *telemetry.Record, m *moved) *model.Transfer {
	path := strings.Clone(m.path)
	t := &model.Transfer{Kind: "transfer", ID: h.id("t", r, m.operation, m.other.Name(), path), Start: min(cmp.Or(m.start, r.Time), r.Time), End: r.Time,
		Operation: m.operation, Channel: m.channel, Share: strings.Clone(m.share), Path: path, Name: base(path), Completeness: model.Logged,
		Status: cmp.Or(m.status, model.Done), Reason: cmp.Or(m.reason, model.ReasonLogged), User: strings.Clone(m.user), Auth: m.auth,
		Confidence: m.confident, Mode: m.mode, TimeAssumed: r.Assumed, Evidence: []model.Evidence{h.evidence(r, m.what)}}
	if m.size >= 0 && t.Status != model.Denied {
		t.Size = &m.size
	}
	self := m.at
	self.Host = h.key
	t.Source, t.Destination, t.Initiator = m.other, self, model.BySource
	if m.operation == model.Pull {
		t.Source, t.Destination, t.Initiator = self, m.other, model.ByDestination
	}
	return t
}

// enter writes a movement in the book.
func (h *host) enter(e *entry, key string) {
	b := &h.book
	if b.byName == nil || len(b.byName) >= maxFacts {
		b.byName = map[string][]*entry{}
	}
	if len(b.byName[key]) >= maxFacts {
		delete(b.byName, key)
	}
	b.byName[key] = append(b.byName[key], e)
	if h.s.out.Moved(e.t) {
		b.all = append(b.all, e.t)
	}
	h.lies(e.t, e.t.Path)
}

// lies notes where on the host a file came to lie.
func (h *host) lies(t *model.Transfer, path string) {
	if t.Destination.Host != h.key || t.Status == model.Denied {
		return
	}
	if h.book.byPath == nil || len(h.book.byPath) >= maxFacts {
		h.book.byPath = map[string]*model.Transfer{}
	}
	h.book.byPath[strings.Clone(path)] = t
	h.disk(path)
}

// crowd bounds how many movements of one name are looked at.
const crowd = 128

// known finds the movement that another log of the host showed.
func (h *host) known(r *telemetry.Record, m *moved, key string) *entry {
	var best *entry
	all := h.book.byName[key]
	for _, e := range slices.Backward(all[max(0, len(all)-crowd):]) {
		if r.Time-e.by[len(e.by)-1].time > 10*minute {
			break
		}
		if e.same(r, m) && (best == nil || distance(e.t.End, r.Time) < distance(best.t.End, r.Time)) {
			best = e
		}
	}
	return best
}

func distance(a, b model.Time) model.Time { return max(a-b, b-a) }

// same says whether a record of another log, or of another copy of it, shows the
// movement.
func (e *entry) same(r *telemetry.Record, m *moved) bool {
	t := e.t
	if t.Operation != m.operation || t.Channel != m.channel || !e.loose && !m.loose && !strings.EqualFold(t.Name, base(m.path)) {
		return false
	}
	if (t.Status == model.Claimed) != (m.status == model.Claimed) || (t.Status == model.Denied) != (m.status == model.Denied) {
		return false
	}
	if t.Size != nil && m.size >= 0 && *t.Size != m.size && t.Status == model.Done && cmp.Or(m.status, model.Done) == model.Done {
		return false
	}
	if e.client.IP.Known() && m.other.IP.Known() && e.client.IP != m.other.IP {
		return false
	}
	reach := model.Time(apart)
	for _, v := range e.by {
		if v.stream == r.Stream {
			if v.input == r.Input {
				return false // told apart there
			}
			reach = again
		}
	}
	return r.Time >= t.Start-reach && r.Time <= t.End+reach
}

// vouch adds what another log says of a movement.
func (h *host) vouch(e *entry, r *telemetry.Record, m *moved) {
	t := e.t
	e.by = append(e.by, voucher{strings.Clone(r.Stream), r.Input, r.Time})
	if len(t.Evidence) < maxEvidence {
		t.Evidence = append(t.Evidence, h.evidence(r, m.what))
	}
	if e.loose && !m.loose {
		t.Path, t.Name, e.loose = strings.Clone(m.path), base(strings.Clone(m.path)), false
		h.lies(t, t.Path)
	}
	if !strings.HasPrefix(t.Path, "/") && strings.HasPrefix(m.path, "/") && base(m.path) == t.Name {
		t.Path = strings.Clone(m.path)
		h.lies(t, t.Path)
	}
	other := &t.Source
	if t.Operation == model.Pull {
		other = &t.Destination
	}
	if !other.IP.Known() && (m.other.IP.Known() || other.Host == "") {
		m.other.Host = cmp.Or(m.other.Host, other.Host)
		*other, e.client = m.other, m.other
		t.Confidence = ""
	}
	other.Port = cmp.Or(other.Port, m.other.Port)
	if m.status == model.Interrupted && t.Status == model.Done {
		t.Status, t.Reason = m.status, m.reason
	}
	if t.Size == nil && m.size >= 0 {
		t.Size = &m.size
	}
	t.User, t.Auth, t.Share = cmp.Or(t.User, strings.Clone(m.user)), cmp.Or(t.Auth, m.auth), cmp.Or(t.Share, strings.Clone(m.share))
	t.Mode = cmp.Or(t.Mode, m.mode)
	t.TimeAssumed = t.TimeAssumed && r.Assumed
}

// renamed follows a file of the host to its new name.
func (h *host) renamed(r *telemetry.Record, from, to string) {
	t := h.book.byPath[from]
	if t == nil || base(to) == "" {
		return
	}
	delete(h.book.byPath, from)
	if name := base(to); name != t.Name {
		if !slices.Contains(t.EarlierNames, t.Name) && len(t.EarlierNames) < maxEvidence {
			t.EarlierNames = append(t.EarlierNames, t.Name)
		}
		t.Name = strings.Clone(name)
	}
	t.Path = strings.Clone(to)
	h.lies(t, t.Path)
	if len(t.Evidence) < maxEvidence {
		t.Evidence = append(t.Evidence, h.evidence(r, "renamed"))
	}
}

// removed notes that a file that came was removed again.
func (h *host) removed(r *telemetry.Record, path string) {
	t := h.book.byPath[path]
	if t == nil {
		return
	}
	delete(h.book.byPath, path)
	t.Deleted = &model.Deleted{Time: r.Time}
	if len(t.Evidence) < maxEvidence {
		t.Evidence = append(t.Evidence, h.evidence(r, "removed"))
	}
}
