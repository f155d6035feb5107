package names

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

const headerLen = 12

// Operations and types of the name service (RFC 1002 4.2.1).
const (
	opQuery        = 0
	opRegistration = 5
	opRefresh      = 8
	opRefresh2     = 9
	opMultiHomed   = 15

	typeNB     = 0x20
	typeStatus = 0x21

	groupName = 0x8000
	replyCode = 0x000f
)

// netbios takes one message of the NetBIOS name service.
func (f *flow) netbios(from wire.Side, c wire.Chunk) {
	b := c.Data
	be := binary.BigEndian
	flags := be.Uint16(b[2:])
	answer, op := flags&0x8000 != 0, flags>>11&15
	questions, answers, more := be.Uint16(b[4:]), be.Uint16(b[6:]), be.Uint16(b[10:])
	rest := b[headerLen:]
	sender := f.c.Ends[from].Addr
	if questions > 0 {
		name, _, after, ok := netbiosName(rest)
		if !ok || len(after) < 4 {
			return
		}
		rest = after[4:]
		if !answer && op == opQuery {
			f.asked("nbns", sender, name, c.At)
		}
		if !answer && more > 0 && flags&replyCode == 0 && (op == opRegistration || op == opRefresh || op == opRefresh2 || op == opMultiHomed) {
			f.record(rest, name, sender, c.At)
		}
	}
	if answer && answers > 0 && flags&replyCode == 0 {
		f.record(rest, "", sender, c.At)
	}
}

// record takes one resource record; name is the question's where it is a pointer.
func (f *flow) record(b []byte, name string, sender model.Addr, at wire.At) {
	if len(b) > 2 && b[0]&0xc0 == 0xc0 {
		b = b[2:]
	} else {
		n, _, rest, ok := netbiosName(b)
		if !ok {
			return
		}
		name, b = n, rest
	}
	if len(b) < 10 {
		return
	}
	kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[8:]))
	data := b[10:]
	if size > len(data) {
		return
	}
	switch data = data[:size]; {
	case kind == typeNB:
		for ; len(data) >= 6; data = data[6:] { // a host with several addresses
			ip, _ := netip.AddrFromSlice(data[2:6])
			f.bound(name, model.AddrOf(ip), sender, "", binary.BigEndian.Uint16(data)&groupName != 0, at)
		}
	case kind == typeStatus && len(data) >= 1:
		f.status(name, data, sender, at)
	}
}

// status takes a node's list of its names and its hardware address (RFC 1002 4.2.18).
func (f *flow) status(asked string, b []byte, sender model.Addr, at wire.At) {
	n := int(b[0])
	if len(b) < 1+18*n+6 {
		return
	}
	mac := wire.MAC(b[1+18*n:][:6])
	if mac == "00:00:00:00:00:00" { // Samba gives none
		mac = ""
	}
	f.bound(asked, sender, sender, mac, true, at)
	for i := range n {
		e := b[1+18*i:][:18]
		f.bound(spell(e[:16]), sender, sender, mac, binary.BigEndian.Uint16(e[16:])&groupName != 0, at)
	}
}

// The suffixes of names that are a host's own (MS-NBTE 2.2.1).
const (
	suffixWorkstation = "<00>"
	suffixServer      = "<20>"
)

// bound reports a name that an address claims.
func (f *flow) bound(name string, ip, sender model.Addr, mac string, group bool, at wire.At) {
	host := ""
	if !group {
		for _, s := range [...]string{suffixWorkstation, suffixServer} {
			if bare, ok := strings.CutSuffix(name, s); ok {
				host = bare
			}
		}
	}
	f.bind("nbns", host, name, mac, ip, sender, at)
}

// asked reports a name that a host looks for.
func (f *flow) asked(channel string, who model.Addr, name string, at wire.At) {
	if !f.p.first("?" + channel + who.String() + name) {
		return
	}
	a := wire.Binding(channel, f.c, at, who, "", "", name)
	a.ID = wire.ID("a", channel, f.c, 0, 0, 0, []byte("name-query\x00"+who.String()+"\x00"+name)...)
	a.What, a.Until = "name-query", 0
	f.p.env.Access(a)
}

// maxName bounds a name with its scope (RFC 1002 4.1, RFC 883).
const maxName = 255

// netbiosName reads a name in the first-level encoding with its scope (RFC 1001
// 14.1, RFC 1002 4.1).
func netbiosName(b []byte) (name string, suffix byte, rest []byte, ok bool) {
	if len(b) < 34 || b[0] != 32 {
		return "", 0, nil, false
	}
	var raw [16]byte
	for i := range raw {
		raw[i] = (b[1+2*i]-'A')<<4 | (b[2+2*i]-'A')&15
	}
	name = spell(raw[:])
	rest = b[33:]
	for len(rest) > 0 && rest[0] != 0 { // the scope
		if n := int(rest[0]); n < 64 && n+1 < len(rest) && len(b)-len(rest)+n < maxName {
			name += "." + wire.Printable(string(rest[1:1+n]))
			rest = rest[1+n:]
			continue
		}
		return "", 0, nil, false
	}
	if len(rest) == 0 {
		return "", 0, nil, false
	}
	return name, raw[15], rest[1:], true
}

// spell writes a name with its suffix, and bytes that are no characters as numbers.
func spell(raw []byte) string {
	var s strings.Builder
	for _, c := range []byte(strings.TrimRight(string(raw[:15]), " ")) {
		if c < 0x20 || c > 0x7e {
			fmt.Fprintf(&s, "<%02x>", c)
			continue
		}
		s.WriteByte(c)
	}
	fmt.Fprintf(&s, "<%02x>", raw[15])
	return s.String()
}
