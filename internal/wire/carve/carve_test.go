package carve

import (
	"encoding/binary"
	"testing"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

// program is a PE file of one section, with bytes behind it.
func program(section, overlay int) []byte {
	b := make([]byte, 0x200)
	copy(b, "MZ")
	le := binary.LittleEndian
	le.PutUint32(b[0x3c:], 0x80)
	copy(b[0x80:], "PE\x00\x00")
	le.PutUint16(b[0x86:], 1)    // sections
	le.PutUint16(b[0x94:], 0xf0) // of the optional header
	le.PutUint16(b[0x98:], 0x20b)
	table := 0x98 + 0xf0
	le.PutUint32(b[table+16:], uint32(section))
	le.PutUint32(b[table+20:], 0x200)
	return append(b, make([]byte, section+overlay)...)
}

func TestCarve(t *testing.T) {
	for _, c := range []struct {
		name   string
		data   []byte
		how    wire.Ending
		whole  bool
		size   int64
		reason string
	}{
		{"closed", program(1000, 77), wire.FIN, true, 0x200 + 1077, ""},
		{"capture ended, all there", program(1000, 0), wire.EndOfCapture, true, 0x200 + 1000, ""},
		{"capture ended, cut", program(1000, 0)[:900], wire.EndOfCapture, false, 900, "interrupted: end of capture"},
		{"closed early", program(1000, 0)[:900], wire.FIN, false, 0x200 + 1000, "shorter than its own headers say"},
	} {
		env := wiretest.New(t)
		conn := &wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:40000"), wiretest.Addr("10.0.0.2:4444")}, FromStart: [2]bool{true, true}}
		l := env.Attach(conn, New(env, conn))
		l.Send(1, []byte("ready\n"), 0)
		l.Send(0, c.data, 600)
		l.End(c.how)
		if len(env.Transfers) != 1 {
			t.Fatalf("%s: %d transfers", c.name, len(env.Transfers))
		}
		x := env.Transfers[0]
		if got := env.Result(x); got.Whole != c.whole || got.Size != c.size || got.Reason != c.reason || got.Type != "pe" || x.Operation != model.Push || x.Channel != "tcp" {
			t.Errorf("%s: %+v %+v", c.name, x.Transfer, got)
		}
	}
}

func TestWanted(t *testing.T) {
	for head, want := range map[string]bool{"#!/bin/sh\necho": true, "\x7fELF\x02\x01\x01": true, "7z\xbc\xaf\x27\x1c\x00\x04": true,
		"Rar!\x1a\x07\x01\x00": true, "MSCF\x00\x00\x00\x00": true, "\x1f\x8b\x08\x00": true, "GIF89a": false, "hello": false} {
		if Wanted([]byte(head)) != want {
			t.Errorf("%q: %v", head, !want)
		}
	}
}
