package listing

import (
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// file is one row before it is known whether it matters.
type file struct {
	path, mode        string
	size              int64 // -1 where it is not known
	md5, sha1, sha256 string
}

// put writes the file into a record, if it may matter.
func (f *file) put(r *telemetry.Record) {
	hashed := f.hashes()
	if f.path == "" || f.size == 0 || hashed == 0 && (f.size < 0 || !matters(f.path, f.mode)) {
		return
	}
	r.Set("path", f.path)
	if f.size > 0 {
		r.Set("size", strconv.FormatInt(f.size, 10))
	}
	for _, h := range [...][2]string{{"md5", f.md5}, {"sha1", f.sha1}, {"sha256", f.sha256}} {
		if h[1] != "" {
			r.Set(h[0], h[1])
		}
	}
}

// hashes counts those that are ones, and drops the others: of nothing, too short, zeros.
func (f *file) hashes() int {
	n := 0
	for _, h := range [...]*string{&f.md5, &f.sha1, &f.sha256} {
		if *h = hash(*h); *h != "" {
			n++
		}
	}
	return n
}

// empty are the hashes of no bytes.
var empty = map[string]bool{
	"d41d8cd98f00b204e9800998ecf8427e":                                 true,
	"da39a3ee5e6b4b0d3255bfef95601890afd80709":                         true,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": true,
}

// hash is a hash in lower case, "" when it is none.
func hash(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if algorithm(s) == "" || empty[s] || strings.Trim(s, "0") == "" {
		return ""
	}
	return s
}

// algorithm tells a hash by its length, "" when it is none.
func algorithm(s string) string {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	switch len(s) {
	case 32:
		return "md5"
	case 40:
		return "sha1"
	case 64:
		return "sha256"
	}
	return ""
}

// set takes a hash by its length.
func (f *file) set(s string) bool {
	switch algorithm(s) {
	case "md5":
		f.md5 = s
	case "sha1":
		f.sha1 = s
	case "sha256":
		f.sha256 = s
	default:
		return false
	}
	return true
}

// layouts of stamps, as the tools write them.
var layouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"}

// stamp reads a time: with a zone, in UTC as most tools write it, or seconds since 1970.
func stamp(s string, zone *time.Location) (model.Time, bool) {
	if s == "" || s == "0" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	if len(s) > 4 && s[4] != '-' {
		sec, err := strconv.ParseFloat(s, 64)
		return model.Time(sec * 1e9), err == nil && sec > 0 && sec < 9e9
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return model.Time(t.UnixNano()), t.Year() > 1980 && t.Year() < 2200
		}
	}
	return 0, false
}
