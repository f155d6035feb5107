package smb2

import (
	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// zeroAllowance is how many bytes that were never written may be taken as zeros
// before content pays for more: hashing them costs time and no input.
const zeroAllowance = 1 << 30

// accessMaximum asks for all that the server allows, writing included.
const accessMaximum = 0x0200_0000

// finish ends an open and reports what it moved.
func (o *open) finish(how wire.Ending, at wire.At) {
	if o.done {
		return
	}
	o.p.expire(o.p.env.Now())
	if o.done {
		return // it waited for a reconnect until now
	}
	o.settle()
	o.done, o.orphaned = true, false
	o.p.forget(o)
	if o.pipe != nil || o.directory || o.seemsPipe() {
		o.discard()
		return
	}
	o.finishWrites(how, at)
	o.finishReads(how, at)
	o.finishCopies()
	if o.removes() {
		o.p.hold.removed(o, at.Time)
		o.p.partial.removed(o, at.Time)
	}
}

// discard ends an open that moves no file.
func (o *open) discard() {
	if o.pipe != nil {
		o.pipe.close()
	}
	for _, f := range [...]*flow{o.read, o.write} {
		if f != nil && f.joins == nil {
			f.file.Abandon()
		}
	}
}

// settle decides about the writes that have no answer when the open ends: they
// count where the capture may lack the answer, and not where the server simply
// did not say yet.
func (o *open) settle() {
	for r := o.waiting.first; r != nil; r = o.waiting.first {
		o.waiting.remove(r)
		if r.c.unheard() && o.pipe == nil {
			o.unanswered = true
			o.accept(r, r.length)
		}
		r.drain()
		if r.c.pending.find(r.message) != r {
			o.p.recycle(r)
		}
	}
}

// removes says that the file goes away with this open.
func (o *open) removes() bool {
	return o.remove || o.options&optionDeleteOnClose != 0 && o.known
}

// seemsPipe says that a handle of which only the use was seen is used as pipes
// are: over and over at offset 0, without a size.
func (o *open) seemsPipe() bool {
	if o.known || o.path != "" || o.size >= 0 || o.end >= 0 {
		return false
	}
	n := 0
	for _, f := range [...]*flow{o.read, o.write} {
		if f == nil {
			continue
		}
		if f.atZero != f.calls {
			return false
		}
		n += f.calls
	}
	return n > 1
}

// finishWrites reports what was written.
func (o *open) finishWrites(how wire.Ending, at wire.At) {
	f := o.write
	switch {
	case f != nil && f.calls > 0:
	case f != nil && f.refusal != 0:
		f.file.Abandon()
		o.emitRefusal(writing, f)
		return
	default:
		if f != nil {
			f.file.Abandon()
		}
		if o.empties(how) {
			o.emitEmpty(at)
		}
		return
	}
	if o.isMetadata(f) {
		o.emitMetadata(writing, f)
		return
	}
	size := max(o.end, f.high)
	own := size
	if o.closing >= 0 {
		size = o.closing
	}
	o.judgeWrites(f, size, own)
	size = max(size-f.base, 0)
	e := content.End{Size: size, Incomplete: f.flaw}
	whole := f.flaw == "" && f.file.Covers(0, size)
	if f.flaw == "" && !whole && how == closed && o.zeroFills(f, size, own) {
		e.ZeroFill, whole = true, true
	}
	t := o.record(writing, f)
	if how != closed && !(whole && o.end >= 0) {
		t.Status = model.Interrupted
		if e.Incomplete == "" {
			e.Incomplete = "interrupted: " + how.String()
		}
	}
	f.file.Close(e)
	t.Content = f.file
	o.p.hold.add(o, t, size == 0)
}

// judgeWrites finds why what was written cannot be known to be whole.
func (o *open) judgeWrites(f *flow, size, own int64) {
	switch s := o.session; {
	case f.flaw != "":
	case s.unknownWrites != o.unknownWrites:
		f.flaw = "a write was not seen"
	case s.asksLost != o.asksLost && (s.unheard() || o.conn.unheard()):
		f.flaw = "messages were lost in both directions"
	case o.unanswered && o.closing != own:
		f.flaw = "answers not captured"
	case !o.known && o.closing < 0 && o.end < 0:
		f.flaw = "opened before the capture, size not known"
	case len(o.copies) > 0:
		f.flaw = "copied in part on the server"
	case o.stale.from < o.stale.to && size > o.stale.from:
		f.flaw = note("cut, and grown again, at byte", o.stale.from)
	}
}

// zeroFills says that bytes of [0, size) that were never written are zeros: the
// file began empty here or grew, and nobody else can have written them.
func (o *open) zeroFills(f *flow, size, own int64) bool {
	switch {
	case !o.fresh && f.base == 0, o.lossy(), o.closing > own, o.othersWrote(), o.p.zeros < size-f.file.Seen():
		return false
	}
	o.p.zeros -= size - f.file.Seen()
	return true
}

// othersWrote says that another open of the session wrote to the same file
// meanwhile.
func (o *open) othersWrote() bool {
	for _, x := range o.session.opens {
		if x != o && x.tree.share == o.tree.share && x.path == o.path && (x.write != nil || x.copies != nil) {
			return true
		}
	}
	return o.p.hold.written(o)
}

// empties says that the file was made or cut to nothing by the open, and is
// empty in the end.
func (o *open) empties(how wire.Ending) bool {
	if !o.known || o.path == "" || how != closed || o.removes() || o.copies != nil {
		return false
	}
	if o.access&(accessWrite|accessAll|accessMaximum) == 0 || !o.made && o.end != 0 {
		return false
	}
	if o.closing >= 0 || o.end >= 0 {
		return o.closing == 0 || o.closing < 0 && o.end == 0
	}
	return !o.lossy() && !o.othersWrote() // a CLOSE that asks for no attributes (Samba's client)
}

func (o *open) emitEmpty(at wire.At) {
	f := &flow{file: o.p.env.File(content.Write), seen: o.seen, conns: []*wire.Conn{o.conn.wire}, start: o.at.first.Time, end: at.Time}
	f.file.Close(content.End{})
	t := o.record(writing, f)
	t.Content = f.file
	o.p.hold.add(o, t, true)
}

// finishReads reports what was read, or keeps it for reads that go on with it.
func (o *open) finishReads(how wire.Ending, at wire.At) {
	f := o.read
	switch {
	case f == nil:
		o.emitUnseen()
		return
	case f.calls == 0:
		if f.joins == nil {
			f.file.Abandon()
		}
		o.emitRefusal(reading, f)
		return
	}
	if f.size < 0 && f.changes == o.changes {
		f.size = o.size
	}
	stated := f.size >= 0
	if !stated {
		f.size = o.eof
	}
	o.judgeReads(f, how, stated)
	if f.joins == nil && o.isMetadata(f) {
		o.emitMetadata(reading, f)
		return
	}
	x := &readOpen{open: o, flow: f, how: how, at: at}
	if f.size >= 0 && f.flaw == "" && f.moved.covers(0, f.size) && (how == closed || stated) {
		o.p.partial.alone(x)
		return
	}
	o.p.partial.add(x)
}

// judgeReads finds why what was read cannot be whole.
func (o *open) judgeReads(f *flow, how wire.Ending, stated bool) {
	switch {
	case f.flaw != "":
	case f.size >= 0 && f.moved.high() > f.size:
		f.flaw = "read beyond the size stated"
	}
	f.loss = f.loss || o.lossy() || o.unread > 0 && o.conn.unheard()
}

// emitUnseen reports reads of which no answer was captured: bytes were asked
// for, and only the capture lacks them.
func (o *open) emitUnseen() {
	n := o.asked.size()
	if n == 0 || o.unread == 0 || !o.conn.unheard() {
		return
	}
	if o.size >= 0 {
		n = min(n, o.size)
	}
	f := &flow{seen: o.seen, conns: []*wire.Conn{o.conn.wire}, start: o.at.first.Time, end: o.at.last.Time}
	t := o.record(reading, f)
	t.Status = model.Claimed
	t.Completeness = model.Partial
	t.Reason = "answers not captured"
	t.BytesSeen = &n
	o.p.hold.add(o, t, false)
}

// emitRefused reports an open that was refused although data were asked for.
func (o *open) emitRefused(d direction, status uint32, at place) {
	f := &flow{refusal: status, conns: []*wire.Conn{o.conn.wire}, start: o.at.first.Time, end: at.last.Time}
	f.seen.Add(o.at.first)
	f.seen.Add(at.last)
	o.emitRefusal(d, f)
}

// emitRefusal reports a READ, WRITE or open that was refused when nothing moved.
func (o *open) emitRefusal(d direction, f *flow) {
	if f.refusal == 0 || f.refusal == 0xC0000010 || f.refusal == 0xC00000BA {
		return // a directory is no file
	}
	t := o.record(d, f)
	t.Status = model.Failed
	if fileshare.Refuses(f.refusal) {
		t.Status = model.Denied
	}
	t.Completeness = model.Partial
	t.Reason = "refused: " + fileshare.StatusName(f.refusal)
	zero := int64(0)
	t.BytesSeen = &zero
	o.p.hold.add(o, t, false)
}

// finishCopies reports what the server copied by itself.
func (o *open) finishCopies() {
	for _, x := range o.copies {
		f := &flow{seen: x.seen, conns: x.conns, start: x.start, end: x.end}
		t := o.record(copying, f)
		t.ID = wire.ID("t", "smb2", o.conn.wire, x.at.from, x.at.seq, int(copying))
		client := t.Source
		t.Client = &client
		t.Source = t.Destination
		t.Initiator, t.Operation = model.ByOther, model.Copy
		t.Completeness = model.Inferred
		t.Reason = "copied on the server, no bytes on the wire"
		size := x.size
		t.Size = &size
		if x.from != nil {
			t.Source = x.from.server.Endpoint()
			t.Notes = append(t.Notes, "copied from "+x.from.String())
		}
		o.p.hold.add(o, t, false)
	}
}

// record starts the transfer of one direction.
func (o *open) record(d direction, f *flow) *wire.Transfer {
	s := o.session
	client, server := o.conn.ends()
	t := &wire.Transfer{Conns: f.conns, Seen: f.seen}
	t.ID = wire.ID("t", "smb2", o.conn.wire, o.at.from, o.at.seq, int(d))
	t.Start, t.End = f.start, f.end
	t.Channel = channel
	t.Share, t.Path, t.Name = o.tree.share, o.path, fileshare.LastElement(o.path)
	t.EarlierNames = o.earlier
	t.Status = model.Done
	t.Notes = f.notes
	if o.guessed {
		t.Confidence = "low"
		t.Notes = append(t.Notes, "name told by the order of requests")
	}
	t.User, t.Domain, t.Auth, t.Session = s.user, s.domain, s.auth, s.record()
	t.Seen.Merge(o.seen)
	if d == reading {
		t.Source, t.Destination = server.Endpoint(), client.Endpoint()
		t.Initiator, t.Operation, t.What = model.ByDestination, model.Pull, "SMB2 READ"
		return t
	}
	t.Source, t.Destination = client.Endpoint(), server.Endpoint()
	t.Initiator, t.Operation, t.What = model.BySource, model.Push, "SMB2 WRITE"
	if d == copying {
		t.What = "SMB2 IOCTL"
	}
	return t
}

func (c *copySource) String() string {
	if c.path == "" {
		return "an unknown file"
	}
	return c.share + `\` + c.path
}
