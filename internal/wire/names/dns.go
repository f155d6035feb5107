package names

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// maxRecords bounds the records of one section of a message that are read.
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
	// Services bring the addresses of their hosts in the last section (RFC 6763 12).
	f.records(p.Answer, channel, who, c.At)
	if p.SkipAllAnswers() == nil && p.SkipAllAuthorities() == nil {
		f.records(p.Additional, channel, who, c.At)
	}
}

// records takes the addresses of one section. Those whose time to live is 0 are no
// more (RFC 6762 10.1).
func (f *flow) records(next func() (dnsmessage.Resource, error), channel string, who model.Addr, at wire.At) {
	for range maxRecords {
		r, err := next()
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
		if r.Header.TTL > 0 {
			f.claimed(channel, bare(r.Header.Name), model.AddrOf(ip), who, at)
		}
	}
}

// claimed reports an answer: the name of a host of this network, in the host's own
// words or those of another.
func (f *flow) claimed(channel, name string, ip, who model.Addr, at wire.At) {
	host := name
	if suffix := ".local"; len(name) > len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix) {
		host = name[:len(name)-len(suffix)]
	}
	if host == "" || strings.HasPrefix(host, "_") || strings.HasSuffix(strings.ToLower(host), ".arpa") {
		return
	}
	f.bind(channel, host, name, "", ip, who, at)
}

func bare(n dnsmessage.Name) string { return wire.Printable(strings.TrimSuffix(n.String(), ".")) }
