package dropbox

import (
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var ends = wire.Conn{UDP: true, Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.7:17500"), wiretest.Addr("255.255.255.255:17500")}}

const announced = `{"host_int": 269358135194134194201, "version": [2, 0], "displayname": "", "port": 17501, "namespaces": [1138103, 2637123]}`

func turns(texts ...string) []wiretest.Turn {
	var out []wiretest.Turn
	for _, s := range texts {
		out = append(out, wiretest.Turn{From: 0, Data: []byte(s)})
	}
	return out
}

// TestAnnouncement: one access for what is said again and again, another when the
// folders change, none for what is broken.
func TestAnnouncement(t *testing.T) {
	other := `{"host_int": 5, "version": [1, 8], "displayname": "desk\u0007", "port": 17500, "namespaces": []}`
	env := wiretest.Play(t, New, ends, 0, turns(announced, announced, `{"host_int": `, `{"port": 17500}`, other, announced))
	if len(env.Accesses) != 2 {
		t.Fatalf("%d accesses", len(env.Accesses))
	}
	a, b := env.Accesses[0], env.Accesses[1]
	if a.What != "sync-announce" || a.Source.IP.String() != "10.0.0.7" || a.Source.Port != 17501 || a.Until-a.Time != 5e6 || a.Seen.Spans()[0].Last != 6 ||
		a.Detail != "host 269358135194134194201, version 2.0, port 17501, 2 namespaces: 1138103, 2637123" {
		t.Errorf("%+v", a.Access)
	}
	if b.Detail != "host 5, version 1.8, name desk, port 17500, 0 namespaces: " || b.Until != b.Time {
		t.Errorf("%+v", b.Access)
	}
}

// TestOthers: the port alone is not enough, nor is the text.
func TestOthers(t *testing.T) {
	p := New(wiretest.New(t))
	elsewhere := ends
	elsewhere.Ends[0].Port, elsewhere.Ends[1].Port = 40000, 40001
	for _, c := range []struct {
		c    wire.Conn
		text string
	}{{ends, `{"hello": 1}`}, {ends, "\x00\x01"}, {elsewhere, announced}} {
		if v := p.Probe(&c.c, [2][]byte{[]byte(c.text)}); v != wire.No {
			t.Errorf("%q: %v", c.text, v)
		}
	}
}

func FuzzAnnouncement(f *testing.F) {
	wiretest.Fuzz(f, New, ends, turns(announced), turns(`{"host_int": 1e400, "version": [null], "port": 70000, "displayname": {}}`))
}
