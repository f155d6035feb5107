package rpc

import (
	"strings"
	"testing"

	"waybill/internal/wire/wiretest"
)

var (
	dispatch = uuid(0x00020400, 0, 0, "\xc0\x00\x00\x00\x00\x00\x00\x46")
	epm      = uuid(0xe1af8308, 0x5d1f, 0x11c9, "\x91\xa4\x08\x00\x2b\x14\xa0\xfa")
)

// invoke is a method of an automation object with the arguments "7", empty, 5 and a
// program, which stand in the opposite order (MS-OAUT 2.2.33).
func invoke() []byte {
	variant := func(kind uint16, value ...any) []byte {
		b := le(uint32(5), uint32(0), kind, uint16(0), uint16(0), uint16(0), uint32(kind))
		b = append(b, le(value...)...)
		return append(b, make([]byte, -len(b)&7)...)
	}
	this := le(uint32(0x70005), uint32(0), uint32(0), make([]byte, 16), uint32(0))
	b := le(this, uint32(0x36), make([]byte, 16), uint32(0x409), uint32(1),
		uint32(0x20000), uint32(0), uint32(4), uint32(0), uint32(4), uint32(1), uint32(2), uint32(3), uint32(4))
	b = append(b, make([]byte, -len(b)&7)...)
	return append(b, le(variant(8, bstr("7")), variant(0), variant(3, uint32(5)), variant(8, bstr(`C:\a.exe`)))...)
}

// mapped is the answer of an endpoint mapper: the task scheduler is on port 49670.
func mapped() []byte {
	tower := le(uint16(4), uint16(19), "\x0d", taskScheduler, uint16(1), uint16(2), uint16(0),
		uint16(19), "\x0d", ndr32, uint16(2), uint16(2), uint16(0), uint16(1), "\x0b", uint16(2), uint16(0), uint16(1), "\x07", uint16(2), "\xc2\x06")
	return le(make([]byte, 20), uint32(1), uint32(4), uint32(0), uint32(1), uint32(3), uint32(len(tower)), uint32(len(tower)), tower,
		make([]byte, -len(tower)&3), uint32(0))
}

func objectCalls() []wiretest.Turn {
	return []wiretest.Turn{
		{From: 0, Data: bind(dispatch, epm)},
		{From: 0, Data: request(2, 0, 6, invoke())},
		{From: 1, Data: response(2, make([]byte, 12))},
		{From: 0, Data: request(3, 1, 3, make([]byte, 40))},
		{From: 1, Data: response(3, mapped())},
	}
}

func TestInvoke(t *testing.T) {
	env := wiretest.Play(t, NewProtocol, ends, 0, objectCalls())
	var got []string
	for _, a := range env.Accesses {
		got = append(got, a.What+" "+a.Command+a.Detail)
	}
	want := `rpc-call IDispatch Invoke` + "\n" + `dcom-exec C:\a.exe 7` + "\n" + `rpc-call epm ept_map`
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}

// TestEndpoints: a connection that was joined late has the interface of its port, until
// the port is one of several.
func TestEndpoints(t *testing.T) {
	late := []wiretest.Turn{{From: 0, Data: request(3, 0, 12, ndrText(`\evil`))}, {From: 1, Data: response(3, le(uint32(0)))}}
	conn := ends
	for _, c := range []struct {
		name string
		more []byte
		want string
	}{{"one interface", nil, "rpc-call ITaskSchedulerService SchRpcRun, task-run "}, {"several", dispatch, "rpc-call "}} {
		env := wiretest.New(t)
		p := NewProtocol(env).(*protocol)
		for _, m := range [][]byte{taskScheduler, c.more} {
			if m == nil {
				continue
			}
			mapper := conn
			mapper.Ends[1].Port, mapper.FromStart, mapper.Opened = 135, [2]bool{true, true}, true
			answer := []byte(strings.Replace(string(mapped()), string(taskScheduler), string(m), 1))
			l := env.Attach(&mapper, p.Open(&mapper))
			l.Send(0, bind(epm), 0)
			l.Send(0, request(2, 0, 3, make([]byte, 40)), 0)
			l.Send(1, response(2, answer), 0)
		}
		env.Accesses = nil
		joined := conn
		joined.Ends[1].Port = 49670
		l := env.Attach(&joined, p.Open(&joined))
		for _, turn := range late {
			l.Send(turn.From, turn.Data, 0)
		}
		var got []string
		for _, a := range env.Accesses {
			got = append(got, a.What+" "+a.Detail)
		}
		if all := strings.Join(got, ", "); all != c.want {
			t.Errorf("%s: %q instead of %q", c.name, all, c.want)
		}
	}
}
