package scan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

const second model.Time = 1e9

// office is three workstations, a name server, and front ends of services outside.
type office struct {
	*synth.Net
	a, b, c, dns, dropbox, google *synth.Host
}

func officeOf(n *synth.Net) office {
	return office{n, n.Host("WS-01", "10.9.0.1"), n.Host("WS-02", "10.9.0.2"), n.Host("WS-03", "10.9.0.3"), n.Host("DC", "10.9.0.53"),
		n.Host("dropbox", "162.125.1.2"), n.Host("google", "142.250.1.2")}
}

// over moves content over a new connection to a service.
func (o office) over(h, server *synth.Host, name string, from synth.Side, size int) {
	t := o.OpenTLS(h, server, 443, name)
	t.Send(from, size)
	t.Close()
	o.Sleep(20 * second)
}

// synced are the records of synced folders: who gave whom how much, by which operation.
func synced(r *Records) []string {
	var out []string
	for _, t := range r.Transfers {
		if t.Channel == "sync-folder" {
			out = append(out, fmt.Sprintf("%s>%s %s", t.Source.IP, t.Destination.IP, t.Operation))
		}
	}
	slices.Sort(out)
	return out
}

const size = 400_000

// TestRelay: a file that one host sends to a service and others get from it, named by
// hello, certificate-less by DNS, and over QUIC.
func TestRelay(t *testing.T) {
	scene := synth.Record(5, func(n *synth.Net) {
		o := officeOf(n)
		o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, size)
		o.over(o.b, o.dropbox, "dl.dropboxusercontent.com", synth.Server, size)
		o.Resolve(o.c, o.dns, synth.Lookup{Name: "client.dropbox.com", Alias: "client.dropbox-dns.com", TTL: 60}, o.dropbox)
		o.over(o.c, o.dropbox, "", synth.Server, size)
		o.QUIC(o.a, o.google, "drive.google.com", 300_000, 0)
		o.Sleep(30 * second)
		o.QUIC(o.b, o.google, "drive.usercontent.google.com", 0, 300_000)
	})
	for name, c := range map[string]synth.Capture{"all": scene.Capture, "with loss": scene.Capture.Drop(1, 0.005), "out of order": scene.Capture.Reorder(1, 0.02)} {
		r := run(t, Options{Paths: []string{captureFile(t, c)}})
		want := []string{"10.9.0.1>10.9.0.2 copy", "10.9.0.1>10.9.0.2 copy", "10.9.0.1>10.9.0.3 copy"}
		if got := synced(r); !slices.Equal(got, want) {
			t.Fatalf("%s: %v", name, got)
		}
		if len(r.Transfers) != 3 || len(r.Findings) != 3 {
			t.Fatalf("%s: %d transfers, %d findings", name, len(r.Transfers), len(r.Findings))
		}
		for _, f := range r.Findings {
			if f.Severity != model.Info || !slices.Equal(f.Analytics, []string{"sync-folder-relay"}) || !strings.Contains(f.Reasons[0].Text, " bytes to ") || !strings.Contains(f.Reasons[0].Text, " bytes from ") {
				t.Errorf("%s: %+v", name, f.Reasons)
			}
		}
		for i, x := range r.Transfers {
			want := []int64{size, size, 300_000}[i]
			if e := x.Estimate; e.Low > want || e.High < want || e.Size < want*97/100 || e.Size > want*103/100 {
				t.Errorf("%s: estimate %+v", name, *e)
			}
			if len(x.Evidence) != 2 || len(x.CommunityID) != 2 || len(x.Notes) != 2 || x.Confidence != "low" || x.Source.Host != "" || x.Scope != model.ScopeInternal {
				t.Errorf("%s: %+v", name, x)
			}
		}
		i := slices.IndexFunc(r.Transfers, func(x *model.Transfer) bool { return x.Destination.IP.String() == "10.9.0.3" })
		if last := r.Transfers[i].Notes[1]; !strings.HasSuffix(last, ", named by DNS") || !strings.Contains(last, "Dropbox (client.dropbox.com)") {
			t.Errorf("%s: %q", name, last)
		}
	}
}

// TestOpenConnection: clients keep their connections; each file is a burst on them.
func TestOpenConnection(t *testing.T) {
	capture := synth.Record(5, func(n *synth.Net) {
		o := officeOf(n)
		a, b := o.OpenTLS(o.a, o.dropbox, 443, "client.dropbox.com"), o.OpenTLS(o.b, o.dropbox, 443, "client.dropbox.com")
		for _, kib := range []int{100, 300, 900} {
			a.Send(synth.Client, kib<<10)
			o.Sleep(15 * second)
			b.Send(synth.Server, kib<<10)
			o.Sleep(1500 * second / 4) // below the time at which silent flows are given up
		}
	}).Capture
	r := run(t, Options{Paths: []string{captureFile(t, capture)}})
	if got := synced(r); len(got) != 3 {
		t.Fatalf("%v", got)
	}
	for i, want := range []int64{100 << 10, 300 << 10, 900 << 10} {
		if e := r.Transfers[i].Estimate; e.Low > want || e.High < want {
			t.Errorf("%+v instead of %d", *e, want)
		}
	}
	ids := map[string]bool{}
	for _, x := range r.Transfers {
		ids[x.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("ids: %v", ids)
	}
}

// TestProxy: hosts reach the service through a proxy inside. What it passes on is no
// transfer between them and it.
func TestProxy(t *testing.T) {
	capture := synth.Record(5, func(n *synth.Net) {
		o := officeOf(n)
		proxy := o.Host("PROXY", "10.9.0.80")
		for _, x := range []struct {
			h    *synth.Host
			from synth.Side
		}{{o.a, synth.Client}, {o.b, synth.Server}} {
			c := o.Dial(x.h, proxy, 3128)
			c.Client([]byte("CONNECT client.dropbox.com:443 HTTP/1.1\r\nHost: client.dropbox.com:443\r\n\r\n"))
			c.Server([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
			o.TLSOver(c, "client.dropbox.com").Send(x.from, size)
			c.Close()
			o.Sleep(20 * second)
		}
	}).Capture
	for _, all := range []bool{false, true} {
		r := run(t, Options{Paths: []string{captureFile(t, capture)}, All: all})
		if got := synced(r); !slices.Equal(got, []string{"10.9.0.1>10.9.0.2 copy"}) {
			t.Errorf("%v", got)
		}
		if want := map[bool]int{false: 1, true: 3}[all]; len(r.Transfers) != want {
			t.Errorf("all %v: %d transfers", all, len(r.Transfers))
		}
		if b := r.Coverage[len(r.Coverage)-1].Blind; b["encrypted-tls"] < 2*size || b["unknown-protocol"] != 0 {
			t.Errorf("blind %v", b)
		}
	}
}

// TestRelayOfTool: a host got a program in clear, and passes on as much through a
// service: both are said of the copy.
func TestRelayOfTool(t *testing.T) {
	capture := synth.Record(5, func(n *synth.Net) {
		o := officeOf(n)
		s := n.SMB(o.a, n.Host("FS", "10.9.0.5"), synth.SMBOptions{User: "bob"})
		s.Tree("Tools").Get("scan.exe", n.PE(size))
		s.Logoff()
		o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, size)
		o.over(o.b, o.dropbox, "client.dropbox.com", synth.Server, size)
	}).Capture
	r := run(t, Options{Paths: []string{captureFile(t, capture)}})
	i := slices.IndexFunc(r.Findings, func(f *model.Finding) bool { return slices.Contains(f.Analytics, "sync-folder-relay") })
	if i < 0 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	f := r.Findings[i]
	if !slices.Contains(f.Analytics, "opaque-bulk") || f.Score != 1.25 || !slices.ContainsFunc(f.Reasons, func(x model.Reason) bool { return strings.Contains(x.Text, "fits scan.exe") }) {
		t.Errorf("%v %+v", f.Analytics, f.Reasons)
	}
}

// TestNoRelay: what looks like a relay and is none.
func TestNoRelay(t *testing.T) {
	for name, script := range map[string]func(o office){
		"one upload": func(o office) { o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, size) },
		"other volume": func(o office) {
			o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, size)
			o.over(o.b, o.dropbox, "client.dropbox.com", synth.Server, size*2)
		},
		"an update that all get": func(o office) {
			o.over(o.b, o.google, "drive.google.com", synth.Server, size)
			o.over(o.a, o.google, "drive.google.com", synth.Client, size)
			o.over(o.c, o.google, "drive.google.com", synth.Server, size)
		},
		"an update of another service of the company": func(o office) {
			o.over(o.a, o.google, "drive.google.com", synth.Client, size)
			o.over(o.b, o.google, "dl.google.com", synth.Server, size)
			o.over(o.c, o.google, "www.google.com", synth.Server, size)
		},
		"backups": func(o office) {
			for _, h := range []*synth.Host{o.a, o.b, o.c} {
				o.over(h, o.dropbox, "client.dropbox.com", synth.Client, size)
			}
		},
		"another name at the address": func(o office) {
			o.over(o.a, o.google, "drive.google.com", synth.Client, size)
			o.Resolve(o.b, o.dns, synth.Lookup{Name: "drive.google.com", TTL: 300}, o.google)
			o.Resolve(o.b, o.dns, synth.Lookup{Name: "www.google.com", TTL: 300}, o.google)
			o.over(o.b, o.google, "", synth.Server, size)
		},
		"an old answer": func(o office) {
			o.Resolve(o.b, o.dns, synth.Lookup{Name: "client.dropbox.com", TTL: 60}, o.dropbox)
			o.Sleep(3600 * second)
			o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, size)
			o.over(o.b, o.dropbox, "", synth.Server, size)
		},
		"too late": func(o office) {
			o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, size)
			o.Sleep(700 * second)
			o.over(o.b, o.dropbox, "client.dropbox.com", synth.Server, size)
		},
		"chatter": func(o office) {
			for range 10 {
				o.over(o.a, o.dropbox, "client.dropbox.com", synth.Client, 30_000)
				o.over(o.b, o.dropbox, "client.dropbox.com", synth.Server, 30_000)
			}
		},
	} {
		capture := synth.Record(5, func(n *synth.Net) { script(officeOf(n)) }).Capture
		r := run(t, Options{Paths: []string{captureFile(t, capture)}})
		if got := synced(r); len(got) != 0 || len(r.Findings) != 0 {
			t.Errorf("%s: %v, %d findings", name, got, len(r.Findings))
		}
	}
}

// TestLANSync: what Dropbox moves between hosts of one network, to where it was
// announced or to its own port.
func TestLANSync(t *testing.T) {
	scene := synth.Record(5, func(n *synth.Net) {
		o := officeOf(n)
		for range 3 {
			o.Announce(o.b, 4711, 17501, 12, 13)
			o.Sleep(30 * second)
		}
		o.LANSync(o.a, o.b, 17501, 12, size)
		o.LANSync(o.a, o.c, 17500, 13, 50_000)
		o.over(o.a, o.b, "intranet.corp", synth.Server, size)
		o.over(o.a, o.c, "other.corp", synth.Server, size)
	})
	r := run(t, Options{Paths: []string{captureFile(t, scene.Capture)}})
	if got, want := synced(r), []string{"10.9.0.2>10.9.0.1 pull", "10.9.0.3>10.9.0.1 pull"}; !slices.Equal(got, want) {
		t.Fatalf("%v", got)
	}
	for i, m := range scene.Truth.Moved {
		x := r.Transfers[i]
		if x.Source.IP != m.Source || x.Channel != m.Channel || x.Estimate.Low > m.Size || x.Estimate.High < m.Size || x.Techniques[0] != "T1570" {
			t.Errorf("%+v", x)
		}
	}
	if len(r.Transfers) != 4 || !strings.Contains(r.Transfers[0].Reason, "announced") || !strings.Contains(r.Transfers[1].Reason, "by its port") {
		t.Errorf("%d transfers, %q, %q", len(r.Transfers), r.Transfers[0].Reason, r.Transfers[1].Reason)
	}
	said := slices.DeleteFunc(r.Accesses, func(a *model.Access) bool { return a.What != "sync-announce" })
	if len(said) != 1 || said[0].Until-said[0].Time < 60*second || !strings.Contains(said[0].Detail, "2 namespaces: 12, 13") {
		t.Errorf("%d announcements", len(said))
	}
}
