package smb2

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// Clients keep what they read of a file in a cache: a later open of the same
// file reads only the rest. Opens that read a part are therefore held, and the
// next one goes on in the same content.

const (
	joinTime  = 5 * 60 * 1e9
	maxGroups = 1 << 12

	peekHash = 4096
)

// readKey is one state of one file as one client sees it.
type readKey struct {
	client, server model.Addr
	share, path    string
	size           int64
	modified       uint64
}

func (o *open) readKey(size int64) readKey {
	client, server := o.conn.ends()
	return readKey{client.Addr, server.Addr, strings.ToLower(o.tree.share), strings.ToLower(o.path), size, o.modified}
}

// readOpen is an open that read and is done.
type readOpen struct {
	open   *open
	flow   *flow
	how    wire.Ending
	at     wire.At
	prefix string // hash of the first 4,096 bytes, when it read them
}

// readGroup is opens that read parts of one file into one content.
type readGroup struct {
	key   readKey
	file  *content.File
	opens []*readOpen
	since model.Time
	busy  bool // an open goes on with it
	done  bool
	gone  *model.Deleted
}

// partialReads is the groups that wait for more.
type partialReads struct {
	byKey map[readKey]*readGroup
	queue []*readGroup // by the time of the last read; may hold one twice
}

// resume gives the group that the open goes on with.
func (l *partialReads) resume(o *open, now model.Time) *readGroup {
	if o.size < 0 || len(l.byKey) == 0 {
		return nil
	}
	g := l.byKey[o.readKey(o.size)]
	if g == nil || g.busy || now-g.since > joinTime {
		return nil
	}
	g.busy = true
	return g
}

// alone reports an open that read its file whole. What it shared a content with
// stands for itself then.
func (l *partialReads) alone(x *readOpen) {
	p := x.open.p
	if g := x.flow.joins; g != nil {
		l.remove(g)
		for _, earlier := range g.opens {
			earlier.emitWithout()
		}
	}
	x.flow.file.Close(content.End{Size: x.flow.size})
	t := x.open.record(reading, x.flow)
	t.Content = x.flow.file
	p.hold.add(x.open, t, false)
}

// add keeps an open that read a part, or reports it when nothing can join it.
func (l *partialReads) add(x *readOpen) {
	f, p := x.flow, x.open.p
	if f.moved.covers(0, peekHash) {
		x.prefix = hash(f.file.Head())
	}
	g := f.joins
	if g == nil {
		g = &readGroup{key: x.open.readKey(f.size), file: f.file}
	}
	g.busy = false
	g.opens = append(g.opens, x)
	g.since = p.env.Now()
	whole := f.size >= 0 && g.file.Covers(0, f.size)
	if whole || f.flaw != "" || f.size < 0 || x.open.path == "" {
		l.remove(g)
		g.emit(whole)
		return
	}
	l.keep(p, g)
}

func (l *partialReads) keep(p *protocol, g *readGroup) {
	if l.byKey == nil {
		l.byKey = make(map[readKey]*readGroup)
	}
	if old := l.byKey[g.key]; old != nil && old != g && !old.busy {
		l.remove(old)
		old.emit(false)
	}
	l.byKey[g.key] = g
	l.queue = append(l.queue, g)
	for len(l.queue) > maxGroups {
		l.pop()
	}
}

// pop reports the group that waited longest.
func (l *partialReads) pop() {
	g := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	if !g.done && !g.busy {
		l.remove(g)
		g.emit(false)
	}
}

func (l *partialReads) remove(g *readGroup) {
	g.done = true
	if l.byKey[g.key] == g {
		delete(l.byKey, g.key)
	}
}

func (l *partialReads) expire(now model.Time) {
	for len(l.queue) > 0 {
		if g := l.queue[0]; !g.done && !g.busy && now-g.since <= joinTime {
			return
		}
		l.pop()
	}
}

func (l *partialReads) flush() {
	for len(l.queue) > 0 {
		l.pop()
	}
}

// removed notes that the file of a group was deleted.
func (l *partialReads) removed(o *open, at model.Time) {
	if g := l.byKey[o.readKey(o.size)]; g != nil {
		g.gone = &model.Deleted{Time: at}
	}
}

// emit reports the group: one transfer, or peeks.
func (g *readGroup) emit(whole bool) {
	if !whole && g.peeks() {
		for _, x := range g.opens {
			x.emitPeek()
		}
		g.file.Abandon()
		return
	}
	last := g.opens[len(g.opens)-1]
	f := g.merged()
	t := g.opens[0].open.record(reading, f)
	e := content.End{Size: last.flow.size, Incomplete: f.flaw}
	if !whole {
		last.incomplete(&e, t)
	}
	t.Deleted = g.gone
	g.file.Close(e)
	t.Content = g.file
	last.open.p.hold.add(last.open, t, false)
}

// incomplete says why the last open of a group did not make it whole.
func (x *readOpen) incomplete(e *content.End, t *wire.Transfer) {
	if x.how != closed {
		t.Status = model.Interrupted
	}
	switch {
	case e.Incomplete != "":
	case x.open.unread > 0 && x.open.conn.unheard():
		e.Incomplete = "answers not captured"
	case x.how != closed:
		e.Incomplete = "interrupted: " + x.how.String()
	case x.flow.size < 0:
		e.Incomplete = "size not known"
	}
}

// merged is the flows of a group as one.
func (g *readGroup) merged() *flow {
	if len(g.opens) == 1 {
		return g.opens[0].flow
	}
	first := g.opens[0].flow
	f := &flow{start: first.start, end: first.end, flaw: first.flaw}
	for _, x := range g.opens {
		wire.Stretch(&f.start, &f.end, x.flow.start)
		wire.Stretch(&f.start, &f.end, x.flow.end)
		f.seen.Merge(x.flow.seen)
		f.notes = append(f.notes, x.flow.notes...)
		for _, c := range x.flow.conns {
			f.carriedBy(c)
		}
		if f.flaw == "" {
			f.flaw = x.flow.flaw
		}
	}
	f.notes = append(f.notes, note("read in parts by opens:", int64(len(g.opens))))
	return f
}

// peeks says that the group is looks into a file, no transfer of it.
func (g *readGroup) peeks() bool {
	for _, x := range g.opens {
		if !x.peek() {
			return false
		}
	}
	n := g.file.Seen()
	return fileshare.Peek(n, g.key.size)
}

// peek says that an open only looked into its file (contract, "No transfer").
func (x *readOpen) peek() bool {
	f := x.flow
	n := f.moved.size()
	return f.flaw == "" && !f.loss && x.how == closed && f.size > 0 && fileshare.Peek(n, f.size)
}

func (x *readOpen) emitPeek() {
	o := x.open
	a := o.session.access(o.conn, "peek", o.at, int(reading))
	a.Share, a.Object, a.Prefix = o.tree.share, o.path, x.prefix
	a.Detail = note("bytes read:", x.flow.moved.size()) + note(" of", x.flow.size)
	a.Seen.Merge(x.flow.seen)
	o.p.env.Access(a)
}

// emitWithout reports an open whose content went into another transfer.
func (x *readOpen) emitWithout() {
	if x.peek() {
		x.emitPeek()
		return
	}
	o, size, n := x.open, x.flow.size, x.flow.moved.size()
	t := o.record(reading, x.flow)
	t.Completeness, t.Reason = model.Partial, "bytes missing"
	t.Size, t.BytesSeen = &size, &n
	if x.how != closed {
		t.Status = model.Interrupted
	}
	o.p.hold.add(o, t, false)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
