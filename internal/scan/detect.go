package scan

import (
	"bytes"
	"slices"

	"waybill/internal/stream"
	"waybill/internal/wire"
	"waybill/internal/wire/carve"
	"waybill/internal/wire/dhcp"
	"waybill/internal/wire/dns"
	"waybill/internal/wire/dropbox"
	"waybill/internal/wire/ftp"
	"waybill/internal/wire/http"
	"waybill/internal/wire/krb5"
	"waybill/internal/wire/ldap"
	"waybill/internal/wire/names"
	"waybill/internal/wire/nfs"
	"waybill/internal/wire/rdp"
	"waybill/internal/wire/rpc"
	"waybill/internal/wire/rsync"
	"waybill/internal/wire/sealed"
	"waybill/internal/wire/smb1"
	"waybill/internal/wire/smb2"
	"waybill/internal/wire/ssh"
	"waybill/internal/wire/tftp"
	"waybill/internal/wire/tls"
)

// Bounds of what is kept of a flow that no decoder has claimed.
const (
	headBytes   = 64 << 10 // of each flow: it may turn out to be an FTP data channel
	parkedFlows = 8192     // flows looked through when a connection is announced
)

// detector finds the decoder of each flow: by an announcement, else by the
// first bytes of both sides.
type detector struct {
	p         *pipeline
	protocols []wire.Protocol
	tags      []string // names under which coverage counts; Flow.Tag indexes it
	expected  map[expectedAt]wire.Expectation
	parked    []*unclaimed // oldest first; those that were claimed or ended are skipped
	sealed    []*unclaimed // that ended, and whose bytes look encrypted
}

type expectedAt struct {
	udp bool
	at  wire.AddrPort
}

func newDetector(p *pipeline) *detector {
	d := &detector{p: p, expected: map[expectedAt]wire.Expectation{}, tags: []string{""}}
	for _, open := range registry {
		e := &env{p: p}
		proto := open(e)
		e.name = proto.Name()
		d.protocols = append(d.protocols, proto)
	}
	return d
}

// tag is the number of a coverage name.
func (d *detector) tag(name string) int {
	for i, t := range d.tags {
		if t == name {
			return i
		}
	}
	d.tags = append(d.tags, name)
	return len(d.tags) - 1
}

// Open gives a new flow its decoder.
func (d *detector) Open(f *stream.Flow) wire.Decoder {
	if len(d.expected) > 0 {
		if dec := d.announced(f); dec != nil {
			return dec
		}
	}
	return &unclaimed{d: d, flow: f, open: 1<<len(d.protocols) - 1}
}

// announced is the decoder of a flow that another connection announced.
func (d *detector) announced(f *stream.Flow) wire.Decoder {
	for _, listener := range [2]wire.Side{1, 0} {
		key := expectedAt{f.Conn.UDP, f.Conn.Ends[listener]}
		e, ok := d.expected[key]
		if !ok || e.Peer.Known() && e.Peer != f.Conn.Ends[listener.Other()].Addr {
			continue
		}
		delete(d.expected, key)
		f.Tag = d.tag(e.Protocol)
		return e.Open(&f.Conn, listener)
	}
	return nil
}

const maxExpected = 1 << 16

// expect announces a connection. One that is there already and that nobody
// claimed is taken.
func (d *detector) expect(e wire.Expectation) {
	for i := len(d.parked) - 1; i >= 0; i-- {
		if u := d.parked[i]; u.fits(e) {
			u.claim(u.listener(e), e)
			return
		}
	}
	if len(d.expected) == maxExpected {
		d.expected = map[expectedAt]wire.Expectation{} // a flood of announcements: none of them is real
	}
	d.expected[expectedAt{e.UDP, e.At}] = e
}

// unclaimed is the decoder of a flow that has none yet. It keeps the first
// bytes, asks the protocols, and gives them the flow.
type unclaimed struct {
	d       *detector
	flow    *stream.Flow
	open    uint32 // the protocols that have not said no
	seen    [2][]byte
	events  []event
	bytes   int
	probeAt int // bytes at which the protocols are asked again
	parked  bool
	full    bool     // no more is kept
	gone    bool     // a decoder has the flow
	skipped [2]int64 // bytes not kept, and holes among them
	unkept  int64    // of these, bytes that were seen
	ended   [2]*ending
	look    *sealed.Look // once it is sure that no decoder knows the flow
	settled bool         // the flow is over, and was decided about
}

// event is bytes, or a hole, that a decoder will be given again.
type event struct {
	side wire.Side
	c    wire.Chunk
	gap  int64
}

type ending struct {
	how wire.Ending
	at  wire.At
}

// Data looks at the next bytes.
func (u *unclaimed) Data(from wire.Side, c wire.Chunk) {
	if u.untouched() {
		if dec := u.announced(); dec != nil {
			dec.Data(from, c)
			return
		}
		if u.open != 0 && u.first(from, c) {
			return
		}
	}
	if !u.keep(event{side: from, c: c}) {
		u.skip(from, c)
		if u.look != nil {
			u.look.Data(from, c)
		}
		return
	}
	if u.open != 0 && (u.bytes < 4096 || u.bytes >= u.probeAt) {
		u.probeAt = 2 * u.bytes
		u.probe()
	}
}

// untouched says that nothing came on the flow so far.
func (u *unclaimed) untouched() bool { return u.bytes == 0 && len(u.events) == 0 && !u.full }

// announced asks again whether the flow was announced: its first bytes may have
// waited for packets that another sensor saw later.
func (u *unclaimed) announced() wire.Decoder {
	if len(u.d.expected) == 0 {
		return nil
	}
	dec := u.d.announced(u.flow)
	if dec != nil {
		u.gone = true
		u.flow.SetDecoder(dec)
	}
	return dec
}

// first asks the protocols about the first bytes, without a copy of them.
func (u *unclaimed) first(from wire.Side, c wire.Chunk) bool {
	var head [2][]byte
	head[from] = c.Data
	p := u.ask(head)
	if p == nil {
		return false
	}
	u.take(p).Data(from, c)
	return true
}

// ask gives the protocol that claims the flow, nil while there is none.
func (u *unclaimed) ask(head [2][]byte) wire.Protocol {
	for i, p := range u.d.protocols {
		if u.open&(1<<i) == 0 {
			continue
		}
		switch p.Probe(&u.flow.Conn, head) {
		case wire.Yes:
			return p
		case wire.No:
			u.open &^= 1 << i
		}
	}
	return nil
}

// take gives the flow to a protocol.
func (u *unclaimed) take(p wire.Protocol) wire.Decoder {
	u.flow.Tag = u.d.tag(p.Name())
	dec := p.Open(&u.flow.Conn)
	u.flow.SetDecoder(dec)
	return dec
}

// keep remembers an event within the bounds. It reports whether it did.
func (u *unclaimed) keep(e event) bool {
	if u.full {
		return false
	}
	if u.flow.Tag == 0 && len(e.c.Data) > 0 {
		u.flow.Tag = u.d.tag(unread(&u.flow.Conn, e.c.Data))
	}
	n := len(e.c.Data)
	full := u.bytes+n > headBytes || len(u.events) > 1024 || u.hopeless()
	if full && (u.carve(e) || u.startTLS(e)) {
		return true
	}
	if full || !u.d.p.budget.Take(int64(n)) {
		u.giveUp()
		return false
	}
	e.c.Data, e.c.Block = bytes.Clone(e.c.Data), nil
	u.bytes += n
	u.events = append(u.events, e)
	u.seen[e.side] = append(u.seen[e.side], e.c.Data...)
	if !u.parked && !u.refused() {
		u.parked = true
		u.d.park(u)
	}
	return true
}

// carve gives a flow that no protocol claimed to the carver, unless the user wants no
// such look, where a direction begins as a program or archive does. more is what comes
// next and was not kept.
func (u *unclaimed) carve(more ...event) bool {
	if u.d.p.o.NoCarve || u.gone || u.full {
		return false
	}
	for side, head := range u.first4k(more) {
		if !u.flow.Conn.FromStart[side] || !carve.Wanted(head) {
			continue
		}
		u.flow.Tag = u.d.tag("carved")
		dec := carve.New(&env{p: u.d.p, name: "carved"}, &u.flow.Conn)
		u.flow.SetDecoder(dec)
		u.events = append(u.events, more...)
		u.replay(dec)
		return true
	}
	return false
}

// first4k gives the first bytes of both sides, as far as no hole precedes them.
func (u *unclaimed) first4k(more []event) (heads [2][]byte) {
	var holed [2]bool
	for _, e := range slices.Concat(u.events, more) {
		holed[e.side] = holed[e.side] || e.gap > 0
		if !holed[e.side] && len(heads[e.side]) < 4096 {
			heads[e.side] = append(heads[e.side], e.c.Data...)
		}
	}
	return heads
}

// hopeless says whether the flow certainly is no announced connection either, and
// nothing to be carved, which the other side may send only when it was asked.
func (u *unclaimed) hopeless() bool {
	const asked = 4
	if !u.refused() {
		return false
	}
	answered := len(u.seen[0]) > 0 && len(u.seen[1]) > 0
	return u.d.p.o.NoCarve || answered || len(u.events) >= asked
}

// refused says whether the flow is one of datagrams that no protocol wants; those
// are not announced later.
func (u *unclaimed) refused() bool { return u.open == 0 && u.flow.Conn.UDP }

// giveUp keeps no more of the flow.
func (u *unclaimed) giveUp() {
	u.watch()
	u.d.p.budget.Give(int64(u.bytes))
	for _, e := range u.events {
		u.skip(e.side, e.c)
		u.skipped[e.side] += e.gap
	}
	u.full, u.open, u.bytes, u.events, u.seen = true, 0, 0, nil, [2][]byte{}
}

// skip counts bytes that are not kept.
func (u *unclaimed) skip(from wire.Side, c wire.Chunk) {
	u.skipped[from] += int64(len(c.Data))
	u.unkept += int64(len(c.Data))
}

func (u *unclaimed) probe() {
	if p := u.ask(u.seen); p != nil {
		u.replay(u.take(p))
	}
}

// Gap remembers a hole. What comes behind it is a new start for the probes.
func (u *unclaimed) Gap(from wire.Side, n int64, at wire.At) {
	if len(u.seen[from]) == 0 && u.bytes == 0 {
		u.flow.Conn.FromStart[from] = false
	}
	u.seen[from] = u.seen[from][:0]
	if !u.keep(event{side: from, gap: n, c: wire.Chunk{At: at}}) {
		u.skipped[from] += n
		if u.look != nil {
			u.look.Gap(from, n)
		}
	}
}

// End remembers the end of a side: a data channel may be announced after it.
func (u *unclaimed) End(from wire.Side, how wire.Ending, at wire.At) {
	if u.untouched() && u.ended[from.Other()] == nil {
		if dec := u.announced(); dec != nil {
			dec.End(from, how, at)
			return
		}
	}
	u.ended[from] = &ending{how, at}
	if u.ended[from.Other()] == nil {
		return
	}
	if u.open != 0 && u.bytes > 0 {
		u.probe()
	}
	if u.gone || u.bytes > 0 && (u.carve() || u.startTLS()) {
		return
	}
	u.settle()
	if u.bytes > 0 && u.refused() {
		u.giveUp()
	}
}

// replay gives a decoder all that was kept.
func (u *unclaimed) replay(dec wire.Decoder) {
	events, bytes := u.events, u.bytes
	u.gone, u.events, u.seen = true, nil, [2][]byte{}
	u.unwatch()
	u.d.p.budget.Give(int64(bytes))
	for _, e := range events {
		if e.gap > 0 {
			dec.Gap(e.side, e.gap, e.c.At)
			continue
		}
		dec.Data(e.side, e.c)
	}
	for side, e := range u.ended {
		if e != nil {
			dec.End(wire.Side(side), e.how, e.at)
		}
	}
}

// park makes the flow known to announcements.
func (d *detector) park(u *unclaimed) {
	if len(d.parked) == parkedFlows {
		n := 0
		for i, old := range d.parked {
			if !old.gone && i >= parkedFlows/2 {
				d.parked[n] = old
				n++
				continue
			}
			if !old.gone {
				old.giveUp()
			}
		}
		clear(d.parked[n:])
		d.parked = d.parked[:n]
	}
	d.parked = append(d.parked, u)
}

// fits says whether an announcement means this flow.
func (u *unclaimed) fits(e wire.Expectation) bool {
	c := &u.flow.Conn
	if u.gone || c.UDP != e.UDP || c.Ends[0] != e.At && c.Ends[1] != e.At {
		return false
	}
	return !e.Peer.Known() || e.Peer == c.Ends[u.listener(e).Other()].Addr
}

func (u *unclaimed) listener(e wire.Expectation) wire.Side {
	if u.flow.Conn.Ends[1] == e.At {
		return 1
	}
	return 0
}

// claim gives the flow to the decoder that announced it.
func (u *unclaimed) claim(listener wire.Side, e wire.Expectation) {
	f := u.flow
	f.Tag = u.d.tag(e.Protocol)
	for side, n := range u.skipped {
		if n > 0 {
			f.Conn.FromStart[side] = false
		}
	}
	(&env{p: u.d.p, name: e.Protocol}).Blind("over-budget", u.unkept)
	dec := e.Open(&f.Conn, listener)
	f.SetDecoder(dec)
	for side, n := range u.skipped {
		if n > 0 {
			dec.Gap(wire.Side(side), n, f.Last())
		}
	}
	u.replay(dec)
}

// registry makes the protocols, in the order in which they are asked.
var registry = []func(wire.Env) wire.Protocol{smb2.New, smb1.New, rpc.NewProtocol, nfs.New, rsync.New, ssh.New, rdp.New, krb5.New, ldap.New, dhcp.New, names.New, dns.New, dropbox.New, ftp.New, tftp.New, http.New, tls.New}
