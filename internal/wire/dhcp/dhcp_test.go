package dhcp

import (
	"strings"
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// bootp is a message of RFC 2131 2 with options.
func bootp(op byte, your string, options ...string) []byte {
	b := make([]byte, 236)
	b[0], b[1], b[2] = op, 1, 6
	copy(b[16:], your)
	copy(b[28:], "\x02\x00\x5e\x10\x20\x30")
	b = append(b, cookie...)
	for _, o := range options {
		b = append(b, o[0], byte(len(o)-1))
		b = append(b, o[1:]...)
	}
	return append(b, 255)
}

var flow4 = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("0.0.0.0:68"), wiretest.Addr("255.255.255.255:67")}}

var lease4 = []wiretest.Turn{
	{From: 0, Data: bootp(1, "", "\x35\x03", "\x0cws-7", "\x32\x0a\x00\x00\x09", "\x37\x01\x03\x06\x0f", "\x3cMSFT 5.0")},
	{From: 1, Data: bootp(2, "\x0a\x00\x00\x09", "\x35\x02")},
	{From: 1, Data: bootp(2, "\x0a\x00\x00\x09", "\x35\x05", "\x33\x00\x00\x0e\x10")},
}

func TestVersion4(t *testing.T) {
	env := wiretest.Play(t, New, flow4, 0, lease4)
	if len(env.Accesses) != 3 {
		t.Fatalf("%d accesses", len(env.Accesses))
	}
	asked, offer, lease := env.Accesses[0], env.Accesses[1], env.Accesses[2]
	if asked.What != "dhcp-request" || asked.Source.Host != "ws-7" || asked.Detail != "vendor MSFT 5.0; fingerprint 1,3,6,15; asks for 10.0.0.9" {
		t.Errorf("request: %+v", asked.Access)
	}
	if offer.What != "dhcp-offer" {
		t.Errorf("offer: %+v", offer.Access)
	}
	if lease.What != "address-binding" || lease.Source.IP.String() != "10.0.0.9" || lease.Source.MAC != "02:00:5e:10:20:30" ||
		lease.Source.Host != "ws-7" || lease.Until-lease.Time != 3600e9 {
		t.Errorf("lease: %+v", lease.Access)
	}
}

var flow6 = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("[fe80::1]:546"), wiretest.Addr("[ff02::1:2]:547")}}

func option6(code byte, body string) string {
	return "\x00" + string(code) + string([]byte{byte(len(body) >> 8), byte(len(body))}) + body
}

var lease6 = func() []wiretest.Turn {
	id := option6(opt6Client, "\x00\x01\x00\x01\x11\x22\x33\x44\x02\x00\x5e\x10\x20\x30")
	address := option6(opt6Address, "\xfd\x00"+strings.Repeat("\x00", 13)+"\x09"+"\x00\x00\x07\x08\x00\x00\x0e\x10")
	return []wiretest.Turn{
		{From: 0, Data: []byte("\x01abc" + id + option6(opt6Name, "\x00\x04ws-7\x04corp\x00"))},
		{From: 1, Data: []byte("\x07abc" + id + option6(opt6IANA, "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"+address))},
	}
}()

func TestVersion6(t *testing.T) {
	env := wiretest.Play(t, New, flow6, 0, lease6)
	if len(env.Accesses) != 2 {
		t.Fatalf("%d accesses", len(env.Accesses))
	}
	if a := env.Accesses[1]; a.Source.IP.String() != "fd00::9" || a.Source.MAC != "02:00:5e:10:20:30" || a.Source.Host != "ws-7.corp" || a.Until-a.Time != 3600e9 {
		t.Errorf("%+v", a.Access)
	}
}

func FuzzVersion4(f *testing.F) { wiretest.Fuzz(f, New, flow4, lease4) }
func FuzzVersion6(f *testing.F) { wiretest.Fuzz(f, New, flow6, lease6) }
