package nfs

// The procedures of version 2 (RFC 1094 2.2).
const (
	v2GetAttr = 1
	v2SetAttr = 2
	v2Lookup  = 4
	v2Read    = 6
	v2Write   = 8
	v2Create  = 9
	v2Remove  = 10
	v2Rename  = 11
	v2Mkdir   = 14

	v2Handle   = 32
	v2Unset    = 0xffffffff
	v2AttrSize = 5 // words before the size in fattr
)

// version2 takes one exchange of version 2.
func (e *exchange) version2() {
	a, r := &e.args, &e.res
	handle := string(a.fixed(v2Handle))
	var status uint32
	if !e.unanswered {
		status = r.u32()
	}
	switch e.call.proc {
	case v2Read:
		off := int64(a.u32())
		if status != 0 {
			e.refused(handle, false, status)
			return
		}
		size := r.attr2()
		if p := r.payload(); !r.bad && !e.unanswered {
			e.read(handle, off, p, false, size)
		}
	case v2Write:
		a.u32()
		off := int64(a.u32())
		a.u32()
		p := a.payload()
		switch {
		case a.bad:
		case status != 0:
			e.refused(handle, true, status)
		case e.unanswered:
			e.write(handle, off, p, p.size, -1)
		default:
			e.write(handle, off, p, p.size, r.attr2())
		}
	case v2GetAttr:
		if status == 0 && !e.unanswered {
			e.stated(handle, r.attr2())
		}
	case v2SetAttr:
		a.skip(3)
		if size := a.u32(); status == 0 && !a.bad && size != v2Unset {
			e.truncated(handle, int64(size))
		}
	case v2Lookup, v2Create, v2Mkdir:
		name := a.text()
		a.skip(3)
		cut := e.call.proc == v2Create && a.u32() == 0 && !a.bad
		if found := string(r.fixed(v2Handle)); status == 0 && !r.bad {
			e.found(entry{handle, name}, found, r.attr2(), cut)
		}
	case v2Remove:
		if name := a.text(); status == 0 && !e.unanswered {
			e.removed(entry{handle, name}, e.reply.First.Time)
		}
	case v2Rename:
		from := a.text()
		to := string(a.fixed(v2Handle))
		if name := a.text(); status == 0 && !a.bad && !e.unanswered {
			e.moved(entry{handle, from}, entry{to, name}, e.reply.First.Time)
		}
	}
}

// found names a handle that a look-up or a creation gave, and says whether the file
// was made or cut to nothing.
func (e *exchange) found(at entry, handle string, size int64, cut bool) {
	e.names.add(at.folder, at.name, handle, size)
	if cut {
		e.truncated(handle, 0)
	}
}

// attr2 reads the attributes of a file for its size.
func (x *xdr) attr2() int64 {
	x.skip(v2AttrSize)
	size := int64(x.u32())
	x.skip(11)
	return size
}

// The procedures of version 3 (RFC 1813 3).
const (
	v3GetAttr     = 1
	v3SetAttr     = 2
	v3Lookup      = 3
	v3Access      = 4
	v3Read        = 6
	v3Write       = 7
	v3Create      = 8
	v3Mkdir       = 9
	v3Remove      = 12
	v3Rename      = 14
	v3ReaddirPlus = 17
	v3Commit      = 21

	v3Handle = 64
)

// version3 takes one exchange of version 3.
func (e *exchange) version3() {
	a, r := &e.args, &e.res
	handle := string(a.opaque(v3Handle))
	var status uint32
	if !e.unanswered {
		status = r.u32()
	}
	switch e.call.proc {
	case v3Read:
		e.read3(handle, status)
	case v3Write:
		e.write3(handle, status)
	case v3SetAttr:
		if size := a.sattr3(); status == 0 && !a.bad && size >= 0 {
			e.truncated(handle, size)
		}
	case v3GetAttr, v3Access, v3Commit:
		if status == 0 && !e.unanswered {
			e.stated3(handle)
		}
	case v3Lookup:
		name := a.text()
		if h := string(r.opaque(v3Handle)); status == 0 && !r.bad && !e.unanswered {
			e.found(entry{handle, name}, h, r.postAttr(), false)
		}
	case v3Create, v3Mkdir:
		e.create3(handle, status)
	case v3Remove:
		if name := a.text(); status == 0 && !e.unanswered {
			e.removed(entry{handle, name}, e.reply.First.Time)
		}
	case v3Rename:
		from := a.text()
		to := string(a.opaque(v3Handle))
		if name := a.text(); status == 0 && !a.bad && !e.unanswered {
			e.moved(entry{handle, from}, entry{to, name}, e.reply.First.Time)
		}
	case v3ReaddirPlus:
		if status == 0 && !e.unanswered {
			e.listed3(handle)
		}
	}
}

// stated3 takes the attributes that answers carry without content.
func (e *exchange) stated3(handle string) {
	switch e.call.proc {
	case v3GetAttr:
		e.stated(handle, e.res.attr3())
	case v3Access:
		e.stated(handle, e.res.postAttr())
	case v3Commit:
		e.stated(handle, e.res.weakAttr())
	}
}

func (e *exchange) read3(handle string, status uint32) {
	a, r := &e.args, &e.res
	off := int64(a.u64())
	if status != 0 {
		e.refused(handle, false, status)
		return
	}
	size := r.postAttr()
	r.u32()
	eof := r.u32() != 0
	if p := r.payload(); !r.bad && !e.unanswered {
		e.read(handle, off, p, eof, size)
	}
}

func (e *exchange) write3(handle string, status uint32) {
	a, r := &e.args, &e.res
	off := int64(a.u64())
	a.skip(2) // count, stable
	p := a.payload()
	switch {
	case a.bad:
	case status != 0:
		e.refused(handle, true, status)
	case e.unanswered:
		e.write(handle, off, p, p.size, -1)
	default:
		size := r.weakAttr()
		if count := int64(r.u32()); !r.bad {
			e.write(handle, off, p, count, size)
		}
	}
}

func (e *exchange) create3(folder string, status uint32) {
	a, r := &e.args, &e.res
	name := a.text()
	if status != 0 || e.unanswered {
		return
	}
	fresh := false
	if e.call.proc == v3Create {
		mode := a.u32()
		fresh = mode != 0 || a.sattr3() == 0
	}
	if r.u32() == 0 {
		return // the server gave no handle
	}
	h := string(r.opaque(v3Handle))
	size := r.postAttr()
	if r.bad {
		return
	}
	e.found(entry{folder, name}, h, size, e.call.proc == v3Create && (fresh || size == 0))
}

// maxEntries bounds what is read of one listing.
const maxEntries = 1 << 14

// listed3 reads the entries of READDIRPLUS.
func (e *exchange) listed3(folder string) {
	r := &e.res
	r.postAttr()
	r.skip(2)
	for range maxEntries {
		if r.u32() == 0 || r.bad {
			return
		}
		r.skip(2)
		name := r.text()
		r.skip(2)
		size := r.postAttr()
		if r.u32() == 0 {
			continue
		}
		h := string(r.opaque(v3Handle))
		if r.bad {
			return
		}
		if e.names.places[h] == nil {
			e.names.add(folder, name, h, size)
		}
	}
}

// postAttr reads post_op_attr for the size; -1 where there is none.
func (x *xdr) postAttr() int64 {
	if x.u32() == 0 {
		return -1
	}
	return x.attr3()
}

// attr3 reads fattr3 for the size of a file; -1 of what is no file.
func (x *xdr) attr3() int64 {
	kind := x.u32()
	x.skip(4)
	size := int64(x.u64())
	x.skip(14)
	if kind != 1 || x.bad {
		return -1
	}
	return size
}

// weakAttr reads wcc_data for the size afterwards.
func (x *xdr) weakAttr() int64 {
	if x.u32() != 0 {
		x.skip(6)
	}
	return x.postAttr()
}

// sattr3 reads the attributes to set for the size; -1 where it is not set.
func (x *xdr) sattr3() int64 {
	for range 3 {
		if x.u32() != 0 {
			x.u32()
		}
	}
	size := int64(-1)
	if x.u32() != 0 {
		size = int64(x.u64())
	}
	for range 2 {
		if x.u32() == 2 {
			x.skip(2)
		}
	}
	return size
}
