package names

import (
	"strings"
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// encoded is a NetBIOS name in the first-level encoding (RFC 1001 14.1).
func encoded(name string, suffix byte) string {
	raw := name + strings.Repeat(" ", 15-len(name)) + string(rune(suffix))
	var s strings.Builder
	s.WriteByte(32)
	for _, c := range []byte(raw) {
		s.WriteByte('A' + c>>4)
		s.WriteByte('A' + c&15)
	}
	s.WriteByte(0)
	return s.String()
}

var netbios = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.7:137"), wiretest.Addr("10.0.0.255:137")}}

var netbiosTurns = []wiretest.Turn{
	{From: 0, Data: []byte("\x00\x01\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00" + encoded("FILESRV", 0x20) + "\x00\x20\x00\x01")},
	{From: 0, Data: []byte("\x00\x02\x29\x10\x00\x01\x00\x00\x00\x00\x00\x01" + encoded("WS-7", 0) + "\x00\x20\x00\x01" +
		"\xc0\x0c\x00\x20\x00\x01\x00\x04\x93\xe0\x00\x06\x00\x00\x0a\x00\x00\x07")},
	{From: 1, Data: []byte("\x00\x03\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00" + encoded("*", 0) + "\x00\x21\x00\x01\x00\x00\x00\x00\x00\x19\x01" +
		"SRV            \x20\x04\x00" + "\x02\x00\x5e\x01\x02\x03")},
}

func summary(env *wiretest.Env) string {
	var out []string
	for _, a := range env.Accesses {
		out = append(out, strings.TrimSpace(strings.Join([]string{a.What, a.Channel, a.Source.IP.String(), a.Source.MAC, a.Source.Host, a.Object}, " ")))
	}
	return strings.Join(out, "\n")
}

func TestNetBIOS(t *testing.T) {
	want := "name-query nbns 10.0.0.7   FILESRV<20>\n" +
		"address-binding nbns 10.0.0.7  WS-7 WS-7<00>\n" +
		"address-binding nbns 10.0.0.255 02:00:5e:01:02:03  *<00>\n" +
		"address-binding nbns 10.0.0.255 02:00:5e:01:02:03 SRV SRV<20>"
	if got := summary(wiretest.Play(t, New, netbios, 0, netbiosTurns)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

var multicast = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.7:5353"), wiretest.Addr("224.0.0.251:5353")}}

var multicastTurns = []wiretest.Turn{
	{From: 0, Data: []byte("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03nas\x05local\x00\x00\x01\x00\x01")},
	{From: 0, Data: []byte("\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x03nas\x05local\x00\x00\x01\x80\x01\x00\x00\x00\x78\x00\x04\x0a\x00\x00\x08")},
}

func TestMulticast(t *testing.T) {
	want := "name-query mdns 10.0.0.7   nas.local\naddress-binding mdns 10.0.0.8  nas nas.local"
	if got := summary(wiretest.Play(t, New, multicast, 0, multicastTurns)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzNetBIOS(f *testing.F)   { wiretest.Fuzz(f, New, netbios, netbiosTurns) }
func FuzzMulticast(f *testing.F) { wiretest.Fuzz(f, New, multicast, multicastTurns) }
