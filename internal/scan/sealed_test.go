package scan

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestSealed: what hosts inside exchange under encryption of their own is opaque;
// what is clear, small, known by its type or goes outside is not.
func TestSealed(t *testing.T) {
	raw := func(port uint16, content []byte) func(n *synth.Net, a, b *synth.Host) {
		return func(n *synth.Net, a, b *synth.Host) {
			c := n.Dial(a, b, port)
			c.Server([]byte("ok\n"))
			c.Client(content)
			c.Close()
		}
	}
	random := synth.New(9).Bytes(200_000)
	rows := bytes.Repeat([]byte("select name, size from files where id = 17;\n"), 3000)
	for name, c := range map[string]struct {
		script func(n *synth.Net, a, b *synth.Host)
		to     string
		want   string // channel, operation, dialect
	}{
		"own encryption":         {raw(4444, random), "10.1.0.22", "tcp push unknown 200000"},
		"joined to the outside":  {raw(4444, random), "203.0.113.5", ""},
		"a database in clear":    {raw(5432, rows), "10.1.0.22", ""},
		"an archive, not carved": {raw(4444, append([]byte("PK\x03\x04"), random...)), "10.1.0.22", ""},
		"little":                 {raw(4444, random[:10_000]), "10.1.0.22", ""},
		"a directory's own layer": {func(n *synth.Net, a, b *synth.Host) {
			c := n.Dial(a, b, 389)
			c.Client([]byte{0, 0, 0x10, 0}, random)
			c.Close()
		}, "10.1.0.22", ""},
		"TLS after a greeting": {func(n *synth.Net, a, b *synth.Host) {
			c := n.Dial(a, b, 25)
			c.Server([]byte("220 mail\r\n"))
			c.Client([]byte("STARTTLS\r\n"))
			c.Server([]byte("220 go on\r\n"))
			n.TLSOver(c, "mail.corp").Send(synth.Client, 200_000)
			c.Close()
		}, "10.1.0.22", "tcp push TLS mail.corp"},
		"a tunnel": {func(n *synth.Net, a, b *synth.Host) {
			u := n.UDP(a, b, 51820)
			u.Client(append([]byte{1, 0, 0, 0}, random[:144]...))
			u.Server(append([]byte{2, 0, 0, 0}, random[:88]...))
			for i := range 40 {
				u.Client(append([]byte{4, 0, 0, 0, 7, 7, 7, 7, byte(i), 0, 0, 0, 0, 0, 0, 0}, random[i*1400:][:1408]...))
			}
		}, "10.1.0.22", "udp push WireGuard 53600"},
		"datagrams of nobody": {func(n *synth.Net, a, b *synth.Host) {
			u := n.UDP(a, b, 9999)
			u.Client([]byte("give"))
			for i := range 40 {
				u.Server(random[i*1400:][:1400])
			}
		}, "10.1.0.22", "udp pull unknown 56000"},
	} {
		scene := synth.Record(3, func(n *synth.Net) { c.script(n, n.Host("A", "10.1.0.21"), n.Host("B", c.to)) })
		r := run(t, Options{Paths: []string{captureFile(t, scene.Capture)}, NoCarve: true, All: true})
		got := []string{}
		for _, x := range r.Transfers {
			if x.Completeness != model.Opaque || x.Confidence != "low" || len(x.CommunityID) != 1 {
				t.Errorf("%s: %+v", name, x)
			}
			line := fmt.Sprintf("%s %s %s ", x.Channel, x.Operation, x.Session.Dialect)
			if x.Session.SNI != "" {
				line += x.Session.SNI
			} else {
				line += fmt.Sprint(x.Estimate.Size)
			}
			got = append(got, line)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q instead of %q", name, got, c.want)
		}
		all := r.Coverage[len(r.Coverage)-1]
		if name == "a tunnel" && all.Blind["encrypted-vpn"] == 0 || name == "TLS after a greeting" && (all.Blind["unknown-protocol"] != 31 || all.Blind["encrypted-tls"] < 200_000) {
			t.Errorf("%s: blind %v", name, all.Blind)
		}
	}
}

// TestAnnouncedLate: a data connection ends before the sensor with the late clock shows
// who announced it. It is the file, and not a flow of nobody too.
func TestAnnouncedLate(t *testing.T) {
	scene := synth.Record(3, func(n *synth.Net) {
		f := n.FTP(n.Host("A", "10.1.0.21"), n.Host("B", "10.1.0.22"), "bob", "secret")
		f.Get("data.bin", n.Bytes(60_000))
		f.Quit()
	})
	var control, data synth.Capture
	for _, f := range scene.Capture {
		if f.Flow == 1 {
			f.Time += 3 * second
			control = append(control, f)
			continue
		}
		data = append(data, f)
	}
	r := run(t, Options{Paths: []string{write(t, map[string][]byte{"a.pcap": control.PCAP(), "b.pcap": data.PCAP()})}})
	if len(data) < 40 || len(r.Transfers) != 1 || r.Transfers[0].Completeness != model.Whole || r.Transfers[0].Name != "data.bin" {
		t.Errorf("%d packets of data, %d transfers: %+v", len(data), len(r.Transfers), r.Transfers)
	}
}

// TestESP: IPsec that lies in IP directly, by pairs of hosts.
func TestESP(t *testing.T) {
	capture := synth.Record(3, func(n *synth.Net) {
		a, b := n.Host("A", "10.1.0.21"), n.Host("B", "10.1.0.22")
		for i := range 40 {
			n.ESP(a, b, 0xc0ffee, i+1, 1000)
		}
		n.ESP(a, n.Host("C", "10.1.0.23"), 7000, 1, 1000)
	}).Capture
	r := run(t, Options{Paths: []string{captureFile(t, capture)}})
	if len(r.Transfers) != 1 || r.Transfers[0].Session.Dialect != "IPsec ESP" || r.Transfers[0].Channel != "unknown" || r.Transfers[0].Estimate.Size != 40_000 {
		t.Errorf("%d transfers: %+v", len(r.Transfers), r.Transfers)
	}
}
