package zeek

import (
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/jsonlog"
)

// form is what is special to rows that are objects.
var form = jsonlog.Form{Name: canonical, Finish: finish}

// canonical is a field's name as Zeek has it: shippers turn its dots into lines, and
// put a row one deeper. What the sensor calls itself is "sensor".
func canonical(path string) string {
	path = strings.TrimPrefix(path, "zeek.")
	switch path {
	case "_system_name", "@system":
		return "sensor"
	case "@stream":
		return "_path"
	}
	for _, p := range [...]string{"id_", "times_", "data_channel_"} {
		if rest, ok := strings.CutPrefix(path, p); ok {
			return p[:len(p)-1] + "." + rest
		}
	}
	return path
}

// finish sets time and stream. An object that is no row of a log that is known counts
// under the name it gives itself.
func finish(r *telemetry.Record) bool {
	for _, name := range [...]string{"ts", "@timestamp", "_write_ts"} {
		if t, ok := stamp(r.Get(name)); ok {
			r.Time = t
			break
		}
	}
	path := r.Get("_path")
	if path == "" {
		path = pathOf(r)
	}
	r.Stream = stream(path)
	return path != "" && (r.Time != 0 || r.Get("uid") != "" || r.Get("fuid") != "")
}
