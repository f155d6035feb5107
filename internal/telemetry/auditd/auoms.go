package auditd

import (
	"encoding/json"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
	"waybill/internal/telemetry/jsonlog"
)

// AUOMS (Microsoft's OMS-Auditd-Plugin, on Azure hosts) makes one record of the lines of an
// event and gives it to syslog as text, or to the Log Analytics agent as JSON. Names and
// forms are those of its SyslogEventWriter.cpp, OMSEventWriter.cpp and AbstractEventWriter.cpp.

// AUOMS is its JSON: {"Timestamp", "SerialNumber", "records": [{"RecordType", ...}]}.
var AUOMS = telemetry.Format{Kind: "auoms-json", Family: "unixhost", Looks: auoms.Looks, Open: auoms.Open, Unverified: true}

var auoms = jsonlog.Form{
	Name: func(path string) string { return strings.TrimPrefix(path, "records.") },
	Finish: func(r *telemetry.Record) bool {
		kind, when := r.Get("RecordType"), r.Get("Timestamp")
		if kind == "" || r.Get("SerialNumber") == "" {
			return false
		}
		h, ok := parse("type=x msg=audit("+when+":0): ", calendar{})
		r.Time, r.Host = h.time, r.First("Computer", "node")
		auomsRecord(r, kind, r.Fields)
		return ok
	},
}

// AUOMSMessage reads what AUOMS gives to syslog: "type=TYPE audit(SECONDS.MILLIS:SERIAL):
// NAME=VALUE ...".
func AUOMSMessage(r *telemetry.Record, message string) {
	kind, rest, ok := strings.Cut(strings.TrimPrefix(message, "type="), " audit(")
	h, ok2 := parse("type="+kind+" msg=audit("+rest, calendar{})
	if !ok || !ok2 {
		return
	}
	if h.time != 0 {
		r.Time, r.Assumed = h.time, false
	}
	var fields []telemetry.Field
	for rest := h.rest; rest != "" && len(fields) < maxPerItem; {
		name, more, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		end := auomsEnd(more)
		fields = append(fields, telemetry.Field{Name: strings.TrimSpace(name), Value: unquoted(strings.TrimSpace(more[:end]))})
		rest = more[end:]
	}
	auomsRecord(r, h.kind, fields)
}

func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// auomsEnd is how far a value goes: to the blank before the next name. Quotes in a
// quoted one are not escaped.
func auomsEnd(s string) int {
	var last byte // which the value ends with
	if s != "" {
		last = map[byte]byte{'"': '"', '[': ']', '{': '}'}[s[0]]
	}
	for i := range len(s) {
		if s[i] == ' ' && (last == 0 || i > 1 && s[i-1] == last) && named(s[i+1:]) {
			return i
		}
	}
	return len(s)
}

// named says whether a text begins with a field's name.
func named(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '=':
			return i > 0
		case c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c < 'A' || c > 'Z'):
			return false
		}
	}
	return false
}

// auomsRecord puts the fields under the names that the raw log has. Those that AUOMS
// interpreted have their raw value beside them, under the name with _r.
func auomsRecord(r *telemetry.Record, kind string, fields []telemetry.Field) {
	in := telemetry.Record{Fields: fields}
	set := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				r.Set(name, v)
				return
			}
		}
	}
	r.Stream, r.Fields = "auditd", nil
	if strings.HasPrefix(kind, "AUOMS_") {
		kind = "SYSCALL"
	}
	r.Set("type", kind)
	for _, name := range [...]string{"pid", "ppid", "ses", "comm", "exe", "success", "cwd", "acct", "addr", "hostname", "res", "cmd", "terminal"} {
		set(name, in.Get(name))
	}
	set("AUID", in.Get("audit_user"))
	set("SYSCALL", in.Get("syscall"))
	set("exit", in.Get("exit_r"), in.Get("exit"))
	set("saddr", in.Get("saddr_r"))
	for _, a := range cmdline.ShellWords(in.Get("cmdline")) {
		r.Set("arg", a)
	}
	names, kinds := list(in.Get("path_name")), list(in.Get("path_nametype"))
	for i := range min(len(names), len(kinds)) {
		if kinds[i] == "CREATE" || kinds[i] == "DELETE" {
			r.Set(kinds[i], names[i])
		}
	}
}

// list reads a JSON list of texts.
func list(s string) (out []string) {
	if json.Unmarshal([]byte(s), &out) != nil || len(out) > maxPerItem {
		return nil
	}
	return out
}
