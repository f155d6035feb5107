package rpc

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/internal/wire"
	"waybill/internal/wire/wiretest"
)

var le = wiretest.LE

// pdu is one message (C706 12.6.3.1).
func pdu(kind byte, call uint32, body []byte) []byte {
	return le(byte(5), byte(0), kind, byte(3), uint32(0x10), uint16(16+len(body)), uint16(0), call, body)
}

// uuid is in the form of a message: the first three fields in little-endian order.
func uuid(a uint32, b, c uint16, d string) []byte { return le(a, b, c, d) }

var (
	taskScheduler = uuid(0x86d35949, 0x83c9, 0x4044, "\xb4\x24\xdb\x36\x32\x31\xfd\x0c")
	wbemServices  = uuid(0x9556dc99, 0x828c, 0x11cf, "\xa3\x7e\x00\xaa\x00\x32\x40\xc7")
	activator     = uuid(0x000001a0, 0, 0, "\xc0\x00\x00\x00\x00\x00\x00\x46")
	ndr32         = uuid(0x8a885d04, 0x1ceb, 0x11c9, "\x9f\xe8\x08\x00\x2b\x10\x48\x60")
)

// bind offers interfaces, with ids from 0 on.
func bind(interfaces ...[]byte) []byte {
	b := le(uint16(4280), uint16(4280), uint32(0), uint32(len(interfaces)))
	for i, id := range interfaces {
		b = append(b, le(uint16(i), uint16(1), id, uint32(1), ndr32, uint32(2))...)
	}
	return pdu(11, 1, b)
}

func request(call uint32, context, opnum uint16, stub []byte) []byte {
	return pdu(0, call, le(uint32(len(stub)), context, opnum, stub))
}

func response(call uint32, stub []byte) []byte {
	return pdu(2, call, le(uint32(len(stub)), uint16(0), uint16(0), stub))
}

// ndrText is a conformant and varying string of UTF-16, padded.
func ndrText(s string) []byte {
	units := utf16.Encode([]rune(s + "\x00"))
	b := le(uint32(len(units)), uint32(0), uint32(len(units)))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, -len(b)&3)...)
}

func bstr(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := le(uint32(0x20000), uint32(len(units)), uint32(2*len(units)), uint32(len(units)))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, -len(b)&3)...)
}

const definition = `<?xml version="1.0" encoding="UTF-16"?><Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">` +
	`<Actions><Exec><Command>C:\Windows\Temp\a.exe</Command><Arguments>-x 1</Arguments></Exec></Actions></Task>`

// calls registers and runs a task, runs a WMI method, and activates a class.
func calls() []wiretest.Turn {
	object := le(uint32(0x70005), uint32(0), uint32(0), make([]byte, 16), uint32(0))
	wmi := le(object, bstr("Win32_Process"), bstr("Create"), make([]byte, 16), "....\x00__PARAMETERS\x00\x00cmd.exe /c calc\x00")
	mmc := uuid(0x49b2791a, 0xb1ae, 0x4c90, "\x9b\x8e\xe8\x60\xba\x07\xf8\x89")
	return []wiretest.Turn{
		{From: 0, Data: bind(taskScheduler, wbemServices, activator)},
		{From: 0, Data: request(2, 0, 1, le(uint32(0x20000), ndrText(`\evil`), ndrText(definition), uint32(6)))},
		{From: 1, Data: response(2, le(uint32(0), uint32(0)))},
		{From: 0, Data: request(3, 0, 12, ndrText(`\evil`))},
		{From: 1, Data: response(3, le(uint32(5)))},
		{From: 0, Data: request(4, 1, 24, wmi)},
		{From: 1, Data: response(4, le(uint32(0)))},
		{From: 0, Data: request(5, 2, 4, le(make([]byte, 40), mmc))},
	}
}

var ends = wire.Conn{Ends: [2]wire.AddrPort{wiretest.Addr("10.0.0.1:50000"), wiretest.Addr("10.0.0.2:49665")}}

func TestCalls(t *testing.T) {
	want := `rpc-call : ITaskSchedulerService SchRpcRegisterTask
task-create \evil: C:\Windows\Temp\a.exe -x 1
rpc-call : ITaskSchedulerService SchRpcRun
task-run \evil: error 5
rpc-call : IWbemServices ExecMethod
wmi-exec Win32_Process.Create: cmd.exe /c calc
rpc-call : IRemoteSCMActivator RemoteCreateInstance
dcom-activation MMC20.Application: `
	for _, size := range []int{0, 1, 100} {
		env := wiretest.Play(t, NewProtocol, ends, size, calls())
		var got []string
		for _, a := range env.Accesses {
			got = append(got, a.What+" "+a.Object+": "+a.Command+a.Status+a.Detail)
			if a.Source.IP.String() != "10.0.0.1" {
				t.Errorf("%s comes from %s", a.What, a.Source.IP)
			}
		}
		if all := strings.Join(got, "\n"); all != want {
			t.Errorf("segments of %d: got\n%s\nwant\n%s", size, all, want)
		}
	}
}

func FuzzConversation(f *testing.F) {
	wiretest.Fuzz(f, NewProtocol, ends, calls(), objectCalls(), registryCalls())
}
