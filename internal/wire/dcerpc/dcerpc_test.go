package dcerpc

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// The bind of svcctl with NDR, NDR64 and feature negotiation, and its answer,
// which takes NDR64; then a request and its response in two fragments each.
var (
	bindPDU = unhex(`05000b03 10000000 a0000000 02000000 b810b810 00000000 03000000
		0000 0100 81bb7a364498f135ad3298f038001003 02000000 045d888aeb1cc9119fe808002b104860 02000000
		0100 0100 81bb7a364498f135ad3298f038001003 02000000 33057171babe37498319b5dbef9ccc36 01000000
		0200 0100 81bb7a364498f135ad3298f038001003 02000000 2c1cb76c12984045 0300000000000000 01000000`)
	bindAckPDU = unhex(`05000c03 10000000 74000000 02000000 b810b810 11220000 0d00 5c706970655c7376 6363746c00 00 0300 0000
		0200 0200 00000000000000000000000000000000 00000000
		0000 0000 33057171babe37498319b5dbef9ccc36 01000000
		0300 0300 00000000000000000000000000000000 00000000`)
)

// pduOf makes a message: kind, flags, call id and what follows the header.
func pduOf(big bool, kind, flags byte, callID uint32, body []byte, auth ...byte) []byte {
	order := binary.ByteOrder(binary.LittleEndian)
	b := []byte{5, 0, kind, flags, 0x10, 0, 0, 0}
	if big {
		order, b[4] = binary.BigEndian, 0
	}
	b = append(b, make([]byte, 8)...)
	b = append(append(b, body...), auth...)
	order.PutUint16(b[8:], uint16(len(b)))
	if len(auth) > 0 {
		order.PutUint16(b[10:], uint16(len(auth)-trailerSize))
	}
	order.PutUint32(b[12:], callID)
	return b
}

func requestOf(flags byte, callID uint32, ctx, opnum byte, stub []byte, auth ...byte) []byte {
	return pduOf(false, kindRequest, flags, callID, append([]byte{0, 0, 0, 0, ctx, 0, opnum, 0}, stub...), auth...)
}

func responseOf(flags byte, callID uint32, stub []byte, auth ...byte) []byte {
	return pduOf(false, kindResponse, flags, callID, append(make([]byte, 8), stub...), auth...)
}

// step is what one side sends; a nil b is a loss.
type step struct {
	fromClient bool
	b          []byte
}

func c2s(b ...[]byte) step { return step{true, bytes.Join(b, nil)} }
func s2c(b ...[]byte) step { return step{false, bytes.Join(b, nil)} }

// play feeds the steps in pieces of size bytes and gives the calls.
func play(size int, steps ...step) []Call {
	var calls []Call
	c := New(func(call Call) { calls = append(calls, call) })
	for _, s := range steps {
		if s.b == nil {
			c.Lost(s.fromClient)
		}
		for b := s.b; len(b) > 0; {
			n := len(b)
			if size > 0 {
				n = min(size, n)
			}
			piece := bytes.Clone(b[:n])
			c.Feed(s.fromClient, piece)
			clear(piece) // what it keeps must be its own
			b = b[n:]
		}
	}
	c.Close()
	if c.Held() != 0 {
		panic("bytes held after Close")
	}
	return calls
}

const svcctlUUID = "367abb81-9844-35f1-ad32-98f038001003"

func TestConversation(t *testing.T) {
	const whole = flagFirst | flagLast
	svcctl := Call{Interface: svcctlUUID, Name: "svcctl"}
	with := func(c Call, change func(*Call)) Call { change(&c); return c }
	hello := with(svcctl, func(c *Call) {
		c.Opnum, c.CallID, c.NDR64, c.HaveResponse = 12, 3, true, true
		c.Request, c.Response = []byte("hello"), []byte("world")
	})
	bound := []step{c2s(bindPDU), s2c(bindAckPDU)}
	integrity := []byte{10, 5, 3, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	privacy := []byte{10, 6, 3, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	object := append(bytes.Repeat([]byte{9}, uuidSize), "hello"...)
	tests := []struct {
		name  string
		steps []step
		want  []Call
	}{
		{"one call", append(bound, c2s(requestOf(whole, 3, 1, 12, []byte("hello"))), s2c(responseOf(whole, 3, []byte("world")))), []Call{hello}},
		{"fragments", append(bound,
			c2s(requestOf(flagFirst, 3, 1, 12, []byte("he")), requestOf(0, 3, 1, 12, []byte("l")), requestOf(flagLast, 3, 1, 12, []byte("lo"))),
			s2c(responseOf(flagFirst, 3, []byte("wor")), responseOf(flagLast, 3, []byte("ld")))), []Call{hello}},
		{"authentication and padding cut off", append(bound,
			c2s(requestOf(whole, 3, 1, 12, []byte("hello..."), integrity...)), s2c(responseOf(whole, 3, []byte("world..."), integrity...))), []Call{hello}},
		{"sealed", append(bound,
			c2s(requestOf(whole, 3, 1, 12, []byte("xxxxx..."), privacy...)), s2c(responseOf(whole, 3, []byte("xxxxx..."), privacy...))),
			[]Call{with(hello, func(c *Call) { c.Sealed, c.Request, c.Response = true, nil, nil })}},
		{"object", append(bound, c2s(requestOf(whole|flagObject, 3, 1, 12, object)), s2c(responseOf(whole, 3, []byte("world")))), []Call{hello}},
		{"two calls at once", append(bound,
			c2s(requestOf(whole, 3, 1, 12, []byte("hello")), requestOf(whole, 4, 1, 12, []byte("hello"))),
			s2c(responseOf(whole, 4, []byte("world")), responseOf(whole, 3, []byte("world")))),
			[]Call{with(hello, func(c *Call) { c.CallID = 4 }), hello}},
		{"rejected context", append(bound, c2s(requestOf(whole, 3, 0, 12, []byte("hello")))),
			[]Call{{Opnum: 12, CallID: 3, Request: []byte("hello")}}},
		{"without answers", []step{c2s(bindPDU, requestOf(whole, 3, 0, 12, []byte("hello")))},
			[]Call{with(hello, func(c *Call) { c.NDR64, c.HaveResponse, c.Response = false, false, nil })}},
		{"without bind", []step{c2s(requestOf(whole, 3, 0, 12, nil)), s2c(responseOf(whole, 3, nil))},
			[]Call{{Opnum: 12, CallID: 3, HaveResponse: true}}},
		{"refused bind", []step{c2s(bindPDU), s2c(pduOf(false, kindBindNak, whole, 2, make([]byte, 4))), c2s(requestOf(whole, 3, 1, 12, nil))},
			[]Call{{Opnum: 12, CallID: 3}}},
		{"fault", append(bound, c2s(requestOf(whole, 3, 1, 12, []byte("hello"))),
			s2c(pduOf(false, kindFault, whole, 3, unhex("20000000 0100 00 00 05000000 00000000")))),
			[]Call{with(hello, func(c *Call) { c.Fault, c.Response = 5, nil })}},
		{"orphaned", append(bound, c2s(requestOf(whole, 3, 1, 12, []byte("hello")), pduOf(false, kindOrphaned, whole, 3, nil))),
			[]Call{with(hello, func(c *Call) { c.HaveResponse, c.Response = false, nil })}},
		{"damage before a message", append(bound,
			c2s([]byte("\x05\x00damage\x05\x00\x00\x00\x00\x00\x00\x00\xff\xfe"), requestOf(whole, 3, 1, 12, []byte("hello"))), s2c([]byte("more damage"), responseOf(whole, 3, []byte("world")))), []Call{hello}},
		{"lost fragment of a request", append(bound,
			c2s(requestOf(flagFirst, 3, 1, 12, []byte("hello")), requestOf(0, 3, 1, 12, []byte("x"))[:20]), step{true, nil},
			c2s(requestOf(flagLast, 3, 1, 12, []byte("y"))), s2c(responseOf(whole, 3, []byte("world")))),
			[]Call{with(hello, func(c *Call) { c.RequestCut = true })}},
		{"lost first fragment", append(bound,
			c2s(requestOf(flagLast, 3, 1, 12, []byte("y"))), s2c(responseOf(flagLast, 3, []byte("y")))),
			[]Call{with(hello, func(c *Call) { c.Request, c.Response, c.RequestCut, c.ResponseCut = nil, nil, true, true })}},
		{"lost fragment of a response", append(bound,
			c2s(requestOf(whole, 3, 1, 12, []byte("hello"))), s2c(responseOf(flagFirst, 3, []byte("world"))), step{false, nil}, s2c(responseOf(flagLast, 3, []byte("y")))),
			[]Call{with(hello, func(c *Call) { c.ResponseCut = true })}},
		{"response cut off", append(bound, c2s(requestOf(whole, 3, 1, 12, []byte("hello"))), s2c(responseOf(flagFirst, 3, []byte("world")))),
			[]Call{with(hello, func(c *Call) { c.ResponseCut = true })}},
		{"call id used again", append(bound,
			c2s(requestOf(whole, 3, 1, 12, []byte("hello")), requestOf(whole, 3, 1, 12, []byte("hello"))), s2c(responseOf(whole, 3, []byte("world")))),
			[]Call{with(hello, func(c *Call) { c.HaveResponse, c.Response = false, nil }), hello}},
		{"response to nothing", append(bound, s2c(responseOf(whole, 3, []byte("world")))), nil},
	}
	for _, tt := range tests {
		for _, size := range []int{0, 1, 7, 24} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, size), func(t *testing.T) {
				if got := play(size, tt.steps...); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			})
		}
	}
}

// TestBigEndian: the server of a mainframe answers a client of its kind.
func TestBigEndian(t *testing.T) {
	bind := pduOf(true, kindBind, 3, 2, unhex(`10b810b8 00000000 01000000
		0000 01 00 367abb81984435f1ad3298f038001003 00000002 8a885d041ceb11c99fe808002b104860 00000002`))
	request := pduOf(true, kindRequest, 3, 2, unhex("00000000 0000 0013 aabb"))
	got := play(0, c2s(bind, request), s2c(responseOf(3, 2, []byte("x"))))
	want := []Call{{
		Interface: svcctlUUID, Name: "svcctl", Opnum: 19, CallID: 2, BigEndian: true,
		Request: []byte{0xaa, 0xbb}, Response: []byte("x"), HaveResponse: true,
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestBounds(t *testing.T) {
	part := bytes.Repeat([]byte("x"), 60000)
	var calls []Call
	c := New(func(call Call) { calls = append(calls, call) })
	for id := range uint32(200) {
		c.Feed(true, requestOf(flagFirst, id, 0, 1, part))
		for range 20 {
			c.Feed(true, requestOf(0, id, 0, 1, part))
		}
		if c.Held() > maxHeld {
			t.Fatalf("%d bytes held", c.Held())
		}
		if len(c.calls) > maxPending {
			t.Fatalf("%d calls kept", len(c.calls))
		}
	}
	for id := range uint16(2000) {
		bind := bytes.Clone(bindPDU)
		binary.LittleEndian.PutUint16(bind[28:], id)
		c.Feed(true, bind)
	}
	if len(c.contexts) > maxContexts || len(c.binds) > maxBinds {
		t.Errorf("%d contexts, %d binds kept", len(c.contexts), len(c.binds))
	}
	c.Close()
	if len(calls) != 200 || len(calls[0].Request) != maxStub || !calls[0].RequestCut {
		t.Errorf("%d calls, the first of %d bytes, cut %v", len(calls), len(calls[0].Request), calls[0].RequestCut)
	}
}

func FuzzConversation(f *testing.F) {
	f.Add(bytes.Join([][]byte{bindPDU, requestOf(3, 3, 1, 12, []byte("hello"))}, nil),
		bytes.Join([][]byte{bindAckPDU, responseOf(3, 3, []byte("world"))}, nil), uint8(7))
	f.Add(append([]byte("damage"), requestOf(1, 3, 1, 12, []byte("he"), 10, 6, 3, 0, 0, 0, 0, 0, 1)...), responseOf(2, 3, nil), uint8(1))
	f.Add(pduOf(true, kindBind, 3, 2, make([]byte, 60)), pduOf(true, kindFault, 3, 2, nil), uint8(16))
	f.Fuzz(func(t *testing.T, client, server []byte, size uint8) {
		whole := play(0, c2s(client), s2c(server))
		parts := play(int(size)+1, c2s(client), s2c(server))
		if !reflect.DeepEqual(whole, parts) {
			t.Fatalf("whole %+v\nin parts of %d %+v", whole, int(size)+1, parts)
		}
		var s Services
		for _, call := range whole {
			call.Name = "svcctl"
			s.Events(call)
		}
	})
}
