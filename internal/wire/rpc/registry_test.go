package rpc

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"waybill/internal/wire/wiretest"
)

var winreg = uuid(0x338cd001, 0x2244, 0x31f1, "\xaa\xaa\x90\x00\x38\x00\x10\x03")

func keyHandle(n byte) []byte { return append(make([]byte, 19), n) }

// name is an RRP_UNICODE_STRING (MS-RRP 2.2.4).
func name(s string) []byte {
	n := uint16(2 * (len(s) + 1))
	return le(n, n, uint32(0x20000), ndrText(s))
}

// value is the type and data of a value, with the size behind them.
func value(kind uint32, texts ...string) []byte {
	var data []byte
	for _, s := range texts {
		for _, u := range utf16.Encode([]rune(s + "\x00")) {
			data = binary.LittleEndian.AppendUint16(data, u)
		}
	}
	n := uint32(len(data))
	return le(kind, n, data, make([]byte, -len(data)&3), n)
}

// registryCalls opens keys and sets values, of which the last is refused.
func registryCalls() []wiretest.Turn {
	const run = `SOFTWARE\Microsoft\Windows\CurrentVersion\Run`
	turns := []wiretest.Turn{{From: 0, Data: bind(winreg)}}
	call := func(opnum uint16, ask, answer []byte) {
		id := uint32(1 + len(turns))
		turns = append(turns, wiretest.Turn{From: 0, Data: request(id, 0, opnum, ask)}, wiretest.Turn{From: 1, Data: response(id, answer)})
	}
	done := uint32(0)
	call(2, le(uint32(0), uint32(0x2000000)), le(keyHandle(1), done))
	call(15, le(keyHandle(1), name(run), uint32(0), uint32(0x2001f)), le(keyHandle(2), done))
	call(22, le(keyHandle(2), name("Updater"), value(1, `C:\a.exe -x`)), le(done))
	call(6, le(keyHandle(1), name(`SYSTEM\CurrentControlSet\Services\x`)), le(keyHandle(3), uint32(0), done))
	call(22, le(keyHandle(3), name("ImagePath"), value(2, `%SystemRoot%\b.exe`)), le(done))
	call(22, le(keyHandle(3), name("Description"), value(1, "some text")), le(done))
	call(22, le(keyHandle(9), name("Debugger"), value(7, "c.exe", "-y", "")), le(uint32(5)))
	call(5, keyHandle(2), le(make([]byte, 20), done))
	call(22, le(keyHandle(2), name("Updater"), value(1, "d.exe")), le(uint32(6)))
	return turns
}

func TestRegistry(t *testing.T) {
	env := wiretest.Play(t, NewProtocol, ends, 0, registryCalls())
	var got []string
	for _, a := range env.Accesses {
		if a.What == "registry-set" {
			got = append(got, strings.TrimSpace(a.Object+": "+a.Command+" "+a.Status))
		}
	}
	want := `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run\Updater: C:\a.exe -x
HKLM\SYSTEM\CurrentControlSet\Services\x\ImagePath: %SystemRoot%\b.exe
HKLM\SYSTEM\CurrentControlSet\Services\x\Description:
Debugger: c.exe -y error 5
Updater:  error 6`
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}
