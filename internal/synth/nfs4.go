package synth

import (
	"strconv"
	"strings"
)

// nfs4 speaks versions 4.0 (RFC 7530), 4.1 (RFC 8881) and 4.2 (RFC 7862).
type nfs4 struct {
	*Mount
	client  uint64   // the client id
	session []byte   // of minor versions from 1 on
	slots   []uint32 // the last sequence number of each slot of the session
	busy    []bool   // slots whose answer is to come
	owner   uint32   // sequence number of the open owner, of minor version 0
}

// nfs4Op is one operation of a compound with its result.
type nfs4Op struct {
	op     uint32
	ask    [][]byte
	status uint32
	result [][]byte
}

func op4(op uint32, ask []byte, result ...[]byte) nfs4Op {
	return nfs4Op{op: op, ask: [][]byte{ask}, result: result}
}

// ask sends a COMPOUND, in a session with its SEQUENCE, and gives what sends
// its answer.
func (v *nfs4) ask(ops ...nfs4Op) func() {
	slot := -1
	if v.session != nil {
		slot = v.slot()
		ops = append([]nfs4Op{v.sequence(uint32(slot))}, ops...)
	}
	call := [][]byte{numbers(0, v.Minor, uint32(len(ops)))}
	for _, o := range ops {
		call = append(append(call, numbers(o.op)), o.ask...)
	}
	answer := v.rpc.ask(progNFS, 4, 1, call...)
	return func() {
		last := ops[len(ops)-1].status
		results := [][]byte{numbers(last, 0, uint32(len(ops)))}
		for _, o := range ops {
			results = append(append(results, numbers(o.op, o.status)), o.result...)
		}
		answer(results...)
		if slot >= 0 {
			v.busy[slot] = false
		}
	}
}

func (v *nfs4) do(ops ...nfs4Op) { v.ask(ops...)() }

// slot takes the first free slot of the session.
func (v *nfs4) slot() int {
	for i, busy := range v.busy {
		if !busy {
			v.busy[i] = true
			return i
		}
	}
	v.slots, v.busy = append(v.slots, 0), append(v.busy, true)
	return len(v.slots) - 1
}

// sequence is SEQUENCE (RFC 8881 18.46).
func (v *nfs4) sequence(slot uint32) nfs4Op {
	v.slots[slot]++
	seq := v.slots[slot]
	return op4(53, join(v.session, numbers(seq, slot, slot, 0)), v.session, numbers(seq, slot, 63, 63, 0))
}

func (v *nfs4) attach() {
	v.client = v.net.random()
	if v.Minor == 0 {
		v.setClientID()
	} else {
		v.createSession()
	}
	ops := []nfs4Op{op4(24, nil)} // PUTROOTFH
	for _, name := range strings.Split(strings.Trim(v.Export, "/"), "/") {
		ops = append(ops, v.name(15, name)) // LOOKUP
	}
	v.do(append(ops, v.getFH(""), v.getAttr(nil))...)
}

// setClientID names the client to a server of minor version 0 (RFC 7530 16.33).
func (v *nfs4) setClientID() {
	var ask, result xdr
	verifier, confirm := v.net.Bytes(8), v.net.Bytes(8)
	ask.fixed(verifier)
	ask.text("Linux NFSv4.0 " + strings.ToLower(v.Client.Name))
	ask.u32(0x40000000)
	ask.text(netid(v.Client))
	ask.text(universal(v.Client, v.Client.ephemeral()))
	ask.u32(1)
	result.u64(v.client)
	result.fixed(confirm)
	v.do(op4(35, ask, result))
	v.do(op4(36, result)) // SETCLIENTID_CONFIRM
}

// netid is how a transport is named (RFC 5665 5.1).
func netid(h *Host) string {
	if h.Addr.Is6() {
		return "tcp6"
	}
	return "tcp"
}

// createSession makes the client known and a session for it (RFC 8881 18.35,
// 18.36).
func (v *nfs4) createSession() {
	var ask, result xdr
	ask.fixed(v.net.Bytes(8))
	ask.text("Linux NFSv4." + strconv.Itoa(int(v.Minor)) + " " + strings.ToLower(v.Client.Name))
	ask.u32(0x101, 0, 0)
	result.u64(v.client)
	result.u32(1, 0x20001, 0)
	result.u64(0)
	result.text(v.Server.Name)
	result.text(v.Server.Name)
	result.u32(0)
	v.do(op4(42, ask, result))

	session := v.net.Bytes(16)
	channels := join(numbers(0, 1<<20, 1<<20, 4096, 8, 64, 0), numbers(0, 4096, 4096, 0, 2, 16, 0))
	ask, result = nil, nil
	ask.u64(v.client)
	ask.u32(1, 3)
	ask.fixed(channels)
	ask.u32(0x40000000, 1, 0) // callbacks without a credential
	result.fixed(session)
	result.u32(1, 3)
	result.fixed(channels)
	v.do(op4(43, ask, result))
	v.session = session
	v.do(op4(58, numbers(0))) // RECLAIM_COMPLETE
}

func (v *nfs4) detach() {
	if v.session == nil {
		return
	}
	session := v.session
	v.session = nil
	v.do(op4(44, session)) // DESTROY_SESSION
	var id xdr
	id.u64(v.client)
	v.do(op4(57, id)) // DESTROY_CLIENTID
}

// The attributes that are asked for: type, change, size and file id (RFC 7530 5.8).
const attrs4 = 1<<1 | 1<<3 | 1<<4 | 1<<20

func (v *nfs4) attributes(o *NFSOpen) []byte {
	var x, values xdr
	if o == nil {
		values.u32(2)
		values.u64(1, 4096, 1000)
	} else {
		values.u32(1)
		v.handle(o.Path)
		values.u64(uint64(len(o.written)+1), uint64(o.size), v.numbers[o.Path])
	}
	x.u32(1, attrs4)
	x.opaque(values)
	return x
}

func (v *nfs4) getAttr(o *NFSOpen) nfs4Op { return op4(9, numbers(1, attrs4), v.attributes(o)) }

func (v *nfs4) putFH(path string) nfs4Op {
	var x xdr
	x.opaque(v.handle(path))
	return op4(22, x)
}

func (v *nfs4) getFH(path string) nfs4Op {
	var x xdr
	x.opaque(v.handle(path))
	return op4(10, nil, x)
}

// name is an operation whose only argument is a name.
func (v *nfs4) name(op uint32, name string, result ...[]byte) nfs4Op {
	var x xdr
	x.text(name)
	return op4(op, x, result...)
}

// change4 is change_info4: atomic, before and after.
func change4() []byte {
	var x xdr
	x.u32(1)
	x.u64(1, 2)
	return x
}

func (v *nfs4) lookup(path string, o *NFSOpen) {
	dir, name := folder(path)
	v.do(v.putFH(dir), v.name(15, name), v.getFH(path), v.getAttr(o))
}

// open is OPEN by name in the current folder (RFC 7530 16.16), as a reader or as
// one who makes the file.
func (v *nfs4) opening(o *NFSOpen, writing bool) nfs4Op {
	_, name := folder(o.Path)
	o.state = v.net.Bytes(16)
	copy(o.state, []byte{0, 0, 0, 1})
	v.owner++
	var ask, result xdr
	access := uint32(1)
	if writing {
		access = 2
	}
	ask.u32(v.owner, access, 0)
	ask.u64(v.client)
	ask.text("open id:" + strconv.Itoa(int(v.UID)))
	if o.made {
		ask.u32(1, 1, 1, 1<<4) // create, GUARDED, with a size of 0
		ask.opaque(make([]byte, 8))
	} else {
		ask.u32(0)
	}
	ask.u32(0)
	ask.text(name)
	flags, confirm := uint32(4), uint32(0)
	if v.Minor == 0 && v.owner == 1 {
		confirm = 2
	}
	result.fixed(o.state, change4())
	result.u32(flags|confirm, 0, 0)
	return op4(18, ask, result)
}

// opened sends an OPEN and what makes it good.
func (v *nfs4) opened(o *NFSOpen, writing bool) {
	dir, _ := folder(o.Path)
	v.do(v.putFH(dir), v.opening(o, writing), v.getFH(o.Path), op4(3, numbers(0x2D), numbers(0x2D, 0x2D)), v.getAttr(o))
	if v.Minor == 0 && v.owner == 1 {
		v.owner++
		v.do(v.putFH(o.Path), op4(20, join(o.state, numbers(v.owner)), o.state)) // OPEN_CONFIRM
	}
}

func (v *nfs4) open(o *NFSOpen) { v.opened(o, false) }

func (v *nfs4) make(o *NFSOpen) { v.opened(o, true) }

func (v *nfs4) read(o *NFSOpen, at, n int64) func() {
	var ask xdr
	ask.fixed(o.state)
	ask.u64(uint64(at))
	ask.u32(uint32(n))
	eof := uint32(0)
	if at+n == o.size {
		eof = 1
	}
	data := o.content[at:][:n]
	return v.ask(v.putFH(o.Path), v.reading(o, ask, at, data, eof))
}

// reading is READ, or from version 4.2 on READ_PLUS (RFC 7862 15.10), whose
// answer leaves zeros out.
func (v *nfs4) reading(o *NFSOpen, ask xdr, at int64, data []byte, eof uint32) nfs4Op {
	if v.Minor < 2 {
		return op4(25, ask, numbers(eof, uint32(len(data))), data, padding(len(data)))
	}
	var head xdr
	if strings.Trim(string(data), "\x00") == "" {
		head.u32(eof, 1, 1)
		head.u64(uint64(at), uint64(len(data)))
		return op4(68, ask, head)
	}
	head.u32(eof, 1, 0)
	head.u64(uint64(at))
	head.u32(uint32(len(data)))
	return op4(68, ask, head, data, padding(len(data)))
}

// write is WRITE, unstable: COMMIT follows.
func (v *nfs4) write(o *NFSOpen, at int64, data []byte) func() {
	var ask xdr
	ask.fixed(o.state)
	ask.u64(uint64(at))
	ask.u32(0, uint32(len(data)))
	write := op4(38, ask, numbers(uint32(len(data)), 0, 7, 7))
	write.ask = append(write.ask, data, padding(len(data)))
	return v.ask(v.putFH(o.Path), write, v.getAttr(o))
}

func (v *nfs4) commit(o *NFSOpen) {
	v.do(v.putFH(o.Path), op4(5, numbers(0, 0, 0), numbers(7, 7)))
}

// setSize is SETATTR with a size alone.
func (v *nfs4) setSize(o *NFSOpen, size int64) {
	var ask, value xdr
	value.u64(uint64(size))
	ask.fixed(o.state)
	ask.u32(1, 1<<4)
	ask.opaque(value)
	v.do(v.putFH(o.Path), op4(34, ask, numbers(1, 1<<4)), v.getAttr(o))
}

func (v *nfs4) close(o *NFSOpen) {
	v.owner++
	v.do(v.putFH(o.Path), op4(4, join(numbers(v.owner), o.state), o.state), v.getAttr(o))
}

// refuse asks for data with the anonymous state (RFC 7530 9.1.4.3), and may not.
func (v *nfs4) refuse(o *NFSOpen, writing bool) {
	x := xdr(make([]byte, 16))
	x.u64(0)
	x.u32(512)
	op := op4(25, x)
	if writing {
		x = xdr(make([]byte, 16))
		x.u64(0)
		x.u32(2)
		x.opaque(v.net.Bytes(512))
		op = op4(38, x)
	}
	op.status = nfsAccess
	v.do(v.putFH(o.Path), op)
}

// list is READDIR with the handles and file ids of what is in the folder.
func (v *nfs4) list(in string, names []string) {
	const wanted = 1<<19 | 1<<20
	ask := xdr(numbers(0, 0, 0, 0, 4096, 32768, 1, wanted))
	x := xdr(numbers(0, 1))
	for i, name := range names {
		path := inside(in, name)
		var values xdr
		values.opaque(v.handle(path))
		values.u64(v.numbers[path])
		x.u32(1)
		x.u64(uint64(i + 3))
		x.text(name)
		x.u32(1, wanted)
		x.opaque(values)
		v.known[path] = true
	}
	x.u32(0, 1)
	v.do(v.putFH(in), op4(26, ask, x))
}

func (v *nfs4) rename(from, to string) {
	a, old := folder(from)
	b, name := folder(to)
	var ask xdr
	ask.text(old)
	ask.text(name)
	v.do(v.putFH(a), op4(32, nil), v.putFH(b), op4(29, ask, change4(), change4()))
}

func (v *nfs4) remove(path string) {
	dir, name := folder(path)
	v.do(v.putFH(dir), v.name(28, name, change4()))
}
