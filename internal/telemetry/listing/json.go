package listing

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/jsonlog"
)

// members of objects that are used.
var members = set("EntryNumber InUse ParentPath FileName FileSize IsDirectory IsDir IsAds Created0x10 Created0x30 " +
	"FullPath SHA1 SHA256 MD5 FileKeyLastWriteTimestamp IsOsComponent Size " +
	"ExecutableName RunCount LastRun FilesLoaded PreviousRun0 PreviousRun1 PreviousRun2 PreviousRun3 PreviousRun4 PreviousRun5 PreviousRun6 " +
	"OSPath EntryPath Path Mode Btime BTime Ctime CTime Timestamps Timestamps.Btime Timestamps.Ctime KeyMTime Hash Hash.MD5 Hash.SHA1 Hash.SHA256 Executable Binary LastRunTimes Fqdn Hostname HostName Computer")

// objects are rows of the makers of tables, and of Velociraptor's artifacts.
func objects(zone *time.Location) jsonlog.Form {
	return jsonlog.Form{
		Name: func(path string) string {
			if !members[path] {
				return ""
			}
			return path
		},
		Finish:   func(r *telemetry.Record) bool { return finish(r, zone) },
		Timeless: true, // of hashes it may not be said since when
	}
}

// finish turns the members of an object into a file, or the starts of a program.
func finish(r *telemetry.Record, zone *time.Location) bool {
	o := &telemetry.Record{Fields: slices.Clone(r.Fields)}
	r.Fields = r.Fields[:0]
	take := shape(o)
	if take == nil {
		return false
	}
	take(r, zone)
	r.Host = o.First("Fqdn", "Hostname", "HostName", "Computer")
	return true
}

// shape tells the maker of an object by its members.
func shape(o *telemetry.Record) func(*telemetry.Record, *time.Location) {
	for _, m := range makers {
		if !slices.ContainsFunc(m.needs, func(c string) bool { return o.Get(c) == "" }) {
			return func(r *telemetry.Record, zone *time.Location) {
				r.Stream = m.stream
				m.take(o.Get, r, zone)
			}
		}
	}
	switch {
	case o.Get("LastRunTimes") != "" && o.Get("Executable") != "":
		return func(r *telemetry.Record, zone *time.Location) { takeRuns(o, r, zone) }
	case listsFile(o):
		return func(r *telemetry.Record, zone *time.Location) { takeFile(o, r, zone) }
	}
	return nil
}

// listsFile says whether an object is a row of one of Velociraptor's artifacts that list
// files: Windows.NTFS.MFT, FileFinder (with FullPath in older releases), HashHunter, LocalHashes,
// Amcache and their like.
func listsFile(o *telemetry.Record) bool {
	switch {
	case o.First("OSPath", "FullPath", "EntryPath", "Path") == "":
		return false
	case o.First("Hash.MD5", "Hash.SHA1", "Hash.SHA256") != "":
		return true
	case o.First("SHA256", "SHA1", "MD5") != "":
		return o.First("OSPath", "FullPath", "EntryPath") != "" || o.Get("Size") != ""
	}
	return o.First("OSPath", "FullPath") != "" && o.First("Size", "FileSize") != "" && o.First("Btime", "BTime", "Ctime", "CTime", "Created0x10") != ""
}

func takeFile(o, r *telemetry.Record, zone *time.Location) {
	r.Stream = "velociraptor"
	for _, name := range [...]string{"Created0x30", "Created0x10", "Btime", "BTime", "Timestamps.Btime", "KeyMTime", "Ctime", "CTime", "Timestamps.Ctime"} {
		if t, ok := stamp(o.Get(name), zone); ok {
			r.Time = t
			break
		}
	}
	if yes(o.Get("IsDir")) || o.Get("InUse") == "F" {
		return
	}
	f := file{path: o.First("OSPath", "FullPath", "EntryPath", "Path"), mode: mode(o.Get("Mode")), size: number(o.First("Size", "FileSize")),
		md5: o.First("MD5", "Hash.MD5"), sha1: inAmcache(o.First("SHA1", "Hash.SHA1")), sha256: o.First("SHA256", "Hash.SHA256")}
	f.put(r)
}

// mode is a file's rights, where they are written as ls does.
func mode(s string) string {
	if len(s) == 10 {
		return s
	}
	return ""
}

// takeRuns takes a row of Windows.Forensics.Prefetch.
func takeRuns(o, r *telemetry.Record, zone *time.Location) {
	r.Stream = "velociraptor"
	var ran []string
	for s := range strings.SplitSeq(o.Get("LastRunTimes"), ",") {
		if t, ok := stamp(s, zone); ok {
			r.Time = max(r.Time, t)
			ran = append(ran, strconv.FormatInt(int64(t), 10))
		}
	}
	if len(ran) > 0 {
		r.Set("image", o.First("Binary", "Executable"))
		r.Set("ran", strings.Join(ran, " "))
	}
}
