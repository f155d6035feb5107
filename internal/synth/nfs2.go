package synth

// nfs2 speaks version 2 (RFC 1094).
type nfs2 struct{ *Mount }

func (v *nfs2) call(procedure uint32, arguments, results []byte) {
	v.rpc.call(progNFS, 2, procedure, arguments, results)
}

// attributes are a file's (fattr); a folder has no size of its own.
func (v *nfs2) attributes(path string, o *NFSOpen) []byte {
	size, kind := uint32(4096), []uint32{2, 0o40755, 2}
	if o != nil {
		size, kind = uint32(o.size), []uint32{1, 0o100644, 1}
	}
	v.handle(path)
	x := xdr(numbers(kind...))
	x.u32(v.UID, v.GID, size, 4096, 0, (size+511)/512, 77, uint32(v.numbers[path]))
	for range 3 {
		x.u32(uint32(v.net.Now/1e9)-3600, 0)
	}
	return x
}

// in is a folder's handle and a name in it.
func (v *nfs2) in(path string) xdr {
	dir, name := folder(path)
	x := xdr(join(v.handle(dir)))
	x.text(name)
	return x
}

func (v *nfs2) attach() {
	v.mountd(1, join(numbers(0), v.handle("")))
	v.call(17, v.handle(""), numbers(0, 8192, 4096, 100000, 50000, 50000)) // STATFS
}

func (v *nfs2) detach() {}

// found is what LOOKUP and CREATE give.
func (v *nfs2) found(path string, o *NFSOpen) []byte {
	return join(numbers(0), v.handle(path), v.attributes(path, o))
}

func (v *nfs2) lookup(path string, o *NFSOpen) { v.call(4, v.in(path), v.found(path, o)) }

func (v *nfs2) open(o *NFSOpen) {
	v.call(1, v.handle(o.Path), join(numbers(0), v.attributes(o.Path, o)))
}

const unset = 0xFFFFFFFF

// make is CREATE with a size of 0.
func (v *nfs2) make(o *NFSOpen) {
	ask := v.in(o.Path)
	ask.u32(0o100644, unset, unset, 0, unset, unset, unset, unset)
	v.call(9, ask, v.found(o.Path, o))
}

func (v *nfs2) read(o *NFSOpen, at, n int64) func() {
	answer := v.rpc.ask(progNFS, 2, 6, v.handle(o.Path), numbers(uint32(at), uint32(n), 0))
	data := o.content[at:][:n]
	return func() {
		answer(numbers(0), v.attributes(o.Path, o), numbers(uint32(n)), data, padding(len(data)))
	}
}

func (v *nfs2) write(o *NFSOpen, at int64, data []byte) func() {
	answer := v.rpc.ask(progNFS, 2, 8, v.handle(o.Path), numbers(0, uint32(at), 0, uint32(len(data))), data, padding(len(data)))
	return func() { answer(numbers(0), v.attributes(o.Path, o)) }
}

func (v *nfs2) commit(*NFSOpen) {} // every write is stable

func (v *nfs2) setSize(o *NFSOpen, size int64) {
	ask := join(v.handle(o.Path), numbers(unset, unset, unset, uint32(size), unset, unset, unset, unset))
	v.call(2, ask, join(numbers(0), v.attributes(o.Path, o)))
}

func (v *nfs2) close(*NFSOpen) {}

func (v *nfs2) refuse(o *NFSOpen, writing bool) {
	if !writing {
		v.call(6, join(v.handle(o.Path), numbers(0, 512, 0)), numbers(nfsAccess))
		return
	}
	x := xdr(join(v.handle(o.Path), numbers(0, 0, 0)))
	x.opaque(v.net.Bytes(512))
	v.call(8, x, numbers(nfsAccess))
}

// list is READDIR: names alone.
func (v *nfs2) list(in string, names []string) {
	x := xdr(numbers(0))
	for i, name := range names {
		path := inside(in, name)
		v.handle(path)
		x.u32(1, uint32(v.numbers[path]))
		x.text(name)
		x.u32(uint32(i + 1))
	}
	x.u32(0, 1)
	v.call(16, join(v.handle(in), numbers(0, 4096)), x)
}

func (v *nfs2) rename(from, to string) { v.call(11, join(v.in(from), v.in(to)), numbers(0)) }

func (v *nfs2) remove(path string) { v.call(10, v.in(path), numbers(0)) }
