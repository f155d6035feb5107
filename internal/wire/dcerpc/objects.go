package dcerpc

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// activated are classes that remote starts are known to use, by CLSID in
// network form: applications with a method that runs a command, and WMI.
var activated = []struct {
	clsid []byte
	name  string
}{
	{clsid(0x49b2791a, 0xb1ae, 0x4c90, "\x9b\x8e\xe8\x60\xba\x07\xf8\x89"), "MMC20.Application"},
	{clsid(0x9ba05972, 0xf6a8, 0x11cf, "\xa4\x42\x00\xa0\xc9\x0a\x8f\x39"), "ShellWindows"},
	{clsid(0xc08afd90, 0xf2a1, 0x11d1, "\x84\x55\x00\xa0\xc9\x1f\x38\x80"), "ShellBrowserWindow"},
	{clsid(0x00024500, 0x0000, 0x0000, "\xc0\x00\x00\x00\x00\x00\x00\x46"), "Excel.Application"},
	{clsid(0x000209ff, 0x0000, 0x0000, "\xc0\x00\x00\x00\x00\x00\x00\x46"), "Word.Application"},
	{clsid(0x0006f03a, 0x0000, 0x0000, "\xc0\x00\x00\x00\x00\x00\x00\x46"), "Outlook.Application"},
	{clsid(0x0002df01, 0x0000, 0x0000, "\xc0\x00\x00\x00\x00\x00\x00\x46"), "InternetExplorer.Application"},
	{clsid(0x8bc3f05e, 0xd86b, 0x11d0, "\xa0\x75\x00\xc0\x4f\xb6\x88\x20"), "WMI (WbemLevel1Login)"},
}

// clsid is a class id in the form of a stub in little-endian order (MS-DTYP 2.3.4.2).
func clsid(a uint32, b, c uint16, d string) []byte {
	out := binary.LittleEndian.AppendUint32(nil, a)
	out = binary.LittleEndian.AppendUint16(out, b)
	out = binary.LittleEndian.AppendUint16(out, c)
	return append(out, d...)
}

// Activation is the class that a DCOM activation asks for (MS-DCOM 3.1.2.5.2.3),
// empty for other calls and for classes that are not known to run commands.
func Activation(call Call) string {
	if call.Sealed || call.Name != "IActivation" && call.Name != "IRemoteSCMActivator" {
		return ""
	}
	for _, a := range activated {
		if bytes.Contains(call.Request, a.clsid) {
			return a.name
		}
	}
	return ""
}

// WMIMethod is a method of a WMI object that a client ran.
type WMIMethod struct {
	Object, Method string // empty where the call is sealed
	Command        string // of Win32_Process.Create, as far as it shows
}

// ExecMethod reads IWbemServices ExecMethod and ExecMethodAsync (MS-WMI 3.1.4.3.22).
func ExecMethod(call Call) (m WMIMethod, ok bool) {
	if call.Name != "IWbemServices" || call.Opnum != 24 && call.Opnum != 25 {
		return m, false
	}
	if call.Sealed {
		return m, true
	}
	r := newNDR(call.Request, call.BigEndian, call.NDR64)
	r.orpcThis()
	m.Object, m.Method = r.bstr(), r.bstr()
	if !r.bad && strings.EqualFold(m.Method, "Create") && strings.EqualFold(m.Object, "Win32_Process") {
		m.Command = parameter(r.b[r.at:])
	}
	return m, true
}

// orpcThis passes what begins all calls of DCOM: version, flags, reserved, causality
// id, no extensions (MS-DCOM 2.2.13.3).
func (r *ndr) orpcThis() {
	r.take(28, 4)
	r.size()
}

// Invoked gives the texts that a client hands to a method of an automation object
// (MS-OAUT 3.1.4.4), in their order: ExecuteShellCommand of the management console and
// ShellExecute of the shell have the program among them. Nil for other calls and
// where there are none.
func Invoked(call Call) (texts []string) {
	if call.Name != "IDispatch" || call.Opnum != 6 || call.Sealed {
		return nil
	}
	r := newNDR(call.Request, call.BigEndian, call.NDR64)
	r.orpcThis()
	r.take(28, 4) // member, reserved, language, flags
	r.size()
	r.size()
	n := min(r.u32(), 64)
	r.u32()
	r.size() // of the array of pointers
	for range n {
		r.size()
	}
	for range n {
		text, ok := r.variant()
		if !ok || r.bad {
			return texts
		}
		if text != "" { // the last argument comes first (MS-OAUT 2.2.33)
			texts = append([]string{text}, texts...)
		}
	}
	return texts
}

// variant reads a VARIANT (MS-OAUT 2.2.29) of a simple type and gives its text, if it
// is one.
func (r *ndr) variant() (text string, ok bool) {
	r.take(8, 8) // size, reserved
	kind := r.take(8, 2)
	r.u32() // the kind again
	if kind == nil {
		return "", false
	}
	switch r.order.Uint16(kind) {
	case 0, 1: // empty, null
	case 8:
		text = r.bstr()
	case 2, 11, 18: // numbers of 16 bits, truth
		r.take(2, 2)
	case 3, 4, 10, 19, 22, 23: // of 32 bits
		r.take(4, 4)
	case 5, 6, 7, 20, 21: // of 64 bits
		r.take(8, 8)
	default:
		return "", false
	}
	return text, true
}

// bstr reads a pointer to a FLAGGED_WORD_BLOB (MS-OAUT 2.2.23.1).
func (r *ndr) bstr() string {
	if r.size() == 0 {
		return ""
	}
	r.size() // of the array
	r.u32()  // length in bytes
	n := r.u32()
	if n > maxText {
		r.bad = true
		return ""
	}
	b := r.take(2*uint64(n), 2)
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = r.order.Uint16(b[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}

// parameter is the first text in the values of an encoded CIM instance of
// __PARAMETERS (MS-WMIO 2.2.78): behind the class name that heads the values.
func parameter(b []byte) string {
	const name = "__PARAMETERS\x00"
	at := bytes.LastIndex(b, []byte(name))
	if at < 0 {
		return ""
	}
	b = b[at+len(name):]
	if len(b) < 2 || b[0] > 1 {
		return ""
	}
	wide, b := b[0] == 1, b[1:]
	if !wide {
		text, _, _ := bytes.Cut(b, []byte{0})
		return string(text[:min(len(text), maxText)])
	}
	r := newNDR(b, false, false)
	return r.utf16(b[:min(len(b), maxText)])
}
