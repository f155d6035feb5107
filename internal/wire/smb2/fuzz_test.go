package smb2

import (
	"testing"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// seedScripts are conversations that reach most of the decoder.
func seedScripts() []*script {
	var out []*script
	for _, dialect := range []uint16{0x202, 0x210, 0x302, 0x311} {
		s, p := newScript(dialect)
		p.create(file{fid: 1, name: `dir\a.exe`, access: asWrite, action: 2})
		p.write(1, 0, pattern(900, 1))
		p.setEnd(1, 800)
		p.rename(1, `dir\b.exe`)
		p.close(1, 800)
		p.create(file{fid: 2, name: "c", access: asRead, action: 1, size: 700})
		p.queryInfo(2, 5, le("8:704 8:700 4:1 4:0"))
		p.read(2, 0, 700, pattern(700, 2))
		p.close(2, 700)
		p.end(wire.FIN)
		out = append(out, s)
	}
	return out
}

// sides gives what each side of the first connection sends, and in which turns.
func (s *script) sides() (client, server, turns []byte) {
	for _, st := range s.steps {
		if st.end || len(st.data) == 0 {
			continue
		}
		if st.from == 0 {
			client = append(client, st.data...)
		} else {
			server = append(server, st.data...)
		}
		turns = append(turns, byte(st.from)<<7|byte(min(len(st.data)/8+1, 127)))
	}
	return client, server, turns
}

// FuzzConversation feeds any bytes in any turns, with gaps: no panic, and all of
// the budget is given back. A turn is its side, and an eighth of its bytes; one
// of 64 and above loses its bytes instead where lossy is set.
func FuzzConversation(f *testing.F) {
	for _, s := range seedScripts() {
		client, server, turns := s.sides()
		f.Add(client, server, turns, false)
		f.Add(client, server, turns, true)
	}
	f.Fuzz(func(t *testing.T, client, server, turns []byte, lossy bool) {
		wiretest.Feed(t, New, wire.Conn{Ends: [2]wire.AddrPort{clientEnd, serverEnd}}, client, server, turns, lossy)
	})
}
