package synth

// nfs3 speaks version 3 (RFC 1813).
type nfs3 struct{ *Mount }

// The statuses that are used (RFC 1813 2.6).
const nfsAccess = 13

func (v *nfs3) call(procedure uint32, arguments, results []byte) {
	v.rpc.call(progNFS, 3, procedure, arguments, results)
}

// attributes are a file's (fattr3); a folder has no size of its own.
func (v *nfs3) attributes(path string, o *NFSOpen) []byte {
	var x xdr
	if o != nil {
		x.u32(1, 0o644, 1)
	} else {
		x.u32(2, 0o755, 2)
	}
	x.u32(v.UID, v.GID)
	size := uint64(4096)
	if o != nil {
		size = uint64(o.size)
	}
	v.handle(path)
	x.u64(size, (size+4095)&^4095, 0, 77, v.numbers[path])
	for range 3 {
		x.u32(uint32(v.net.Now/1e9)-3600, 0)
	}
	return x
}

// after is post_op_attr.
func (v *nfs3) after(path string, o *NFSOpen) []byte {
	return join(numbers(1), v.attributes(path, o))
}

// changed is wcc_data: what was before and what is now.
func (v *nfs3) changed(path string, o *NFSOpen) []byte {
	var x xdr
	x.u32(1)
	x.u64(0)
	x.u32(0, 0, 0, 0)
	x.fixed(v.after(path, o))
	return x
}

// at is a handle as an argument.
func (v *nfs3) at(path string) xdr {
	var x xdr
	x.opaque(v.handle(path))
	return x
}

// in is a folder's handle and a name in it.
func (v *nfs3) in(path string) xdr {
	dir, name := folder(path)
	x := v.at(dir)
	x.text(name)
	return x
}

func (v *nfs3) attach() {
	var x xdr
	x.u32(0)
	x.opaque(v.handle(""))
	x.u32(1, 1) // AUTH_SYS
	v.mountd(3, x)
	var info xdr
	info.u32(0)
	info.fixed(v.after("", nil))
	info.u32(1<<20, 1<<20, 4096, 1<<20, 1<<20, 4096, 1<<20)
	info.u64(1 << 60)
	info.u32(0, 1, 0x1B)
	v.call(19, v.at(""), info) // FSINFO
}

func (v *nfs3) detach() {}

// lookup is LOOKUP.
func (v *nfs3) lookup(path string, o *NFSOpen) {
	dir, _ := folder(path)
	x := xdr(numbers(0))
	x.opaque(v.handle(path))
	x.fixed(v.after(path, o), v.after(dir, nil))
	v.call(3, v.in(path), x)
}

// open asks with ACCESS what the user may do.
func (v *nfs3) open(o *NFSOpen) {
	ask := v.at(o.Path)
	ask.u32(0x2D)
	v.call(4, ask, join(numbers(0), v.after(o.Path, o), numbers(0x2D)))
}

// make is CREATE, which must not find the file.
func (v *nfs3) make(o *NFSOpen) {
	dir, _ := folder(o.Path)
	ask := v.in(o.Path)
	ask.u32(1, 1, 0o644, 0, 0, 0, 0, 0) // GUARDED, mode, no owner, group, size, times
	x := xdr(numbers(0, 1))
	x.opaque(v.handle(o.Path))
	x.fixed(v.after(o.Path, o), v.changed(dir, nil))
	v.call(8, ask, x)
}

func (v *nfs3) read(o *NFSOpen, at, n int64) func() {
	ask := v.at(o.Path)
	ask.u64(uint64(at))
	ask.u32(uint32(n))
	answer := v.rpc.ask(progNFS, 3, 6, ask)
	data := o.content[at:][:n]
	return func() {
		eof := uint32(0)
		if at+n == o.size {
			eof = 1
		}
		head := join(numbers(0), v.after(o.Path, o), numbers(uint32(n), eof, uint32(n)))
		answer(head, data, padding(len(data)))
	}
}

// write is WRITE, unstable: COMMIT follows.
func (v *nfs3) write(o *NFSOpen, at int64, data []byte) func() {
	ask := v.at(o.Path)
	ask.u64(uint64(at))
	ask.u32(uint32(len(data)), 0, uint32(len(data)))
	answer := v.rpc.ask(progNFS, 3, 7, ask, data, padding(len(data)))
	return func() {
		answer(numbers(0), v.changed(o.Path, o), numbers(uint32(len(data)), 0, 7, 7))
	}
}

func (v *nfs3) commit(o *NFSOpen) {
	ask := v.at(o.Path)
	ask.u64(0)
	ask.u32(0)
	v.call(21, ask, join(numbers(0), v.changed(o.Path, o), numbers(7, 7)))
}

// setSize is SETATTR with a size alone.
func (v *nfs3) setSize(o *NFSOpen, size int64) {
	ask := v.at(o.Path)
	ask.u32(0, 0, 0, 1)
	ask.u64(uint64(size))
	ask.u32(0, 0, 0)
	v.call(2, ask, join(numbers(0), v.changed(o.Path, o)))
}

// close asks for the attributes, as clients do.
func (v *nfs3) close(o *NFSOpen) {
	v.call(1, v.at(o.Path), join(numbers(0), v.attributes(o.Path, o)))
}

func (v *nfs3) refuse(o *NFSOpen, writing bool) {
	ask := v.at(o.Path)
	ask.u64(0)
	ask.u32(512)
	if !writing {
		v.call(6, ask, join(numbers(nfsAccess), v.after(o.Path, o)))
		return
	}
	ask.u32(2)
	ask.opaque(v.net.Bytes(512))
	v.call(7, ask, join(numbers(nfsAccess), v.changed(o.Path, o)))
}

// list is READDIRPLUS: names with attributes and handles.
func (v *nfs3) list(in string, names []string) {
	ask := v.at(in)
	ask.u64(0, 0)
	ask.u32(4096, 32768)
	x := xdr(numbers(0))
	x.fixed(v.after(in, nil))
	x.u64(1)
	for i, name := range names {
		path := inside(in, name)
		handle := v.handle(path)
		x.u32(1)
		x.u64(v.numbers[path])
		x.text(name)
		x.u64(uint64(i + 1))
		x.fixed(v.after(path, &NFSOpen{}))
		x.u32(1)
		x.opaque(handle)
		v.known[path] = true
	}
	x.u32(0, 1)
	v.call(17, ask, x)
}

func (v *nfs3) rename(from, to string) {
	a, _ := folder(from)
	b, _ := folder(to)
	v.call(14, join(v.in(from), v.in(to)), join(numbers(0), v.changed(a, nil), v.changed(b, nil)))
}

func (v *nfs3) remove(path string) {
	dir, _ := folder(path)
	v.call(12, v.in(path), join(numbers(0), v.changed(dir, nil)))
}
