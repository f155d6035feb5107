package zeek

import (
	"strings"
	"testing"
)

// TestRowsWithoutHeader: which log a row is of is told by its columns; what could be
// another table is none.
func TestRowsWithoutHeader(t *testing.T) {
	const (
		when = "1773738000.123456"
		ends = "CHhAvVGS1DHFjwGM9\t10.0.0.1\t50000\t10.0.0.2\t445"
	)
	conn := row(when, ends, "tcp", "smb", "1.5", "7", "9", "SF", "T", "T", "0", "ShADadFf", "5", "6", "7", "8", "-")
	smb := row(when, ends, "Fab", "SMB::FILE_WRITE", `\\fs\c$`, `t\a.exe`, "70", "-", "-", "-", "-", "-")
	mapped := row(when, ends, `\\fs\c$`, "-", "NTFS", "DISK")
	files := row(when, "FHhAvVGS1DHFjwGM9a", "CHhAvVGS1DHFjwGM9", "10.0.0.1", "50000", "10.0.0.2", "445", "SMB", "0", "SHA1", "application/x-dosexec", "a.exe", "0.1", "T", "T", "70", "70", "0", "0", "F", "-", "-", "ab", "-", "-", "-", "-")
	older := row(when, "FHhAvVGS1DHFjwGM9a", "10.0.0.1", "10.0.0.2", "CHhAvVGS1DHFjwGM9", "HTTP", "0", "-", "text/plain", "-", "0.1", "T", "T", "70", "70", "0", "0", "F", "-", "-", "-", "-", "-", "-", "-")
	for name, c := range map[string]struct {
		text, want string
	}{
		"conn":        {conn, "zeek/conn id.resp_p=445 conn_state=SF orig_pkts=5"},
		"smb_files":   {smb + smb, `zeek/smb_files action=SMB::FILE_WRITE name=t\a.exe size=70`},
		"smb_mapping": {mapped, `zeek/smb_mapping path=\fs\c$ share_type=DISK`},
		"files":       {files, "zeek/files source=SMB filename=a.exe seen_bytes=70 md5= sha1=ab"},
		"older files": {older, "zeek/files tx_hosts=10.0.0.1 rx_hosts=10.0.0.2 mime_type=text/plain"},
		"two logs":    {conn + smb, "zeek/conn conn_state=SF"},
	} {
		if !TSV.Looks([]byte(c.text)) {
			t.Errorf("%s: not told", name)
		}
		rows, damage := read(t, TSV, c.text)
		if len(rows) != strings.Count(c.text, "\n") || len(damage) > 0 {
			t.Fatalf("%s: %q %q", name, rows, damage)
		}
		for part := range strings.FieldsSeq(c.want) {
			if n, v, _ := strings.Cut(part, "="); v == "" && strings.Contains(part, "=") {
				if strings.Contains(rows[0], n+"=") {
					t.Errorf("%s: %s in %s", name, n, rows[0])
				}
			} else if !strings.Contains(rows[0]+" ", part+" ") {
				t.Errorf("%s: no %s in %s", name, part, rows[0])
			}
		}
	}
	for name, text := range map[string]string{
		"another table":    row("1773738000.123456", "10.0.0.1", "10.0.0.2", "a", "b", "c", "d", "e", "f", "DISK"),
		"another order":    row(when, "10.0.0.1\t50000\t10.0.0.2\t445\tCHhAvVGS1DHFjwGM9", `\\fs\c$`, "-", "NTFS", "DISK"),
		"no addresses":     row(when, "CHhAvVGS1DHFjwGM9\ta\t50000\tb\t445", `\\fs\c$`, "-", "NTFS", "DISK"),
		"a column more":    row(when, ends, `\\fs\c$`, "-", "NTFS", "DISK", "x"),
		"another word":     row(when, ends, `\\fs\c$`, "-", "NTFS", "TAPE"),
		"the second row":   mapped + "text\n",
		"half a row":       mapped[:len(mapped)-3],
		"a time in words":  row("2026-03-17", ends, `\\fs\c$`, "-", "NTFS", "DISK"),
		"of another maker": row(when, "sess-1773738000-1\t10.0.0.1\t50000\t10.0.0.2\t445", `\\fs\c$`, "-", "NTFS", "DISK"),
	} {
		if TSV.Looks([]byte(text)) {
			t.Errorf("%s: taken for a log of Zeek", name)
		}
	}
}
