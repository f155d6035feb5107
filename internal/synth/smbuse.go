package synth

import "waybill/internal/model"

// What users and programs do on a share, in one call each.

// Get reads a whole file.
func (t *Tree) Get(path string, content []byte) {
	o := t.Open(path, content)
	o.ReadAll()
	o.Close()
}

// GetTogether reads several files at the same time, in turns.
func (t *Tree) GetTogether(paths []string, contents [][]byte) {
	var opens []*Open
	var runs []*run
	for i, path := range paths {
		o := t.Open(path, contents[i])
		opens, runs = append(opens, o), append(runs, o.reading(0, o.size))
	}
	together(runs...)
	for _, o := range opens {
		o.Close()
	}
}

// Put makes a file with the content: end of file first, as Windows copies do,
// then the writes.
func (t *Tree) Put(path string, content []byte) {
	o := t.Create(path)
	o.SetEnd(int64(len(content)))
	o.Write(0, content)
	o.Close()
}

// Peek reads the first 4,096 bytes of a larger file, as Explorer does for icons.
func (t *Tree) Peek(path string, content []byte) {
	o := t.Open(path, content)
	o.QuerySize()
	o.Read(0, min(4096, o.size))
	o.Close()
}

// Remove opens a file and deletes it.
func (t *Tree) Remove(path string, size int64) {
	o := t.open(path, 0x00010080, OpenExisting, 1, size)
	o.Delete()
	o.Close()
}

// GetCompound reads a small file with one compound of CREATE, READ and CLOSE.
func (t *Tree) GetCompound(path string, content []byte) {
	o := t.newOpen(path, int64(len(content)))
	o.content = content
	o.read = spans{{0, o.size}}
	same := [2]uint64{^uint64(0), ^uint64(0)}
	ch := t.s.channels[0]
	ids := ch.askAll(
		smbMessage{command: smbCreate, tree: t.id, body: createRequest(path, ReadAccess, OpenExisting)},
		smbMessage{command: smbRead, tree: t.id, flags: smbRelated, body: readRequest(same, 0, 64<<10)},
		smbMessage{command: smbClose, tree: t.id, flags: smbRelated, body: closeRequest(same, true)})
	ch.answer(
		smbMessage{command: smbCreate, tree: t.id, id: ids[0], body: createResponse(o, 1)},
		smbMessage{command: smbRead, tree: t.id, id: ids[1], flags: smbRelated, body: readResponse(len(content)), data: content},
		smbMessage{command: smbClose, tree: t.id, id: ids[2], flags: smbRelated, body: closeResponse(o, true)})
	o.note()
}

// Refused asks for a file and gets an error. Denied access to data is a
// transfer that did not happen.
func (t *Tree) Refused(path string, access uint32, status uint32) {
	s := t.s
	s.channels[0].refuse(smbCreate, t.id, createRequest(path, access, OpenIf), status)
	if status != StatusAccessDenied || access&0x7 == 0 {
		return
	}
	m := pulled(s.Client, s.Server, "smb2", path, nil)
	if access&0x6 != 0 {
		m = pushed(s.Client, s.Server, "smb2", path, nil)
	}
	m.SHA256, m.Status, m.Completeness = "", model.Denied, ""
	s.note(t, m)
}

// List reads a folder.
func (t *Tree) List(folder string, names ...string) {
	o := t.open(folder, 0x00100081, OpenExisting, 1, 0)
	ch := t.s.channels[0]
	ch.call(smbQueryDirectory, t.id, queryDirectoryRequest(o.id, "*"), outputResponse(directory(t.s.stamp, names)))
	ch.refuse(smbQueryDirectory, t.id, queryDirectoryRequest(o.id, "*"), StatusNoMoreFiles)
	o.Close()
}

// The file system controls of a server-side copy and of pipes (MS-FSCC 2.3).
const (
	fsctlResumeKey      = 0x00140078
	fsctlCopyChunk      = 0x001440F2
	fsctlPipeTransceive = 0x0011C017
)

// CopyTo lets the server copy the whole file to another one (MS-SMB2 3.3.5.15.6):
// no content is on the wire.
func (o *Open) CopyTo(to *Open) {
	s := o.t.s
	key := s.net.Bytes(24)
	o.call(smbIoctl, ioctlRequest(o.id, fsctlResumeKey, nil), ioctlResponse(o.id, fsctlResumeKey, append(key[:24:24], 0, 0, 0, 0, 0, 0, 0, 0)))
	var ask, done pack
	ask.bytes(key)
	ask.u32(1, 0)
	ask.u64(0, 0)
	ask.u32(uint32(o.size), 0)
	done.u32(1, 0, uint32(o.size))
	to.call(smbIoctl, ioctlRequest(to.id, fsctlCopyChunk, ask), ioctlResponse(to.id, fsctlCopyChunk, done))
	to.size, to.made = o.size, false
	m := moved(s.Server, s.Server, model.Copy, "smb2", to.Path, o.content)
	m.SHA256, m.Completeness = "", model.Inferred
	s.note(to.t, m)
}
