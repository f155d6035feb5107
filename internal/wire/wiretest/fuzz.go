package wiretest

import (
	"net/netip"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// Addr is an address with a port, as "10.0.0.1:445".
func Addr(s string) wire.AddrPort {
	a := netip.MustParseAddrPort(s)
	return wire.AddrPort{Addr: model.AddrOf(a.Addr()), Port: a.Port()}
}

// Turn is what one side sends.
type Turn struct {
	From wire.Side
	Data []byte
}

// Play gives a conversation to a protocol in segments of at most size bytes, ends
// it, and gives all that came out, with content resolved.
func Play(t testing.TB, open func(wire.Env) wire.Protocol, c wire.Conn, size int, turns []Turn) *Env {
	t.Helper()
	env := New(t)
	p := open(env)
	conn := c
	conn.FromStart, conn.Opened = [2]bool{true, true}, !c.UDP
	var head [2][]byte
	for _, x := range turns {
		head[x.From] = append(head[x.From], x.Data...)
		if v := p.Probe(&conn, head); v == wire.Yes {
			break
		}
	}
	if v := p.Probe(&conn, head); v != wire.Yes {
		t.Errorf("%s does not know its own: verdict %d", p.Name(), v)
	}
	l := env.Attach(&conn, p.Open(&conn))
	for _, x := range turns {
		if c.UDP {
			l.Send(x.From, x.Data, 0)
			continue
		}
		l.Send(x.From, x.Data, size)
	}
	l.End(wire.FIN)
	p.Flush(env.Next())
	env.Done()
	if used := env.Budget().Used; used != 0 {
		t.Errorf("%d bytes of budget not given back", used)
	}
	return env
}

// Fuzz feeds any bytes in any turns, with gaps: no panic, no record without its
// ends, and all of the budget given back. A turn is its side, and an eighth of
// its bytes; every third of 64 and above loses its bytes where lossy is set.
func Fuzz(f *testing.F, open func(wire.Env) wire.Protocol, c wire.Conn, seeds ...[]Turn) {
	for _, s := range seeds {
		var sides [2][]byte
		var turns []byte
		for _, x := range s {
			sides[x.From] = append(sides[x.From], x.Data...)
			turns = append(turns, byte(x.From)<<7|byte(min(len(x.Data)/8+1, 127)))
		}
		f.Add(sides[0], sides[1], turns, false)
		f.Add(sides[0], sides[1], turns, true)
	}
	f.Fuzz(func(t *testing.T, client, server, turns []byte, lossy bool) {
		Feed(t, open, c, client, server, turns, lossy)
	})
}

// Feed gives a protocol any bytes of both sides, as Fuzz says.
func Feed(t *testing.T, open func(wire.Env) wire.Protocol, c wire.Conn, client, server, turns []byte, lossy bool) {
	env := New(t)
	p := open(env)
	conn := c
	conn.FromStart, conn.Opened = [2]bool{!lossy, !lossy}, !lossy
	p.Probe(&conn, [2][]byte{client, server})
	l := env.Attach(&conn, p.Open(&conn))
	rest := [2][]byte{client, server}
	for i, turn := range turns {
		side := wire.Side(turn >> 7)
		n := min(int(turn&0x7f)*8, len(rest[side]))
		if lossy && !c.UDP && turn&0x40 != 0 && i%3 == 2 && n > 0 {
			l.Lose(side, int64(n))
		} else {
			l.Send(side, rest[side][:n], 1+int(turn)*3)
		}
		rest[side] = rest[side][n:]
	}
	l.Send(0, rest[0], 1400)
	l.Send(1, rest[1], 1400)
	l.End(wire.FIN)
	p.Flush(env.Next())
	for _, x := range env.Transfers {
		if x.ID == "" || x.Operation == "" || len(x.Conns) == 0 {
			t.Errorf("unfinished record: %+v", x.Transfer)
		}
	}
	env.Done()
	if used := env.Budget().Used; used != 0 {
		t.Errorf("%d bytes of budget not given back", used)
	}
}
