package names

import (
	"strings"
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// answers is a message of RFC 1035 4.1 without questions.
func answers(counts string, records ...string) []byte {
	return []byte("\x00\x00\x84\x00\x00\x00" + counts + strings.Join(records, ""))
}

func host(name, ttl, ip string) string {
	return string(rune(len(name))) + name + "\x05local\x00\x00\x01\x80\x01\x00\x00\x00" + ttl + "\x00\x04" + ip
}

const service = "\x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x00\x78\x00\x02\xc0\x0c"

func details(env *wiretest.Env) string {
	var out []string
	for _, a := range env.Accesses {
		out = append(out, strings.TrimSpace(strings.Join([]string{a.Source.IP.String(), a.Source.Host, a.Object, a.Detail}, " ")))
	}
	return strings.Join(out, "\n")
}

func TestMulticastWords(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"own", answers("\x00\x01\x00\x00\x00\x00", host("nas", "\x78", "\x0a\x00\x00\x07")), "10.0.0.7 nas nas.local"},
		{"of another", answers("\x00\x01\x00\x00\x00\x00", host("nas", "\x78", "\x0a\x00\x00\x08")), "10.0.0.8 nas nas.local by 10.0.0.7"},
		{"goodbye", answers("\x00\x01\x00\x00\x00\x00", host("nas", "\x00", "\x0a\x00\x00\x07")), ""},
		{"beside a service", answers("\x00\x01\x00\x00\x00\x01", service, host("nas", "\x78", "\x0a\x00\x00\x07")), "10.0.0.7 nas nas.local"},
		{"to all", answers("\x00\x01\x00\x00\x00\x00", host("nas", "\x78", "\xe0\x00\x00\x07")), ""},
	} {
		if got := details(wiretest.Play(t, New, multicast, 0, []wiretest.Turn{{From: 0, Data: c.b}})); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNetBIOSWords(t *testing.T) {
	registration := func(flags string, rdata string) []byte {
		return []byte("\x00\x02" + flags + "\x00\x01\x00\x00\x00\x00\x00\x01" + encoded("WS-7", 0) + "\x00\x20\x00\x01" +
			"\xc0\x0c\x00\x20\x00\x01\x00\x04\x93\xe0\x00" + string(rune(len(rdata))) + rdata)
	}
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"two addresses", registration("\x29\x10", "\x00\x00\x0a\x00\x00\x07\x00\x00\x0a\x00\x01\x07"),
			"10.0.0.7 WS-7 WS-7<00>\n10.0.1.7 WS-7 WS-7<00> by 10.0.0.7"},
		{"a group", registration("\x29\x10", "\x80\x00\x0a\x00\x00\x07"), "10.0.0.7  WS-7<00>"},
		{"refused", []byte("\x00\x02\xad\x86\x00\x00\x00\x01\x00\x00\x00\x00" + encoded("WS-7", 0) + "\x00\x20\x00\x01\x00\x00\x00\x00\x00\x06\x00\x00\x0a\x00\x00\x07"), ""},
	} {
		if got := details(wiretest.Play(t, New, netbios, 0, []wiretest.Turn{{From: 0, Data: c.b}})); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

var datagrams = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.7:138"), wiretest.Addr("10.0.0.255:138")}}

// announced is an announcement of MS-BRWS 2.2.1 in a transaction of MS-CIFS 2.2.4.33.
func announced(command byte, server string, kind string) []byte {
	data := string(command) + "\x00\x80\xa9\x03\x00" + server + strings.Repeat("\x00", 16-len(server)) + "\x0a\x00" + kind + "\x0f\x01\x55\xaa\x00"
	words := "\x11\x00\x00" + string(rune(len(data))) + "\x00" + strings.Repeat("\x00", 18) + string(rune(len(data))) + "\x00\x56\x00\x03\x00\x01\x00\x01\x00\x02\x00"
	smb := "\xffSMB\x25" + strings.Repeat("\x00", 27) + words + "\x28\x00" + `\MAILSLOT\BROWSE` + "\x00" + data
	return []byte("\x11\x02\x00\x01\x0a\x00\x00\x07\x00\x8a\x00\xbb\x00\x00" + encoded("WS-7", 0) + encoded("CORP", 0x1d) + smb)
}

var announcements = []wiretest.Turn{{From: 0, Data: announced(1, "WS-7", "\x03\x10\x00\x00")}}

func TestAnnouncements(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"workstation", announcements[0].Data, "10.0.0.7 WS-7 WS-7<00> workstation, version 10.0"},
		{"domain controller", announced(15, "WS-7", "\x2b\x10\x84\x00"), "10.0.0.7 WS-7 WS-7<00> domain controller, version 10.0"},
		{"an election", announced(8, "WS-7", "\x2b\x10\x84\x00"), "10.0.0.7 WS-7 WS-7<00>"},
	} {
		if got := details(wiretest.Play(t, New, datagrams, 0, []wiretest.Turn{{From: 0, Data: c.b}})); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzAnnouncements(f *testing.F) { wiretest.Fuzz(f, New, datagrams, announcements) }

// TestLongScope refuses a name that is longer than names are (RFC 1002 4.1), before
// it is put together.
func TestLongScope(t *testing.T) {
	for labels, want := range map[int]string{3: "WS-7<00>.abc.abc.abc", 20000: ""} {
		name := encoded("WS-7", 0)
		scoped := name[:len(name)-1] + strings.Repeat("\x03abc", labels) + "\x00"
		got, _, _, ok := netbiosName([]byte(scoped))
		if got != want || ok != (want != "") {
			t.Errorf("%d labels: %.40q, %v", labels, got, ok)
		}
	}
}
