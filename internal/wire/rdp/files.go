package rdp

import (
	"strings"

	"waybill/internal/content"
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// finish reports what moved of a file.
func (x *drives) finish(f *redirected, how wire.Ending) {
	delete(x.files, f.key)
	x.d.p.env.Budget().Give(f.cost)
	client := wire.Side(max(x.d.client, 0))
	if f.read != nil {
		x.finishRead(f, client, how)
	}
	if f.write == nil {
		return
	}
	e := content.End{Size: max(f.high, f.end), ZeroFill: f.fresh && how == wire.FIN && !x.lost}
	if how != wire.FIN && f.end < 0 {
		e.Incomplete = "interrupted: " + how.String()
	}
	x.emit(f, f.write, client.Other(), e, how)
}

// finishRead reports a file that the server read, or its look into one.
func (x *drives) finishRead(f *redirected, client wire.Side, how wire.Ending) {
	size := f.size
	if size < 0 {
		size = f.short
	}
	if told, ok := x.sizes[sizeKey(f.key.device, f.path)]; ok && size < 0 {
		size = told
	}
	if n := f.read.Seen(); how == wire.FIN && !x.lost && size > 0 && n < size && fileshare.Peek(n, size) {
		x.access(f, f.read, client, "peek")
		return
	}
	e := content.End{Size: size}
	if size < 0 {
		e.Incomplete = "the file's size is not known"
	}
	x.emit(f, f.read, client, e, how)
}

// record starts the transfer of a redirected file.
func (x *drives) record(device uint32, path string, from wire.Side, seq uint32, number int) *wire.Transfer {
	t := x.d.moved(from, strings.TrimLeft(path, `\/`), seq, number)
	t.Share, t.What = x.share(device), "RDP drive redirection"
	t.Notes = append(t.Notes, "over a redirected drive of the client")
	// The server asks for each byte: it pulls from the client, and pushes to it.
	t.Initiator, t.Operation = model.ByDestination, model.Pull
	if from == wire.Side(max(x.d.client, 0)).Other() {
		t.Initiator, t.Operation = model.BySource, model.Push
	}
	return t
}

func (x *drives) emit(f *redirected, file *content.File, from wire.Side, e content.End, how wire.Ending) {
	if fileshare.Metadata(f.path, file.Seen(), file.High(), file.Head()) {
		x.access(f, file, from, "metadata")
		return
	}
	t := x.record(f.key.device, f.path, from, f.seq, f.number)
	t.Start, t.End, t.Seen = f.start, f.last, f.seen
	if f.was != "" {
		t.EarlierNames = []string{fileshare.LastElement(f.was)}
	}
	if f.erased {
		t.Deleted = &model.Deleted{Time: f.last}
	}
	if how != wire.FIN && (e.Incomplete != "" || !file.Covers(0, e.Size)) {
		t.Status = model.Interrupted
	}
	if x.lost && e.Incomplete == "" && e.Size >= 0 && !file.Covers(0, e.Size) {
		e.Incomplete = "messages were lost"
	}
	file.Close(e)
	t.Content = file
	x.d.p.env.Transfer(t)
}

// access reports a look at a file, or what a shell keeps about one.
func (x *drives) access(f *redirected, file *content.File, from wire.Side, what string) {
	file.Abandon()
	t := x.record(f.key.device, f.path, from, f.seq, f.number)
	a := &wire.Access{Conn: x.d.wire, Seen: f.seen}
	a.ID = wire.ID("a", channel, x.d.wire, from, f.seq, f.number, []byte(what+t.Path)...)
	a.Time, a.What, a.Channel, a.Share, a.Object, a.User = f.start, what, channel, t.Share, t.Path, t.User
	a.Source, a.Destination = t.Source, t.Destination
	x.d.p.env.Access(a)
}

// denied reports a file that the client refused to open for its data.
func (x *drives) denied(r *ioRequest, c wire.Chunk) {
	client := wire.Side(max(x.d.client, 0))
	from := client
	if r.rights&readRights == 0 { // to be written: the bytes would come from the server
		from = client.Other()
	}
	x.ordinal++
	t := x.record(r.file.device, r.path, from, c.Seq, x.ordinal)
	t.Start, t.End = c.Time, c.Time
	t.Seen.Add(c.At)
	t.Status, t.Completeness, t.BytesSeen, t.Reason = model.Denied, model.Partial, new(int64), "refused: STATUS_ACCESS_DENIED"
	x.d.p.env.Transfer(t)
}
