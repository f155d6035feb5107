// Package auditd reads logs of the Linux audit system: raw ones (auditd.conf(5)) and
// what ausearch prints: --raw, plainly, and interpreted (-i). In comes a file; out come its events,
// one record each, made of the lines of one serial number: who did it, what was run
// with which arguments, which names were made and removed, which address was called,
// which session began. Types that nobody follows are passed over. It judges nothing,
// and what it keeps of open events is bounded.
package auditd

import (
	"bytes"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Format is the raw form.
var Format = telemetry.Format{Kind: "auditd", Family: "unixhost", Looks: looks, Open: open}

func looks(head []byte) bool {
	return linelog.Looks(head, func(line string) bool {
		_, ok := parse(line, calendar{})
		return ok || separates(line)
	}) && bytes.Contains(head, []byte("msg=audit("))
}

// Bounds of the events that wait for more lines: lines of one event follow each other,
// but for those of a few others between them.
const (
	maxOpen               = 32
	wait       model.Time = 2e9
	maxPerItem            = 4096 // arguments and names of one event
)

type log struct {
	logtext.Lines
	open   []*event
	spare  []*event
	now    model.Time
	dates  calendar // of interpreted times
	parted bool     // printed by ausearch, which puts the lines of an event last one first
}

// event are the lines of one serial number.
type event struct {
	head
	line   int
	whole  bool
	fields []telemetry.Field
	parted bool
}

// head is what every line begins with.
type head struct {
	node, kind   string
	time         model.Time
	serial, rest string
	interpreted  bool // its values, by ausearch -i
}

func open(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	text := logtext.NewReader(r)
	head, _ := text.Peek(logtext.HeadSize)
	return &log{Lines: logtext.Lines{Reader: text}, dates: calendarOf(head, o.Zone)}
}

// Next reads the next events.
func (l *log) Next(b *telemetry.Batch) error {
	b.Reset()
	for len(b.Records) < telemetry.BatchSize {
		if l.ready() {
			l.give(b)
			continue
		}
		if l.Ended {
			break
		}
		l.line(string(bytes.Trim(l.Line(), "\r\n \t\x00\x1d")))
	}
	b.Bytes = l.Since()
	if l.Ended && len(b.Records) == 0 {
		return io.EOF
	}
	return nil
}

// ready says whether the oldest event has all its lines.
func (l *log) ready() bool {
	if len(l.open) == 0 {
		return false
	}
	e := l.open[0]
	return e.whole || l.Ended || len(l.open) > maxOpen || l.now-e.time > wait
}

func (l *log) give(b *telemetry.Batch) {
	e := l.open[0]
	l.open = append(l.open[:0], l.open[1:]...)
	r := b.Next()
	r.Time, r.Host, r.Stream, r.Line = e.time, e.node, "auditd", e.line
	r.Assumed = e.interpreted && l.dates.zone == nil
	r.Set("type", e.kind)
	r.Fields = append(r.Fields, e.fields...)
	l.spare = append(l.spare, e)
}

// separates says whether a line is one that ausearch puts between events.
func separates(line string) bool { return line == "----" || strings.HasPrefix(line, "time->") }

func (l *log) line(line string) {
	if line == "" {
		return
	}
	if separates(line) {
		l.part()
		return
	}
	h, ok := parse(line, l.dates)
	if !ok {
		if l.Ended {
			l.Note("line %d: the last line is cut off", l.Number)
			return
		}
		l.Note("line %d: no line of an audit log", l.Number)
		return
	}
	l.now = max(l.now, h.time)
	take := kinds[h.kind]
	if take == nil || h.kind == "EOE" && (l.parted || h.interpreted) { // the end, which ausearch puts first
		return
	}
	take(l.event(h), h.rest)
}

// part takes what ausearch puts between events: those before are whole.
func (l *log) part() {
	l.parted = true
	for _, e := range l.open {
		e.whole = true
	}
}

// event gives the event of a line.
func (l *log) event(h head) *event {
	for i := len(l.open) - 1; i >= 0; i-- {
		if e := l.open[i]; e.serial == h.serial && e.node == h.node && e.time == h.time {
			return e
		}
	}
	e := &event{}
	if n := len(l.spare); n > 0 {
		e, l.spare = l.spare[n-1], l.spare[:n-1]
	}
	*e = event{head: h, line: l.Number, fields: e.fields[:0], parted: l.parted || h.interpreted}
	l.open = append(l.open, e)
	return e
}

// parse reads "[node=HOST ]type=TYPE msg=audit(SECONDS.MILLIS:SERIAL): FIELDS", and with
// a local time, and a blank before the colon, what ausearch -i makes of it.
func parse(line string, dates calendar) (h head, ok bool) {
	if rest, found := strings.CutPrefix(line, "node="); found {
		if h.node, line, ok = strings.Cut(rest, " "); !ok {
			return h, false
		}
	}
	rest, ok := strings.CutPrefix(line, "type=")
	if !ok {
		return h, false
	}
	h.kind, rest, ok = strings.Cut(rest, " msg=audit(")
	if !ok || strings.ContainsRune(h.kind, ' ') {
		return h, false
	}
	when, rest, ok := strings.Cut(rest, ")")
	if !ok {
		return h, false
	}
	if colon := strings.LastIndexByte(when, ':'); strings.HasPrefix(rest, " :") && colon > 0 {
		h.time, ok = dates.time(when[:colon])
		h.serial, h.rest, h.interpreted = when[colon+1:], rest[2:], true
		return h, ok
	}
	seconds, serial, ok := strings.Cut(when, ":")
	whole, millis, _ := strings.Cut(seconds, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	ms, err2 := strconv.ParseInt(millis, 10, 64)
	if !ok || err != nil || err2 != nil || s <= 0 || s > 1<<33 || ms < 0 || ms > 999 {
		return h, false
	}
	h.time, h.serial = model.Time(s*1e9+ms*1e6), serial
	h.rest = strings.TrimPrefix(strings.TrimPrefix(rest, ":"), " ")
	return h, true
}

// kinds are the types of lines that are read.
var kinds = map[string]func(*event, string){
	"SYSCALL": fieldsOf("syscall success exit ppid pid auid ses comm exe arch SYSCALL AUID"), "CWD": fieldsOf("cwd"), "SOCKADDR": fieldsOf("saddr"),
	"EXECVE": execve, "PATH": path, "EOE": func(e *event, _ string) { e.whole = true }, "LOGIN": alone(fieldsOf("pid ses")),
	"USER_LOGIN": alone(user), "USER_START": alone(user), "USER_AUTH": alone(user), "USER_ACCT": alone(user), "CRED_ACQ": alone(user),
	"USER_CMD": alone(user),
}

var user = fieldsOf("pid ses acct exe addr hostname res cmd cwd terminal")

// alone makes events of one line.
func alone(take func(*event, string)) func(*event, string) {
	return func(e *event, rest string) {
		take(e, rest)
		e.whole = true
	}
}

// fieldsOf reads the fields of some names.
func fieldsOf(names string) func(*event, string) {
	wanted := map[string]bool{}
	for n := range strings.FieldsSeq(names) {
		wanted[n] = true
	}
	return func(e *event, rest string) {
		e.each(rest, func(name, value string) {
			if wanted[name] && len(e.fields) < maxPerItem {
				e.fields = append(e.fields, telemetry.Field{Name: name, Value: value})
			}
		})
	}
}

// execve reads the arguments: long ones come in pieces, aN[0]=, aN[1]=.
func execve(e *event, rest string) {
	each := each
	if e.interpreted {
		each = eachArgument
	}
	each(rest, func(name, value string) {
		if len(name) < 2 || name[0] != 'a' || name[1] < '0' || name[1] > '9' || strings.HasSuffix(name, "_len") || len(e.fields) >= maxPerItem {
			return
		}
		if n := len(e.fields); strings.HasSuffix(name, "]") && !strings.HasSuffix(name, "[0]") && n > 0 {
			e.fields[n-1].Value += value
			return
		}
		e.fields = append(e.fields, telemetry.Field{Name: "arg", Value: value})
	})
}

// path reads a name that the call looked up, under what was done with it.
func path(e *event, rest string) {
	name, kind := "", ""
	e.each(rest, func(n, value string) {
		switch n {
		case "name":
			name = value
		case "nametype":
			kind = value
		}
	})
	if kind != "CREATE" && kind != "DELETE" || name == "" || len(e.fields) >= maxPerItem {
		return
	}
	at := len(e.fields)
	if e.parted {
		at = 0
	}
	e.fields = slices.Insert(e.fields, at, telemetry.Field{Name: kind, Value: name})
}

// each gives the fields of a line of the event.
func (e *event) each(s string, take func(name, value string)) {
	if e.interpreted {
		eachInterpreted(s, take)
		return
	}
	each(s, take)
}

// encoded are the fields whose values are quoted, or in hex where they hold what
// cannot be.
var encoded = map[string]bool{"name": true, "cwd": true, "exe": true, "comm": true, "acct": true, "cmd": true}

// each gives the fields of a line. Those of a user's message stand within msg='...'.
func each(s string, take func(name, value string)) {
	for s != "" {
		s = strings.TrimLeft(s, " \x1d'")
		end := strings.IndexAny(s, "= ")
		if end < 0 {
			return
		}
		if s[end] == ' ' {
			s = s[end:]
			continue
		}
		name := s[:end]
		s = s[end+1:]
		switch {
		case s == "":
			take(name, "")
		case s[0] == '"':
			value, rest, _ := strings.Cut(s[1:], `"`)
			take(name, value)
			s = rest
		case s[0] == '\'' && name == "msg":
			s = s[1:]
		case s[0] == '{':
			_, s, _ = strings.Cut(s, "}")
		default:
			end := strings.IndexAny(s, " \x1d'")
			if end < 0 {
				end = len(s)
			}
			value := s[:end]
			if encoded[name] || name[:min(1, len(name))] == "a" && len(name) > 1 && name[1] >= '0' && name[1] <= '9' && !strings.HasSuffix(name, "_len") {
				value = unhex(value)
			}
			take(name, value)
			s = s[end:]
		}
	}
}

// unhex undoes the hex of a value, where it is that.
func unhex(s string) string {
	if len(s)%2 != 0 {
		return s
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return s
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}
