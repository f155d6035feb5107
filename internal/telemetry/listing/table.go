package listing

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/logtext"
)

// maker is a tool that lists files, told by columns that all have to be there.
type maker struct {
	stream string
	needs  []string
	take   func(row, *telemetry.Record, *time.Location)
}

// row gives a column's value, "" when it is absent.
type row func(column string) string

var makers = []maker{
	{"mftecmd", []string{"EntryNumber", "ParentPath", "FileName", "FileSize", "Created0x10"}, takeMFT},
	{"amcache", []string{"FullPath", "SHA1", "FileKeyLastWriteTimestamp"}, takeAmcache},
	{"prefetch", []string{"ExecutableName", "RunCount", "LastRun"}, takePrefetch},
}

// plain is the columns of a table that anybody can write.
var plain = set("host time path size sha256 sha1 md5 what")

// makerOf tells the maker by the columns, nil for none.
func makerOf(columns []string) *maker {
	has := map[string]bool{}
	own := true
	for _, c := range columns {
		has[c] = true
		own = own && plain[c]
	}
	for i, m := range makers {
		all := true
		for _, c := range m.needs {
			all = all && has[c]
		}
		if all {
			return &makers[i]
		}
	}
	if own && has["path"] && (has["size"] || has["sha256"] || has["sha1"] || has["md5"]) {
		return &maker{stream: "files", take: takePlain}
	}
	return nil
}

// takeMFT takes a row of MFTECmd ($MFT). The time of the name (0x30) is harder to forge
// than that of the file (0x10), and left out where both are equal.
func takeMFT(c row, r *telemetry.Record, zone *time.Location) {
	at := c("Created0x30")
	if at == "" {
		at = c("Created0x10")
	}
	r.Time, _ = stamp(at, zone)
	if yes(c("IsDirectory")) || yes(c("IsAds")) || no(c("InUse")) {
		return
	}
	f := file{path: strings.TrimPrefix(c("ParentPath"), ".") + `\` + c("FileName"), size: number(c("FileSize"))}
	f.put(r)
}

// amcacheHashed is how much of a file the SHA-1 in Amcache covers.
const amcacheHashed = 31457280

// takeAmcache takes a row of AmcacheParser's file entries.
func takeAmcache(c row, r *telemetry.Record, zone *time.Location) {
	r.Time, _ = stamp(c("FileKeyLastWriteTimestamp"), zone)
	if yes(c("IsOsComponent")) {
		return
	}
	f := file{path: c("FullPath"), size: number(c("Size")), sha1: inAmcache(c("SHA1"))}
	if f.size > amcacheHashed {
		f.sha1 = ""
	}
	f.put(r)
}

// inAmcache is a SHA-1 without the zeros that the registry has before it.
func inAmcache(sum string) string {
	if len(sum) == 44 {
		return sum[4:]
	}
	return sum
}

// takePrefetch takes a row of PECmd: a program and when it was started last.
func takePrefetch(c row, r *telemetry.Record, zone *time.Location) {
	name := c("ExecutableName")
	image := name
	for p := range strings.SplitSeq(c("FilesLoaded"), ",") {
		if p = strings.TrimSpace(p); strings.HasSuffix(strings.ToUpper(p), `\`+strings.ToUpper(name)) {
			image = p
			break
		}
	}
	var ran []string
	for i := -1; i < 7; i++ {
		column := "LastRun"
		if i >= 0 {
			column = "PreviousRun" + strconv.Itoa(i)
		}
		t, ok := stamp(c(column), zone)
		if !ok {
			continue
		}
		if i < 0 {
			r.Time = t
		}
		ran = append(ran, strconv.FormatInt(int64(t), 10))
	}
	if image != "" && len(ran) > 0 {
		r.Set("image", image)
		r.Set("ran", strings.Join(ran, " "))
	}
}

// takePlain takes a row of the plain table.
func takePlain(c row, r *telemetry.Record, zone *time.Location) {
	r.Host = c("host")
	r.Time, _ = stamp(c("time"), zone)
	f := file{path: c("path"), size: number(c("size")), md5: c("md5"), sha1: c("sha1"), sha256: c("sha256")}
	f.put(r)
}

func yes(s string) bool { return strings.EqualFold(s, "true") || s == "T" }
func no(s string) bool  { return strings.EqualFold(s, "false") || s == "F" }

// zoned is the zone of stamps without one.
func zoned(o telemetry.OpenOptions) *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// number reads a size; -1 when there is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// table reads a CSV file of a known maker.
type table struct {
	text    *logtext.Reader
	zone    *time.Location
	maker   *maker
	columns []string
	index   map[string]int
	number  int
	cells   [][]byte
	row     []byte
	ended   bool
	logtext.Faults
}

func openCSV(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return &table{text: logtext.NewReader(r), zone: zoned(o)}
}

// looksCSV asks for a header of a known maker.
func looksCSV(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return len(line) < 4096 && makerOf(header(line)) != nil
}

func header(line []byte) []string {
	var out []string
	for _, c := range cut(bytes.TrimRight(line, "\r\n"), nil) {
		out = append(out, strings.TrimSpace(string(c)))
	}
	return out
}

// Next reads the next rows.
func (t *table) Next(b *telemetry.Batch) error {
	b.Reset()
	for len(b.Records) < telemetry.BatchSize && !t.ended {
		at := t.number + 1
		line := t.line()
		if len(line) == 0 {
			continue
		}
		if m := t.headed(line); m {
			continue
		}
		t.take(line, at, b)
	}
	b.Bytes = t.text.Since()
	if t.ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}

// headed takes a header; it may come again where files were put together.
func (t *table) headed(line []byte) bool {
	if t.maker != nil && !bytes.HasPrefix(line, []byte(t.columns[0])) && !bytes.HasPrefix(line, []byte(`"`+t.columns[0])) {
		return false
	}
	columns := header(line)
	m := makerOf(columns)
	if m == nil {
		return false
	}
	t.maker, t.columns, t.index = m, columns, map[string]int{}
	for i, c := range columns {
		t.index[c] = i
	}
	return true
}

func (t *table) take(line []byte, at int, b *telemetry.Batch) {
	t.cells = cut(line, t.cells[:0])
	if t.maker == nil || len(t.cells) != len(t.columns) {
		t.Note("line %d: %d fields instead of %d", at, len(t.cells), len(t.columns))
		return
	}
	r := b.Next()
	r.Line, r.Stream = at, t.maker.stream
	t.maker.take(func(column string) string {
		if i, ok := t.index[column]; ok {
			return string(t.cells[i])
		}
		return ""
	}, r, t.zone)
}

// maxRow bounds a row over several lines: a quote that nobody closes ends with it.
const maxRow = 256 << 10

// line is the next row, without its end: of several lines where one is open in quotes.
func (t *table) line() []byte {
	t.row = t.row[:0]
	for !t.ended {
		line, err := t.text.Until('\n')
		t.number++
		if err != nil && !errors.Is(err, logtext.ErrTooLong) {
			t.ended = true
			if err != io.EOF {
				t.Note("after line %d: %v", t.number, err)
			}
		}
		if errors.Is(err, logtext.ErrTooLong) || len(t.row)+len(line) > maxRow {
			t.Note("line %d: longer than %d bytes: passed over", t.number, maxRow)
			return nil
		}
		if t.row = append(t.row, line...); bytes.Count(t.row, []byte(`"`))%2 == 0 {
			break
		}
	}
	return bytes.TrimRight(t.row, "\r\n")
}

// cut parts a row (RFC 4180) into cells that lie in it. The row is given up.
func cut(line []byte, cells [][]byte) [][]byte {
	for {
		if len(line) == 0 || line[0] != '"' {
			i := bytes.IndexByte(line, ',')
			if i < 0 {
				return append(cells, line)
			}
			cells, line = append(cells, line[:i]), line[i+1:]
			continue
		}
		cell, rest, more := quoted(line[1:])
		if cells = append(cells, cell); !more {
			return cells
		}
		line = rest
	}
}

// quoted reads a cell behind its opening quote. more says that another follows.
func quoted(line []byte) (cell, rest []byte, more bool) {
	n := 0
	for i := 0; i < len(line); i++ {
		if line[i] == '"' {
			if i+1 >= len(line) || line[i+1] != '"' {
				rest = line[i+1:]
				break
			}
			i++
		}
		line[n] = line[i]
		n++
	}
	cell = line[:n:n]
	if comma := bytes.IndexByte(rest, ','); comma >= 0 {
		return cell, rest[comma+1:], true
	}
	return cell, nil, false
}
