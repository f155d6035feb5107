package dcerpc

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

// RCreateServiceW of service "AB", display name "C", path "%x", written out, and
// its answer.
var (
	createStub = unhex(`
		00000000 11111111 2222 3333 4444444444444444
		03000000 00000000 03000000 4100 4200 0000 0000
		00000200 02000000 00000000 02000000 4300 0000
		ff010f00 10000000 03000000 00000000
		03000000 00000000 03000000 2500 7800 0000 0000
		00000000 00000000 00000000 00000000 00000000 00000000 00000000`)
	createAnswer = unhex(`00000000
		00000000 55555555 6666 7777 8888888888888888 00000000`)
	serviceHandle = createAnswer[4:24]
	createEvent   = ServiceEvent{Op: "create", Service: "AB", DisplayName: "C", Path: "%x", StartType: 3, OK: true, Answered: true}
)

func svcctl(opnum int, request, response []byte) Call {
	return Call{Name: "svcctl", Opnum: opnum, Request: request, Response: response, HaveResponse: response != nil}
}

func TestServices(t *testing.T) {
	var s Services
	withHandle := func(rest string) []byte { return append(append([]byte{}, serviceHandle...), unhex(rest)...) }
	denied := svcctl(opOpenServiceA, append(make([]byte, 20), unhex("03000000 00000000 03000000 414200 00 10000000")...),
		append(make([]byte, 20), 5, 0, 0, 0))
	fault := svcctl(opDeleteService, serviceHandle, []byte{})
	fault.Fault = 0x1c010002
	sealed := svcctl(opDeleteService, nil, nil)
	sealed.Sealed = true
	big := svcctl(opStartServiceW, unhex("00000000 55555555 6666 7777 8888888888888888 00000000 00000000"), unhex("00000420"))
	big.BigEndian, big.ResponseBigEndian = true, true
	tests := []struct {
		name string
		call Call
		want []ServiceEvent
	}{
		{"handle not known", svcctl(opStartServiceW, withHandle("00000000 00000000"), make([]byte, 4)), []ServiceEvent{{Op: "start", OK: true, Answered: true}}},
		{"create", svcctl(opCreateServiceW, createStub, createAnswer), []ServiceEvent{createEvent}},
		{"create for 32 bits", svcctl(opCreateServiceWOW64W, createStub, nil), []ServiceEvent{{Op: "create", Service: "AB", DisplayName: "C", Path: "%x", StartType: 3}}},
		{"start", svcctl(opStartServiceW, withHandle("00000000 00000000"), make([]byte, 4)), []ServiceEvent{{Op: "start", Service: "AB", OK: true, Answered: true}}},
		{"start again, big-endian", big, []ServiceEvent{{Op: "start", Service: "AB", Answered: true, Code: 1056}}},
		{"stop", svcctl(opControlService, withHandle("01000000"), make([]byte, 32)), []ServiceEvent{{Op: "stop", Service: "AB", OK: true, Answered: true}}},
		{"pause", svcctl(opControlService, withHandle("02000000"), make([]byte, 32)), nil},
		{"change", svcctl(opChangeServiceConfigW, withHandle(`ffffffff 02000000 ffffffff
			00000200 02000000 00000000 02000000 7900 0000
			00000000 00000000 00000000 00000000 00000000
			01000000 04000000 70770000 04000000
			01000000 02000000 00000000 02000000 5a00 0000`), make([]byte, 8)),
			[]ServiceEvent{{Op: "change-config", Service: "AB", Path: "y", DisplayName: "Z", StartType: 2, OK: true, Answered: true}}},
		{"change, cut after the path", svcctl(opChangeServiceConfigA, withHandle("ffffffff 02000000 ffffffff 01000000 02000000 00000000 02000000 7900"), nil),
			[]ServiceEvent{{Op: "change-config", Service: "AB", Path: "y", StartType: 2}}},
		{"open denied, code page", denied, []ServiceEvent{{Op: "open", Service: "AB", Answered: true, Code: 5}}},
		{"delete, fault", fault, []ServiceEvent{{Op: "delete", Service: "AB", Answered: true, Code: 0x1c010002}}},
		{"delete, no answer", svcctl(opDeleteService, serviceHandle, nil), []ServiceEvent{{Op: "delete", Service: "AB"}}},
		{"close", svcctl(opCloseHandle, serviceHandle, make([]byte, 24)), nil},
		{"closed handle", svcctl(opDeleteService, serviceHandle, make([]byte, 4)), []ServiceEvent{{Op: "delete", OK: true, Answered: true}}},
		{"sealed", sealed, nil},
		{"request cut", svcctl(opCreateServiceW, createStub[:90], createAnswer), nil},
		{"string from an offset", svcctl(opOpenServiceW, append(make([]byte, 20), unhex("03000000 01000000 02000000 4100 0000")...), nil), nil},
		{"string of four gigabytes", svcctl(opOpenServiceW, append(make([]byte, 20), unhex("ffffffff 00000000 ffffffff 4100 0000")...), nil), nil},
		{"other interface", Call{Name: "atsvc", Opnum: opDeleteService, Request: serviceHandle}, nil},
	}
	for _, tt := range tests { // in order: handles stay
		if got := s.Events(tt.call); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// writer writes NDR of either byte order and width.
type writer struct {
	b     []byte
	order binary.AppendByteOrder
	wide  bool
}

func (w *writer) align(n int) {
	for len(w.b)%n != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *writer) u32(v uint32) {
	w.align(4)
	w.b = w.order.AppendUint32(w.b, v)
}

func (w *writer) size(v uint64) {
	if !w.wide {
		w.u32(uint32(v))
		return
	}
	w.align(8)
	w.b = w.order.AppendUint64(w.b, v)
}

func (w *writer) handle() {
	w.u32(0)
	w.u32(0x01020304)
	w.b = w.order.AppendUint16(w.order.AppendUint16(w.b, 0x0506), 0x0708)
	w.b = append(w.b, "handle!!"...)
}

func (w *writer) text(s string) {
	units := utf16.Encode([]rune(s + "\x00"))
	w.size(uint64(len(units)))
	w.size(0)
	w.size(uint64(len(units)))
	for _, u := range units {
		w.b = w.order.AppendUint16(w.b, u)
	}
}

func (w *writer) create(service, display, path string) {
	w.handle()
	w.text(service)
	if w.size(uint64(len(display))); display != "" {
		w.text(display)
	}
	for range 4 {
		w.u32(2)
	}
	w.text(path)
	w.size(0)
}

// TestCreateForms: the same call in all forms of data representation, with the
// answer in the other byte order.
func TestCreateForms(t *testing.T) {
	want := ServiceEvent{Op: "create", Service: "Grüße", DisplayName: "d", Path: `%SystemRoot%\x.exe -k`, StartType: 2, OK: true, Answered: true}
	for _, form := range []struct{ big, wide bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("%+v", form), func(t *testing.T) {
			orders := map[bool]binary.AppendByteOrder{false: binary.LittleEndian, true: binary.BigEndian}
			request := writer{order: orders[form.big], wide: form.wide}
			request.create(want.Service, want.DisplayName, want.Path)
			answer := writer{order: orders[!form.big], wide: form.wide}
			answer.size(0)
			answer.handle()
			answer.u32(0)
			start := writer{order: orders[form.big], wide: form.wide}
			start.handle()

			call := svcctl(opCreateServiceW, request.b, answer.b)
			call.BigEndian, call.ResponseBigEndian, call.NDR64 = form.big, !form.big, form.wide
			var s Services
			if got := s.Events(call); !reflect.DeepEqual(got, []ServiceEvent{want}) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			call = svcctl(opStartServiceW, start.b, nil)
			call.BigEndian, call.NDR64 = form.big, form.wide
			if got := s.Events(call); len(got) != 1 || got[0].Service != want.Service {
				t.Errorf("start %+v", got)
			}
		})
	}
}

func TestServicesAreBounded(t *testing.T) {
	var s Services
	for i := range uint32(5000) {
		answer := append([]byte{}, createAnswer...)
		binary.LittleEndian.PutUint32(answer[8:], i)
		s.Events(svcctl(opCreateServiceW, createStub, answer))
	}
	if len(s.open.names) != maxHandles || len(s.open.order) != maxHandles {
		t.Errorf("%d names, %d in order; want %d", len(s.open.names), len(s.open.order), maxHandles)
	}
	long := writer{order: binary.LittleEndian}
	long.b = make([]byte, 20)
	long.text(strings.Repeat("x", maxText))
	if got := s.Events(svcctl(opOpenServiceW, long.b, nil)); got != nil {
		t.Error("a name of more than the legal length is taken")
	}
}

func FuzzServices(f *testing.F) {
	f.Add(12, createStub, createAnswer, false, false)
	f.Add(11, append(append([]byte{}, serviceHandle...), make([]byte, 60)...), make([]byte, 8), true, true)
	f.Fuzz(func(t *testing.T, opnum int, request, response []byte, big, wide bool) {
		call := Call{Name: "svcctl", Opnum: opnum, Request: request, Response: response, HaveResponse: true, BigEndian: big, NDR64: wide}
		var s Services
		events := s.Events(call)
		for _, e := range events {
			if e.Op == "" || !e.Answered || e.OK != (e.Code == 0) && len(response) >= 4 {
				t.Fatalf("event %+v", e)
			}
		}
		// Bytes after a request change nothing: its parameters are read from the front.
		call.Request = append(append([]byte{}, request...), "more"...)
		var again Services
		if len(events) > 0 && opnum != opChangeServiceConfigA && opnum != opChangeServiceConfigW {
			if got := again.Events(call); !reflect.DeepEqual(got, events) {
				t.Fatalf("with more behind %+v, before %+v", got, events)
			}
		}
	})
}
