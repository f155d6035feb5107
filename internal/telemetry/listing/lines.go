package listing

import (
	"io"
	"strconv"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

func looksSums(head []byte) bool {
	return linelog.Looks(head, func(line string) bool { return sums(line, &telemetry.Record{}) == linelog.Record })
}

func openSums(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "a hash list", sums)
}

func looksBody(head []byte) bool {
	return linelog.Looks(head, func(line string) bool { return body(line, &telemetry.Record{}) == linelog.Record })
}

func openBody(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "a body file", body)
}

// sums takes a line of md5sum, sha1sum or sha256sum (GNU coreutils manual, "md5sum
// invocation"), or one in the form of BSD (--tag).
func sums(line string, r *telemetry.Record) linelog.Taken {
	if line[0] == '#' {
		return linelog.Nothing
	}
	r.Stream = "hash-list"
	f := file{size: -1}
	sum, path, ok := strings.Cut(line, " ")
	switch {
	case ok && len(path) > 1 && (path[0] == ' ' || path[0] == '*') && f.set(strings.TrimPrefix(sum, `\`)):
		f.path = path[1:]
		if sum[0] == '\\' {
			f.path = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(f.path)
		}
	case strings.HasPrefix(path, "("):
		i := strings.LastIndex(path, ") = ")
		if i < 0 || !strings.EqualFold(sum, algorithm(path[i+4:])) || !f.set(path[i+4:]) {
			return linelog.Broken
		}
		f.path = path[1:i]
	default:
		return linelog.Broken
	}
	f.put(r)
	return linelog.Record
}

// bodyColumns of a body file (The Sleuth Kit, "Body file", version 3): MD5, name, inode,
// mode, UID, GID, size, and the times of access, modification, change and birth.
const bodyColumns = 11

func body(line string, r *telemetry.Record) linelog.Taken {
	if line[0] == '#' {
		return linelog.Nothing
	}
	c := strings.Split(line, "|")
	if len(c) < bodyColumns {
		return linelog.Broken
	}
	name := strings.Join(c[1:len(c)-9], "|") // it may have the separator
	c = c[len(c)-9:]                         // inode, mode, UID, GID, size, atime, mtime, ctime, crtime
	size, err := strconv.ParseInt(c[4], 10, 64)
	if err != nil || len(c[1]) < 4 {
		return linelog.Broken
	}
	r.Stream = "bodyfile"
	r.Time, _ = stamp(c[8], nil)
	if r.Time == 0 {
		r.Time, _ = stamp(c[7], nil)
	}
	mode := c[1][strings.LastIndexByte(c[1], '/')+1:] // The Sleuth Kit writes r/rrwxrwxrwx
	if strings.HasPrefix(mode, "r") {
		mode = "-" + mode[1:]
	}
	if mode == "" || mode[0] != '-' || strings.Contains(name, " -> ") {
		return linelog.Record // folders, links, devices
	}
	f := file{path: strings.TrimSuffix(name, " (deleted)"), mode: mode, size: size}
	f.set(line[:strings.IndexByte(line, '|')])
	f.put(r)
	return linelog.Record
}
