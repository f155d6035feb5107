package cloudsync

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// What makes a download follow an upload.
const (
	Wait  model.Time = 600e9 // how long after the upload's end the download may begin
	clock model.Time = 5e9   // clocks of sensors differ by seconds
	// Both are the same content under the same encryption: they differ by what goes
	// with it, a few percent, and handshakes.
	nearPart = 33 // 3 %
	nearFlat = 6 << 10

	maxSources   = 3       // a download that more uploads fit says nothing
	maxLooks     = 512     // of the candidates of one movement
	maxMovements = 1 << 18 // that are looked at
)

func near(a, b int64) bool {
	off := max(a-b, b-a)
	return off <= max(a, b)/nearPart+nearFlat
}

// Relay is a file that seems to have gone from host to host through a service.
type Relay struct {
	Up, Down *Movement
	Others   int // other uploads that fit as well
}

// Relays finds downloads that follow the upload of another host to the same service
// with near volume. A volume that somebody got from there before it was sent, and
// that nobody had sent, is common and says nothing.
func Relays(all []Movement) []Relay {
	ups, downs := gathered(all[:min(len(all), maxMovements)])
	sent, got := newIndex(ups), newIndex(downs)
	sources, common := map[*Movement][]*Movement{}, map[*Movement]bool{}
	for _, d := range downs {
		sources[d] = sent.sources(d)
	}
	for _, u := range ups {
		common[u] = len(got.before(u, u.Start, func(d *Movement) bool { return len(sources[d]) == 0 })) > 0
	}
	var out []Relay
	for _, d := range downs {
		if fits := sources[d]; len(fits) > 0 && len(fits) <= maxSources && !common[fits[0]] {
			out = append(out, Relay{Up: fits[0], Down: d, Others: len(fits) - 1})
		}
	}
	return out
}

// sources gives the uploads of other hosts that a download follows, the latest first.
func (x index) sources(d *Movement) []*Movement {
	return x.before(d, d.Start+clock, func(u *Movement) bool { return u.Host.IP != d.Host.IP && d.Start-u.End <= Wait })
}

// index finds movements by service and near volume, in the order of their ends.
type index map[slot][]*Movement

type slot struct {
	service string
	size    int // logarithm of the volume
}

// slotWidth is a slot's width: near volumes lie in neighbouring ones.
var slotWidth = math.Log(1.2)

func slotOf(m *Movement) slot {
	return slot{m.Service, int(math.Log(float64(m.volume())) / slotWidth)}
}

func newIndex(all []*Movement) index {
	x := index{}
	for _, m := range all {
		s := slotOf(m)
		x[s] = append(x[s], m)
	}
	for _, list := range x {
		sort.SliceStable(list, func(i, j int) bool { return list[i].End < list[j].End })
	}
	return x
}

// before gives the movements with a volume near to that of m that ended before a
// time, the latest first.
func (x index) before(m *Movement, end model.Time, want func(*Movement) bool) []*Movement {
	var out []*Movement
	at := slotOf(m)
	for _, size := range [3]int{at.size - 1, at.size, at.size + 1} {
		list := x[slot{at.service, size}]
		n := sort.Search(len(list), func(i int) bool { return list[i].End > end })
		for i := n - 1; i >= max(0, n-maxLooks) && len(out) <= 2*maxSources; i-- {
			if o := list[i]; o != m && near(o.volume(), m.volume()) && want(o) {
				out = append(out, o)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *Movement) int { return int(max(-1, min(1, b.End-a.End))) })
	return out
}

// Transfer is the record of a relay.
func (r Relay) Transfer() *model.Transfer {
	u, d := r.Up, r.Down
	client := u.Host
	t := &model.Transfer{ID: id(u, d), Start: u.Start, End: d.End, Source: u.Host, Destination: d.Host, Initiator: model.ByOther, Client: &client,
		Operation: model.Copy, Channel: "sync-folder", Status: model.Done, Completeness: model.Opaque, Confidence: "low",
		Reason:   "encrypted; volumes and times fit a file that went through " + u.Service,
		Session:  &model.Session{Dialect: "TLS", Encrypted: true},
		Estimate: r.estimate(), BytesSeen: new(int64),
		Notes:       []string{u.line("sent", "to"), d.line("got", "from")},
		CommunityID: flows(u, d), Evidence: append(slices.Clone(u.Evidence), d.Evidence...)}
	if u.Known == "" {
		t.Session.SNI = u.Server
	}
	if r.Others > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d other uploads fit as well", r.Others))
	}
	return t
}

// id is a digest of the two connections and which of their bursts it is.
func id(u, d *Movement) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"sync-folder", u.ID, strconv.Itoa(u.Part), d.ID, strconv.Itoa(d.Part)}, "\x00")))
	return "t-" + hex.EncodeToString(sum[:8])
}

// flows are the connections of both.
func flows(u, d *Movement) []string {
	var out []string
	for _, f := range slices.Concat(u.Flows, d.Flows) {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// line says in a sentence what moved.
func (m *Movement) line(verb, where string) string {
	s := fmt.Sprintf("%s %s %d bytes %s %s (%s) from %s to %s", m.Host.IP, verb, m.volume(), where, m.Service, m.Server, m.Start, m.End)
	if m.Known != "" {
		s += ", " + m.Known
	}
	return s
}

// estimate bounds the content: it is in both volumes.
func (r Relay) estimate() *model.Estimate {
	a, b := r.Up.volume(), r.Down.volume()
	low, high := min(a, b), max(a, b)
	return &model.Estimate{Size: low, Low: max(0, low-low/nearPart-nearFlat), High: high + high/nearPart}
}
