package auditd

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/jsonlog"
)

// Auditbeat, and Elastic's agent with its auditd manager, make one object of the lines of an
// event, under the names of the Elastic Common Schema (Auditbeat's reference, "Auditd fields").

// Auditbeat is its JSON.
var Auditbeat = telemetry.Format{Kind: "auditbeat", Family: "unixhost", Looks: auditbeat.Looks, Open: auditbeat.Open, Unverified: true}

var auditbeat = jsonlog.Form{
	Name:    func(path string) string { return beatNames[strings.TrimPrefix(path, "_source.")] },
	Repeats: func(name string) bool { return name == "arg" || name == "paths" },
	Finish:  beatEvent,
}

// beatNames are the members that are used, with what they are in, as the raw log calls them.
var beatNames = func() map[string]string {
	out := map[string]string{}
	for path, name := range map[string]string{
		"@timestamp": "time", "auditd.message_type": "type", "auditd.data.syscall": "SYSCALL", "auditd.data.exit": "exit", "auditd.result": "result",
		"auditd.session": "ses", "auditd.data.acct": "acct", "auditd.data.cmd": "cmd", "auditd.paths.name": "name", "auditd.paths.nametype": "nametype", "auditd.paths": "paths",
		"process.args": "arg", "process.executable": "exe", "process.pid": "pid", "process.parent.pid": "ppid", "process.working_directory": "cwd",
		"user.audit.name": "auditor", "user.name": "user", "source.ip": "addr", "destination.ip": "to", "destination.port": "port",
		"host.hostname": "hostname", "host.name": "host", "agent.hostname": "agent",
	} {
		for i := range path {
			if path[i] == '.' && out[path[:i]] == "" {
				out[path[:i]] = path[:i]
			}
		}
		out[path] = name
	}
	out["_source"] = "_source"
	return out
}()

// beatEvent turns an object into the record that the lines of the event give.
func beatEvent(r *telemetry.Record) bool {
	o := telemetry.Record{Fields: slices.Clone(r.Fields)}
	t, err := time.Parse(time.RFC3339Nano, o.Get("time"))
	if err != nil || o.Get("type") == "" {
		return false
	}
	r.Time, r.Host, r.Stream, r.Fields = model.Time(t.UnixNano()), o.First("hostname", "host", "agent"), "auditd", r.Fields[:0]
	r.Set("type", strings.ToUpper(o.Get("type")))
	for _, name := range [...]string{"SYSCALL", "exit", "ses", "cmd", "exe", "pid", "ppid", "cwd", "addr"} {
		set(r, name, o.Get(name))
	}
	set(r, "acct", o.First("acct", "user"))
	set(r, "AUID", o.First("auditor", "user"))
	set(r, "res", o.Get("result"))
	if o.Get("result") == "fail" {
		r.Set("success", "no")
	}
	if o.Get("SYSCALL") == "connect" {
		set(r, "saddr", beatSocket(o.Get("to"), o.Get("port")))
	}
	if strings.HasPrefix(o.Get("SYSCALL"), "execve") {
		for _, f := range o.Fields {
			if f.Name == "arg" {
				r.Set("arg", f.Value)
			}
		}
	}
	beatPaths(r, o.Fields)
	return true
}

func set(r *telemetry.Record, name, value string) {
	if value != "" {
		r.Set(name, value)
	}
}

// beatPaths takes the names that a call made and removed; of one, its name comes before
// its type.
func beatPaths(r *telemetry.Record, fields []telemetry.Field) {
	last := ""
	for _, f := range fields {
		switch {
		case f.Name == "name":
			last = f.Value
		case f.Name == "nametype" && last != "" && (f.Value == "CREATE" || f.Value == "DELETE"):
			r.Set(f.Value, last)
		}
	}
}

// beatSocket is an address and a port as the raw log has them: in hex, the family first.
func beatSocket(to, port string) string {
	a, err := netip.ParseAddr(to)
	n, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil {
		return ""
	}
	b := binary.BigEndian.AppendUint16([]byte{2, 0}, uint16(n))
	if a.Is6() {
		b = append([]byte{10, 0, b[2], b[3]}, 0, 0, 0, 0)
	}
	return hex.EncodeToString(append(b, a.AsSlice()...))
}
