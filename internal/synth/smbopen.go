package synth

import "slices"

// Disposition says what CREATE does with a file that is there (MS-SMB2 2.2.13).
type Disposition uint32

// The dispositions of CREATE.
const (
	OpenExisting Disposition = 1
	CreateNew    Disposition = 2
	OpenIf       Disposition = 3
	OverwriteIf  Disposition = 5
)

// The access masks of an ordinary reader and of an ordinary writer.
const (
	ReadAccess  = 0x00120089
	WriteAccess = 0x0013019F
)

// Open is an opened file. Close writes down what moved through it.
type Open struct {
	Path  string
	Async bool // reads and writes are first answered with STATUS_PENDING

	t    *Tree
	id   [2]uint64
	pipe bool
	body
}

// Open opens a file that is there, with its content.
func (t *Tree) Open(path string, content []byte) *Open {
	o := t.open(path, ReadAccess, OpenExisting, 1, int64(len(content)))
	o.content = content
	return o
}

// Modify opens a file that is there for writing, with its content.
func (t *Tree) Modify(path string, content []byte) *Open {
	o := t.open(path, WriteAccess, OpenExisting, 1, int64(len(content)))
	o.content = slices.Clone(content)
	return o
}

// Create makes a file, or empties the one that is there.
func (t *Tree) Create(path string) *Open {
	o := t.open(path, WriteAccess, OverwriteIf, 2, 0)
	o.made = true
	return o
}

func (t *Tree) open(path string, access uint32, d Disposition, action uint32, size int64) *Open {
	o := t.newOpen(path, size)
	t.s.channels[0].call(smbCreate, t.id, createRequest(path, access, d), createResponse(o, action))
	return o
}

// newOpen is an open with the server's next file id.
func (t *Tree) newOpen(path string, size int64) *Open {
	t.s.files++
	return &Open{Path: path, t: t, body: body{size: size}, id: [2]uint64{t.s.files, t.s.files<<32 | 0xFFFF}}
}

// attributes are those of a pipe or an ordinary file.
func (o *Open) attributes() uint32 {
	if o.pipe {
		return 0x80
	}
	return 0x20
}

// Read reads the bytes [from, to), several requests in flight.
func (o *Open) Read(from, to int64) { together(o.reading(from, to)) }

// ReadAll reads the whole file.
func (o *Open) ReadAll() { o.Read(0, o.size) }

// Write writes data at an offset, several requests in flight.
func (o *Open) Write(at int64, data []byte) { together(o.writing(at, data)) }

// QuerySize asks for the file's standard information (MS-FSCC 2.4.41).
func (o *Open) QuerySize() {
	var info pack
	info.u64(uint64(o.size+4095)&^4095, uint64(o.size))
	info.u32(1, 0)
	o.call(smbQueryInfo, queryInfoRequest(o.id, 5, 24), outputResponse(info))
}

// SetEnd sets the end of the file (MS-FSCC 2.4.13).
func (o *Open) SetEnd(size int64) {
	var info pack
	info.u64(uint64(size))
	o.call(smbSetInfo, setInfoRequest(o.id, 20, info), []byte{2, 0})
	o.setEnd(size)
}

// Rename gives the file another path in its share (MS-FSCC 2.4.37.2).
func (o *Open) Rename(path string) {
	name := utf16le(path)
	var info pack
	info.u64(0, 0)
	info.u32(uint32(len(name)))
	info.bytes(name)
	o.call(smbSetInfo, setInfoRequest(o.id, 10, info), []byte{2, 0})
	o.Path = path
}

// Delete marks the file to be removed when it is closed (MS-FSCC 2.4.11).
func (o *Open) Delete() {
	o.call(smbSetInfo, setInfoRequest(o.id, 13, []byte{1}), []byte{2, 0})
}

// Close closes the file and writes down what moved.
func (o *Open) Close() {
	o.call(smbClose, closeRequest(o.id, true), closeResponse(o, true))
	o.note()
}

func (o *Open) call(command uint16, request, response []byte) {
	o.t.s.channels[0].call(command, o.t.id, request, response)
}

// note adds to the truth what was read and written.
func (o *Open) note() {
	s := o.t.s
	for _, m := range o.moves(s.Client, s.Server, "smb2", o.Path) {
		s.note(o.t, m)
	}
}

// note adds a transfer to the truth, under the session's user.
func (s *Session) note(t *Tree, m Moved) {
	m.Share, m.User, m.Domain = t.Share, s.User, s.Domain
	s.net.Truth.Moved = append(s.net.Truth.Moved, m.on(s.channels[0].Conn))
}
