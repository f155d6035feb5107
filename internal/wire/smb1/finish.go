package smb1

import (
	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// Times within which opens of one file belong together (contract, transfer).
const (
	joinTime   = model.Time(300e9)
	renameTime = model.Time(60e9)
	maxPartial = 256
)

// readKey is one state of one file.
type readKey struct {
	share, path string
	size        int64
	modified    uint64
}

func (o *open) key() readKey { return readKey{o.tree.share, o.path, o.size, o.modified} }

// joins gives the partial read that an open goes on with.
func (c *conn) joins(o *open) *flow {
	if !o.known || o.size < 0 {
		return nil
	}
	f := c.partial[o.key()]
	if f == nil {
		return nil
	}
	delete(c.partial, o.key())
	if o.at.First.Time-f.last > joinTime {
		f.first.emitRead(f, closed)
		return nil
	}
	return f
}

// finish ends an open and reports what it moved.
func (o *open) finish(how wire.Ending, at wire.At) {
	if o.done {
		return
	}
	o.done = true
	c := o.c
	if c.opens[o.id] == o {
		delete(c.opens, o.id)
	}
	if o.pipe != nil {
		o.pipe.calls.Close()
		o.discard()
		return
	}
	if o.folder {
		o.discard()
		return
	}
	c.release(at.Time)
	o.finishWrites(how, at)
	o.finishReads(how, at)
	if o.remove {
		c.removed(o.tree.share, o.path, at)
	}
}

func (o *open) discard() {
	for _, f := range [...]*flow{o.read, o.write} {
		if f != nil {
			f.file.Abandon()
		}
	}
}

// finishWrites reports what was written.
func (o *open) finishWrites(how wire.Ending, at wire.At) {
	f := o.write
	switch {
	case f == nil || f.calls == 0:
		if f != nil {
			f.file.Abandon()
		}
		if f != nil && f.refusal != 0 {
			o.refusal(f, true)
		} else if o.known && how == closed && o.made && !o.remove && o.path != "" && o.access&accessWrite != 0 && o.end <= 0 && o.read == nil && o.losses == o.c.losses {
			o.emitEmpty(at)
		}
		return
	case o.metadata(f, "written"):
		return
	}
	size := f.high
	if o.end > size || !o.fresh && o.size > size && o.end < 0 {
		size = max(o.end, o.size)
	}
	e := content.End{Size: size, Incomplete: o.writeFlaw(f)}
	if e.Incomplete == "" && o.fresh && !f.holed && how == closed && o.losses == o.c.losses {
		e.ZeroFill = true
	}
	t := o.record(f, true)
	if how != closed && !(o.end >= 0 && f.file.Covers(0, size)) {
		t.Status = model.Interrupted
		if e.Incomplete == "" {
			e.Incomplete = interrupted(how)
		}
	}
	f.file.Close(e)
	t.Content = f.file
	o.c.hold(o, t)
}

// writeFlaw finds why what was written cannot be known to be whole.
func (o *open) writeFlaw(f *flow) string {
	switch {
	case f.flaw != "":
		return f.flaw
	case f.conflict.Flaw != "":
		return f.conflict.Flaw
	case o.unanswered:
		return "answers not captured"
	case !o.known && o.end < 0:
		return "opened before the capture, size not known"
	case o.losses != o.c.losses:
		return "messages were lost while the file was open"
	}
	return ""
}

func (o *open) emitEmpty(at wire.At) {
	f := &flow{file: o.c.env.File(content.Write), start: o.at.First.Time, end: at.Time}
	f.file.Close(content.End{})
	t := o.record(f, true)
	t.Content = f.file
	o.c.hold(o, t)
}

// finishReads reports what was read, or keeps it for reads that go on with it.
func (o *open) finishReads(how wire.Ending, at wire.At) {
	f := o.read
	if f == nil {
		return
	}
	if f.calls == 0 {
		f.file.Abandon()
		if f.refusal != 0 {
			o.refusal(f, false)
		}
		return
	}
	if o.size < 0 {
		o.size = o.eof
	}
	if o.metadata(f, "read") {
		return
	}
	f.last = at.Time
	whole := o.size >= 0 && f.file.Covers(0, o.size)
	if !whole && how == closed && o.known && o.size >= 0 && o.path != "" && o.c.partial[o.key()] == nil && len(o.c.partial) < maxPartial {
		f.first = o
		o.c.partial[o.key()] = f
		return
	}
	o.emitRead(f, how)
}

// flushPartial reports what no other read went on with.
func (c *conn) flushPartial() {
	for _, o := range c.order {
		if f := c.partial[o.key()]; f != nil && f.first == o {
			delete(c.partial, o.key())
			o.emitRead(f, closed)
		}
	}
	for k, f := range c.partial { // opens that were swept from the order
		delete(c.partial, k)
		f.first.emitRead(f, closed)
	}
}

func (o *open) emitRead(f *flow, how wire.Ending) {
	seen := f.file.Seen()
	lossy := o.losses != o.c.losses || o.c.gaps[0]+o.c.gaps[1] > 0
	if !lossy && how == closed && o.size > 0 && seen < o.size && fileshare.Peek(seen, o.size) {
		o.peek(f)
		return
	}
	e := content.End{Size: o.size, Incomplete: f.conflict.Flaw}
	if f.high > o.size && o.size >= 0 {
		e.Incomplete = "read beyond the size stated"
	}
	t := o.record(f, false)
	if how != closed && !(o.size >= 0 && f.file.Covers(0, o.size)) {
		t.Status = model.Interrupted
		e.Incomplete = interrupted(how)
	}
	if o.size < 0 {
		e.Incomplete = "the file's size is not known"
	}
	f.file.Close(e)
	t.Content = f.file
	o.c.hold(o, t)
}

// peek reports a look into a file.
func (o *open) peek(f *flow) {
	f.file.Abandon()
	a := o.c.access("peek", &o.at, 1)
	a.User, a.Domain = o.user.name, o.user.domain
	a.Share, a.Object = o.tree.share, o.path
	a.Seen.Merge(f.seen)
	o.c.env.Access(a)
}

// metadata reports small shell metadata, and says whether it is that.
func (o *open) metadata(f *flow, how string) bool {
	if !fileshare.Metadata(o.path, f.file.Seen(), f.file.High(), f.file.Head()) {
		return false
	}
	f.file.Abandon()
	a := o.c.access("metadata", &o.at, 2)
	a.User, a.Domain = o.user.name, o.user.domain
	a.Share, a.Object, a.Detail = o.tree.share, o.path, how
	a.Seen.Merge(f.seen)
	o.c.env.Access(a)
	return true
}

// refusal reports a refused open, read or write when nothing moved.
func (o *open) refusal(f *flow, write bool) {
	t := o.record(f, write)
	t.Status = model.Failed
	if fileshare.Refuses(f.refusal) {
		t.Status = model.Denied
	}
	t.Completeness = model.Partial
	t.Reason = "refused: " + fileshare.StatusName(f.refusal)
	t.BytesSeen = new(int64)
	o.c.hold(o, t)
}

// record starts the transfer of one direction.
func (o *open) record(f *flow, write bool) *wire.Transfer {
	c := o.c
	client, server := c.ends()
	t := &wire.Transfer{Conns: []*wire.Conn{c.wire}, Seen: f.seen}
	ordinal := 0
	if write {
		ordinal = 1
	}
	t.ID = wire.ID("t", channel, c.wire, o.at.From, o.at.Seq, ordinal, byte(o.id), byte(o.id>>8))
	t.Start, t.End = f.start, f.end
	t.Channel = channel
	t.Share, t.Path, t.Name = o.tree.share, o.path, fileshare.LastElement(o.path)
	t.EarlierNames, t.Notes = o.earlier, f.conflict.Notes
	t.Status = model.Done
	t.User, t.Domain, t.Auth, t.Session = o.user.name, o.user.domain, o.user.auth, c.session(o.user)
	t.Seen.Merge(o.seen)
	t.Source, t.Destination = server.Endpoint(), client.Endpoint()
	t.Initiator, t.Operation, t.What = model.ByDestination, model.Pull, "SMB1 READ"
	if write {
		t.Source, t.Destination = t.Destination, t.Source
		t.Initiator, t.Operation, t.What = model.BySource, model.Push, "SMB1 WRITE"
	}
	return t
}

// held is a transfer that waits a minute for a new name or a removal.
type held struct {
	t     *wire.Transfer
	share string
	until model.Time
}

func (c *conn) hold(o *open, t *wire.Transfer) {
	c.held = append(c.held, &held{t, o.tree.share, t.End + renameTime})
}

// release hands out what waited long enough by now, or all with 0.
func (c *conn) release(now model.Time) {
	n := 0
	for _, h := range c.held {
		if now != 0 && h.until > now && len(c.held) < 4096 {
			c.held[n] = h
			n++
			continue
		}
		c.env.Transfer(h.t)
	}
	clear(c.held[n:])
	c.held = c.held[:n]
}

func (c *conn) renamedPath(share, old, to string) {
	if to == "" {
		return
	}
	for _, h := range c.held {
		if h.share == share && h.t.Path == old {
			h.t.EarlierNames = append(h.t.EarlierNames, h.t.Name)
			h.t.Path, h.t.Name = to, fileshare.LastElement(to)
		}
	}
	for _, o := range c.opens {
		if o.tree.share == share && o.path == old {
			o.rename(to)
		}
	}
}

func (c *conn) removed(share, path string, at wire.At) {
	for _, h := range c.held {
		if h.share == share && h.t.Path == path && path != "" {
			h.t.Deleted = &model.Deleted{Time: at.Time}
		}
	}
}
