package synth

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// NFSOptions say how an export is mounted. The zero value is version 3 over TCP
// by root.
type NFSOptions struct {
	Version          int    // 2, 3 or 4
	Minor            uint32 // of version 4
	UDP              bool   // of versions 2 and 3
	Port             uint16 // 2049 when 0
	Export           string // "/export" when empty
	UID, GID         uint32
	IOSize, InFlight int
	Shuffle          bool // the server answers in any order
	Fragment         int  // bytes of a record's fragments over TCP; 0 is one fragment
	Retransmit       bool // over UDP every fourth call is sent again before its answer
}

func (o NFSOptions) withDefaults() NFSOptions {
	if o.Version == 0 {
		o.Version = 3
	}
	if o.Port == 0 {
		o.Port = 2049
	}
	if o.Export == "" {
		o.Export = "/export"
	}
	if o.IOSize == 0 {
		o.IOSize = 32 << 10
	}
	if o.Version == 2 {
		o.IOSize = 8 << 10 // RFC 1094 2.3.1
	}
	if o.InFlight == 0 {
		o.InFlight = 4
	}
	return o
}

// Mount is an export that a client mounted.
type Mount struct {
	NFSOptions
	Client, Server *Host

	net     *Net
	rpc     *sunRPC
	as      nfsVersion
	handles map[string][]byte // by path in the export, "" is its root
	known   map[string]bool   // what the client looked up
	numbers map[string]uint64 // of the files
}

// nfsVersion is what differs between the versions: each method is one exchange
// or a few.
type nfsVersion interface {
	attach()
	detach()
	lookup(path string, o *NFSOpen)
	open(o *NFSOpen)
	make(o *NFSOpen)
	read(o *NFSOpen, at, n int64) (answer func())
	write(o *NFSOpen, at int64, data []byte) (answer func())
	commit(o *NFSOpen)
	setSize(o *NFSOpen, size int64)
	close(o *NFSOpen)
	refuse(o *NFSOpen, writing bool)
	list(folder string, names []string)
	rename(from, to string)
	remove(path string)
}

// NFS mounts an export of a server: the port mapper and the mount protocol for
// versions 2 and 3, a client id or a session for version 4.
func (n *Net) NFS(client, server *Host, o NFSOptions) *Mount {
	m := &Mount{NFSOptions: o.withDefaults(), Client: client, Server: server, net: n,
		handles: map[string][]byte{}, known: map[string]bool{"": true}, numbers: map[string]uint64{}}
	switch m.Version {
	case 2:
		m.as = &nfs2{m}
	case 3:
		m.as = &nfs3{m}
	case 4:
		m.as = &nfs4{Mount: m}
	default:
		panic(fmt.Sprintf("no version %d of NFS", m.Version))
	}
	m.connect()
	m.as.attach()
	return m
}

// connect opens the connection, or the flow of datagrams, from a reserved port.
func (m *Mount) connect() {
	n := m.net
	m.rpc = &sunRPC{xid: uint32(n.random()), credential: authSys(strings.ToLower(m.Client.Name), m.UID, m.GID), fragment: m.Fragment, again: m.Retransmit}
	if m.UDP {
		m.rpc.udp = n.UDP(m.Client, m.Server, m.Port)
		m.rpc.udp.ports[Client], m.rpc.udp.Fragments = m.Client.reserved(), true
	} else {
		m.rpc.tcp = n.dial(m.Client, m.Client.reserved(), m.Server, m.Port)
	}
	m.rpc.null(progNFS, uint32(m.Version))
}

// mountd asks for the root's handle as versions 2 and 3 do (RFC 1094 appendix A,
// RFC 1813 5.2).
func (m *Mount) mountd(version uint32, results []byte) {
	const port = 20048
	m.net.getPort(m.Client, m.Server, progMount, version, protoUDP, port)
	r := &sunRPC{udp: m.net.UDP(m.Client, m.Server, port), xid: uint32(m.net.random()), credential: m.rpc.credential}
	var path xdr
	path.text(m.Export)
	r.call(progMount, version, 1, path, results)
	protocol := uint32(protoTCP)
	if m.UDP {
		protocol = protoUDP
	}
	m.net.getPort(m.Client, m.Server, progNFS, uint32(m.Version), protocol, uint32(m.Port))
}

// Unmount ends what the client has on the server, and the connection.
func (m *Mount) Unmount() {
	m.as.detach()
	m.Hangup()
}

// Hangup closes the connection without a word.
func (m *Mount) Hangup() {
	if m.rpc.tcp != nil {
		m.rpc.tcp.Close()
	}
}

// Reconnect goes on over another connection, as clients do after a loss.
func (m *Mount) Reconnect() {
	m.Hangup()
	m.connect()
}

// handle is the server's handle of a path: its length is that of the version.
func (m *Mount) handle(path string) []byte {
	h, ok := m.handles[path]
	if !ok {
		h = m.net.Bytes([]int{2: 32, 3: 28, 4: 40}[m.Version])
		m.handles[path] = h
		m.numbers[path] = uint64(1000 + len(m.handles))
	}
	return h
}

// folder is what a path lies in, and its last element.
func folder(path string) (in, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// find looks up what of the way to a file is not known yet.
func (m *Mount) find(o *NFSOpen) {
	m.findFolder(o.Path)
	if !m.known[o.Path] {
		m.as.lookup(o.Path, o)
		m.known[o.Path] = true
	}
}

// findFolder looks up the folders on the way to a path.
func (m *Mount) findFolder(path string) {
	in, _ := folder(path)
	if m.known[in] {
		return
	}
	m.findFolder(in)
	m.as.lookup(in, nil)
	m.known[in] = true
}

// NFSOpen is a file that the client uses. Close writes down what moved.
type NFSOpen struct {
	Path string

	m     *Mount
	state []byte // of version 4
	body
}

// Open uses a file that is there, with its content.
func (m *Mount) Open(path string, content []byte) *NFSOpen {
	o := &NFSOpen{Path: path, m: m, body: body{size: int64(len(content)), content: content}}
	m.find(o)
	m.as.open(o)
	return o
}

// Create makes a file.
func (m *Mount) Create(path string) *NFSOpen {
	o := &NFSOpen{Path: path, m: m, body: body{made: true}}
	m.findFolder(path)
	m.as.make(o)
	m.known[path] = true
	return o
}

// Read reads the bytes [from, to), several requests in flight.
func (o *NFSOpen) Read(from, to int64) { inTurns(o.reading(from, to)) }

// Write writes data at an offset, several requests in flight.
func (o *NFSOpen) Write(at int64, data []byte) { inTurns(o.writing(at, data)) }

func (o *NFSOpen) reading(from, to int64) *window {
	o.read = append(o.read, span{from, to})
	return o.window(from, to, func(at, n int64) func() { return o.m.as.read(o, at, n) })
}

func (o *NFSOpen) writing(at int64, data []byte) *window {
	return o.window(at, at+int64(len(data)), func(from, n int64) func() {
		part := data[from-at:][:n]
		o.put(from, part)
		return o.m.as.write(o, from, part)
	})
}

func (o *NFSOpen) window(from, to int64, ask func(at, n int64) func()) *window {
	m := o.m
	return &window{net: m.net, next: from, end: to, size: int64(m.IOSize), inFlight: m.InFlight, shuffle: m.Shuffle, ask: ask}
}

// Commit asks the server to keep what was written.
func (o *NFSOpen) Commit() { o.m.as.commit(o) }

// SetEnd sets the end of the file.
func (o *NFSOpen) SetEnd(size int64) {
	o.setEnd(size)
	o.m.as.setSize(o, size)
}

// Close ends the use of the file and writes down what moved.
func (o *NFSOpen) Close() {
	o.m.as.close(o)
	_, path := o.m.shown(o.Path)
	for _, x := range o.moves(o.m.Client, o.m.Server, "nfs", path) {
		o.m.note(x)
	}
}

// shown is the share and the path under which a record shows a file: version 4
// has no shares but one tree (RFC 7530 7).
func (m *Mount) shown(path string) (share, full string) {
	if m.Version == 4 {
		return "", strings.Trim(m.Export, "/") + "/" + path
	}
	return m.Export, path
}

// note adds a transfer to the truth.
func (m *Mount) note(x Moved) {
	x.Share, _ = m.shown("")
	x.User = fmt.Sprintf("uid %d gid %d", m.UID, m.GID)
	m.net.Truth.Moved = append(m.net.Truth.Moved, x)
}

// Get reads a whole file.
func (m *Mount) Get(path string, content []byte) {
	o := m.Open(path, content)
	o.Read(0, o.size)
	o.Close()
}

// Put makes a file with the content.
func (m *Mount) Put(path string, content []byte) {
	o := m.Create(path)
	o.Write(0, content)
	o.Commit()
	o.Close()
}

// GetTogether reads several files at the same time, in turns.
func (m *Mount) GetTogether(paths []string, contents [][]byte) {
	var opens []*NFSOpen
	var windows []*window
	for i, path := range paths {
		o := m.Open(path, contents[i])
		opens, windows = append(opens, o), append(windows, o.reading(0, o.size))
	}
	inTurns(windows...)
	for _, o := range opens {
		o.Close()
	}
}

// List reads a folder; the client knows the files in it afterwards.
func (m *Mount) List(in string, names ...string) {
	m.findFolder(in + "/")
	m.as.list(in, names)
}

// inside is the path of a name in a folder.
func inside(in, name string) string { return strings.TrimPrefix(in+"/"+name, "/") }

// Rename gives a file another path; what moved under its old one is known
// under the new.
func (m *Mount) Rename(from, to string) {
	m.findFolder(to)
	m.as.rename(from, to)
	m.handles[to], m.numbers[to] = m.handle(from), m.numbers[from]
	m.known[to] = true
	delete(m.handles, from)
	delete(m.known, from)
	_, old := m.shown(from)
	share, path := m.shown(to)
	m.net.Truth.renamed("nfs", share, old, path)
}

// Remove removes a file.
func (m *Mount) Remove(path string) {
	m.as.remove(path)
	delete(m.handles, path)
	delete(m.known, path)
}

// Refused asks for data of a file, or wants to write some, and may not.
func (m *Mount) Refused(path string, writing bool) {
	o := &NFSOpen{Path: path, m: m, body: body{size: 4096}}
	m.find(o)
	m.as.refuse(o, writing)
	_, full := m.shown(path)
	x := pulled(m.Client, m.Server, "nfs", full, nil)
	if writing {
		x = pushed(m.Client, m.Server, "nfs", full, nil)
	}
	x.SHA256, x.Status, x.Completeness = "", model.Denied, model.Partial
	m.note(x)
}
