package prevent

import (
	"strings"

	"waybill/internal/model"
)

// sensor finds on the wire what indicators name. A hash is known only when the file has
// gone by, so it shows and never blocks; the same is said of the others, to be safe.
type sensor struct {
	hashes map[string]*Indicator
	names  map[string]*Indicator // lower case, the last element
}

// shown is the indicator that a transfer fits.
type shown struct {
	by     *Indicator
	sealed bool
}

func newSensor(known []Indicator) *sensor {
	s := &sensor{map[string]*Indicator{}, map[string]*Indicator{}}
	for i := range known {
		switch k := &known[i]; k.What {
		case "sha256", "md5", "sha1":
			s.hashes[strings.ToLower(k.Value)] = k
		case "name", "path":
			s.names[fileName(k.Value)] = k
		}
	}
	return s
}

func fileName(name string) string { return strings.ToLower(lastElement(name)) }

// all gives the indicators that a transfer fits, hashes first.
func (s *sensor) all(t *model.Transfer) (out []*Indicator) {
	if len(s.hashes) > 0 {
		if by := s.hashes[t.SHA256]; by != nil {
			out = append(out, by)
		}
		for i := range t.Hashes {
			if by := s.hashes[t.Hashes[i].Value]; by != nil {
				out = append(out, by)
			}
		}
	}
	if len(s.names) > 0 && t.Name != "" {
		if by := s.names[fileName(t.Name)]; by != nil {
			out = append(out, by)
		}
	}
	return out
}

// sees gives the first indicator that a transfer fits, nil for none, and whether its bytes
// went encrypted: then no sensor on the wire could have told, though the log of a host may know the hash.
func (s *sensor) sees(t *model.Transfer) shown {
	all := s.all(t)
	if len(all) == 0 {
		return shown{}
	}
	return shown{all[0], t.Session != nil && t.Session.Encrypted || t.Completeness == model.Opaque || sealedChannels[t.Channel]}
}

// sealedChannels encrypt always, or as a rule (RFC 4253 6, MS-RDPBCGR 5.4, MS-WSMV 2.2.9.1).
var sealedChannels = map[string]bool{"ssh": true, "rdp": true, "winrm": true}

// watch notes what a sensor that looks for what was known would have shown of a move.
func (x *trial) watch(t *sheet, m *Move, s *sensor) {
	if m.Transfer == nil {
		return
	}
	is := s.sees(m.Transfer)
	switch {
	case is.by == nil:
		return
	case is.sealed:
		t.record.Alerts.Sealed++
	case m.Bad():
		t.record.Alerts.Hostile++
	default:
		t.record.Alerts.Legitimate++
	}
	if x.book.asks[m.Transfer.ID] {
		x.book.shown[m.Transfer.ID] = is
	}
}

// detected says which transfer of a finding a sensor would have shown first. The file has
// arrived by then: only later transfers, and starts, could have been stopped.
func (x *trial) detected(fate *model.Fate, moved []*model.Transfer) {
	for _, t := range moved {
		is, known := x.book.shown[t.ID]
		switch {
		case known && is.sealed:
			fate.Sealed++
		case known && fate.Detected == nil:
			fate.Detected = &model.Detection{By: is.by.What + " of " + is.by.Finding, At: sample(x.fate[t.ID].move), Host: t.Destination.Name()}
		case fate.Detected != nil:
			fate.Detected.LaterTransfers++
		}
		if fate.Detected != nil {
			fate.Detected.LaterStarts += startsAfter(t, fate.Detected.At.Time)
		}
	}
}

func startsAfter(t *model.Transfer, from model.Time) (n int) {
	for _, e := range t.Executed {
		if e.Time >= from {
			n++
		}
	}
	return n
}
