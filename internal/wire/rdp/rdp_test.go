package rdp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var ends = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:3389")}}

var le = wiretest.LE

func wide(s string, size int) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, size-len(b))...)
}

func tpkt(b []byte) []byte {
	return append([]byte{3, 0, byte((len(b) + 4) >> 8), byte(len(b) + 4)}, b...)
}

// connect is the opening of a connection up to the ids of channels.
func connect(chosen uint32, method uint32) []wiretest.Turn {
	request := le("Cookie: mstshash=anna\r\n", byte(1), byte(0), uint16(8), uint32(3))
	turns := []wiretest.Turn{
		{From: 0, Data: tpkt(le(byte(len(request)+6), byte(connectionRequest), uint32(0), byte(0), request))},
		{From: 1, Data: tpkt(le(byte(14), byte(connectionConfirm), uint32(0), byte(0), byte(2), byte(0), uint16(8), chosen))},
	}
	if chosen != 0 {
		return turns
	}
	core := le(uint16(clientCore), uint16(216), uint32(0x80004), uint32(0), uint32(0), uint32(0x409), uint32(2600), wide("LAPTOP-7", 32), make([]byte, 216-4-52))
	network := le(uint16(clientNetwork), uint16(4+4+2*12), uint32(2), "rdpdr\x00\x00\x00", uint32(0), "cliprdr\x00", uint32(0))
	turns = append(turns, wiretest.Turn{From: 0, Data: tpkt(le(byte(2), byte(dataPacket), byte(0x80), "\x7f\x65", core, network))})
	server := le(uint16(0x0c01), uint16(12), uint32(0x80004), uint32(0), uint16(serverSecurity), uint16(12), method, method,
		uint16(serverNetwork), uint16(12), uint16(1003), uint16(2), uint16(1004), uint16(1005))
	return append(turns, wiretest.Turn{From: 1, Data: tpkt(le(byte(2), byte(dataPacket), byte(0x80), "\x7f\x66", server))})
}

// send is one message of a channel in pieces of 1,600 bytes.
func send(from wire.Side, id uint16, b []byte) []wiretest.Turn {
	var out []wiretest.Turn
	first := byte(sendDataRequest)
	if from == 1 {
		first = sendDataIndication
	}
	for at := 0; at < len(b); at += 1600 {
		piece := b[at:min(at+1600, len(b))]
		flags := uint32(0)
		if at == 0 {
			flags |= pieceFirst
		}
		if at+1600 >= len(b) {
			flags |= pieceLast
		}
		n := len(piece) + 8
		mcs := le(first, uint16(0x0100), byte(id>>8), byte(id), byte(0x70), byte(0x80|n>>8), byte(n), uint32(len(b)), flags, piece)
		out = append(out, wiretest.Turn{From: from, Data: tpkt(le(byte(2), byte(dataPacket), byte(0x80), mcs))})
	}
	return out
}

const drive, clip = 1004, 1005

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*3 + i>>6)
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func TestSessions(t *testing.T) {
	tls := append(connect(1, 0), wiretest.Turn{From: 0, Data: []byte("\x16\x03\x01\x00\x05hello")})
	screens := append(tls[:len(tls):len(tls)], wiretest.Turn{From: 1, Data: append([]byte{0x17, 3, 3}, make([]byte, 90_000)...)})
	upload := append(screens[:len(screens):len(screens)], wiretest.Turn{From: 0, Data: append([]byte{0x17, 3, 3}, make([]byte, 200_000)...)})
	for _, c := range []struct {
		name, detail, moved string
		turns               []wiretest.Turn
	}{
		{"plain", "client name LAPTOP-7, build 2600, asked for TLS or CredSSP, standard RDP security, channels rdpdr cliprdr", "", connect(0, 0)},
		{"encrypted", "standard RDP security, encrypted (128 bits), channels", "", connect(0, 2)},
		{"TLS", "TLS, ", "", tls},
		{"screens", "TLS, ", "pull screens alone can be this much", screens},
		{"upload", "TLS, ", "push more was sent than received, as keys and pointer are not", upload},
	} {
		env := wiretest.Play(t, New, ends, 1448, c.turns)
		if a := env.Accesses[0]; !strings.Contains(a.Detail, c.detail) || a.User != "anna" {
			t.Errorf("%s: %+v", c.name, a.Access)
		}
		got := ""
		for _, x := range env.Transfers {
			got += x.Operation + " " + strings.TrimPrefix(x.Reason, "encrypted; ")
		}
		if got != c.moved {
			t.Errorf("%s: moved %q, want %q", c.name, got, c.moved)
		}
	}
}

func FuzzConversation(f *testing.F) {
	records := append(connect(1, 0), copied(1, 8, 2, 975)...)
	wiretest.Fuzz(f, New, ends, pasting(), driving(), fragmented(), compressed(), records, connect(0, 2))
}
