// Package listing reads what tools list of the files of a host: file tables,
// Amcache and Prefetch as CSV or JSON, hash lists, body files, and a plain table.
// In come their rows; out come the files that may matter, each with where it lay,
// since when, its size and hashes as far as the listing says, and the starts that
// Prefetch remembers. A listing shows no movement: whether a file came from another
// host is for others to say. It reads no file itself, and what it keeps is bounded.
package listing

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Family is who follows the rows: this package.
const Family = "listing"

// The forms.
var (
	CSV  = telemetry.Format{Kind: "listing-csv", Family: Family, Looks: looksCSV, Open: openCSV}
	JSON = telemetry.Format{Kind: "listing-json", Family: Family, Looks: objects(time.UTC).Looks,
		Open: func(r io.Reader, o telemetry.OpenOptions) telemetry.Log { return objects(zoned(o)).Open(r, o) }}
	Body = telemetry.Format{Kind: "bodyfile", Family: Family, Looks: looksBody, Open: openBody}
	Sums = telemetry.Format{Kind: "hash-list", Family: Family, Looks: looksSums, Open: openSums}
)

// Fields of a record: "path", "size", "md5", "sha1", "sha256" of a file; "image" and
// "ran" (times as nanoseconds, by blanks) of a program that was started. A row that
// cannot matter has none, and counts for coverage alone.

// maxFiles bounds the files that are kept of all listings, maxStarts the starts.
const (
	maxFiles  = 1 << 20
	maxStarts = 1 << 18
)

// Listings is the state of all listings of a run.
type Listings struct {
	o     telemetry.FollowerOptions
	out   telemetry.Result
	words map[string]string // what many rows have in common is kept once
	hosts map[string]bool
	left  int64
}

// New makes a state without rows.
func New(o telemetry.FollowerOptions) telemetry.Follower {
	return &Listings{o: o, words: map[string]string{}, hosts: map[string]bool{}}
}

// Record takes a row.
func (l *Listings) Record(r *telemetry.Record) {
	if len(r.Fields) == 0 {
		return
	}
	host := l.word(r.Host)
	if !l.hosts[host] && host != "" {
		l.hosts[host] = true
		l.out.Hosts = append(l.out.Hosts, host)
	}
	if image := r.Get("image"); image != "" {
		l.started(r, host, image)
		return
	}
	if len(l.out.Sightings) >= maxFiles {
		l.left++
		return
	}
	s := telemetry.Sighting{Host: host, Path: l.word(r.Get("path")), Stream: l.word(r.Stream), Time: r.Time, Input: r.Input, Line: int32(r.Line),
		MD5: l.word(r.Get("md5")), SHA1: l.word(r.Get("sha1")), SHA256: l.word(r.Get("sha256")), Size: -1}
	if n, err := strconv.ParseInt(r.Get("size"), 10, 64); err == nil {
		s.Size = n
	}
	l.out.Sightings = append(l.out.Sightings, s)
}

// word gives a text that was kept before, or keeps it.
func (l *Listings) word(s string) string {
	if s == "" {
		return ""
	}
	if kept, ok := l.words[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	l.words[s] = s
	return s
}

// started takes the starts that Prefetch remembers of a program.
func (l *Listings) started(r *telemetry.Record, host, image string) {
	image = strings.Clone(image)
	for n := range strings.SplitSeq(r.Get("ran"), " ") {
		at, err := strconv.ParseInt(n, 10, 64)
		if err != nil || len(l.out.Starts) >= maxStarts {
			continue
		}
		what := model.Evidence{Input: l.o.Inputs[r.Input], Kind: "event", Computer: host, Channel: r.Stream, Line: r.Line, What: "Prefetch: the program was started"}
		l.out.Starts = append(l.out.Starts, telemetry.Start{Host: &model.Endpoint{Host: host}, Image: image,
			Execution: model.Execution{Time: model.Time(at), How: "process", Process: image, Evidence: []model.Evidence{what}}})
	}
}

// Close gives all files.
func (l *Listings) Close() *telemetry.Result {
	l.words = nil
	if l.left > 0 {
		l.out.NeverLogged = append(l.out.NeverLogged, fmt.Sprintf("listings: %d further files were left out, %d are kept", l.left, maxFiles))
	}
	return &l.out
}

// matters says whether a file of which no hash is known may be one that an intruder
// brings: a program, a script, an archive, outside of where the system and its
// packages keep thousands.
func matters(path string, mode string) bool {
	path = strings.ToLower(strings.ReplaceAll(path, `\`, "/"))
	if slices.ContainsFunc(stores[:], func(s string) bool { return strings.Contains(path, s) }) {
		return false
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i >= 0 && extensions[name[i+1:]] {
		return true
	}
	return strings.HasPrefix(mode, "-") && strings.Contains(mode, "x")
}

// stores are folders that only the system and its packages write to.
var stores = [...]string{"/windows/winsxs/", "/windows/servicing/", "/windows/assembly/", "/windows/softwaredistribution/", "/windows/installer/",
	"/usr/share/", "/usr/lib/", "/usr/src/", "/var/lib/dpkg/", "/var/lib/docker/", "/system/library/", "/snap/", "/proc/", "/sys/"}

var extensions = set("exe dll sys com scr pif cpl ocx msi msp jar ps1 psm1 bat cmd vbs vbe js jse wsf wsh hta lnk py sh pl elf bin so dylib pkg dmg rpm deb apk " +
	"zip 7z rar gz tgz bz2 xz tar cab iso img vhd vhdx one chm reg inf sct xll wll")

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}
