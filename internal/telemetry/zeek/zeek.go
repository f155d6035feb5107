// Package zeek reads logs of Zeek: tab-separated files with their header, and lines
// of JSON as Zeek, Corelight and their shippers write them. In comes a file; out come
// its rows under the names of Zeek's own fields ("id.orig_h"), absent ones left out,
// and what was damaged, with its line. Which log a row belongs to is told by its
// #path, its _path, or the fields that it has, never by the name of the file. It
// judges nothing and keeps no row.
package zeek

import (
	"math"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Family is who follows the rows: package sensor.
const Family = "sensor"

// TSV and JSON are the forms.
var (
	TSV  = telemetry.Format{Kind: "zeek-tsv", Family: Family, Looks: looksRows, Open: openTSV}
	JSON = telemetry.Format{Kind: "zeek-json", Family: Family, Looks: form.Looks, Open: form.Open}
)

// streams are the names of logs, so that rows need none of their own.
var streams = map[string]string{}

func init() {
	for _, l := range logs {
		streams[l.name] = "zeek/" + l.name
	}
	for _, name := range [...]string{"dns", "ssl", "x509", "weird", "known_hosts", "analyzer"} {
		streams[name] = "zeek/" + name
	}
}

// stream names a log as records do.
func stream(path string) string {
	if s := streams[path]; s != "" {
		return s
	}
	return "zeek/" + path
}

// logs are the logs that can be told by their fields: all of one line have to be
// there. The first that fits counts.
var logs = []struct {
	name   string
	fields []string
}{
	{"smb_files", []string{"uid", "action", "name", "times.modified"}},
	{"smb_files", []string{"uid", "action", "path", "name"}},
	{"smb_mapping", []string{"uid", "path", "share_type"}},
	{"files", []string{"fuid", "source", "seen_bytes"}},
	{"http", []string{"uid", "trans_depth"}},
	{"conn", []string{"uid", "conn_state"}},
	{"ftp", []string{"uid", "command", "reply_code"}},
	{"ftp", []string{"uid", "command", "arg"}},
	{"ssh", []string{"uid", "client", "server"}},
	{"rdp", []string{"uid", "security_protocol"}},
	{"rdp", []string{"uid", "cookie"}},
	{"dce_rpc", []string{"uid", "operation", "endpoint"}},
	{"kerberos", []string{"uid", "request_type"}},
	{"ntlm", []string{"uid", "hostname", "domainname"}},
	{"ntlm", []string{"uid", "server_nb_computer_name"}},
	{"dhcp", []string{"uids", "mac"}},
	{"notice", []string{"note", "msg"}},
	{"pe", []string{"machine", "compile_ts"}},
}

// pathOf tells a row's log by its fields.
func pathOf(r *telemetry.Record) string {
	for _, l := range logs {
		fits := true
		for _, f := range l.fields {
			fits = fits && r.Get(f) != ""
		}
		if fits {
			return l.name
		}
	}
	return ""
}

// milliseconds is where a whole number is one of them: as seconds, the year 5138.
const milliseconds = 100_000_000_000

// stamp reads a time: seconds since 1970, RFC 3339, or milliseconds since 1970
// (LogAscii::json_timestamps).
func stamp(s string) (model.Time, bool) {
	if sec, frac, _ := strings.Cut(s, "."); sec != "" && sec[0] >= '0' && sec[0] <= '9' && !strings.Contains(s, "-") {
		whole, err := strconv.ParseInt(sec, 10, 64)
		if err != nil {
			f, err := strconv.ParseFloat(s, 64) // with an exponent
			return model.Time(f * 1e9), err == nil && f > 0 && f < math.MaxInt64/1e9
		}
		if whole >= milliseconds {
			return model.Time(whole) * 1e6, whole < math.MaxInt64/1_000_000
		}
		if whole <= 0 || whole >= math.MaxInt64/1_000_000_000 || len(frac) > 18 {
			return 0, false
		}
		nanos := int64(0)
		if frac != "" {
			n, err := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
			if err != nil {
				return 0, false
			}
			nanos = n
		}
		return model.Time(whole*1e9 + nanos), true
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, false
	}
	return model.Time(t.UnixNano()), true
}
