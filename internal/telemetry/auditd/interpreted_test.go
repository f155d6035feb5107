package auditd

import (
	"io"
	"slices"
	"strings"
	"testing"

	"waybill/internal/telemetry"
)

// read gives the records of a text, a line each.
func read(text string) []string {
	l := open(strings.NewReader(text), telemetry.OpenOptions{})
	var b telemetry.Batch
	var out []string
	for l.Next(&b) != io.EOF {
		for _, r := range b.Records {
			line, _ := r.Time.MarshalText()
			for _, f := range r.Fields {
				line = append(line, " "+f.Name+"="+f.Value+";"...)
			}
			out = append(out, string(line))
		}
	}
	return append(out, l.Damage()...)
}

// TestInterpreted: lines of ausearch 3.0.9, and its dates in other locales.
func TestInterpreted(t *testing.T) {
	const at = "2026-11-23T16:24:55.702000000Z "
	for text, want := range map[string]string{
		"type=USER_CMD msg=audit(11/23/26 16:24:55.702:3655) : pid=950 uid=anna auid=anna ses=7 subj=unconfined msg='cwd=/home/my a cmd=dd if=/tmp/a of=/tmp/b exe=/usr/bin/sudo terminal=pts/0 res=success' ":                                                                 at + "type=USER_CMD; pid=950; ses=7; cwd=/home/my a; cmd=dd if=/tmp/a of=/tmp/b; exe=/usr/bin/sudo; terminal=pts/0; res=success;",
		"node=ws3 type=SYSCALL msg=audit(11/23/2026 16:24:55.702:9) : arch=x86_64 syscall=execve success=no exit=EINPROGRESS(Operation now in progress) a0=0x1 items=2 ppid=901 pid=902 auid=anna uid=root ses=unset comm=my prog exe=/tmp/my prog=1 subj=unconfined key=exec": at + "type=SYSCALL; arch=x86_64; syscall=execve; success=no; exit=-115; ppid=901; pid=902; AUID=anna; comm=my prog; exe=/tmp/my prog=1;",
		"type=SOCKADDR msg=audit(2026-11-23 16:24:55.702:9) : saddr={ saddr_fam=inet6 laddr=2001:db8::5 lport=5632 } ":                                                                                                                                                         at + "type=SOCKADDR; saddr=0a0016000000000020010db8000000000000000000000005;",
		"type=EXECVE msg=audit(11/23/26 16:24:55.702:9) : argc=3 a0=scp a1=-t a2=/tmp/a b=c ":                                                                                                                                                                                  at + "type=EXECVE; arg=scp; arg=-t; arg=/tmp/a b=c;",
		"type=CWD msg=audit(23/11/26 16:24:55.702:9) : cwd=/home ":   at + "type=CWD; cwd=/home;",
		"type=CWD msg=audit(23.11.2026 16:24:55.702:9) : cwd=/home ": at + "type=CWD; cwd=/home;",
		"type=CWD msg=audit(11.12.2026 16:24:55.702:9) : cwd=/home ": "2026-12-11T16:24:55.702000000Z type=CWD; cwd=/home;",
		"type=CWD msg=audit(32/13/26 16:24:55.702:9) : cwd=/home\n":  "line 1: no line of an audit log",
	} {
		if got := read(text); !slices.Equal(got, []string{want}) {
			t.Errorf("%s\n%q", text, got)
		}
	}
}

// TestDayFirst: which number of a date is the day, another line of the file tells.
func TestDayFirst(t *testing.T) {
	const text = "type=CWD msg=audit(11/12/26 16:24:55.702:9) : cwd=/a \n----\ntype=CWD msg=audit(13/12/26 16:24:55.702:10) : cwd=/b \n"
	want := []string{"2026-12-11T16:24:55.702000000Z type=CWD; cwd=/a;", "2026-12-13T16:24:55.702000000Z type=CWD; cwd=/b;"}
	if got := read(text); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
