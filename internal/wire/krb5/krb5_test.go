package krb5

import (
	"encoding/binary"
	"strings"
	"testing"

	"waybill/internal/content"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
	"waybill/internal/wire/ticket/tickettest"
	"waybill/internal/wire/wiretest"
)

func tlv(tag byte, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	if len(body) < 128 {
		return append([]byte{tag, byte(len(body))}, body...)
	}
	return append([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func number(n byte) []byte { return tlv(tagInteger, []byte{n}) }

func text(s string) []byte { return tlv(tagGeneralString, []byte(s)) }

func named(parts ...string) []byte {
	var all [][]byte
	for _, p := range parts {
		all = append(all, text(p))
	}
	return tlv(tagSequence, tlv(context(0), number(1)), tlv(context(1), tlv(tagSequence, all...)))
}

// address is a HostAddress of RFC 4120 5.2.5.
func address(kind byte, b string) []byte {
	return tlv(tagSequence, tlv(context(0), number(kind)), tlv(context(1), tlv(tagOctets, []byte(b))))
}

func asked() []byte {
	return tlv(asRequest, tlv(tagSequence, tlv(context(1), number(5)), tlv(context(2), number(10)),
		tlv(context(4), tlv(tagSequence, tlv(context(1), named("anna")), tlv(context(2), text("CORP.LOCAL")), tlv(context(3), named("krbtgt", "CORP.LOCAL")),
			tlv(context(9), tlv(tagSequence, address(2, "\x0a\x00\x00\x01"), address(addressNetBIOS, "WS-7            ")))))))
}

func granted() []byte {
	ticket := tlv(tagTicket, tlv(tagSequence, tlv(context(0), number(5)), tlv(context(1), text("CORP.LOCAL")), tlv(context(2), named("cifs", "srv1"))))
	return tlv(tgsReply, tlv(tagSequence, tlv(context(0), number(5)), tlv(context(1), number(13)),
		tlv(context(3), text("CORP.LOCAL")), tlv(context(4), named("anna")), tlv(context(5), ticket), make([]byte, 200)))
}

func refused() []byte {
	return tlv(krbError, tlv(tagSequence, tlv(context(0), number(5)), tlv(context(1), number(30)), tlv(context(6), number(24)),
		tlv(context(7), text("CORP.LOCAL")), tlv(context(8), named("bob")), tlv(context(9), text("CORP.LOCAL")), tlv(context(10), named("krbtgt", "CORP.LOCAL"))))
}

func turns(udp bool) []wiretest.Turn {
	out := []wiretest.Turn{{From: 0, Data: asked()}, {From: 1, Data: refused()}, {From: 1, Data: granted()}}
	if !udp {
		for i := range out {
			out[i].Data = append(binary.BigEndian.AppendUint32(nil, uint32(len(out[i].Data))), out[i].Data...)
		}
	}
	return out
}

func flow(udp bool) wire.Conn {
	return wire.Conn{UDP: udp, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:88")}}
}

func TestTickets(t *testing.T) {
	want := "10.0.0.1 is WS-7\nAS-REQ anna@CORP.LOCAL krbtgt/CORP.LOCAL \nKRB-ERROR bob@CORP.LOCAL krbtgt/CORP.LOCAL KDC_ERR_PREAUTH_FAILED\nTGS-REP anna@CORP.LOCAL cifs/srv1 "
	for _, udp := range []bool{true, false} {
		for _, size := range []int{0, 9} {
			env := wiretest.Play(t, New, flow(udp), size, turns(udp))
			var got []string
			for _, a := range env.Accesses {
				if a.What == "address-binding" {
					got = append(got, a.Source.IP.String()+" is "+a.Source.Host)
					continue
				}
				got = append(got, a.Detail+" "+a.User+"@"+a.Domain+" "+a.Object+" "+a.Status)
				if a.Source.IP.String() != "10.0.0.1" || a.Destination.Port != 88 {
					t.Errorf("ends: %+v", a.Access)
				}
			}
			if all := strings.Join(got, "\n"); all != want {
				t.Errorf("udp %v, segments of %d: got\n%s\nwant\n%s", udp, size, all, want)
			}
		}
	}
}

func FuzzDatagrams(f *testing.F)  { wiretest.Fuzz(f, New, flow(true), turns(true)) }
func FuzzConnection(f *testing.F) { wiretest.Fuzz(f, New, flow(false), turns(false)) }

// TestHiddenClient: a reply that hides its client brings the ticket of whoever showed
// the ticket-granting ticket, and a logon with that ticket is theirs.
func TestHiddenClient(t *testing.T) {
	granting := tickettest.Alice(18)
	granting.Service = "krbtgt/LAB.TEST"
	tgt := granting.TicketBytes(t)
	service := tickettest.Alice(18)
	cifs := service.TicketBytes(t)
	secret := service
	secret.User, secret.Domain = "WELLKNOWN/ANONYMOUS", "WELLKNOWN:ANONYMOUS"
	asReply := granting.TGSRep(t, tgt)
	asReply[0] = 0x6b
	ask := tlv(tgsRequest, tlv(tagSequence, tlv(context(1), number(5)), tlv(context(2), number(12)),
		tlv(context(3), tlv(tagSequence,
			tlv(tagSequence, tlv(context(1), tlv(tagInteger, []byte{0, 0x88})), tlv(context(2), tlv(tagOctets, []byte("other")))),
			tlv(tagSequence, tlv(context(1), number(1)), tlv(context(2), tlv(tagOctets, granting.APReq(t, tgt))))))))
	table := ticket.NewTable(nil, &content.Budget{Limit: 1 << 20})
	env := wiretest.Play(t, func(env wire.Env) wire.Protocol {
		env.(*wiretest.Env).Tickets = table
		return New(env)
	}, flow(true), 0, []wiretest.Turn{{From: 1, Data: asReply}, {From: 0, Data: ask}, {From: 1, Data: secret.TGSRep(t, cifs)}})
	for _, a := range env.Accesses {
		if a.User != "alice" || a.Domain != "LAB.TEST" {
			t.Errorf("%s for %s: %s@%s", a.Detail, a.Object, a.User, a.Domain)
		}
	}
	if len(env.Accesses) != 2 {
		t.Errorf("%d accesses", len(env.Accesses))
	}
	if got := table.Ticket(service.APReq(t, cifs)); got.User != "alice" || got.Domain != "LAB.TEST" {
		t.Errorf("the ticket is of %+v", got)
	}
	// Without the request nobody is named.
	table = ticket.NewTable(nil, &content.Budget{Limit: 1 << 20})
	wiretest.Play(t, func(env wire.Env) wire.Protocol {
		env.(*wiretest.Env).Tickets = table
		return New(env)
	}, flow(true), 0, []wiretest.Turn{{From: 1, Data: secret.TGSRep(t, cifs)}})
	if got := table.Ticket(service.APReq(t, cifs)); got.User != "" {
		t.Errorf("the hidden ticket is of %+v", got)
	}
}
