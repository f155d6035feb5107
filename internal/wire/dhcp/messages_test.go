package dhcp

import (
	"slices"
	"strings"
	"testing"

	"waybill/internal/wire/wiretest"
)

// told is the accesses of a conversation in short.
func told(t *testing.T, turns []wiretest.Turn, six bool) string {
	t.Helper()
	flow := flow4
	if six {
		flow = flow6
	}
	env := wiretest.Play(t, New, flow, 0, turns)
	var out []string
	for _, a := range env.Accesses {
		s := []string{a.What, a.Source.IP.String(), a.Source.MAC, a.Source.Host, a.Detail}
		if a.Until > 0 {
			s = append(s, (map[bool]string{true: "lasts"})[a.Until > a.Time])
		}
		out = append(out, strings.Join(slices.DeleteFunc(s, func(x string) bool { return x == "" }), " "))
	}
	return strings.Join(out, "\n")
}

// sent gives a message its transaction and its addresses.
func sent(b []byte, xid, client string) []byte {
	copy(b[4:], xid)
	copy(b[12:], client)
	return b
}

const address = "\x0a\x00\x00\x09"

func TestMessages4(t *testing.T) {
	overloaded := bootp(1, "", "\x35\x03", "\x34\x03")
	copy(overloaded[108:], "\x32\x04"+address+"\xff") // file
	copy(overloaded[44:], "\x0c\x04ws-8\xff")         // sname
	foreign := bootp(1, "", "\x35\x01", "\x0cthing", "\x3d\xffabcd")
	foreign[1], foreign[2] = 32, 0 // InfiniBand has no address here (RFC 4390)
	for _, c := range []struct {
		name  string
		turns []wiretest.Turn
		want  string
	}{
		{"renewal", []wiretest.Turn{
			{From: 0, Data: sent(bootp(1, "", "\x35\x03", "\x0cws-7"), "aaaa", address)},
			{From: 1, Data: sent(bootp(2, address, "\x35\x05", "\x33\x00\x00\x0e\x10"), "aaaa", address)}},
			"dhcp-request 02:00:5e:10:20:30 ws-7 asks for 10.0.0.9\naddress-binding 10.0.0.9 02:00:5e:10:20:30 ws-7 lasts"},
		{"relayed too", []wiretest.Turn{
			{From: 1, Data: sent(bootp(2, address, "\x35\x05", "\x33\x00\x00\x0e\x10"), "aaaa", "")},
			{From: 1, Data: sent(bootp(2, address, "\x35\x05", "\x33\x00\x00\x0e\x10"), "aaaa", "")},
			{From: 1, Data: sent(bootp(2, address, "\x35\x05", "\x33\x00\x00\x0e\x10"), "bbbb", "")}},
			"address-binding 10.0.0.9 02:00:5e:10:20:30 lasts\naddress-binding 10.0.0.9 02:00:5e:10:20:30 lasts"},
		{"release", []wiretest.Turn{{From: 0, Data: sent(bootp(1, "", "\x35\x07"), "aaaa", address)}}, "dhcp-release 10.0.0.9 02:00:5e:10:20:30"},
		{"decline", []wiretest.Turn{{From: 0, Data: bootp(1, "", "\x35\x04", "\x32"+address)}}, "dhcp-decline 10.0.0.9 02:00:5e:10:20:30"},
		{"inform", []wiretest.Turn{
			{From: 0, Data: sent(bootp(1, "", "\x35\x08"), "aaaa", address)},
			{From: 1, Data: sent(bootp(2, "", "\x35\x05"), "aaaa", address)}},
			"dhcp-request 02:00:5e:10:20:30 asks for 10.0.0.9\naddress-binding 10.0.0.9 02:00:5e:10:20:30"},
		{"asks for more beside its address", []wiretest.Turn{
			{From: 0, Data: sent(bootp(1, "", "\x35\x03", "\x37\x01\x03"), "aaaa", "")},
			{From: 0, Data: sent(bootp(1, "", "\x35\x08", "\x37\x01\x03\xfc"), "bbbb", "")}},
			"dhcp-request 02:00:5e:10:20:30 fingerprint 1,3"},
		{"refused", []wiretest.Turn{{From: 1, Data: bootp(2, "", "\x35\x06")}}, ""},
		{"BOOTP", []wiretest.Turn{{From: 1, Data: bootp(2, address)}}, "address-binding 10.0.0.9 02:00:5e:10:20:30"},
		{"options in other fields", []wiretest.Turn{{From: 0, Data: overloaded}}, "dhcp-request 02:00:5e:10:20:30 ws-8 asks for 10.0.0.9"},
		{"an option in two parts", []wiretest.Turn{{From: 0, Data: bootp(1, "", "\x35\x01", "\x0cws", "\x0c-77")}}, "dhcp-request 02:00:5e:10:20:30 ws-77"},
		{"an option in endless parts", []wiretest.Turn{{From: 0, Data: bootp(1, "", append([]string{"\x35\x01"}, slices.Repeat([]string{"\x37\x01"}, 900)...)...)}},
			"dhcp-request 02:00:5e:10:20:30 fingerprint " + strings.TrimSuffix(strings.Repeat("1,", 255), ",")},
		{"full name", []wiretest.Turn{{From: 0, Data: bootp(1, "", "\x35\x01", "\x51\x04\x00\x00\x04ws-7\x04corp\x00")}}, "dhcp-request 02:00:5e:10:20:30 ws-7.corp"},
		{"other hardware", []wiretest.Turn{{From: 0, Data: foreign}}, "dhcp-request thing client id ff61626364"},
		{"client id is the hardware", []wiretest.Turn{{From: 0, Data: bootp(1, "", "\x35\x01", "\x3d\x01\x02\x00\x5e\x10\x20\x30")}}, "dhcp-request 02:00:5e:10:20:30"},
	} {
		if got := told(t, c.turns, false); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// ia is an IA_NA with one address (RFC 8415 21.4, 21.6).
func ia(valid string) string {
	a := option6(opt6Address, "\xfd\x00"+strings.Repeat("\x00", 13)+"\x09"+valid+valid)
	return option6(opt6IANA, strings.Repeat("\x00", 12)+a)
}

func TestMessages6(t *testing.T) {
	id := option6(opt6Client, "\x00\x02\x00\x00\x00\x09serial")
	long := "\x00\x00\x0e\x10"
	relayed := func(kind byte, m string, options string) []byte {
		return []byte(string(kind) + "\x00" + strings.Repeat("\x00", 16) + "\xfe\x80" + strings.Repeat("\x00", 6) + "\x02\x1b\x21\xff\xfe\x01\x02\x03" +
			options + option6(opt6Relayed, m))
	}
	for _, c := range []struct {
		name  string
		turns []wiretest.Turn
		want  string
	}{
		{"request", []wiretest.Turn{{From: 0, Data: []byte("\x03abc" + id + option6(opt6List, "\x00\x17\x00\x18") + ia(long))}},
			"dhcp-request fingerprint 23,24; client id 00020000000973657269616c; asks for fd00::9"},
		{"release", []wiretest.Turn{{From: 0, Data: []byte("\x08abc" + id + ia(long))}}, "dhcp-release fd00::9"},
		{"decline", []wiretest.Turn{{From: 0, Data: []byte("\x09abc" + id + ia(long))}}, "dhcp-decline fd00::9"},
		{"given up", []wiretest.Turn{{From: 1, Data: []byte("\x07abc" + id + ia("\x00\x00\x00\x00"))}}, ""},
		{"relay, hardware in the sender's address", []wiretest.Turn{{From: 1, Data: relayed(message6RelayReply, "\x07abc"+id+ia(long), "")}},
			"address-binding fd00::9 00:1b:21:01:02:03 client id 00020000000973657269616c lasts"},
		{"relay that tells the hardware", []wiretest.Turn{{From: 1, Data: relayed(message6RelayReply, "\x07abc"+id+ia(long), option6(opt6LinkLayer, "\x00\x01\x00\x1b\x21\x09\x09\x09"))}},
			"address-binding fd00::9 00:1b:21:09:09:09 client id 00020000000973657269616c lasts"},
		{"hardware by its DUID", []wiretest.Turn{{From: 1, Data: []byte("\x07abc" + option6(opt6Client, "\x00\x03\x00\x01\x00\x1b\x21\x07\x07\x07") + ia(long))}},
			"address-binding fd00::9 00:1b:21:07:07:07 client id 00030001001b21070707; hardware by its DUID lasts"},
		{"relays in relays without end", []wiretest.Turn{{From: 1, Data: relayed(message6RelayReply, string(relayed(message6RelayReply, "", "")), "")}}, ""},
	} {
		if got := told(t, c.turns, true); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
