package prevent

import (
	"fmt"
	"strconv"
	"strings"
)

// Ports is a range of ports of one transport.
type Ports struct {
	Transport   string // tcp, udp
	First, Last uint16
}

// ParsePorts reads "tcp/445" or "tcp/49152-65535".
func ParsePorts(s string) (p Ports, err error) {
	transport, numbers, ok := strings.Cut(s, "/")
	if !ok || transport != "tcp" && transport != "udp" {
		return p, fmt.Errorf("ports %q: give them as tcp/445 or tcp/49152-65535", s)
	}
	first, last, isRange := strings.Cut(numbers, "-")
	if !isRange {
		last = first
	}
	a, err1 := strconv.ParseUint(first, 10, 16)
	b, err2 := strconv.ParseUint(last, 10, 16)
	if err1 != nil || err2 != nil || a == 0 || b < a {
		return p, fmt.Errorf("ports %q: give them as tcp/445 or tcp/49152-65535", s)
	}
	return Ports{Transport: transport, First: uint16(a), Last: uint16(b)}, nil
}
