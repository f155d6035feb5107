package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"waybill/internal/model"
)

// soon is how long after its arrival a start is told in the same sentence.
const soon = 10 * 60e9

// tell makes sentences of a transfer: that it moved, and when it was started.
func (c *chain) tell(m *move) []step {
	at := begin(m.Transfer)
	s := step{time: at, last: max(at, m.End), to: m.to, file: fileName(m.Transfer)}
	s.text = m.sentence()
	how := m.Completeness
	if how != model.Opaque && how != model.Inferred {
		how = ""
	}
	way := strings.Join([]string{m.Operation, m.Status, how, m.Channel, hostKey(m.Source)}, "\x00")
	s.batch = way + "\x00" + strings.ToLower(m.Account()) + "\x00" + hostKey(m.Destination)
	s.fan, s.alike = way+"\x00"+cmp.Or(m.content, m.Name), s.file+" went the same way to"
	if m.Operation != model.Pull { // of what many fetch, each does so under its own account
		s.fan += "\x00" + strings.ToLower(m.Account())
	}
	s.more = fmt.Sprintf("from %s to %s the same way", m.from, m.to)
	starts := slices.Clone(m.Executed)
	slices.SortStableFunc(starts, func(a, b model.Execution) int { return cmp.Compare(a.Time, b.Time) })
	n := 0
	for n < len(starts) && starts[n].Time-s.last <= soon {
		n++
	}
	if n > 0 {
		s.starts = true
		s.text += "; " + "started there " + started(starts[:n], at, m.Account())
	}
	if m.Deleted != nil {
		s.text += "; deleted again " + clock(m.Deleted.Time, at)
	}
	out := []step{s}
	if later := starts[n:]; len(later) > 0 {
		text := fmt.Sprintf("%s was started on %s %s", fileName(m.Transfer), m.to, started(later, 0, ""))
		out = append(out, step{time: later[0].Time, last: later[len(later)-1].Time, text: text,
			fan: "start " + cmp.Or(m.content, m.Name), alike: s.file + " was started on", to: m.to, starts: true})
	}
	return out
}

// started says when, how and by whom a file was started, where that is another account
// than the one that is told already. The time is left out where none is told before.
func started(all []model.Execution, told model.Time, by string) string {
	var ways []string
	user := ""
	for _, x := range all {
		if way := wayOf(&x); !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
		if ofPerson(strings.ToLower(x.User)) != "" {
			user = cmp.Or(user, x.User)
		}
	}
	text := "as " + strings.Join(ways[:min(len(ways), namesMost)], " and ")
	if told != 0 {
		text = clock(all[0].Time, told) + " " + text
	}
	if user != "" && !strings.EqualFold(user, by) {
		text += " by " + user
	}
	return text
}

// wayOf names how a file was started.
func wayOf(x *model.Execution) string {
	switch x.How {
	case "service":
		if x.Process != "" {
			return fmt.Sprintf("service %q", clip(x.Process))
		}
	case "module-load":
		if x.Process != "" {
			return "a module of " + base(x.Process)
		}
		return "a module"
	case "task":
		return "a scheduled task"
	case "wmi", "dcom":
		return strings.ToUpper(x.How) + " command"
	case "winrm":
		return "WinRM command"
	}
	return cmp.Or(x.How, "a program")
}

// sentence says who copied what from where to where, by which account and channel.
func (m *move) sentence() string {
	text := m.deed()
	if ch := channel(m.Channel); ch != "" {
		text += " over " + ch
	}
	if account := m.Account(); account != "" {
		text += " as " + account
	}
	if tool := m.with(); tool != "" {
		text += " with " + tool
	}
	return text + m.reserve()
}

// deed is who did what. The bytes decide the direction, the initiator the verb.
func (m *move) deed() string {
	what, from, to, place := file(m.Transfer), m.from, m.to, placeOf(m.Transfer)
	if m.retold && m.Completeness != model.Opaque {
		what = fileName(m.Transfer)
	}
	if place != "" {
		place = " (" + place + ")"
	}
	switch {
	case m.Status == model.Denied || m.Status == model.Failed:
		return fmt.Sprintf("%s was refused %s, %s to %s%s", m.by, what, from, to, place)
	case m.Completeness == model.Inferred && m.Source.Name() == "":
		return fmt.Sprintf("%s was on %s%s by then; where it came from is not shown", what, to, place)
	case m.Completeness == model.Inferred:
		return fmt.Sprintf("%s was on %s%s by then, most likely from %s", what, to, place, from)
	case m.Operation == model.Copy && m.Client != nil:
		return fmt.Sprintf("%s had %s copied from %s to %s%s", m.by, what, from, to, place)
	case m.Operation == model.Pull:
		return fmt.Sprintf("%s fetched %s from %s%s", to, what, from+m.receipt(), place)
	case m.had != nil:
		return fmt.Sprintf("%s passed on %s%s to %s%s", from, what, m.receipt(), to, place)
	case m.Completeness == model.Opaque:
		return fmt.Sprintf("%s sent %s to %s", from, what, to)
	}
	return fmt.Sprintf("%s copied %s to %s%s", from, what, to, place)
}

// receipt says when the sender had received what it gives.
func (m *move) receipt() string {
	if m.had == nil || m.rehad {
		return ""
	}
	text := ", received " + clock(begin(m.had.Transfer), begin(m.Transfer))
	if m.had.Name != "" && !strings.EqualFold(m.had.Name, m.Name) {
		text += " as " + clip(m.had.Name)
	}
	return text + ","
}

// reserve says what of the movement is not sure.
func (m *move) reserve() string {
	switch {
	case m.Status == model.Claimed:
		return " (asked for; that it arrived is not shown)"
	case m.Status == model.Interrupted:
		return " (broken off)"
	case m.Completeness == model.Partial && m.Status == model.Done:
		return " (not all of it was seen)"
	}
	return ""
}

// with is the program that moved it, where it tells something.
func (m *move) with() string {
	if m.Tool != "" {
		return m.Tool
	}
	switch p := base(m.Process); strings.ToLower(p) {
	case "", "system", "explorer.exe", "svchost.exe", strings.ToLower(m.Name): // or it was started from where it lies
		return ""
	default:
		return p
	}
}

// file is what moved, as a person calls it.
func file(t *model.Transfer) string {
	if t.Completeness == model.Opaque {
		if t.Estimate != nil {
			return fmt.Sprintf("about %s, encrypted", humanize.IBytes(uint64(max(t.Estimate.Size, 0))))
		}
		return "something encrypted"
	}
	var more []string
	if t.Size != nil {
		more = append(more, humanize.IBytes(uint64(max(*t.Size, 0))))
	}
	if kind := kinds[t.Type]; kind != "" {
		more = append(more, kind)
	}
	if len(more) == 0 {
		return fileName(t)
	}
	return fmt.Sprintf("%s (%s)", fileName(t), strings.Join(more, ", "))
}

// kinds are types of content as people say them; the others say nothing here.
var kinds = map[string]string{"pe": "a Windows program", "elf": "a Linux program", "macho": "a Mac program", "java": "a Java program",
	"script": "a script", "archive": "an archive", "shortcut": "a shortcut", "dump": "a memory dump", "database": "a database", "registry": "a registry hive"}

func fileName(t *model.Transfer) string {
	if t.Name == "" && t.Completeness == model.Opaque {
		return file(t)
	}
	return clip(cmp.Or(t.Name, "a file without name"))
}

// placeOf is where the file lies, with its share: the folder, where its name is told
// already.
func placeOf(t *model.Transfer) string {
	if t.Completeness == model.Opaque {
		return ""
	}
	place := withShare(t)
	if dir, ok := strings.CutSuffix(place, t.Name); ok && t.Name != "" {
		return clip(strings.TrimRight(dir, `\/`))
	}
	return clip(place)
}

func withShare(t *model.Transfer) string {
	share := strings.TrimRight(t.Share, `\`)
	share = share[strings.LastIndexByte(share, '\\')+1:]
	if share == "" || !strings.HasPrefix(t.Channel, "smb") {
		return t.Path
	}
	return share + `\` + strings.TrimPrefix(t.Path, `\`)
}

// channel is how a person names a channel; "" where it is not known.
func channel(ch string) string {
	switch ch {
	case "", "unknown":
		return ""
	case "smb1":
		return "SMB 1"
	case "smb2", "smb":
		return "SMB"
	case "sync-folder":
		return "a synced folder"
	case "removable":
		return "a removable medium"
	case "deploy":
		return "software distribution"
	case "gpo":
		return "group policy"
	case "guest":
		return "the hypervisor"
	}
	return strings.ToUpper(ch)
}

func name(e model.Endpoint) string { return cmp.Or(e.Name(), "an unknown host") }

// clock is a time of the day, with the day when that is another one than before.
func clock(t, before model.Time) string {
	at := time.Unix(0, int64(t)).UTC()
	if at.Format(time.DateOnly) != time.Unix(0, int64(before)).UTC().Format(time.DateOnly) {
		return at.Format(time.DateTime)
	}
	return at.Format(time.TimeOnly)
}

// clipped is how long a name may be in a sentence.
const clipped = 100

func clip(s string) string {
	if r := []rune(s); len(r) > clipped {
		return string(r[:clipped/2]) + "…" + string(r[len(r)-clipped/2:])
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// some are the first of some names.
func some(names []string) string {
	if len(names) > namesMost {
		return strings.Join(names[:namesMost], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}
