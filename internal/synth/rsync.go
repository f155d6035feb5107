package synth

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// RsyncOptions say how a client and an rsync daemon talk.
type RsyncOptions struct {
	Protocol int    // 29 or 31; 0 is 31
	Compress string // "", "zlibx" or "zstd": as such, but with blocks that are only stored
	User     string // who answers the daemon's challenge; "" has none
}

// RsyncFile is a file of a flat folder. Old is what the receiver has under its name.
type RsyncFile struct {
	Name    string
	Content []byte
	Old     []byte
}

// Rsync is the daemon of a module and what its clients do (rsync's clientserver.c,
// compat.c, flist.c, sender.c and token.c).
type Rsync struct {
	RsyncOptions
	net            *Net
	client, server *Host
	module         string

	conn   *Conn
	sender Side
	out    [2]pack // what a side has not sent yet
	last   [2]int32
}

// Rsync names the module that a client speaks to.
func (n *Net) Rsync(client, server *Host, module string, o RsyncOptions) *Rsync {
	o.Protocol = cmp.Or(o.Protocol, 31)
	return &Rsync{RsyncOptions: o, net: n, client: client, server: server, module: module}
}

// Push sends files into a folder of the module, "" or one that ends in a slash.
func (r *Rsync) Push(folder string, files ...RsyncFile) { r.session(Client, folder, files) }

// Pull gets the files of such a folder.
func (r *Rsync) Pull(folder string, files ...RsyncFile) { r.session(Server, folder, files) }

func (r *Rsync) session(sender Side, folder string, files []RsyncFile) {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b RsyncFile) int { return strings.Compare(a.Name, b.Name) })
	r.conn, r.sender, r.out, r.last = r.net.Dial(r.client, r.server, 873), sender, [2]pack{}, [2]int32{-1, -1}
	r.greet()
	r.ask(folder)
	r.settle()
	if sender == Server {
		r.out[Client].u32(0) // no filters
		r.flush(Client)
	}
	r.list(files)
	for i, f := range files {
		r.file(int32(i), f)
		r.note(folder, f)
	}
	r.end()
}

// old says that the protocol has plain numbers, and a client that does not multiplex.
func (r *Rsync) old() bool { return r.Protocol < 30 }

func (r *Rsync) greet() {
	line := fmt.Sprintf("@RSYNCD: %d.0 sha512 sha256 sha1 md5 md4\n", r.Protocol)
	r.conn.Server([]byte(line))
	r.conn.Client([]byte(line + r.module + "\n"))
	if r.User != "" {
		r.conn.Server([]byte("@RSYNCD: AUTHREQD " + r.net.hex(11) + "\n"))
		r.conn.Client([]byte(r.User + " " + r.net.hex(32) + "\n"))
	}
	r.conn.Server([]byte("@RSYNCD: OK\n"))
}

// ask gives the command line.
func (r *Rsync) ask(folder string) {
	words := []string{"--server"}
	if r.sender == Server {
		words = append(words, "--sender")
	}
	letters, end := "-logDtpr", "\n"
	if !r.old() {
		letters, end = letters+"e.LsfxCv", "\x00"
	}
	words = append(words, letters)
	switch r.Compress {
	case "zlibx":
		words = append(words, "--new-compress")
	case "zstd":
		words = append(words, "--compress-choice=zstd")
	}
	words = append(words, ".", r.module+"/"+folder, "")
	r.conn.Client([]byte(strings.Join(words, end) + end))
}

// settle is what both sides agree on: no parts of the list, numbers of variable
// length, and XXH128.
func (r *Rsync) settle() {
	if !r.old() {
		lists := "xxh128 xxh3 xxh64 md5 md4 sha1"
		r.conn.Server([]byte{0x80, 0xA2}, []byte{byte(len(lists))}, []byte(lists))
		r.conn.Client([]byte{byte(len(lists))}, []byte(lists))
	}
	r.conn.Server(r.net.Bytes(4))
}

// flush sends what a side has to say, in messages where it multiplexes.
func (r *Rsync) flush(from Side) {
	b := r.out[from]
	r.out[from] = nil
	if from == Client && r.old() {
		r.conn.Client(b)
		return
	}
	const most = 32*1024 - 4
	for part := range slices.Chunk(b, most) {
		var head pack
		head.u32(7<<24 | uint32(len(part)))
		r.conn.Send(from, head, part)
	}
}

// list is the file list: owner, group, time and mode of all files are the same.
func (r *Rsync) list(files []RsyncFile) {
	p := &r.out[r.sender]
	for i, f := range files {
		flags := uint8(0x02 | 0x08 | 0x10 | 0x80)
		if i == 0 {
			flags = 0x01 // nothing is left out; only to be no 0
		}
		r.varint(p, uint32(flags), 1)
		p.u8(uint8(len(f.Name)))
		p.bytes([]byte(f.Name))
		r.long(p, int64(len(f.Content)), 3)
		if i == 0 {
			r.long(p, int64(r.net.Now/1e9), 4)
			p.u32(0o100644)
			r.varint(p, 1000, 4)
			r.varint(p, 1000, 4)
		}
	}
	if r.old() {
		p.zero(1 + 4 + 4 + 4) // the list, users, groups, errors
	} else {
		p.zero(2 + 1 + 1)
	}
	r.flush(r.sender)
}

// varint is write_varint; below protocol 30 a number of so many bytes.
func (r *Rsync) varint(p *pack, v uint32, plain int) {
	if r.old() {
		p.bytes(binary.LittleEndian.AppendUint32(nil, v)[:plain])
		return
	}
	p.bytes(variable(uint64(v), 1))
}

// long is write_varlong of at least so many bytes; below protocol 30 always four.
func (r *Rsync) long(p *pack, v int64, least int) {
	if r.old() {
		p.u32(uint32(v))
		return
	}
	p.bytes(variable(uint64(v), least))
}

// variable is a number of at least so many bytes. The first bits of the first byte say
// how many more there are, and its last ones are the highest of the number.
func variable(v uint64, least int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, v)
	n := len(b)
	for n > least && b[n-1] == 0 {
		n--
	}
	bit := byte(1) << (7 - n + least)
	switch {
	case b[n-1] >= bit:
		return append([]byte{-bit}, b[:n]...)
	case n > least:
		return append([]byte{b[n-1] | -(bit << 1)}, b[:n-1]...)
	}
	return append([]byte{b[n-1]}, b[:n-1]...)
}

// index is write_ndx for files that follow each other.
func (r *Rsync) index(from Side, i int32) {
	p := &r.out[from]
	switch {
	case r.old():
		p.u32(uint32(i))
	case i < 0:
		p.u8(0)
	default:
		p.u8(uint8(i - r.last[from]))
		r.last[from] = i
	}
}

const rsyncBlock = 700

// file is a file that the receiver asks for, by the checksums of what it has, and that
// it gets: bytes, and blocks that it has at the same place.
func (r *Rsync) file(i int32, f RsyncFile) {
	other, blocks := r.sender.other(), len(f.Old)/rsyncBlock
	var head pack
	head.u16(0xA000)
	head.u32(uint32(blocks), rsyncBlock, 2, 0)
	r.index(other, i)
	r.out[other].bytes(head, r.net.Bytes(blocks*6))
	r.flush(other)

	r.index(r.sender, i)
	r.out[r.sender].bytes(head)
	t := rsyncTokens{p: &r.out[r.sender], how: r.Compress, first: i == 0}
	rest := f.Content
	for at := 0; len(rest) > 0; at++ {
		n := min(rsyncBlock, len(rest))
		if at < blocks && bytes.Equal(rest[:n], f.Old[at*rsyncBlock:(at+1)*rsyncBlock]) {
			t.match(at)
		} else {
			t.literal = append(t.literal, rest[:n]...)
		}
		rest = rest[n:]
	}
	t.end()
	r.out[r.sender].bytes(r.net.Bytes(16))
	r.flush(r.sender)
}

// rsyncTokens writes a file as bytes and blocks.
type rsyncTokens struct {
	p       *pack
	how     string
	first   bool // of the session: what is compressed begins
	literal []byte
	last    int
}

// match names a block that the receiver has.
func (t *rsyncTokens) match(block int) {
	t.flush()
	if t.how == "" {
		t.p.u32(uint32(-(block + 1)))
		return
	}
	if step := block - t.last; step < 64 {
		t.p.u8(0x80 | uint8(step))
	} else {
		t.p.u8(0x20)
		t.p.u32(uint32(block))
	}
	t.last = block
}

func (t *rsyncTokens) end() {
	t.flush()
	if t.p.u8(0); t.how == "" {
		t.p.zero(3)
	}
}

// flush writes the bytes so far.
func (t *rsyncTokens) flush() {
	const most = 16000
	for part := range slices.Chunk(t.literal, most) {
		t.literal = t.literal[len(part):]
		b := pack(part)
		switch t.how {
		case "":
			t.p.u32(uint32(len(part)))
		case "zlibx":
			b = t.stored(part)
		case "zstd":
			b = t.raw(part)
		}
		if t.how != "" {
			t.p.u8(0x40|uint8(len(b)>>8), uint8(len(b)))
		}
		t.p.bytes(b)
	}
}

// stored is a block of DEFLATE that is not compressed (RFC 1951 3.2.4); the last one
// is flushed: an empty block whose last four bytes are not sent.
func (t *rsyncTokens) stored(part []byte) (b pack) {
	b.u8(0)
	b.u16(uint16(len(part)), ^uint16(len(part)))
	b.bytes(part)
	if len(t.literal) == 0 {
		b.u8(0)
	}
	return b
}

// raw is a block of Zstandard that is not compressed (RFC 8878 3.1.1.2). All files are
// one frame, with a window of 2 MiB.
func (t *rsyncTokens) raw(part []byte) (b pack) {
	if t.first {
		b.bytes([]byte{0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58})
		t.first = false
	}
	n := uint32(len(part)) << 3
	b.u8(uint8(n), uint8(n>>8), uint8(n>>16))
	b.bytes(part)
	return b
}

// end says three times that there is no more, with the counts of a daemon that sent.
func (r *Rsync) end() {
	for range 3 {
		r.index(r.sender.other(), -1)
		r.flush(r.sender.other())
		r.index(r.sender, -1)
		r.flush(r.sender)
	}
	if r.sender == Server {
		for range 5 {
			r.long(&r.out[Server], 4711, 3)
		}
		r.flush(Server)
	}
	r.index(r.sender.other(), -1)
	r.flush(r.sender.other())
	r.conn.Close()
}

func (r *Rsync) note(folder string, f RsyncFile) {
	m := pushed(r.client, r.server, "rsync", folder+f.Name, f.Content)
	if r.sender == Server {
		m = pulled(r.client, r.server, "rsync", folder+f.Name, f.Content)
	}
	m.Share, m.User = r.module, r.User
	if len(f.Old) >= rsyncBlock {
		m.SHA256, m.Completeness = "", model.Partial
	}
	r.net.Truth.Moved = append(r.net.Truth.Moved, m)
}
