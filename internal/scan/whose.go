package scan

import (
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"waybill/internal/input"
	"waybill/internal/model"
	"waybill/internal/telemetry/listing"
)

// collection is how Velociraptor names an offline collection of a host.
var collection = regexp.MustCompile(`^Collection-(.+)-\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d`)

// hostOf is whose logs an input holds, where its events do not say: as the flag
// names it, else the folder of its collection. Collectors keep the files of a host
// under HOST/C/Windows/..., others in a folder of its own.
func (o *Options) hostOf(input string) string {
	if host := o.namedHost(input); host != "" {
		return host
	}
	parts := folders(input)
	for i := len(parts) - 2; i >= 0; i-- {
		if !logFolders[strings.ToLower(parts[i])] {
			return parts[i]
		}
	}
	return "unknown"
}

// logFolders are what folders of logs are called on any host.
var logFolders = map[string]bool{"var": true, "log": true, "logs": true, "audit": true, "auditd": true, "syslog": true, "secure": true, "journal": true, "rsyslog": true, "samba": true, "httpd": true, "apache2": true, "nginx": true}

// ownerOf parts inputs that are equal though they are of several hosts: lists of a
// host's files that do not say whose they are, where a flag or a collection does.
func (o *Options) ownerOf(in *input.Input) string {
	if in.Kind == listing.Body.Kind || in.Kind == listing.Sums.Kind {
		return o.namedHost(in.Name)
	}
	return ""
}

func folders(input string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(input, "!", "/"), func(r rune) bool { return r == '/' || r == '\\' })
}

// namedHost is the host that a flag or the form of a collection names; "" else.
func (o *Options) namedHost(input string) string {
	if host, ok := longest(o.HostOf, input); ok {
		return host
	}
	parts := folders(input)
	if host := unixCollection(parts); host != "" {
		return host
	}
	for i, p := range parts {
		if m := collection.FindStringSubmatch(p); m != nil {
			return m[1]
		}
		drive := strings.TrimSuffix(strings.ToLower(p), "%3a")
		if i > 0 && len(strings.TrimSuffix(drive, ":")) == 1 && i+1 < len(parts) && strings.EqualFold(parts[i+1], "windows") {
			return parts[i-1]
		}
	}
	return ""
}

// uac is how UAC names a collection (its documentation, "output formats").
var uac = regexp.MustCompile(`^uac-(.+)-[a-z]+-\d{14}(\.tar(\.gz)?|\.zip)?$`)

// unixCollection is the host that a collection of a Unix host is of: as UAC names it,
// or the folder that var/log or UAC's [root] lies in.
func unixCollection(parts []string) string {
	for _, p := range parts {
		if m := uac.FindStringSubmatch(p); m != nil {
			return m[1]
		}
	}
	for i, p := range parts {
		if i > 0 && (p == "[root]" || p == "var" && i+1 < len(parts) && parts[i+1] == "log") {
			return parts[i-1]
		}
	}
	return ""
}

// zoneOf is the zone of an input's stamps without one.
func (o *Options) zoneOf(input string) *time.Location {
	zone, _ := longest(o.Zones, input)
	return zone
}

// longest finds the value of the longest path that an input lies under; "" is any.
func longest[T any](byPath map[string]T, input string) (best T, found bool) {
	most := -1
	for p, v := range byPath {
		clean := filepath.Clean(p)
		if p == "" {
			clean = ""
		}
		rest, under := strings.CutPrefix(input, clean)
		if under && len(clean) > most && (clean == "" || rest == "" || rest[0] == '/' || rest[0] == '!' || rest[0] == '\\') {
			best, found, most = v, true, len(clean)
		}
	}
	return best, found
}

// setClock corrects the time of a record of a host whose clock is known to be wrong.
func (o *Options) setClock(host string, t *model.Time, assumed *bool) {
	if len(o.Clocks) == 0 || *t == 0 {
		return
	}
	name := strings.ToLower(host)
	bare, _, _ := strings.Cut(name, ".")
	d, ok := o.Clocks[name]
	if !ok {
		d, ok = o.Clocks[bare]
	}
	if ok {
		*t += model.Time(d)
		*assumed = true
	}
}
