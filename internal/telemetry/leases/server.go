package leases

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// The forms of DHCP servers.
var (
	Windows = telemetry.Format{Kind: "dhcp-windows", Family: Family, Looks: looksWindows, Open: openWindows}
	ISC     = telemetry.Format{Kind: "dhcpd-leases", Family: Family, Looks: looksISC, Open: openISC}
	KeaCSV  = telemetry.Format{Kind: "kea-leases", Family: Family, Looks: looksKea, Open: openKea}
	KeaLog  = telemetry.Format{Kind: "kea-log", Family: Family, Looks: looksKeaLog, Open: openKeaLog}
	Dnsmasq = telemetry.Format{Kind: "dnsmasq-leases", Family: Family, Looks: looksDnsmasq, Open: openDnsmasq}
)

// windowsHeader begins the table in DhcpSrvLog-*.log, below an explanation of its
// numbers (Windows Server documentation, "DHCP audit log").
const windowsHeader = "ID,Date,Time,Description,IP Address,Host Name,MAC Address"

func looksWindows(head []byte) bool {
	at := bytes.Index(head, []byte(windowsHeader))
	return at == 0 || at > 0 && head[at-1] == '\n'
}

func openWindows(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	began := false
	return linelog.Open(logtext.NewReader(r), "the audit log of a DHCP server", func(line string, rec *telemetry.Record) linelog.Taken {
		if strings.HasPrefix(line, windowsHeader) {
			began = true
			return linelog.Nothing
		}
		if !began {
			return linelog.Nothing
		}
		return windows(line, rec, o.Zone)
	})
}

// windowsWhat are the numbers of its lines that concern an address.
var windowsWhat = map[string]string{"10": given, "11": given, "12": ended, "16": ended, "17": ended, "18": ended, "20": given, "21": given}

func windows(line string, r *telemetry.Record, zone *time.Location) linelog.Taken {
	c := strings.Split(line, ",")
	if len(c) < 7 {
		return linelog.Broken
	}
	r.Stream, r.Assumed = "dhcp/windows", zone == nil
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation("01/02/06 15:04:05", c[1]+" "+c[2], zone)
	if err != nil {
		return linelog.Broken
	}
	r.Time = model.Time(t.UnixNano())
	if what := windowsWhat[strings.TrimLeft(c[0], "0")]; what != "" {
		event(r, what, c[4], c[6], c[5], 0)
	}
	return linelog.Record
}

// looksISC asks for a lease of dhcpd.leases(5).
func looksISC(head []byte) bool {
	found := false
	linelog.Each(head, func(line string) {
		w := strings.Fields(line)
		found = found || len(w) == 3 && w[0] == "lease" && w[2] == "{"
	})
	return found && bytes.Contains(head, []byte("starts "))
}

func openISC(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	l := &iscLeases{}
	return linelog.Open(logtext.NewReader(r), "a lease file", l.line)
}

// iscLeases reads dhcpd.leases: the file is written on, so that the last lease of an
// address holds, and those before tell who had it then. Its times are in UTC.
type iscLeases struct {
	ip, mac, host, state string
	starts, ends         model.Time
}

func (l *iscLeases) line(line string, r *telemetry.Record) linelog.Taken {
	line, _, _ = strings.Cut(line, ";")
	w := strings.Fields(line)
	if len(w) == 3 && w[0] == "lease" && w[2] == "{" {
		*l = iscLeases{ip: w[1]}
		return linelog.Nothing
	}
	if l.ip == "" || len(w) == 0 {
		return linelog.Nothing
	}
	switch {
	case w[0] == "}":
		return l.done(r)
	case w[0] == "starts":
		l.starts = iscTime(w[1:])
	case w[0] == "ends":
		l.ends = iscTime(w[1:])
	case w[0] == "hardware" && len(w) == 3:
		l.mac = w[2]
	case w[0] == "client-hostname" && len(w) == 2:
		l.host = strings.Trim(w[1], `"`)
	case w[0] == "binding" && len(w) == 3:
		l.state = w[2]
	}
	return linelog.Nothing
}

func (l *iscLeases) done(r *telemetry.Record) linelog.Taken {
	r.Stream, r.Time = "dhcp/isc", l.starts
	switch l.state {
	case "", "active":
		event(r, given, l.ip, l.mac, l.host, l.ends)
	case "free", "expired", "released":
		if r.Time = l.ends; r.Time != 0 {
			event(r, ended, l.ip, l.mac, "", 0)
		}
	}
	l.ip = ""
	return linelog.Record
}

// iscTime reads "1 2025/03/03 10:00:00", "epoch 1741000000", or "never".
func iscTime(w []string) model.Time {
	if len(w) >= 2 && w[0] == "epoch" {
		n, _ := strconv.ParseInt(w[1], 10, 64)
		return seconds(n)
	}
	if len(w) < 3 {
		return 0
	}
	t, err := time.Parse("2006/01/02 15:04:05", w[1]+" "+w[2])
	if err != nil {
		return 0
	}
	return model.Time(t.UnixNano())
}

// seconds since 1970, 0 where they are none that a log can have.
func seconds(n int64) model.Time {
	if n <= 0 || n > 1<<33 {
		return 0
	}
	return model.Time(n) * 1e9
}

// keaHeader are columns of both lease files of Kea's memfile (its ARM, "memfile").
func keaColumns(line string) map[string]int {
	columns := map[string]int{}
	for i, c := range strings.Split(line, ",") {
		columns[strings.TrimSpace(c)] = i
	}
	for _, c := range [...]string{"address", "hwaddr", "valid_lifetime", "expire", "hostname"} {
		if _, ok := columns[c]; !ok {
			return nil
		}
	}
	return columns
}

func looksKea(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return len(line) < 512 && keaColumns(strings.TrimSpace(string(line))) != nil
}

func openKea(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	var columns map[string]int
	return linelog.Open(logtext.NewReader(r), "a lease file of Kea", func(line string, rec *telemetry.Record) linelog.Taken {
		if c := keaColumns(line); c != nil {
			columns = c
			return linelog.Nothing
		}
		cells := strings.Split(line, ",")
		if columns == nil || len(cells) < len(columns) {
			return linelog.Broken
		}
		return kea(func(name string) string {
			if i, ok := columns[name]; ok {
				return cells[i]
			}
			return ""
		}, rec)
	})
}

func kea(c func(string) string, r *telemetry.Record) linelog.Taken {
	expire, err1 := strconv.ParseInt(c("expire"), 10, 64)
	lifetime, err2 := strconv.ParseInt(c("valid_lifetime"), 10, 64)
	if err1 != nil || err2 != nil || seconds(expire) == 0 {
		return linelog.Broken
	}
	r.Stream, r.Time = "dhcp/kea", seconds(expire-max(0, lifetime))
	host := strings.ReplaceAll(c("hostname"), "&#x2c", ",")
	switch state := c("state"); {
	case lifetime == 0 || state == "2" || state == "3": // given back, expired, released
		r.Time = seconds(expire)
		event(r, ended, c("address"), c("hwaddr"), "", 0)
	case state == "" || state == "0":
		event(r, given, c("address"), c("hwaddr"), host, seconds(expire))
	}
	return linelog.Record
}

// keaStamp begins the lines of Kea's own log.
const keaStamp = "2006-01-02 15:04:05.000"

func looksKeaLog(head []byte) bool {
	return linelog.Looks(head, func(line string) bool {
		return len(line) > 24 && line[4] == '-' && line[10] == ' ' && strings.Contains(line, " [kea-")
	})
}

func openKeaLog(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	return linelog.Open(logtext.NewReader(r), "a log of Kea", func(line string, rec *telemetry.Record) linelog.Taken {
		if len(line) < 24 {
			return linelog.Broken
		}
		t, err := time.ParseInLocation(keaStamp, line[:23], zone)
		if err != nil {
			return linelog.Broken
		}
		rec.Stream, rec.Time, rec.Assumed = "dhcp/kea", model.Time(t.UnixNano()), o.Zone == nil
		Message(rec, line)
		return linelog.Record
	})
}

// looksDnsmasq asks for lines of dnsmasq's lease file: expiry, hardware, address, name,
// client id.
func looksDnsmasq(head []byte) bool {
	return linelog.Looks(head, func(line string) bool {
		r := telemetry.Record{}
		return dnsmasq(line, &r) == linelog.Record && r.Get("ip") != ""
	})
}

func openDnsmasq(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "a lease file of dnsmasq", func(line string, rec *telemetry.Record) linelog.Taken {
		taken := dnsmasq(line, rec)
		if until, _ := strconv.ParseInt(rec.Get("until"), 10, 64); until != 0 {
			// Since when is not said: a lease holds as long as it is there.
			rec.Time, rec.Assumed = model.Time(until), true
			if o.Near != 0 {
				rec.Time = min(rec.Time, o.Near)
			}
		}
		return taken
	})
}

func dnsmasq(line string, r *telemetry.Record) linelog.Taken {
	w := strings.Fields(line)
	if len(w) > 0 && w[0] == "duid" {
		return linelog.Nothing
	}
	if len(w) != 5 {
		return linelog.Broken
	}
	n, err := strconv.ParseInt(w[0], 10, 64)
	if err != nil {
		return linelog.Broken
	}
	r.Stream = "dhcp/dnsmasq"
	if hw := w[1]; strings.Count(hw, ":") != 5 || !event(r, given, w[2], hw, w[3], seconds(n)) {
		return linelog.Nothing // of IPv6 it has no hardware
	}
	return linelog.Record
}

// Message takes what a server says in a system log (dhcpd, dnsmasq-dhcp, kea-dhcp4) or
// in its own.
func Message(r *telemetry.Record, line string) {
	w := strings.Fields(line)
	for i, word := range w {
		rest := w[i+1:]
		switch {
		case word == "DHCPACK" && len(rest) >= 4 && rest[0] == "on": // dhcpd: on IP to MAC (HOST) via IF
			event(r, given, rest[1], rest[3], parenthesised(rest, 4), 0)
		case word == "DHCPRELEASE" && len(rest) >= 4 && rest[0] == "of": // of IP from MAC
			event(r, ended, rest[1], rest[3], "", 0)
		case word == "DHCPDECLINE" && len(rest) >= 4 && rest[0] == "of":
			event(r, declined, rest[1], rest[3], "", 0)
		case strings.HasPrefix(word, "DHCPACK(") && len(rest) >= 2: // dnsmasq: (IF) IP MAC HOST
			host := ""
			if len(rest) > 2 {
				host = rest[2]
			}
			event(r, given, rest[0], rest[1], host, 0)
		case strings.HasPrefix(word, "DHCPRELEASE(") && len(rest) >= 2:
			event(r, ended, rest[0], rest[1], "", 0)
		case word == "DHCP4_LEASE_ALLOC", word == "DHCP4_LEASE_REUSE", word == "DHCP4_RELEASE":
			keaMessage(r, word, line)
		default:
			continue
		}
		return
	}
}

func parenthesised(w []string, i int) string {
	if i >= len(w) || !strings.HasPrefix(w[i], "(") {
		return ""
	}
	return strings.Trim(w[i], "()")
}

// keaMessage reads "[hwtype=1 MAC], cid=..., tid=...: lease IP has been allocated for N
// seconds", "... reused for N seconds" (renewed early, where it caches leases), and "address IP was released properly" (Kea's message reference).
func keaMessage(r *telemetry.Record, word, line string) {
	mac, rest, ok := linelog.Between(line, "[hwtype=1 ", "]")
	if !ok {
		return
	}
	if word == "DHCP4_RELEASE" {
		_, rest, _ = strings.Cut(rest, "address ")
		ip, _, _ := strings.Cut(rest, " ")
		event(r, ended, ip, mac, "", 0)
		return
	}
	_, rest, _ = strings.Cut(rest, ": lease ")
	ip, rest, _ := strings.Cut(rest, " ")
	var until model.Time
	if n, _, ok := linelog.Between(rest, " for ", " seconds"); ok {
		if s, err := strconv.ParseInt(n, 10, 64); err == nil && s > 0 && s < 1<<32 {
			until = r.Time + model.Time(s)*1e9
		}
	}
	event(r, given, ip, mac, "", until)
}
