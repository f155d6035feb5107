package syslog

import (
	"html"
	"strings"

	"waybill/internal/telemetry"
)

// sysmon reads the event that a line of Sysmon for Linux holds: one <Event> element.
func sysmon(r *telemetry.Record, message string) {
	_, rest, ok := strings.Cut(message, "<EventID>")
	id, rest, ok2 := strings.Cut(rest, "</EventID>")
	if !ok || !ok2 {
		return
	}
	r.Set("EventID", id)
	for {
		_, data, found := strings.Cut(rest, `<Data Name="`)
		name, value, ok := strings.Cut(data, `">`)
		value, rest, ok2 = strings.Cut(value, "</Data>")
		if !found || !ok || !ok2 {
			return
		}
		name = name[strings.LastIndexByte(name, '"')+1:] // behind one without a value
		value = html.UnescapeString(value)
		switch name {
		case "ProcessId":
			name = "pid"
		case "Image":
			name = "exe"
		}
		r.Set(name, value)
	}
}
