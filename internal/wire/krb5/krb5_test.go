package krb5

import (
	"encoding/binary"
	"strings"
	"testing"

	"waybill/internal/wire"
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

func asked() []byte {
	return tlv(asRequest, tlv(tagSequence, tlv(context(1), number(5)), tlv(context(2), number(10)),
		tlv(context(4), tlv(tagSequence, tlv(context(1), named("anna")), tlv(context(2), text("CORP.LOCAL")), tlv(context(3), named("krbtgt", "CORP.LOCAL"))))))
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
	want := "AS-REQ anna@CORP.LOCAL krbtgt/CORP.LOCAL \nKRB-ERROR bob@CORP.LOCAL krbtgt/CORP.LOCAL KDC_ERR_PREAUTH_FAILED\nTGS-REP anna@CORP.LOCAL cifs/srv1 "
	for _, udp := range []bool{true, false} {
		for _, size := range []int{0, 9} {
			env := wiretest.Play(t, New, flow(udp), size, turns(udp))
			var got []string
			for _, a := range env.Accesses {
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
