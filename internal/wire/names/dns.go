package names

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// maxRecords bounds the records of one message that are read.
const maxRecords = 64

// dns takes one message of LLMNR or multicast DNS.
func (f *flow) dns(channel string, from wire.Side, c wire.Chunk) {
	var p dnsmessage.Parser
	h, err := p.Start(c.Data)
	if err != nil {
		return
	}
	who := f.c.Ends[from].Addr
	for range maxRecords {
		q, err := p.Question()
		if err != nil {
			break
		}
		if !h.Response && (q.Type == dnsmessage.TypeA || q.Type == dnsmessage.TypeAAAA) {
			f.asked(channel, who, bare(q.Name), c.At)
		}
	}
	if !h.Response || p.SkipAllQuestions() != nil {
		return
	}
	for range maxRecords {
		r, err := p.Answer()
		if err != nil {
			return
		}
		var ip netip.Addr
		switch body := r.Body.(type) {
		case *dnsmessage.AResource:
			ip = netip.AddrFrom4(body.A)
		case *dnsmessage.AAAAResource:
			ip = netip.AddrFrom16(body.AAAA)
		default:
			continue
		}
		f.claimed(channel, bare(r.Header.Name), model.AddrOf(ip), c.At)
	}
}

// claimed reports an answer: the name of a host of this network.
func (f *flow) claimed(channel, name string, ip model.Addr, at wire.At) {
	host := strings.TrimSuffix(name, ".local")
	if host == "" || strings.HasPrefix(host, "_") {
		return
	}
	if f.p.first(channel + ip.String() + host) {
		f.p.env.Access(wire.Binding(channel, f.c, at, ip, "", host, name))
	}
}

func bare(n dnsmessage.Name) string { return wire.Printable(strings.TrimSuffix(n.String(), ".")) }
