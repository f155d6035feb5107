package syslog

import (
	"io"
	"strings"
	"testing"

	"waybill/internal/telemetry"
)

// TestLooks tells system logs from logs of applications that date their lines alike.
func TestLooks(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"RFC 3164", "Nov 23 16:24:50 fs1 sshd[4121]: Accepted publickey for ops from 10.77.0.11 port 51544 ssh2", true},
		{"rsyslog's dates", "2026-11-23T16:25:01.865913+00:00 ws3 sftp-server[25947]: close \"svc.exe\" bytes read 0 written 183296", true},
		{"RFC 5424", "<38>1 2026-11-23T16:25:01Z ws3 sshd 77 - - Connection closed", true},
		{"an application's levels", "2026-11-23T16:25:01Z INFO com.example.Server: started\n2026-11-23T16:25:02Z WARN com.example.Server: slow", false},
		{"an application's words", "2026-11-23T16:25:01Z main the server has started\n2026-11-23T16:25:02Z main it is slow", false},
	} {
		if got := looks([]byte(c.text + "\n")); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestSeveralLines passes over the further lines of a message; what is no line of a
// system log is named.
func TestSeveralLines(t *testing.T) {
	const text = "Nov 23 16:24:50 fs1 app[1]: java.lang.Exception: no\n\tat com.example.A\n  at com.example.B\nwhat?\nNov 23 16:24:51 fs1 sshd[2]: x\n"
	l := open(strings.NewReader(text), telemetry.OpenOptions{})
	var b telemetry.Batch
	n := 0
	for l.Next(&b) != io.EOF {
		n += len(b.Records)
	}
	if d := l.Damage(); n != 2 || len(d) != 1 || !strings.Contains(d[0], "line 4") {
		t.Errorf("%d records, damage %q", n, d)
	}
}
