// Package esxi reads the text logs of VMware ESXi: hostd, shell, auth, syslog and
// vmkernel, in the form of 8.0 and in those before. In comes a file; out come records
// for package unixhost with the program as their stream, its pid and its message. No
// line names the host: whose logs they are is told from outside. It judges nothing.
package esxi

import (
	"io"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is all of these logs: each line tells its own form.
var Format = telemetry.Format{Kind: "esxi", Family: "unixhost", Looks: looks, Open: open}

// streams of the programs that are followed. Others are counted as "esxi".
var streams = map[string]string{"sshd": "sshd", "sftp-server": "sftp-server", "shell": "esxi/shell", "hostd": "esxi/hostd", "vmkernel": "esxi/vmkernel", "envoy-access": "esxi/web"}

func looks(head []byte) bool {
	return linelog.Looks(head, func(line string) bool { return read(line, &telemetry.Record{}) == linelog.Record })
}

func open(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "a log of ESXi", read)
}

// read takes "TIMEZ [SEVERITY] PROGRAM[PID]: MESSAGE". A line that begins with a blank,
// or with no time, belongs to the one before.
func read(line string, r *telemetry.Record) linelog.Taken {
	date, rest, ok := strings.Cut(line, " ")
	if !ok || len(date) < 20 || date[10] != 'T' || !strings.HasSuffix(strings.TrimSuffix(date, ":"), "Z") {
		return linelog.Broken
	}
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSuffix(date, ":"))
	if err != nil {
		return linelog.Broken
	}
	r.Time = model.Time(t.UnixNano())
	rest, graded := ungraded(rest)
	if kernel(strings.TrimPrefix(rest, "vmkernel: "), r) {
		return linelog.Record
	}
	end := strings.IndexAny(rest, "[: ")
	if end <= 0 || rest[end] == ' ' {
		return linelog.Broken
	}
	program := strings.ToLower(rest[:end])
	if r.Stream = streams[program]; r.Stream == "" {
		if !graded {
			return linelog.Broken
		}
		r.Stream = "esxi"
		return linelog.Record
	}
	if rest[end] == '[' {
		pid, more, ok := strings.Cut(rest[end+1:], "]")
		if !ok {
			return linelog.Broken
		}
		r.Set("pid", pid)
		rest, end = more, 0
	}
	r.Set("message", strings.TrimSpace(strings.TrimPrefix(rest[end:], ":")))
	return linelog.Record
}

// kernel takes "cpuN:WORLD opID=X)MESSAGE" of the kernel.
func kernel(rest string, r *telemetry.Record) bool {
	head, message, ok := strings.Cut(rest, ")")
	if !ok || !strings.HasPrefix(head, "cpu") {
		return false
	}
	r.Stream = "esxi/vmkernel"
	r.Set("message", message)
	return true
}

// ungraded takes off a severity: "In(14) " since 8.0, "info " of hostd before.
func ungraded(s string) (rest string, graded bool) {
	word, rest, ok := strings.Cut(s, " ")
	if !ok {
		return s, false
	}
	if len(word) >= 5 && word[2] == '(' && word[len(word)-1] == ')' {
		return rest, true
	}
	switch word {
	case "info", "warning", "error", "verbose", "trivia", "panic":
		return rest, true
	}
	return s, false
}
