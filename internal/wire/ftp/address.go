package ftp

import (
	"net/netip"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// hostPort reads h1,h2,h3,h4,p1,p2 wherever it stands in a text (RFC 959 4.1.2).
func hostPort(text string) (wire.AddrPort, bool) {
	start := strings.IndexFunc(text, func(r rune) bool { return r >= '0' && r <= '9' })
	if start < 0 {
		return wire.AddrPort{}, false
	}
	text = text[start:]
	if end := strings.IndexFunc(text, func(r rune) bool { return r != ',' && r != ' ' && (r < '0' || r > '9') }); end >= 0 {
		text = text[:end]
	}
	parts := strings.Split(text, ",")
	if len(parts) != 6 {
		return wire.AddrPort{}, false
	}
	var b [6]byte
	for i, p := range parts {
		n, err := strconv.ParseUint(strings.TrimSpace(p), 10, 8)
		if err != nil {
			return wire.AddrPort{}, false
		}
		b[i] = byte(n)
	}
	addr := netip.AddrFrom4([4]byte(b[:4]))
	return wire.AddrPort{Addr: model.AddrOf(addr), Port: uint16(b[4])<<8 | uint16(b[5])}, true
}

// extended reads |proto|address|port| of EPRT (RFC 2428 2). The first character parts
// the fields.
func extended(arg string) (wire.AddrPort, bool) {
	if len(arg) < 2 {
		return wire.AddrPort{}, false
	}
	f := strings.Split(arg[1:], arg[:1])
	if len(f) < 3 {
		return wire.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(f[1])
	port, err2 := strconv.ParseUint(f[2], 10, 16)
	if err != nil || err2 != nil || port == 0 {
		return wire.AddrPort{}, false
	}
	return wire.AddrPort{Addr: model.AddrOf(addr.WithZone("")), Port: uint16(port)}, true
}

// extendedPort reads the (|||port|) of a reply to EPSV (RFC 2428 3).
func extendedPort(text string) (uint16, bool) {
	_, text, ok := strings.Cut(text, "(")
	if !ok || len(text) < 5 {
		return 0, false
	}
	f := strings.Split(text[1:], text[:1])
	if len(f) < 3 {
		return 0, false
	}
	port, err := strconv.ParseUint(f[2], 10, 16)
	return uint16(port), err == nil && port != 0
}

// statedSize reads the "(1234 bytes)" of a reply; -1 when there is none.
func statedSize(text string) int64 {
	i := strings.LastIndexByte(text, '(')
	if i < 0 {
		return -1
	}
	number, rest, _ := strings.Cut(text[i+1:], " ")
	n, err := strconv.ParseInt(number, 10, 62)
	if err != nil || n < 0 || !strings.HasPrefix(strings.ToLower(rest), "byte") {
		return -1
	}
	return n
}
