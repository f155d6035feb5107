// Package eve reads the events that Suricata writes (eve.json). In comes a file of
// JSON objects; out come records named by their path in the object
// ("fileinfo.filename"), of the stream "suricata/" and the event's type, and what was
// damaged, with its line. Payloads and counters are left out. It judges nothing and
// keeps no event.
package eve

import (
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/jsonlog"
)

// JSON is the form; package sensor follows it.
var JSON = telemetry.Format{Kind: "suricata-eve", Family: "sensor", Looks: form.Looks, Open: form.Open}

var form = jsonlog.Form{Name: name, Finish: finish}

// left out are what Suricata adds of the packets themselves, what says nothing of an
// event, and secrets.
var leftOut = map[string]bool{
	"payload": true, "payload_printable": true, "packet": true, "packet_info": true, "stream": true, "stats": true, "files": true, "metadata": true,
	"http.http_request_body": true, "http.http_request_body_printable": true, "http.http_response_body": true, "http.http_response_body_printable": true,
	"http.request_headers": true, "http.response_headers": true, "capture_file": true, "tcp": true, "tls": true, "dns": true, "xff": true, "in_iface": true,
	"ssh.client.hassh.string": true, "ssh.server.hassh.string": true, "email": true, "smtp": true,
}

// name is the path, below what shippers put around an event.
func name(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "suricata."), "eve.")
	if path == "host" {
		return "sensor"
	}
	if leftOut[path] {
		return ""
	}
	return path
}

// layouts of times: with the zone as Suricata writes it, and as RFC 3339 does.
var layouts = [...]string{"2006-01-02T15:04:05.999999-0700", time.RFC3339Nano}

// Stamp reads a time; 0 when it is none. Most are of UTC, which RFC 3339 has a quick
// form for.
func Stamp(s string) model.Time {
	if utc, ok := strings.CutSuffix(s, "+0000"); ok {
		s = utc + "Z"
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return model.Time(t.UnixNano())
		}
	}
	return 0
}

// streams are the names of events, so that each needs none of its own.
var streams = map[string]string{}

func init() {
	for _, t := range strings.Fields("alert anomaly fileinfo smb ftp ftp_data tftp nfs http ssh rdp dcerpc krb5 dhcp flow netflow dns tls stats smtp") {
		streams[t] = "suricata/" + t
	}
}

func finish(r *telemetry.Record) bool {
	kind := r.Get("event_type")
	r.Time = Stamp(r.Get("timestamp"))
	if kind == "" || r.Time == 0 || len(kind) > 32 {
		return false
	}
	if r.Stream = streams[kind]; r.Stream == "" {
		r.Stream = "suricata/" + kind
		return r.Get("flow_id") != "" // others have types and times too
	}
	return true
}
