package rsync

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// sending is one file on its way.
type sending struct {
	entry *entry
	seq   uint32 // where it was announced
	file  *content.File
	again bool // it was sent before, and what was made of it was wrong

	block, rest int64 // blocks that the receiver has: size, and that of the last one
	count       int64
	base        int64 // what is appended begins here
	at          int64 // the next byte is this one
	matched     int64 // bytes that the receiver had
	token       int64 // the block that was named last

	conflict   fileshare.Conflict
	start, end model.Time
	first      model.Time
	seen       wire.Packets
}

// start begins a file.
func (s *sender) start(e *entry) {
	f := &sending{entry: e, seq: s.seq, again: e.sent, file: s.d.p.env.File(content.Read), first: s.chunk.Time}
	s.damage = s.d.wire.Conflicts[s.from]
	f.seen.Add(s.chunk.At)
	if s.now = f; s.codec != nil {
		s.codec.file()
	}
}

// touch notes a packet with bytes of the file, and copies of bytes that differ.
func (s *sender) touch(at wire.At) {
	f := s.now
	wire.Stretch(&f.start, &f.end, at.Time)
	f.seen.Add(at)
	n := s.d.wire.Conflicts[s.from]
	f.conflict.Saw(s.damage, n, f.at-f.base, s.d.wire.Corrupt)
	s.damage = n
}

// write takes the next bytes of the file.
func (f *sending) write(b []byte, block content.Block) {
	f.file.Write(f.at-f.base, b, block)
	f.at += int64(len(b))
}

// ends is where a block ends.
func (f *sending) ends(n int64) int64 {
	if n == f.count && n > 0 && f.rest > 0 {
		return (n-1)*f.block + f.rest
	}
	return n * f.block
}

// most is the most that blocks add up to, whatever their numbers say.
const most = 1 << 62

// match takes blocks that the receiver has.
func (f *sending) match(first, n int64) {
	last := min(max(first, 0)+n, f.count)
	size := f.ends(last) - f.ends(min(max(first, 0), last))
	f.matched = min(f.matched+size, most)
	f.at = min(f.at+size, most)
}

// finish reports the file under way; why says what ended it too early.
func (s *sender) finish(why string) {
	f := s.now
	if f == nil {
		return
	}
	s.now = nil
	f.entry.sent = true
	if f.base > 0 && f.at == f.base {
		f.file.Abandon() // there was nothing to append
		return
	}
	t := s.record(f)
	t.Notes = append(t.Notes, f.conflict.Notes...)
	switch {
	case f.at == f.entry.size:
	case why != "":
		t.Status = cmp.Or(s.d.status, model.Done)
	case s.codec == nil || s.codec.why == "":
		t.Notes = append(t.Notes, fmt.Sprintf("its size was %d when it was listed", f.entry.size))
	}
	if fileshare.Metadata(t.Path, f.file.Seen(), f.file.High(), f.file.Head()) {
		f.file.Abandon()
		s.d.access("metadata", s.from, f.seq, t)
		return
	}
	f.file.Close(s.close(f, why))
	t.Content = f.file
	s.d.p.env.Transfer(t)
}

// close says how the content ends. What was not said to be over may be all there.
func (s *sender) close(f *sending, why string) content.End {
	e := content.End{Size: f.at - f.base}
	switch {
	case s.codec != nil && s.codec.why != "":
		e.Incomplete = s.codec.why
	case f.matched > 0:
		e.Incomplete = fmt.Sprintf("only differences were sent: %d bytes of %d are of an older copy", f.matched, f.entry.size)
	case why != "" && f.at != f.entry.size:
		e.Incomplete = why
	case f.conflict.Flaw != "":
		e.Incomplete = f.conflict.Flaw
	default:
		return e
	}
	e.Size = max(f.at, f.entry.size) - f.base
	return e
}

func (s *sender) record(f *sending) *wire.Transfer {
	d := s.d
	t := &wire.Transfer{Conns: []*wire.Conn{d.wire}, Seen: f.seen, What: "rsync"}
	t.ID = wire.ID("t", channel, d.wire, s.from, f.seq, 0, []byte(f.entry.name)...)
	if t.Start, t.End = f.start, f.end; f.start == 0 {
		t.Start, t.End = f.first, f.first
	}
	t.Channel, t.Share, t.Status = channel, d.module, model.Done
	d.place(t, f.entry.name)
	t.Source, t.Destination = d.wire.Ends[s.from].Endpoint(), d.wire.Ends[s.from.Other()].Endpoint()
	t.Operation, t.Initiator = model.Pull, model.ByDestination
	if s.a.push {
		t.Operation, t.Initiator = model.Push, model.BySource
	}
	if t.User = d.user; d.user != "" {
		t.Auth = "challenge"
	}
	t.Session = &model.Session{Dialect: fmt.Sprintf("rsync protocol %d", s.a.version), Compressed: s.a.compress, Channels: 1}
	if f.base > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("appended at %d", f.base))
	}
	if f.again {
		t.Notes = append(t.Notes, "sent again: what the receiver had made of it was wrong")
	}
	return t
}

// place says where in the module a file is or goes. In the list it has its path below
// what was asked for.
func (d *conn) place(t *wire.Transfer, name string) {
	t.Path = strings.TrimPrefix(name, "/")
	t.Name = path.Base(name)
	if d.a.push {
		d.placed(t)
		return
	}
	if base, ok := d.a.base(); ok && !d.a.relative {
		t.Path = path.Join(base, name)
	}
}

// base is the folder that all that was asked for lies in.
func (o *options) base() (folder string, ok bool) {
	if len(o.targets) == 0 || len(o.targets) > maxTargets {
		return "", false
	}
	for i, t := range o.targets {
		if !strings.HasSuffix(t, "/") && t != "" {
			t = path.Dir(t)
		}
		t = path.Clean("/" + t)[1:]
		if i > 0 && t != folder || strings.ContainsAny(t, "*?[") {
			return "", false
		}
		folder = t
	}
	return folder, true
}

// placed says where a file goes: below the folder that the client names, or under the
// name that it gives to a single file. Which it is the receiver decides by what it
// has (main.c, get_local_name); the same ending speaks for a name.
func (d *conn) placed(t *wire.Transfer) {
	if len(d.a.targets) != 1 {
		return
	}
	to := d.a.targets[0]
	if d.several || !renames(to, t.Path) {
		t.Path = path.Join(to, t.Path)
		return
	}
	if t.Path = path.Clean(to); path.Base(to) != t.Name {
		t.EarlierNames = []string{t.Name}
		t.Name = path.Base(to)
	}
}

func renames(to, name string) bool {
	last := to[strings.LastIndexByte(to, '/')+1:]
	if last == "" || strings.Contains(name, "/") {
		return false
	}
	return last == name || path.Ext(last) != "" && path.Ext(last) == path.Ext(name)
}
