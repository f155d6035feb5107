// Package dns reads the answers of name servers (RFC 1035) as far as they name
// services that keep folders the same on many hosts. In come the messages of port 53,
// over UDP and TCP; out go accesses: which host asked for which name of a service and
// got which addresses, and for which other name it got one of them. Other lookups
// leave no record; nothing is asked.
package dns

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"waybill/internal/cloudsync"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

// channel is how records name the protocol.
const channel = "dns"

// Bounds of what is remembered.
const (
	maxAnswers   = 1 << 16 // that stand at a time
	maxAddresses = 1 << 16 // of services
	maxRecords   = 64      // of one message that are read
	maxLife      = model.Time(24 * 3600e9)
)

type protocol struct {
	env      wire.Env
	services map[model.Addr]bool // addresses that names of services have
	current  map[string]*wire.Access
	order    []*wire.Access
}

// New makes the decoder of DNS.
func New(env wire.Env) wire.Protocol {
	return &protocol{env: env, services: map[model.Addr]bool{}, current: map[string]*wire.Access{}}
}

func (p *protocol) Name() string { return channel }

// Port and header of messages (RFC 1035 4.1.1, 4.2).
const (
	port      = 53
	headerLen = 12
)

// Probe goes by the port and a header that makes sense: nothing else tells messages
// of name servers from those of the protocols that use the same form.
func (p *protocol) Probe(c *wire.Conn, head [2][]byte) wire.Verdict {
	if c.Ends[0].Port != port && c.Ends[1].Port != port {
		return wire.No
	}
	for _, b := range head {
		if !c.UDP {
			b = b[min(len(b), 2):]
		}
		switch {
		case len(b) >= headerLen && plausible(b):
			return wire.Yes
		case len(b) >= headerLen || len(b) > 0 && c.UDP:
			return wire.No
		}
	}
	return wire.Maybe
}

// plausible says whether a header is that of a query, or of an answer to one: one
// question, no reserved bit set.
func plausible(b []byte) bool {
	return b[2]>>3&15 == 0 && b[3]&0x40 == 0 && binary.BigEndian.Uint16(b[4:]) == 1
}

// Open makes the decoder of one flow.
func (p *protocol) Open(c *wire.Conn) wire.Decoder {
	f := &flow{p: p, c: c}
	if !c.UDP {
		for side := range f.readers {
			f.readers[side] = framed.NewReader(format, p.env, wire.Side(side), c.FromStart[side], f.message, func() {})
		}
	}
	return f
}

// format is how messages are framed over TCP (RFC 1035 4.2.2). After a loss the next
// one cannot be told.
var format = &framed.Format{Head: 2, Needed: 2 + headerLen,
	Length: func(head []byte) int { return 2 + int(binary.BigEndian.Uint16(head)) },
	Find:   func([]byte) int { return -1 }}

// Flush gives out all answers, in the order in which they came.
func (p *protocol) Flush(wire.At) {
	for _, a := range p.order {
		p.env.Access(a)
	}
	p.order = nil
	clear(p.current)
}

type flow struct {
	p       *protocol
	c       *wire.Conn
	readers [2]*framed.Reader
}

func (f *flow) Data(from wire.Side, c wire.Chunk) {
	if r := f.readers[from]; r != nil {
		r.Data(c)
		return
	}
	f.answer(from, c.Data, c.At)
}

func (f *flow) Gap(from wire.Side, n int64, _ wire.At) {
	if r := f.readers[from]; r != nil {
		r.Gap(n)
	}
}

func (f *flow) End(from wire.Side, _ wire.Ending, _ wire.At) {
	if r := f.readers[from]; r != nil {
		r.Reset()
	}
}

func (f *flow) message(m *framed.Message) {
	if len(m.Holes) == 0 {
		f.answer(m.From, m.Data[2:], m.Last)
	}
}

// answer takes one message. Most lookups are for other names, so the question is
// read first, and all the rest where it matters.
func (f *flow) answer(from wire.Side, b []byte, at wire.At) {
	const response, errors = 0x80, 0x0f
	if len(b) < headerLen || b[2]&response == 0 || b[3]&errors != 0 || binary.BigEndian.Uint16(b[6:]) == 0 {
		return
	}
	var p dnsmessage.Parser
	if _, err := p.Start(b); err != nil {
		return
	}
	q, err := p.Question()
	if err != nil || q.Type != dnsmessage.TypeA && q.Type != dnsmessage.TypeAAAA || p.SkipAllQuestions() != nil {
		return
	}
	name := wire.Printable(strings.TrimSuffix(q.Name.String(), "."))
	service := cloudsync.Of(name) != ""
	if !service && len(f.p.services) == 0 {
		return
	}
	addrs, ttl := addresses(&p)
	if service {
		f.p.learn(addrs)
	} else {
		addrs = slices.DeleteFunc(addrs, func(a model.Addr) bool { return !f.p.services[a] })
	}
	if len(addrs) > 0 {
		f.p.note(f.c, from, name, addrs, ttl, at)
	}
}

// addresses reads the addresses of an answer, and how long they hold.
func addresses(p *dnsmessage.Parser) (addrs []model.Addr, ttl uint32) {
	for range maxRecords {
		r, err := p.Answer()
		if err != nil {
			break
		}
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			addrs = append(addrs, model.AddrOf(netip.AddrFrom4(body.A)))
		case *dnsmessage.AAAAResource:
			addrs = append(addrs, model.AddrOf(netip.AddrFrom16(body.AAAA)))
		default:
			continue
		}
		ttl = max(ttl, r.Header.TTL)
	}
	return addrs, ttl
}

// learn remembers addresses of services.
func (p *protocol) learn(addrs []model.Addr) {
	for _, a := range addrs {
		if len(p.services) < maxAddresses {
			p.services[a] = true
		}
	}
}

// note keeps an answer. The same one again makes it hold longer.
func (p *protocol) note(c *wire.Conn, server wire.Side, name string, addrs []model.Addr, ttl uint32, at wire.At) {
	client := c.Ends[server.Other()].Addr
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	slices.Sort(texts)
	key := client.String() + " " + strings.ToLower(name) + " " + strings.Join(texts, " ")
	until := at.Time + min(model.Time(ttl)*1e9, maxLife)
	if a := p.current[key]; a != nil {
		a.Until = max(a.Until, until)
		return
	}
	if len(p.order) >= maxAnswers {
		p.Flush(at)
	}
	a := &wire.Access{Conn: c, Answers: addrs}
	a.ID = wire.ID("a", channel, c, server, 0, 0, []byte("name-answer\x00"+key)...)
	a.Time, a.Until, a.What, a.Channel, a.Object = at.Time, until, "name-answer", channel, name
	a.Source, a.Destination = model.Endpoint{IP: client}, c.Ends[server].Endpoint()
	a.Detail = strings.Join(texts, ", ") + "; TTL " + strconv.Itoa(int(ttl)) + " s"
	a.Seen.Add(at)
	p.current[key] = a
	p.order = append(p.order, a)
}
