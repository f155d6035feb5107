package dcerpc

import (
	"strings"
)

// RegistryEvent is a value that a client set in a host's registry (MS-RRP).
type RegistryEvent struct {
	Key      string // its path; the end of it where a key was opened before the capture
	Name     string
	Text     string // of values that are text
	Answered bool
	Code     uint32 // the return code; 0 is done
}

// Registry follows the handles of keys. The zero value is ready; one belongs to one pipe.
type Registry struct{ open handles }

// The operations that open, close and set (MS-RRP 3.1.5).
const (
	opCloseKey  = 5
	opCreateKey = 6
	opOpenKey   = 15
	opSetValue  = 22
)

// registryRoots are the predefined keys by the operation that opens them.
var registryRoots = map[int]string{0: "HKCR", 1: "HKCU", 2: "HKLM", 4: "HKU"}

// Set tells which value a call set; false for all other calls, sealed ones, and those
// that cannot be read.
func (g *Registry) Set(call Call) (e RegistryEvent, ok bool) {
	if call.Name != "winreg" || call.Sealed {
		return e, false
	}
	if root, ok := registryRoots[call.Opnum]; ok {
		g.opened(call, root)
		return e, false
	}
	r := newNDR(call.Request, call.BigEndian, call.NDR64)
	h := r.handle()
	switch call.Opnum {
	case opCloseKey:
		g.open.forget(h)
	case opCreateKey, opOpenKey:
		if key := r.counted(); !r.bad {
			g.opened(call, g.under(h, key))
		}
	case opSetValue:
		e.Key, e.Name = g.open.names[h], r.counted()
		e.Text = r.registryText()
		e.Answered, e.Code = call.answered()
		return e, !r.bad
	}
	return e, false
}

// under is the path of a key below an open one.
func (g *Registry) under(h handle, key string) string {
	if above := g.open.names[h]; above != "" {
		return above + `\` + key
	}
	return key
}

// opened remembers the handle at the beginning of an answer.
func (g *Registry) opened(call Call, key string) {
	if _, code := call.answered(); code == 0 && call.HaveResponse && len(call.Response) >= 24 {
		g.open.remember(newNDR(call.Response, call.ResponseBigEndian, call.NDR64).handle(), key)
	}
}

// answered gives the return code at the end of an answer, or that of a fault.
func (c *Call) answered() (seen bool, code uint32) {
	if n := len(c.Response); c.Fault == 0 && n >= 4 && !c.ResponseCut {
		return c.HaveResponse, newNDR(c.Response[n-4:], c.ResponseBigEndian, c.NDR64).u32()
	}
	return c.HaveResponse, c.Fault
}

// counted reads an RRP_UNICODE_STRING (MS-RRP 2.2.4): two lengths, and the text behind
// a pointer.
func (r *ndr) counted() string {
	r.structure()
	r.take(4, 2)
	return r.optional(true)
}

// registryText reads the type and data of a value; empty where it is no text (MS-RRP
// 2.2.9). Data are little-endian whatever the stub is.
func (r *ndr) registryText() string {
	const sz, expand, multi = 1, 2, 7
	kind := r.u32()
	data := r.take(r.size(), 1)
	text := newNDR(nil, false, false)
	switch {
	case kind == sz || kind == expand:
		return text.utf16(data[:min(len(data), 2*maxText)])
	case kind == multi:
		var all []string
		for len(data) >= 2 && len(all) < 64 {
			s := text.utf16(data[:min(len(data), 2*maxText)])
			if s == "" {
				break
			}
			all = append(all, s)
			data = data[min(len(data), 2*len([]rune(s))+2):]
		}
		return strings.Join(all, " ")
	}
	return ""
}
