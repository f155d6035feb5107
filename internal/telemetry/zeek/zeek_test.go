package zeek

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"waybill/internal/telemetry"
)

const header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t%s\n#open\t2026-03-17-09-00-00\n#fields\t%s\n#types\tx\n"

// head is the header of a log with some fields.
func head(path string, fields ...string) string {
	return fmt.Sprintf(header, path, strings.Join(fields, "\t"))
}

func row(values ...string) string { return strings.Join(values, "\t") + "\n" }

// read gives the rows of a text, each as stream, line, time and fields, and what was damaged.
func read(t *testing.T, f telemetry.Format, text string) (rows, damage []string) {
	t.Helper()
	l := f.Open(strings.NewReader(text), telemetry.OpenOptions{})
	var b telemetry.Batch
	var bytes int64
	for {
		err := l.Next(&b)
		bytes += b.Bytes
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Records {
			s := fmt.Sprintf("%s %d %d", r.Stream, r.Line, int64(r.Time))
			for _, f := range r.Fields {
				s += " " + f.Name + "=" + f.Value
			}
			rows = append(rows, s)
		}
	}
	if bytes != int64(len(text)) {
		t.Errorf("%d bytes of %d", bytes, len(text))
	}
	return rows, l.Damage()
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\ninstead of\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTSV(t *testing.T) {
	files := head("files", "ts", "fuid", "source", "mime_type", "md5")
	for name, c := range map[string]struct {
		text         string
		rows, damage []string
	}{
		"a row": {files + row("1773738000.5", "F1", "SMB", "-", "(empty)") + "#close\t2026\n",
			[]string{"zeek/files 9 1773738000500000000 fuid=F1 source=SMB"}, nil},
		"the last row without its end": {files + "1773738000.123456\tF1\tSMB\ttext/plain\tabc",
			[]string{"zeek/files 9 1773738000123456000 fuid=F1 source=SMB mime_type=text/plain md5=abc"}, nil},
		"the last row cut": {files + row("1.0", "F1", "SMB", "-", "-") + "2.0\tF2\tSM",
			[]string{"zeek/files 9 1000000000 fuid=F1 source=SMB"}, []string{"line 10: the last row is cut off"}},
		"a row with too few and one with too many": {files + row("1.0", "F1") + row("1.0", "F2", "SMB", "-", "-", "-") + row("1.0", "F3", "SMB", "-", "-"),
			[]string{"zeek/files 11 1000000000 fuid=F3 source=SMB"}, []string{"line 9: 2 fields instead of 5", "line 10: 6 fields instead of 5"}},
		"masked times": {files + row("XXXXXXXXXX.XXXXXX", "F1", "SMB", "-", "-"), []string{"zeek/files 9 0 fuid=F1 source=SMB"}, nil},
		"escapes": {files + row("1.0", `F\x09\x2d1`, `a\\b`, `\xc3\xbc\x5`, `\\x41\`),
			[]string{"zeek/files 9 1000000000 fuid=F\t-1 source=a\\b mime_type=\u00fc\\x5 md5=\\x41\\"}, nil},
		"a header in the middle": {files + row("1.0", "F1", "SMB", "-", "-") + head("conn", "ts", "uid", "proto") + row("2.0", "C1", "tcp"),
			[]string{"zeek/files 9 1000000000 fuid=F1 source=SMB", "zeek/conn 18 2000000000 uid=C1 proto=tcp"}, nil},
		"another file without its fields": {files + row("1.0", "F1", "SMB", "-", "-") + "#separator \\x09\n" + row("2.0", "F2", "SMB", "-", "-"),
			[]string{"zeek/files 9 1000000000 fuid=F1 source=SMB"}, []string{"line 11: a row before #fields"}},
		"the end of another file before it": {row("1.0", "F1", "SMB", "-", "-") + "#close\t2026\n" + files + row("2.0", "F2", "SMB", "-", "-"),
			[]string{"zeek/files 11 2000000000 fuid=F2 source=SMB"}, []string{"line 1: a row before #fields"}},
		"no path": {strings.Replace(head("x", "ts", "fuid", "source", "seen_bytes"), "#path\tx\n", "", 1) + row("1.0", "F1", "SMB", "5"),
			[]string{"zeek/files 8 1000000000 fuid=F1 source=SMB seen_bytes=5"}, nil},
		"a carriage return":  {strings.ReplaceAll(files+row("1.0", "F1", "SMB", "-", "x"), "\n", "\r\n"), []string{"zeek/files 9 1000000000 fuid=F1 source=SMB md5=x"}, nil},
		"another separator":  {"#separator \\x2c\n#path,ssh\n#fields,ts,uid,client\n1.0,C1,a\n", []string{"zeek/ssh 4 1000000000 uid=C1 client=a"}, nil},
		"a comment before":   {"### a test's remark\n" + files, nil, nil},
		"nothing but a head": {files, nil, nil},
	} {
		if !TSV.Looks([]byte(c.text)) {
			t.Errorf("%s: not told", name)
		}
		rows, damage := read(t, TSV, c.text)
		check(t, name, rows, c.rows...)
		check(t, name+": damage", damage, c.damage...)
	}
	for name, text := range map[string]string{
		"a rotated file without its header": row("1.0", "F1", "SMB", "-", "-"),
		"a script":                          "#!/bin/sh\n# separator \\x09\n",
		"nothing":                           "",
	} {
		if TSV.Looks([]byte(text)) {
			t.Errorf("%s: taken for a log", name)
		}
	}
}

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct {
		text         string
		rows, damage []string
	}{
		"its own form": {`{"ts":1773738000.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":5,"conn_state":"SF","local_orig":true,"x":null,"y":[]}`,
			[]string{"zeek/conn 1 1773738000500000000 ts=1773738000.5 uid=C1 id.orig_h=10.0.0.1 id.orig_p=5 conn_state=SF local_orig=T"}, nil},
		"_path, RFC 3339, an object": {`{"_path":"ssh","_system_name":"sensor1","ts":"2026-03-17T09:00:00.5Z","uid":"C1","id":{"orig_h":"10.0.0.1","orig_p":5}}`,
			[]string{"zeek/ssh 1 1773738000500000000 _path=ssh sensor=sensor1 ts=2026-03-17T09:00:00.5Z uid=C1 id.orig_h=10.0.0.1 id.orig_p=5"}, nil},
		"@stream, lines for dots": {`{"@stream":"smb_files","@system":"s","ts":1773738000.25,"uid":"C1","id_orig_h":"10.0.0.1","times_modified":1.5}`,
			[]string{"zeek/smb_files 1 1773738000250000000 _path=smb_files sensor=s ts=1773738000.25 uid=C1 id.orig_h=10.0.0.1 times.modified=1.5"}, nil},
		"milliseconds, lists": {`{"ts":1773738000123,"fuid":"F1","source":"HTTP","seen_bytes":7,"tx_hosts":["10.0.0.1","10.0.0.2"]}`,
			[]string{"zeek/files 1 1773738000123000000 ts=1773738000123 fuid=F1 source=HTTP seen_bytes=7 tx_hosts=10.0.0.1,10.0.0.2"}, nil},
		"a shipper's envelope": {`{"@timestamp":"2026-03-17T10:00:00Z","message":"{\"_path\":\"ftp\",\"ts\":1.0,\"uid\":\"C1\"}"}`,
			[]string{"zeek/ftp 1 1000000000 _path=ftp ts=1.0 uid=C1"}, nil},
		"one deeper":     {`{"zeek":{"_path":"ftp","ts":1.0,"uid":"C1"}}`, []string{"zeek/ftp 1 1000000000 _path=ftp ts=1.0 uid=C1"}, nil},
		"a log not used": {`{"_path":"weird","ts":1.0,"uid":"C1"}`, []string{"zeek/weird 1 1000000000 _path=weird ts=1.0 uid=C1"}, nil},
		"damage":         {"{\"_path\":\"ftp\",\"ts\":1.0,\"uid\":\"C1\"}\n{\"ts\":\n\n{\"_path\":\"ftp\",\"ts\":2.0,\"uid\":\"C2\"}\n{\"_path\":\"ft", []string{"zeek/ftp 1 1000000000 _path=ftp ts=1.0 uid=C1", "zeek/ftp 4 2000000000 _path=ftp ts=2.0 uid=C2"}, []string{"line 2: no JSON", "line 5: no JSON"}},
	} {
		if !JSON.Looks([]byte(c.text + "\n")) {
			t.Errorf("%s: not told", name)
		}
		rows, damage := read(t, JSON, c.text)
		check(t, name, rows, c.rows...)
		check(t, name+": damage", damage, c.damage...)
	}
	for _, text := range []string{`{"a":1}`, `{"ts":1.0,"uid":"C1"}`, `{"timestamp":"2026-03-17T09:00:00+0000","event_type":"flow"}`, "[]", "x"} {
		if JSON.Looks([]byte(text + "\n")) {
			t.Errorf("%s: taken for a row of Zeek", text)
		}
	}
}

// TestBatches reads more than a batch, in which strings are not the next one's.
func TestBatches(t *testing.T) {
	var text strings.Builder
	text.WriteString(head("conn", "ts", "uid"))
	for i := range 1000 {
		text.WriteString(row("1.0", fmt.Sprint("C", i)))
	}
	rows, _ := read(t, TSV, text.String())
	if len(rows) != 1000 || !strings.HasSuffix(rows[999], "uid=C999") {
		t.Errorf("%d rows, the last %q", len(rows), rows[len(rows)-1])
	}
}

// FuzzZeek asks of both forms that rows have a stream, and that every byte is counted.
func FuzzZeek(f *testing.F) {
	f.Add(head("files", "ts", "fuid", "source") + row("1.0", "F1", "SMB"))
	f.Add(`{"_path":"ssh","ts":"2026-03-17T09:00:00.5Z","uid":"C1","id":{"orig_h":"10.0.0.1","orig_p":5}}`)
	f.Add("#separator \\x\n#fields\\\n\\")
	f.Add(`{"message":"{\"ts\":1e300,\"uid\":[{\"a\":{}}]}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []telemetry.Format{TSV, JSON} {
			format.Looks([]byte(text))
			l, rows := format.Open(strings.NewReader(text), telemetry.OpenOptions{}), 0
			var b telemetry.Batch
			for l.Next(&b) != io.EOF {
				for i := range b.Records {
					if r := &b.Records[i]; !strings.HasPrefix(r.Stream, "zeek/") || r.Line < 1 || r.Time < 0 {
						t.Fatalf("%+v", r)
					}
				}
				if rows += len(b.Records); rows > len(text) {
					t.Fatal("more rows than bytes")
				}
			}
		}
	})
}
