package synth

import "waybill/internal/model"

// SMB1Open is an opened file. Close writes down what moved through it.
type SMB1Open struct {
	Path string // with a backslash first

	t  *SMB1Tree
	id uint16
	body
}

// Open opens a file that is there, with its content.
func (t *SMB1Tree) Open(path string, content []byte) *SMB1Open {
	o := t.newOpen(path, int64(len(content)))
	o.content = content
	t.create(o, ReadAccess, OpenExisting, 1)
	return o
}

// Create makes a file, or empties the one that is there.
func (t *SMB1Tree) Create(path string) *SMB1Open {
	o := t.newOpen(path, 0)
	o.made = true
	t.create(o, WriteAccess, OverwriteIf, 2)
	return o
}

// newOpen is an open with the server's next file id.
func (t *SMB1Tree) newOpen(path string, size int64) *SMB1Open {
	t.s.fid++
	return &SMB1Open{Path: `\` + path, t: t, id: t.s.fid, body: body{size: size}}
}

func (t *SMB1Tree) create(o *SMB1Open, access uint32, d Disposition, action uint32) {
	t.s.call(t.id, 0, t.creating(o.Path, access, d), t.created(o, action, 0))
}

// creating is NT_CREATE_ANDX (MS-CIFS 2.2.4.64.1).
func (t *SMB1Tree) creating(path string, access uint32, d Disposition) smb1Block {
	p := andX()
	p.u8(0)
	p.u16(t.s.textLen(path))
	p.u32(0x16, 0, access)
	p.u64(0)
	p.u32(0x80, 7, uint32(d), 0x40, 2)
	p.u8(3)
	return smb1Block{command: smb1NTCreate, words: p, texts: []string{path}}
}

// created is its answer (MS-CIFS 2.2.4.64.2); kind 2 is a pipe.
func (t *SMB1Tree) created(o *SMB1Open, action uint32, kind uint16) smb1Block {
	stamp := filetime(Begin - 7200e9)
	p := andX()
	p.u8(0)
	p.u16(o.id)
	p.u32(action)
	p.u64(stamp, stamp, stamp, stamp)
	p.u32(0x80)
	p.u64(uint64(o.size+4095)&^4095, uint64(o.size))
	p.u16(kind, 7)
	p.u8(0)
	return smb1Block{command: smb1NTCreate, words: p}
}

// OpenAndRead opens a file and reads its first bytes in one message (MS-CIFS
// 2.2.3.4).
func (t *SMB1Tree) OpenAndRead(path string, content []byte) *SMB1Open {
	o := t.newOpen(path, int64(len(content)))
	o.content = content
	n := min(o.size, 4096)
	o.read = spans{{0, n}}
	asks := []smb1Block{t.opening(o.Path), o.asking(0, n)}
	asks[1].words[4], asks[1].words[5] = 0xFF, 0xFF // of the file just opened
	answers := []smb1Block{o.openedAndX(), o.giving(0, n)}
	// The data lie behind both blocks.
	at := smb1HeaderLen + 1 + len(answers[0].words) + 2 + 1 + 24 + 2 + 1
	answers[1].words[12] = uint8(at)
	t.s.answer(t.s.ask(t.id, asks...), t.id, 0, answers...)
	return o
}

// opening is OPEN_ANDX of a file that is there, to be read (MS-CIFS 2.2.4.41.1).
func (t *SMB1Tree) opening(path string) smb1Block {
	p := andX()
	p.u16(1, 0x40, 0x16, 0)
	p.u32(0)
	p.u16(1)
	p.u32(0, 0, 0)
	return smb1Block{command: smb1OpenAndX, words: p, texts: []string{path}}
}

func (o *SMB1Open) openedAndX() smb1Block {
	p := andX()
	p.u16(o.id, 0x20)
	p.u32(0, uint32(o.size))
	p.u16(0, 0, 0, 1)
	p.zero(6)
	return smb1Block{command: smb1OpenAndX, words: p}
}

// asking is READ_ANDX (MS-CIFS 2.2.4.42.1, MS-SMB 2.2.4.2.1).
func (o *SMB1Open) asking(at, n int64) smb1Block {
	p := andX()
	p.u16(o.id)
	p.u32(uint32(at))
	p.u16(uint16(n), uint16(n))
	p.u32(uint32(n >> 16))
	p.u16(0)
	p.u32(uint32(at >> 32))
	return smb1Block{command: smb1ReadAndX, words: p}
}

// giving is its answer, one byte of padding before the data.
func (o *SMB1Open) giving(at, n int64) smb1Block {
	p := andX()
	p.u16(0xFFFF, 0, 0, uint16(n), smb1HeaderLen+1+24+2+1, uint16(n>>16))
	p.zero(8)
	return smb1Block{command: smb1ReadAndX, words: p, head: []byte{0}, bulk: o.content[at:][:n]}
}

// Read reads the bytes [from, to), several requests in flight.
func (o *SMB1Open) Read(from, to int64) { inTurns(o.reading(from, to)) }

// Write writes data at an offset, several requests in flight.
func (o *SMB1Open) Write(at int64, data []byte) { inTurns(o.writing(at, data)) }

func (o *SMB1Open) reading(from, to int64) *window {
	s := o.t.s
	o.read = append(o.read, span{from, to})
	return o.window(from, to, func(at, n int64) func() {
		mid := s.ask(o.t.id, o.asking(at, n))
		return func() { s.answer(mid, o.t.id, 0, o.giving(at, n)) }
	})
}

func (o *SMB1Open) writing(at int64, data []byte) *window {
	s := o.t.s
	return o.window(at, at+int64(len(data)), func(from, n int64) func() {
		part := data[from-at:][:n]
		o.put(from, part)
		mid := s.ask(o.t.id, o.write(from, part))
		p := andX()
		p.u16(uint16(n), 0xFFFF, uint16(n>>16), 0)
		return func() { s.answer(mid, o.t.id, 0, smb1Block{command: smb1WriteAndX, words: p}) }
	})
}

// write is WRITE_ANDX (MS-CIFS 2.2.4.43.1).
func (o *SMB1Open) write(at int64, data []byte) smb1Block {
	n, pad := len(data), o.t.s.Pad
	p := andX()
	p.u16(o.id)
	p.u32(uint32(at), 0xFFFFFFFF)
	p.u16(0, uint16(n), uint16(n>>16), uint16(n), uint16(smb1HeaderLen+1+28+2+pad))
	p.u32(uint32(at >> 32))
	return smb1Block{command: smb1WriteAndX, words: p, head: make([]byte, pad), bulk: data}
}

func (o *SMB1Open) window(from, to int64, ask func(at, n int64) func()) *window {
	s := o.t.s
	return &window{net: s.net, next: from, end: to, size: int64(s.IOSize), inFlight: s.InFlight, shuffle: s.Shuffle, ask: ask}
}

// rawSize bounds one raw read or write: its length has 16 bits.
const rawSize = 0xFFFF

// ReadRaw reads the whole file by READ_RAW: answers without headers (MS-CIFS
// 2.2.4.22).
func (o *SMB1Open) ReadRaw() {
	s := o.t.s
	for at := int64(0); at < o.size; at += rawSize {
		n := min(rawSize, o.size-at)
		o.read = append(o.read, span{at, at + n})
		var p pack
		p.u16(o.id)
		p.u32(uint32(at))
		p.u16(uint16(n), 0)
		p.u32(0)
		p.u16(0)
		s.ask(o.t.id, smb1Block{command: smb1ReadRaw, words: p})
		s.conn.Server(be32(nil, uint32(n)), o.content[at:][:n])
	}
}

// WriteRaw writes data at an offset by WRITE_RAW: the first bytes with the
// request, the others without a header (MS-CIFS 2.2.4.25).
func (o *SMB1Open) WriteRaw(at int64, data []byte) {
	const first = 1000
	s := o.t.s
	for len(data) > 0 {
		n := min(rawSize, len(data))
		part := data[:n]
		o.put(at, part)
		k := min(first, n)
		var p pack
		p.u16(o.id, uint16(n), 0)
		p.u32(uint32(at), 0)
		p.u16(1) // the server says when it is written
		p.u32(0)
		p.u16(uint16(k), smb1HeaderLen+1+28+2+1)
		p.u32(uint32(at >> 32))
		mid := s.ask(o.t.id, smb1Block{command: smb1WriteRaw, words: p, head: []byte{0}, bulk: part[:k]})
		s.answer(mid, o.t.id, 0, smb1Block{command: smb1WriteRaw, words: pack{0xFF, 0xFF}})
		if n > k {
			s.conn.Client(be32(nil, uint32(n-k)), part[k:])
		}
		s.answer(mid, o.t.id, 0, smb1Block{command: smb1WriteDone, words: pack{uint8(n), uint8(n >> 8)}})
		at, data = at+int64(n), data[n:]
	}
}

// Close closes the file and writes down what moved.
func (o *SMB1Open) Close() {
	o.shut()
	s := o.t.s
	for _, m := range o.moves(s.Client, s.Server, "smb1", o.Path) {
		s.note(o.t, m)
	}
}

func (o *SMB1Open) shut() {
	var p pack
	p.u16(o.id)
	p.u32(0)
	o.t.s.call(o.t.id, 0, smb1Block{command: smb1Close, words: p}, smb1Block{command: smb1Close})
}

// note adds a transfer to the truth, under the session's user.
func (s *SMB1) note(t *SMB1Tree, m Moved) {
	m.Share, m.User, m.Domain = t.Share, s.User, s.Domain
	s.net.Truth.Moved = append(s.net.Truth.Moved, m.on(s.conn))
}

// Get reads a whole file.
func (t *SMB1Tree) Get(path string, content []byte) {
	o := t.Open(path, content)
	o.Read(0, o.size)
	o.Close()
}

// GetTogether reads several files at the same time, in turns.
func (t *SMB1Tree) GetTogether(paths []string, contents [][]byte) {
	var opens []*SMB1Open
	var windows []*window
	for i, path := range paths {
		o := t.Open(path, contents[i])
		opens, windows = append(opens, o), append(windows, o.reading(0, o.size))
	}
	inTurns(windows...)
	for _, o := range opens {
		o.Close()
	}
}

// Put makes a file with the content: end of file first, as Windows copies do,
// then the writes.
func (t *SMB1Tree) Put(path string, content []byte) {
	o := t.Create(path)
	o.SetEnd(int64(len(content)))
	o.Write(0, content)
	o.Close()
}

// Refused asks for a file and gets an error. Denied access to data is a
// transfer that did not happen.
func (t *SMB1Tree) Refused(path string, access uint32, status uint32) {
	s := t.s
	s.refuse(t.id, status, t.creating(`\`+path, access, OpenIf))
	if status != StatusAccessDenied || access&0x7 == 0 {
		return
	}
	m := pulled(s.Client, s.Server, "smb1", `\`+path, nil)
	if access&0x6 != 0 {
		m = pushed(s.Client, s.Server, "smb1", `\`+path, nil)
	}
	m.SHA256, m.Status, m.Completeness = "", model.Denied, ""
	s.note(t, m)
}

// Rename gives a file that nobody has open another path (MS-CIFS 2.2.4.8), and
// what moved under its old one the new name.
func (t *SMB1Tree) Rename(from, to string) {
	block := smb1Block{command: smb1Rename, words: pack{0x16, 0}, texts: []string{`\` + from, `\` + to}, format: true}
	t.s.call(t.id, 0, block, smb1Block{command: smb1Rename})
	t.s.net.Truth.renamed("smb1", t.Share, `\`+from, `\`+to)
}

// Delete removes a file (MS-CIFS 2.2.4.7).
func (t *SMB1Tree) Delete(path string) {
	block := smb1Block{command: smb1Delete, words: pack{0x16, 0}, texts: []string{`\` + path}, format: true}
	t.s.call(t.id, 0, block, smb1Block{command: smb1Delete})
}
