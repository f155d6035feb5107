package nfs

import (
	"encoding/binary"
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
	"waybill/internal/wire/framed"
)

// mounted is what one client does on one server.
type mounted struct {
	p      *protocol
	pair   pair
	names  names
	flows  map[flowKey]*flow
	live   []*flow // as they began; ended ones until they are swept
	swept  model.Time
	losses int // times that messages were lost
	sealed *sealed
	// accounts are whom security contexts are of, by their handles.
	accounts map[string]account
}

// moved gives a file its new name. A client that removes a file which it has open
// renames it to .nfs and a number first: that removes it.
func (m *mounted) moved(from, to entry, at model.Time) {
	if strings.HasPrefix(to.name, ".nfs") {
		m.removed(from, at)
		return
	}
	handle := m.names.move(from, to)
	for _, f := range m.live {
		if f.key.handle == handle && !f.done {
			f.earlier = append(f.earlier[:min(len(f.earlier), 15)], from.name)
		}
	}
}

// removed notes that a file went away.
func (m *mounted) removed(e entry, at model.Time) {
	handle := m.names.remove(e)
	for _, f := range m.live {
		if f.key.handle == handle && !f.done {
			f.deleted = &model.Deleted{Time: at}
		}
	}
}

// flowKey is one file in one direction; opens of version 4 have an id too.
type flowKey struct {
	handle  string
	writing bool
}

// flow is what moves of a file.
type flow struct {
	m          *mounted
	key        flowKey
	file       *content.File
	who        credential
	version    uint32
	conns      []*wire.Conn
	start, end model.Time
	seen       wire.Packets
	from       wire.Side
	id         uint32 // of the first call
	size       int64  // as the server states it; -1 unknown
	high       int64
	eof        int64 // end of file as a read shows; -1 unknown
	setEnd     int64 // as the client set it; -1 not set
	cut        bool  // the file was made or cut to nothing here
	holed      bool  // bytes of what was written were not seen: no zeros
	changed    bool  // its size, while it was read
	losses     int   // of messages between the two hosts by when it began
	refusal    uint32
	unanswered model.Time // when the last call was sent whose answer was not captured
	stated     model.Time // when the server stated the size last
	lossesThen int        // by then
	calls      int
	earlier    []string
	deleted    *model.Deleted
	conflict   fileshare.Conflict
	closed     bool
	done       bool
}

// flow gives what moves of a file in a direction, beginning it if need be.
func (e *exchange) flow(handle string, writing bool) *flow {
	k := flowKey{handle, writing}
	f := e.flows[k]
	if f == nil {
		mode := content.Read
		if writing {
			mode = content.Write
		}
		m := &e.call.m
		f = &flow{m: e.mounted, key: k, file: e.p.env.File(mode), who: e.call.who, version: e.call.version, size: e.names.size(handle), eof: -1, setEnd: -1,
			conns: []*wire.Conn{e.conn.wire}, from: m.From, id: binary.BigEndian.Uint32(m.Data), losses: e.losses}
		if len(e.flows) >= maxFlows {
			e.live[0].finish(wire.Dropped)
		}
		e.flows[k] = f
		e.live = append(e.live, f)
		if len(e.live) > 2*len(e.flows)+64 {
			var live []*flow
			for _, x := range e.live {
				if !x.done {
					live = append(live, x)
				}
			}
			e.live = live
		}
	}
	wire.Stretch(&f.start, &f.end, e.call.m.First.Time)
	wire.Stretch(&f.start, &f.end, e.reply.First.Time)
	f.seen.Merge(e.call.m.Seen)
	f.seen.Merge(e.reply.Seen)
	if f.conns[len(f.conns)-1] != e.conn.wire && len(f.conns) < 16 {
		f.conns = append(f.conns, e.conn.wire)
	}
	return f
}

// read adds what a read gave. size is the file's as the answer states it, or -1.
func (e *exchange) read(handle string, off int64, p payload, eof bool, size int64) {
	if handle == "" || off < 0 {
		return
	}
	f := e.flow(handle, false)
	if !p.put {
		f.calls++
		e.put(f, e.reply, off, p.at, p.data)
	}
	e.conn.conflicts(f, off)
	f.high = max(f.high, off+p.size)
	f.states(size, e.reply.First.Time)
	if eof && (p.size > 0 || f.file.Covers(0, off)) { // what begins behind the end does not show it
		f.eof = off + p.size
	}
}

// stated takes the size that the server states of a file outside of reads and writes.
func (e *exchange) stated(handle string, size int64) {
	if size < 0 || handle == "" {
		return
	}
	e.names.state(handle, size)
	for _, writing := range [...]bool{false, true} {
		if f := e.flows[flowKey{handle, writing}]; f != nil {
			f.states(size, e.reply.First.Time)
		}
	}
}

// states takes a size that the server states. Of a file that is written it only
// grows: answers come in any order.
func (f *flow) states(size int64, at model.Time) {
	if size < 0 {
		return
	}
	f.stated, f.lossesThen = at, f.m.losses
	switch {
	case f.key.writing:
		f.size = max(f.size, size)
	default:
		f.changed = f.changed || f.calls > 1 && f.size >= 0 && f.size != size
		f.size = size
	}
}

// write adds what a write put, of which the server took count bytes.
func (e *exchange) write(handle string, off int64, p payload, count, size int64) {
	if handle == "" || off < 0 {
		return
	}
	f := e.flow(handle, true)
	f.calls++
	if e.unanswered {
		f.unanswered = max(f.unanswered, e.call.m.First.Time)
	}
	f.holed = f.holed || len(e.call.m.Holes) > 0
	data := p.data[:min(p.size, max(count, 0))]
	f.file.Begin()
	e.put(f, &e.call.m, off, p.at, data)
	e.conn.conflicts(f, off)
	f.high = max(f.high, off+int64(len(data)))
	f.states(size, e.reply.First.Time)
}

// put gives a file what was seen of data at an offset of a message; beyond its end,
// data is the decoder's own.
func (e *exchange) put(f *flow, m *framed.Message, off int64, at int, data []byte) {
	block := m.Block
	if at >= len(m.Data) {
		block = nil
	}
	m.Around(at, data, func(o int, part []byte) { f.file.Write(off+int64(o), part, block) })
}

// refused notes a read or write that was refused.
func (e *exchange) refused(handle string, writing bool, status uint32) {
	if handle == "" || e.unanswered {
		return
	}
	if f := e.flow(handle, writing); f.calls == 0 {
		f.refusal = status
	}
}

// truncated takes a size that the client set. What was written by calls that were
// sent after this one is not cut, though its answer came first.
func (e *exchange) truncated(handle string, size int64) {
	if handle == "" || size < 0 {
		return
	}
	old := e.flows[flowKey{handle, true}]
	late := old != nil && old.start > min(e.call.m.First.Time, e.reply.First.Time)
	f := e.flow(handle, true)
	f.cut = f.cut || size == 0
	if late {
		f.setEnd = max(f.setEnd, size)
		return
	}
	f.file.Truncate(size)
	f.high = min(f.high, size)
	f.size, f.setEnd = size, size
	e.names.state(handle, size)
}

// sweepTime is how often flows are looked through for those that are over.
const sweepTime = model.Time(10e9)

// expire ends what was idle; opens of version 4 once they were closed.
func (m *mounted) expire(now model.Time) {
	if now-m.swept < sweepTime {
		return
	}
	m.swept = now
	n := 0
	for _, f := range m.live {
		if !f.done && now-f.end > idle && (f.version < 4 || f.closed) {
			f.finish(wire.FIN)
		}
		if !f.done {
			m.live[n] = f
			n++
		}
	}
	clear(m.live[n:])
	m.live = m.live[:n]
}

func (m *mounted) finish(how wire.Ending) {
	for _, f := range m.live {
		f.finish(how)
	}
	if m.sealed != nil {
		m.sealed.emit(m)
	}
	m.names.forget(len(m.names.order))
}

// closeFile ends what moves of a file. It is reported a little later: it may
// still get another name.
func (m *mounted) closeFile(handle string) {
	for _, writing := range [...]bool{false, true} {
		k := flowKey{handle, writing}
		if f := m.flows[k]; f != nil {
			f.closed = true
			delete(m.flows, k)
		}
	}
}

// finish reports what moved of a file.
func (f *flow) finish(how wire.Ending) {
	if f.done {
		return
	}
	f.done = true
	if f.m.flows[f.key] == f {
		delete(f.m.flows, f.key)
	}
	t := f.record()
	if f.calls == 0 && !f.empties(how) {
		f.file.Abandon()
		if f.refusal == 0 || f.refusal == 70 || f.refusal == 21 {
			return
		}
		t.Status, t.Completeness, t.BytesSeen = model.Failed, model.Partial, new(int64)
		if refuses(f.refusal) {
			t.Status = model.Denied
		}
		t.Reason = "refused: " + statusName(f.refusal)
		f.m.p.env.Transfer(t)
		return
	}
	if !f.key.writing && f.losses == f.m.losses && f.size > 0 && f.file.Seen() < f.size && fileshare.Peek(f.file.Seen(), f.size) {
		f.access(t, "peek")
		return
	}
	if fileshare.Metadata(t.Path, f.file.Seen(), f.file.High(), f.file.Head()) {
		f.access(t, "metadata")
		return
	}
	end := f.close()
	if f.conflict.Flaw != "" {
		end.Incomplete = f.conflict.Flaw
	}
	f.file.Close(end)
	t.Content = f.file
	f.m.p.env.Transfer(t)
}

// lossy says that messages were lost while the file was in use. Of datagrams nobody
// knows.
func (f *flow) lossy() bool { return f.losses != f.m.losses || f.conns[0].UDP }

// empties says that the file was made or cut to nothing, and is empty in the end.
func (f *flow) empties(how wire.Ending) bool {
	return f.cut && f.refusal == 0 && f.deleted == nil && f.size <= 0 && !f.lossy() && (f.closed || f.version < 4 && how != wire.Dropped)
}

// close says how the content ends.
func (f *flow) close() content.End {
	if f.key.writing {
		return f.closeWritten()
	}
	e := content.End{Size: max(f.size, f.eof)}
	switch {
	case e.Size < 0:
		e.Incomplete = "the file's size is not known"
	case f.changed:
		e.Incomplete = "size changed while it was read"
	}
	return e
}

// closeWritten says it of a file that was written: its end is where the client set
// it or wrote beyond, and of one that was there before, where the server says. What
// the server states at last makes lost messages and answers good.
func (f *flow) closeWritten() content.End {
	e := content.End{Size: max(f.high, f.setEnd)}
	if !f.cut && f.setEnd < 0 || f.lossy() {
		e.Size = max(e.Size, f.size)
	}
	sure := f.size == e.Size && f.file.Covers(0, e.Size) && f.lossesThen == f.m.losses
	switch {
	case f.unanswered > 0 && (!sure || f.stated <= f.unanswered):
		e.Incomplete = "answers not captured"
	case f.lossy() && !f.file.Covers(0, e.Size):
		e.Incomplete = "messages were lost"
	case f.lossy() && !sure:
		e.Incomplete = "messages were lost, size not known"
	case f.cut && !f.holed:
		e.ZeroFill = !f.lossy()
	}
	return e
}

func (f *flow) record() *wire.Transfer {
	share, path := f.m.names.path(f.key.handle)
	c := f.conns[0]
	t := &wire.Transfer{Conns: f.conns, Seen: f.seen, What: "NFS READ"}
	ordinal := 0
	if f.key.writing {
		ordinal, t.What = 1, "NFS WRITE"
	}
	t.ID = wire.ID("t", channel, c, f.from, f.id, ordinal, []byte(f.key.handle)...)
	t.Start, t.End = f.start, f.end
	t.Channel, t.Share, t.Path, t.Name = channel, share, path, fileshare.LastElement(path)
	t.EarlierNames, t.Deleted, t.Notes = f.earlier, f.deleted, f.conflict.Notes
	t.Status = model.Done
	t.User, t.Domain, t.Auth = f.who.user(), f.who.account.domain, f.who.auth()
	t.Session = &model.Session{Dialect: map[uint32]string{2: "NFSv2", 3: "NFSv3", 4: "NFSv4"}[f.version], Workstation: f.who.machine}
	client, server := c.Ends[f.from].Endpoint(), c.Ends[f.from.Other()].Endpoint()
	t.Source, t.Destination, t.Operation, t.Initiator = server, client, model.Pull, model.ByDestination
	if f.key.writing {
		t.Source, t.Destination, t.Operation, t.Initiator = client, server, model.Push, model.BySource
	}
	return t
}

// access reports a look into a file, or metadata of a shell, instead of a transfer.
func (f *flow) access(t *wire.Transfer, what string) {
	f.file.Abandon()
	a := &wire.Access{Conn: f.conns[0], Seen: f.seen}
	a.ID = wire.ID("a", channel, f.conns[0], f.from, f.id, 0, []byte(what)...)
	a.Time, a.What, a.Channel = f.start, what, channel
	a.Source, a.Destination = f.conns[0].Ends[f.from].Endpoint(), f.conns[0].Ends[f.from.Other()].Endpoint()
	a.User, a.Share, a.Object = t.User, t.Share, t.Path
	f.m.p.env.Access(a)
}
