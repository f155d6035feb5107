package auditd

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry/linelog"
)

// calendar is how ausearch -i wrote its times: in its own zone and locale.
type calendar struct {
	zone     *time.Location
	dayFirst bool
}

// Layouts of dates: in the C locale and en_US, those that begin with the day, which
// ones with dots always do, and ISO 8601.
var (
	monthFirst = [...]string{"01/02/06", "01/02/2006", "02.01.2006", "02.01.06", time.DateOnly, "02/01/06", "02/01/2006"}
	dayFirst   = [...]string{"02/01/06", "02/01/2006", "02-01-2006", "02-01-06", "02.01.2006", "02.01.06", time.DateOnly}
)

// calendarOf looks which number of the dates of a head is no month.
func calendarOf(head []byte, zone *time.Location) calendar {
	c := calendar{zone: zone}
	linelog.Each(head, func(line string) {
		_, rest, _ := strings.Cut(line, "msg=audit(")
		if len(rest) > 6 && (rest[2] == '/' || rest[2] == '-') && linelog.Two(rest[:2]) > 12 {
			c.dayFirst = true
		}
	})
	return c
}

// time reads one of these times.
func (c calendar) time(when string) (model.Time, bool) {
	date, clock, ok := strings.Cut(when, " ")
	clock, millis, ok2 := strings.Cut(clock, ".")
	ms, err := strconv.ParseUint(millis, 10, 16)
	if !ok || !ok2 || err != nil || ms > 999 {
		return 0, false
	}
	layouts := monthFirst[:]
	if c.dayFirst {
		layouts = dayFirst[:]
	}
	for _, layout := range layouts {
		d, err := time.Parse(layout, date)
		if err != nil {
			continue
		}
		t, ok := linelog.Date(d.Year(), d.Month(), d.Day(), linelog.Clock(clock), c.zone)
		return t + model.Time(ms)*1e6, ok
	}
	return 0, false
}

// behind are the fields that follow one whose value may hold anything.
var behind = map[string][]string{
	"name": {" inode=", " nametype=", " objtype="}, "cmd": {" exe=", " terminal="}, "comm": {" exe="},
	"cwd": {" cmd="}, "exe": {" subj=", " key=", " hostname=", " terminal="},
}

// eachInterpreted gives the fields of a line of ausearch -i, in which nothing is quoted,
// as the raw log has them.
func eachInterpreted(s string, take func(name, value string)) {
	s = strings.TrimSpace(s)
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return
		}
		name = name[strings.LastIndexByte(name, ' ')+1:]
		if rest, ok = strings.CutPrefix(rest, "'"); ok && name == "msg" {
			s = rest
			continue
		}
		end := valueEnd(name, rest)
		if name, value := raw(name, strings.TrimSpace(rest[:end])); value != "" {
			take(name, value)
		}
		s = rest[end:]
	}
}

// valueEnd is how far the value of a field goes: to the next field.
func valueEnd(name, s string) int {
	if strings.HasPrefix(s, "{") {
		return strings.IndexByte(s+"}", '}')
	}
	if name == "res" { // what is behind it in enriched logs has no blank before
		return strings.IndexAny(s+" ", " '")
	}
	if names, ok := behind[name]; ok {
		end := len(s)
		for _, n := range names {
			if i := strings.Index(s, n); i >= 0 {
				end = min(end, i)
			}
		}
		return end
	}
	next := strings.IndexByte(s, '=')
	if next < 0 {
		return len(s)
	}
	return max(strings.LastIndexByte(s[:next], ' '), 0)
}

// raw is a field as the raw log has it; without a value what is not set.
func raw(name, value string) (string, string) {
	switch name {
	case "auid":
		if value == "unset" || strings.HasPrefix(value, "unknown(") {
			return name, ""
		}
		return "AUID", value
	case "ses":
		if value == "unset" {
			return name, ""
		}
	case "exit":
		if strings.HasPrefix(value, "EINPROGRESS(") {
			return name, "-115"
		}
	case "saddr":
		return name, hexAddress(value)
	case "name":
		if value == "(null)" {
			return name, ""
		}
	}
	return name, value
}

// hexAddress is "{ saddr_fam=inet laddr=A lport=P " as the kernel writes it.
func hexAddress(s string) string {
	_, addr, ok := strings.Cut(s, "laddr=")
	addr, port, ok2 := strings.Cut(addr, " lport=")
	port, _, _ = strings.Cut(port, " ")
	a, err := netip.ParseAddr(addr)
	p, err2 := strconv.ParseUint(port, 10, 16)
	if !ok || !ok2 || err != nil || err2 != nil {
		return ""
	}
	b := []byte{2, 0, byte(p >> 8), byte(p)}
	if a.Is6() {
		b = append([]byte{10, 0}, byte(p>>8), byte(p), 0, 0, 0, 0)
	}
	return hex.EncodeToString(append(b, a.AsSlice()...))
}

// eachArgument gives the arguments of a line of ausearch -i: one goes to the number of
// the next.
func eachArgument(s string, take func(name, value string)) {
	_, s, ok := strings.Cut(s, "a0=")
	for i := 0; ok; i++ {
		value, rest, more := strings.Cut(s, " a"+strconv.Itoa(i+1)+"=")
		if !more {
			value = strings.TrimSuffix(value, " ")
		}
		take("a"+strconv.Itoa(i), value)
		s, ok = rest, more
	}
}
