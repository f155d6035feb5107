package model

import (
	"fmt"
	"net/netip"
	"time"
)

// Time is a moment in nanoseconds since the Unix epoch; 0 is unknown.
type Time int64

// MarshalText prints t as RFC 3339 in UTC with nanoseconds.
func (t Time) MarshalText() ([]byte, error) {
	return time.Unix(0, int64(t)).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000000000Z"), nil
}

// UnmarshalText reads what MarshalText prints.
func (t *Time) UnmarshalText(b []byte) error {
	at, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return fmt.Errorf("time %q: %w", b, err)
	}
	*t = Time(at.UnixNano())
	return nil
}

func (t Time) String() string {
	b, _ := t.MarshalText()
	return string(b)
}

// Addr is an IP address in 16 bytes; IPv4 is IPv4-mapped. The zero value is unknown.
// (netip.Addr is larger and slower to compare and to hash.)
type Addr [16]byte

// AddrOf turns a netip address into an Addr.
func AddrOf(a netip.Addr) Addr { return a.As16() }

// Netip gives the canonical address: IPv4-mapped ones are unmapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Known says whether the address is set.
func (a Addr) Known() bool { return a != Addr{} }

func (a Addr) String() string {
	if !a.Known() {
		return ""
	}
	return a.Netip().String()
}

// MarshalText prints the canonical text form.
func (a Addr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText prints.
func (a *Addr) UnmarshalText(b []byte) error {
	ip, err := netip.ParseAddr(string(b))
	if err != nil {
		return fmt.Errorf("address %q: %w", b, err)
	}
	*a = AddrOf(ip)
	return nil
}

// Severity grades findings and incidents.
type Severity int

// The severities, weakest first.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText prints the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a severity's name.
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeverity(string(b))
	return err
}

// ParseSeverity reads a severity's name.
func ParseSeverity(name string) (Severity, error) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q: use info, low, medium, high or critical", name)
}

// SeverityOf gives the severity of a score in nats (contract, finding).
func SeverityOf(nats float64) Severity {
	switch {
	case nats >= 18:
		return Critical
	case nats >= 15:
		return High
	case nats >= 10:
		return Medium
	case nats >= 5:
		return Low
	}
	return Info
}
