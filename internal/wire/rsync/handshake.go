package rsync

import (
	"cmp"
	"strconv"
	"strings"

	"waybill/internal/wire"
)

// phase is how far a side is. What it says next may depend on the other one.
type phase uint8

const (
	inGreeting  phase = iota
	inModule          // client: the name of a module
	waits             // client: for what the daemon says to it
	inAnswer          // client: user and answer to a challenge
	inArguments       // client
	inLines           // daemon: words up to OK
	inFlags           // daemon: what both sides do
	inOffers          // both: checksums and compressions, where they are not settled
	inSeed            // daemon: of checksums
	isReady
	inData
)

// handshake is what is said before files are (clientserver.c, compat.c).
type handshake struct {
	greeted [2]string // versions
	module  string
	user    string
	started bool // secluded arguments follow
	offers  [2]offers
	first   uint32 // sequence number of the client's greeting
	seen    wire.Packets
}

// maxLine is the longest line or word that rsync reads (rsync.h, BIGPATHBUFLEN).
const maxLine = maxPath + 1024

// line reads one, without what ends it.
func (r *reader) line(end byte) string {
	b := r.until(end)
	r.bad = r.bad || len(b) > maxLine
	return strings.TrimRight(string(b), "\r")
}

// advance reads of both sides what is there and can be understood.
func (d *conn) advance() {
	for moved := true; moved; {
		moved = d.next(0)
		moved = d.next(1) || moved
	}
}

// next reads the next thing of a side, if it is there.
func (d *conn) next(from wire.Side) bool {
	s := &d.sides[from]
	if d.quiet || s.phase >= isReady {
		return false
	}
	r := reader{b: s.held, old: d.a.version < 30}
	before := s.phase
	switch {
	case s.phase == inGreeting:
		d.greets(from, s, &r)
	case from == d.client:
		d.clientSays(s, &r)
	default:
		d.daemonSays(s, &r)
	}
	switch {
	case r.bad:
		d.deaf("unknown-protocol")
	case r.short || d.quiet:
		return false
	}
	s.held = s.held[min(r.at, len(s.held)):]
	return r.at > 0 || s.phase != before
}

func (d *conn) ready() bool { return d.sides[0].phase == isReady && d.sides[1].phase == isReady }

// greets takes a greeting: "@RSYNCD: 31.0 sha512 sha256".
func (d *conn) greets(from wire.Side, s *side, r *reader) {
	line := r.line('\n')
	if r.short {
		return
	}
	words, ok := strings.CutPrefix(line, string(greeting))
	if v, _ := number2(words); !ok || v == 0 {
		d.deaf(joinedLate)
		return
	}
	d.greeted[from], _, _ = strings.Cut(strings.TrimSpace(words), " ")
	if s.phase = inLines; from == d.client {
		s.phase = inModule
	}
	if d.greeted[from.Other()] != "" {
		d.a.version = lower(d.greeted[0], d.greeted[1])
		r.bad = d.a.version < oldest || d.a.version > newest
	}
}

// joinedLate is what coverage calls a connection whose greetings were not seen.
const joinedLate = "around-loss"

// lower is the version that both sides speak (exchange_protocols): the lower one, or
// the one before if that is no final one and the other side's is another.
func lower(a, b string) int {
	v, sub := number2(a)
	w, other := number2(b)
	if w < v {
		v, sub, w, other = w, other, v, sub
	}
	if v < w && sub != 0 || v == w && sub != other {
		return v - 1
	}
	return v
}

// number2 reads "31.0".
func number2(s string) (version, sub int) {
	major, minor, _ := strings.Cut(strings.TrimSpace(s), ".")
	version, _ = strconv.Atoi(major)
	minor, _, _ = strings.Cut(minor, " ")
	sub, _ = strconv.Atoi(minor)
	return version, sub
}

// clientSays takes the next thing of the client.
func (d *conn) clientSays(s *side, r *reader) {
	switch s.phase {
	case inModule:
		d.asksFor(s, r)
	case inAnswer:
		user, _, _ := strings.Cut(r.line('\n'), " ")
		if !r.short {
			d.user, s.phase = wire.Printable(user), waits
		}
	case inArguments:
		d.argument(s, r)
	case inOffers:
		d.offered(d.client, r)
		if !r.short {
			s.phase = isReady
		}
	default:
		r.short = true
	}
}

// early announces bytes for a script of the daemon, ahead of the module.
const early = "#early_input="

// asksFor takes the name of a module. A client that names none, or asks for the list
// of them, gets words.
func (d *conn) asksFor(s *side, r *reader) {
	line := r.line('\n')
	if size, ok := strings.CutPrefix(line, early); ok {
		n, _ := strconv.Atoi(size)
		r.take(max(n, 0))
		return
	}
	if r.short {
		return
	}
	if line == "" || line[0] == '#' {
		d.hush()
		return
	}
	d.module, s.phase = line, waits
}

// argument takes one word of the command line; an empty one ends it. Secluded
// arguments follow as a second one.
func (d *conn) argument(s *side, r *reader) {
	end := byte('\n')
	if d.a.version >= binaryArguments || d.started {
		end = 0
	}
	word := r.line(end)
	if r.short {
		return
	}
	if word != "" {
		d.a.word(word, d.module)
		return
	}
	if d.a.secluded && !d.started {
		d.started = true
		return
	}
	s.phase = inOffers
}

// daemonSays takes the next thing of the daemon.
func (d *conn) daemonSays(s *side, r *reader) {
	if s.phase > inLines && d.sides[d.client].phase < inOffers {
		r.short = true // the command line decides what it says
		return
	}
	switch s.phase {
	case inLines:
		d.line(s, r)
	case inFlags:
		if d.a.version >= 30 {
			d.a.flags(r.varint())
		}
		if !r.short {
			s.phase = inOffers
		}
	case inOffers:
		d.offered(d.client.Other(), r)
		if !r.short {
			s.phase = inSeed
		}
	case inSeed:
		if r.i32(); !r.short {
			s.phase = isReady
		}
	}
}

// line takes words of the daemon: a welcome, a challenge, leave, or an error.
func (d *conn) line(s *side, r *reader) {
	line := r.line('\n')
	if r.short {
		return
	}
	c := &d.sides[d.client]
	words, says := strings.CutPrefix(line, string(greeting))
	switch {
	case says && c.phase == inGreeting && len(c.held) == 0:
		d.deaf(joinedLate)
	case says && c.phase < waits && (words == "OK" || strings.HasPrefix(words, "AUTHREQD")):
		r.short = true // it answers to the name of a module
	case says && strings.HasPrefix(words, "AUTHREQD"):
		c.phase = inAnswer
	case says && words == "OK":
		c.phase, s.phase = inArguments, inFlags
		d.a.options = options{push: true}
		d.connected("")
	case says && words == "EXIT":
		d.hush()
	case strings.HasPrefix(line, "@ERROR"):
		d.connected(cmp.Or(strings.TrimLeft(line[len("@ERROR"):], ": "), "refused"))
		d.hush()
	}
}

// offered takes the lists of a side. The daemon's flags say whether there are any.
func (d *conn) offered(from wire.Side, r *reader) {
	if d.sides[d.client.Other()].phase < inOffers {
		r.short = true
		return
	}
	o := &d.offers[from]
	if !d.a.varints {
		return
	}
	if d.a.sums == "" {
		o.sums = r.vstring()
	}
	if d.a.compress && d.a.codec == "" {
		o.codecs = r.vstring()
	}
}

// connected reports that a client was let into a module, or why not.
func (d *conn) connected(refused string) {
	if d.module == "" {
		return
	}
	a := d.record("share-connect", d.client, d.first)
	a.Object, a.Status = d.module, wire.Printable(refused)
	d.p.env.Access(a)
}

// maxRefusals bounds the errors that are reported of a connection.
const maxRefusals = 8

// refused reports an error that a daemon states: a file or module that it does not
// let be read or written. How it ends then says nothing more.
func (d *conn) refused(text string, seq uint32, at wire.At) {
	if d.refusals == maxRefusals || strings.HasPrefix(text, "rsync error: ") {
		return
	}
	d.refusals++
	a := d.record("refused-open", d.client.Other(), seq)
	a.Seen.Add(at)
	a.Time, a.Status = at.Time, wire.Printable(strings.TrimSpace(text))
	if len(d.a.targets) == 1 {
		a.Object = d.a.targets[0]
	}
	d.p.env.Access(a)
}

// access reports what moved of a file that is no transfer.
func (d *conn) access(what string, from wire.Side, seq uint32, t *wire.Transfer) {
	a := d.record(what, from, seq)
	a.Time, a.Object, a.Seen = t.Start, t.Path, t.Seen
	d.p.env.Access(a)
}

// record begins an access.
func (d *conn) record(what string, from wire.Side, seq uint32) *wire.Access {
	a := &wire.Access{Conn: d.wire}
	a.Seen.Merge(d.seen)
	a.ID = wire.ID("a", channel, d.wire, from, seq, 0, []byte(what)...)
	a.Time, a.What, a.Channel, a.Share, a.User = d.sides[d.client.Other()].at.Time, what, channel, d.module, d.user
	a.Source, a.Destination = d.wire.Ends[d.client].Endpoint(), d.wire.Ends[d.client.Other()].Endpoint()
	return a
}
