// Package leases reads which host had which address: logs and lease files of DHCP
// servers (Windows, ISC, Kea, dnsmasq) and tables of neighbours. In come their lines;
// out come bindings of addresses to hardware and names, and the same as accesses for
// who looks at hardware. It judges nothing, believes no name further than a client
// gave it, and what it keeps is bounded.
package leases

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Family is who follows the records: Book.
const Family = "leases"

// Words of the field "what".
const (
	given     = "given"
	ended     = "ended"
	declined  = "declined"
	neighbour = "neighbour"
)

// event writes what a line says of an address into a record; false when it names no
// address or no hardware.
func event(r *telemetry.Record, what, ip, mac, host string, until model.Time) bool {
	mac = hardware(mac)
	if _, err := netip.ParseAddr(ip); err != nil || mac == "" && what != ended {
		return false
	}
	r.Set("what", what)
	r.Set("ip", ip)
	r.Set("mac", mac)
	if host = strings.TrimSuffix(strings.TrimSpace(host), "."); host != "" && host != "*" && host != "-" {
		r.Set("host", host)
	}
	if until > 0 {
		r.Set("until", strconv.FormatInt(int64(until), 10))
	}
	return true
}

// hardware is an Ethernet address in lower case with colons, "" when it is none or one
// of a group: aa:bb:..., aa-bb-..., a:b:... (BSD), aabb.ccdd.eeff, aabbccddeeff.
func hardware(s string) string {
	s = strings.ToLower(s)
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '-' })
	if len(parts) == 1 {
		plain := strings.ReplaceAll(s, ".", "")
		if len(plain) != 12 {
			return ""
		}
		parts = parts[:0]
		for i := 0; i < 12; i += 2 {
			parts = append(parts, plain[i:i+2])
		}
	}
	if len(parts) != 6 {
		return ""
	}
	var b [6]byte
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 16, 8)
		if err != nil || len(p) > 2 {
			return ""
		}
		b[i] = byte(n)
	}
	if b[0]&1 != 0 || b == [6]byte{} {
		return ""
	}
	h := hex.EncodeToString(b[:])
	return h[:2] + ":" + h[2:4] + ":" + h[4:6] + ":" + h[6:8] + ":" + h[8:10] + ":" + h[10:]
}

// Bounds.
const (
	maxBindings = 1 << 20
	maxAccesses = 1 << 18
	maxOpen     = 7 // bindings of one address that may still be ended, beside the newest
)

// Book is who had which address.
type Book struct {
	o    telemetry.FollowerOptions
	out  telemetry.Result
	open map[model.Addr][]int // what holds, by index of the binding
	ids  map[string]int
}

// New makes a book without entries.
func New(o telemetry.FollowerOptions) telemetry.Follower {
	return &Book{o: o, open: map[model.Addr][]int{}, ids: map[string]int{}}
}

// Record takes a line.
func (b *Book) Record(r *telemetry.Record) {
	a, err := netip.ParseAddr(r.Get("ip"))
	if err != nil || r.Time == 0 {
		return
	}
	ip, mac := model.AddrOf(a.WithZone("")), strings.Clone(r.Get("mac"))
	switch what := r.Get("what"); what {
	case given, neighbour:
		b.bind(r, ip, mac, what == given)
	case ended, declined:
		b.end(ip, mac, r.Time)
	}
}

func (b *Book) bind(r *telemetry.Record, ip model.Addr, mac string, leased bool) {
	until := r.Time
	if n, err := strconv.ParseInt(r.Get("until"), 10, 64); err == nil {
		until = max(until, model.Time(n))
	}
	host := strings.Clone(r.Get("host"))
	switch x := b.holding(ip, mac); {
	case x != nil && x.Lease == leased && x.Last >= r.Time && (host == "" || x.Host == host):
		x.Last = max(x.Last, until) // renewed
	case len(b.out.Bindings) < maxBindings:
		b.open[ip] = append(b.open[ip][max(0, len(b.open[ip])-maxOpen):], len(b.out.Bindings))
		b.out.Bindings = append(b.out.Bindings, telemetry.Binding{Addr: ip, Host: host, MAC: mac, First: r.Time, Last: until, Lease: leased, Weak: !leased})
	}
	if len(b.out.Accesses) >= maxAccesses {
		return
	}
	channel := "neighbours" // its time is not known well enough to say that something changed
	if leased {
		channel = "dhcp"
	}
	access := &model.Access{Kind: "access", ID: b.id(r), Time: r.Time, Until: until, What: "address-binding", Channel: channel,
		Source:   model.Endpoint{IP: ip, MAC: mac, Host: host},
		Evidence: []model.Evidence{{Input: b.o.Inputs[r.Input], Kind: "event", Computer: strings.Clone(r.Host), Channel: strings.Clone(r.Stream), Line: r.Line, What: "address-binding"}}}
	b.out.Accesses = append(b.out.Accesses, access)
}

// end ends a lease: given back, expired, or refused by the client. The hardware may
// not be named.
func (b *Book) end(ip model.Addr, mac string, at model.Time) {
	b.open[ip] = slices.DeleteFunc(b.open[ip], func(i int) bool {
		x := &b.out.Bindings[i]
		if !x.Lease || mac != "" && x.MAC != mac {
			return false
		}
		x.Last = max(x.First, min(x.Last, at))
		return true
	})
}

// holding is what was said last of an address at some hardware, nil for nothing.
func (b *Book) holding(ip model.Addr, mac string) *telemetry.Binding {
	for _, i := range slices.Backward(b.open[ip]) {
		if x := &b.out.Bindings[i]; x.MAC == mac {
			return x
		}
	}
	return nil
}

// id is an observation's id, by what the line says and not where it lay.
func (b *Book) id(r *telemetry.Record) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{"leases", r.Stream, strconv.FormatInt(int64(r.Time), 10), r.Get("ip"), r.Get("mac"), r.Get("host")}, "\x00")))
	id := "a-" + hex.EncodeToString(sum[:8])
	b.ids[id]++
	if n := b.ids[id]; n > 1 {
		id += "-" + strconv.Itoa(n)
	}
	return id
}

// Close gives what was said.
func (b *Book) Close() *telemetry.Result { return &b.out }
