package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"waybill/internal/model"
)

// keptForm is the form of what Kept gives: its first byte.
const keptForm = 1

// fleet is what Roles keeps of all hosts together, under the name "".
type fleet struct {
	Clock       [24]uint32
	Since, Last model.Time
}

// Kept gives what is kept of each host as bytes, in the order of their keys; under "",
// first, what is kept of all together.
func (r *Roles) Kept() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if len(r.hosts) == 0 || !yield("", kept(fleet{r.clock, r.since, r.last})) {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(r.hosts)) {
			if !yield(key, kept(r.hosts[key].habits)) {
				return
			}
		}
	}
}

func kept(v any) []byte {
	b, err := binary.Append([]byte{keptForm}, binary.LittleEndian, v)
	if err != nil {
		panic(err) // not of a fixed size
	}
	return b
}

// Restore adds what was kept of a host, or under "" of all, to what is known. It trusts
// nothing in it.
func (r *Roles) Restore(key string, b []byte) error {
	if len(b) == 0 || b[0] != keptForm {
		return errors.New("not in a form that this version knows")
	}
	if key == "" {
		return r.restoreFleet(b[1:])
	}
	var h habits
	if err := restored(b[1:], &h); err != nil {
		return err
	}
	if !h.sane() {
		return errors.New("times that cannot be")
	}
	h.ID = hash(key)
	if m := r.hosts[key]; m != nil {
		m.merge(&h)
		return nil
	}
	if r.hosts == nil {
		r.hosts = map[string]*member{}
	}
	if len(r.hosts) < maxRoles {
		r.hosts[key] = &member{h, nameHint(key)}
		clear(r.ends)
	}
	return nil
}

func restored(b []byte, v any) error {
	if n := binary.Size(v); len(b) != n {
		return fmt.Errorf("%d bytes instead of %d", len(b), n)
	}
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, v)
}

func (r *Roles) restoreFleet(b []byte) error {
	var f fleet
	if err := restored(b, &f); err != nil {
		return err
	}
	for i, n := range f.Clock {
		r.clock[i] += n
	}
	if r.since == 0 || f.Since != 0 && f.Since < r.since {
		r.since = f.Since
	}
	r.last = max(r.last, f.Last)
	return nil
}

// sane says whether days and hours are ones that shifts can reach.
func (h *habits) sane() bool {
	for _, d := range [...]int64{h.Desk.Last, h.Remote.Last, h.Deployed.Last, h.Nights.Last, h.Sweeps.Last, h.Night, h.Polled / 24, h.SweepHour / 24, h.Active / 24} {
		if d < -maxDay || d > maxDay {
			return false
		}
	}
	return true
}

// maxDay is more than a Time can reach.
const maxDay = 1 << 20

// Seen is a host of which something is kept.
type Seen struct {
	Key         string
	Role        Role
	First, Last model.Time
}

// Seen gives all hosts in the order of their keys, with their roles.
func (r *Roles) Seen() []Seen {
	out := make([]Seen, 0, len(r.hosts))
	for _, key := range slices.Sorted(maps.Keys(r.hosts)) {
		h := r.hosts[key]
		role := h.role()
		if role.Name == RoleUnknown {
			role = hinted(h.hint)
		}
		out = append(out, Seen{key, role, h.First, h.Last})
	}
	return out
}

// Forget drops the hosts of which it is said.
func (r *Roles) Forget(which func(key string, last model.Time) bool) (n int) {
	for key, h := range r.hosts {
		if which(key, h.Last) {
			delete(r.hosts, key)
			n++
		}
	}
	clear(r.ends)
	return n
}
