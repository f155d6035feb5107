package nfs

import (
	"encoding/binary"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
	"waybill/internal/wire/framed"
)

// mounted is what one client does on one server.
type mounted struct {
	p     *protocol
	pair  pair
	names map[string]place // by file handle
	order []string
	flows map[flowKey]*flow
	live  []*flow // as they began; ended ones until they are swept
	swept model.Time
}

// place is where a file lies.
type place struct {
	share, path string
	fresh       bool // made here
}

// root names a handle as the root of a share.
func (m *mounted) root(handle, share string) { m.name(handle, place{share: share}) }

func (m *mounted) name(handle string, at place) {
	if handle == "" {
		return
	}
	if _, known := m.names[handle]; !known {
		if len(m.order) >= maxHandles {
			for _, old := range m.order[:maxHandles/2] {
				delete(m.names, old)
			}
			m.order = append([]string(nil), m.order[maxHandles/2:]...)
		}
		m.order = append(m.order, handle)
	}
	m.names[handle] = at
}

// child names a handle as a file in a folder.
func (m *mounted) child(folder, name, handle string, fresh bool) {
	if name == "" || name == "." || name == ".." {
		return
	}
	at := m.names[folder]
	m.name(handle, place{share: at.share, path: join(at.path, name), fresh: fresh})
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// moved gives a file its new name. Only one file bears a name at a time.
func (m *mounted) moved(fromFolder, from, toFolder, to string) {
	a, b := m.names[fromFolder], m.names[toFolder]
	old, path := join(a.path, from), join(b.path, to)
	for h, at := range m.names {
		if at.share == a.share && at.path == old {
			m.names[h] = place{share: b.share, path: path, fresh: at.fresh}
			for _, f := range m.live {
				if f.key.handle == h && !f.done {
					f.earlier = append(f.earlier, fileshare.LastElement(old))
				}
			}
		}
	}
}

// removed notes that a file went away.
func (m *mounted) removed(folder, name string, at model.Time) {
	dir := m.names[folder]
	path := join(dir.path, name)
	for _, f := range m.live {
		if p := m.names[f.key.handle]; !f.done && p.share == dir.share && p.path == path {
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
	cut        bool  // the file was made or cut to nothing here
	lossy      bool
	refusal    uint32
	unanswered bool
	calls      int
	earlier    []string
	deleted    *model.Deleted
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
		f = &flow{m: e.mounted, key: k, file: e.p.env.File(mode), who: e.call.who, version: e.call.version, size: -1, eof: -1,
			conns: []*wire.Conn{e.conn.wire}, from: m.From, id: binary.BigEndian.Uint32(m.Data), cut: writing && e.names[handle].fresh}
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
	f.lossy = f.lossy || e.conn.lossy
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
	f.high = max(f.high, off+p.size)
	if size >= 0 {
		f.size = size
	}
	if eof {
		f.eof = off + p.size
	}
}

// write adds what a write put, of which the server took count bytes.
func (e *exchange) write(handle string, off int64, data []byte, at int, count, size int64) {
	if handle == "" || off < 0 {
		return
	}
	f := e.flow(handle, true)
	f.calls++
	f.unanswered = f.unanswered || e.unanswered
	data = data[:min(int64(len(data)), max(count, 0))]
	f.file.Begin()
	e.put(f, &e.call.m, off, at, data)
	f.high = max(f.high, off+int64(len(data)))
	if size >= 0 {
		f.size = size
	}
}

func (e *exchange) put(f *flow, m *framed.Message, off int64, at int, data []byte) {
	m.Around(at, data, func(o int, part []byte) { f.file.Write(off+int64(o), part, m.Block) })
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

// truncated takes a size that the client set.
func (e *exchange) truncated(handle string, size int64) {
	if at, ok := e.names[handle]; ok && size == 0 {
		at.fresh = true
		e.names[handle] = at
	}
	if f := e.flows[flowKey{handle, true}]; f != nil {
		f.file.Truncate(size)
		f.high = min(f.high, size)
		f.size = size
	}
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
	m.written(handle)
}

// written says that what is written to a file later goes to one that exists.
func (m *mounted) written(handle string) {
	if at, ok := m.names[handle]; ok && at.fresh {
		at.fresh = false
		m.names[handle] = at
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
		f.m.written(f.key.handle)
	}
	t := f.record()
	if f.calls == 0 {
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
	if !f.key.writing && !f.lossy && f.size > 0 && f.file.Seen() < f.size && fileshare.Peek(f.file.Seen(), f.size) {
		f.access(t, "peek")
		return
	}
	if fileshare.Metadata(t.Path, f.file.Seen(), f.file.High(), f.file.Head()) {
		f.access(t, "metadata")
		return
	}
	f.file.Close(f.close())
	t.Content = f.file
	f.m.p.env.Transfer(t)
}

// close says how the content ends.
func (f *flow) close() content.End {
	if !f.key.writing {
		size := f.size
		if f.eof >= 0 {
			size = max(size, f.eof)
		}
		e := content.End{Size: size}
		if size < 0 {
			e.Incomplete = "the file's size is not known"
		}
		return e
	}
	size := f.high
	if !f.cut {
		size = max(size, f.size)
	}
	e := content.End{Size: size}
	switch {
	case f.unanswered:
		e.Incomplete = "answers not captured"
	case f.cut && !f.lossy:
		e.ZeroFill = true
	case f.size > f.high && !f.cut:
	case f.lossy && !f.file.Covers(0, size):
		e.Incomplete = "messages were lost"
	}
	if f.lossy && f.size != f.high && e.Incomplete == "" {
		e.Incomplete = "messages were lost, size not known"
	}
	return e
}

func (f *flow) record() *wire.Transfer {
	at := f.m.names[f.key.handle]
	c := f.conns[0]
	t := &wire.Transfer{Conns: f.conns, Seen: f.seen, What: "NFS READ"}
	ordinal := 0
	if f.key.writing {
		ordinal, t.What = 1, "NFS WRITE"
	}
	t.ID = wire.ID("t", channel, c, f.from, f.id, ordinal, []byte(f.key.handle)...)
	t.Start, t.End = f.start, f.end
	t.Channel, t.Share, t.Path, t.Name = channel, at.share, at.path, fileshare.LastElement(at.path)
	t.EarlierNames, t.Deleted = f.earlier, f.deleted
	t.Status = model.Done
	t.User, t.Auth = f.who.user(), f.who.auth()
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
