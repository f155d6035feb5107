// Package shellhist reads histories of shells that hold times: bash's with
// HISTTIMEFORMAT set and zsh's with EXTENDED_HISTORY. In comes a file; out come its
// commands, a line each, with their time. What has no time is passed over. It runs
// and judges nothing.
package shellhist

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is both forms.
var Format = telemetry.Format{Kind: "shell-history", Family: "unixhost", Looks: looks, Open: open}

func looks(head []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte{'\n'})
	s := strings.TrimSpace(string(line))
	_, bash := bashTime(s)
	_, _, zsh := zshLine(s)
	return bash || zsh
}

func open(r io.Reader, _ telemetry.OpenOptions) telemetry.Log {
	var at model.Time
	return linelog.Open(logtext.NewReader(r), "a shell's history", func(line string, r *telemetry.Record) linelog.Taken {
		if t, ok := bashTime(line); ok {
			at = t
			return linelog.Nothing
		}
		if t, command, ok := zshLine(line); ok {
			at, line = t, command
		}
		if at == 0 {
			return linelog.Nothing
		}
		r.Time, r.Stream = at, "shell-history"
		r.Set("command", line)
		return linelog.Record
	})
}

// bashTime reads "#SECONDS", as bash writes it before a command (bash(1), HISTTIMEFORMAT).
func bashTime(line string) (model.Time, bool) {
	rest, ok := strings.CutPrefix(line, "#")
	return seconds(rest, ok)
}

// zshLine reads ": SECONDS:ELAPSED;COMMAND" (zshoptions(1), EXTENDED_HISTORY).
func zshLine(line string) (model.Time, string, bool) {
	rest, ok := strings.CutPrefix(line, ": ")
	when, rest, ok2 := strings.Cut(rest, ":")
	_, command, ok3 := strings.Cut(rest, ";")
	t, ok := seconds(strings.TrimSpace(when), ok && ok2 && ok3)
	return t, command, ok
}

func seconds(s string, ok bool) (model.Time, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if !ok || err != nil || len(s) < 9 || len(s) > 10 {
		return 0, false
	}
	return model.Time(n) * 1e9, true
}
