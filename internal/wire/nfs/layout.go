package nfs

// Parallel NFS (RFC 8881 12, 13): a layout names the handles under which data
// servers know a file.

// fileLayout is the type of layouts whose data servers speak NFS 4.1 (RFC 8881 13).
const fileLayout = 1

// layouts tells the file that a data server's handle stands for.
type layouts struct {
	files map[string]string
}

// file is the handle of the file itself.
func (l *layouts) file(handle string) string {
	if h, ok := l.files[handle]; ok {
		return h
	}
	return handle
}

func (l *layouts) add(data, file string) {
	if l.files == nil || len(l.files) >= maxHandles {
		l.files = map[string]string{}
	}
	l.files[data] = file
}

// layoutArgs passes the arguments of the operations on layouts (RFC 8881 18.42 to
// 18.44).
func (x *xdr) layoutArgs(op uint32) {
	switch op {
	case opLayoutGet:
		x.skip(3 + 6 + stateID + 1)
	case opLayoutReturn:
		x.skip(3)
		if x.u32() == 1 {
			x.skip(4 + stateID)
			x.opaque(maxAttrs)
		}
	case opLayoutCommit:
		x.skip(4 + 1 + stateID)
		if x.u32() != 0 {
			x.skip(2)
		}
		if x.u32() != 0 {
			x.skip(3)
		}
		x.u32()
		x.opaque(maxAttrs)
	}
}

// layout reads the result of LAYOUTGET (RFC 8881 18.43.2, 13.3).
func (c *compound) layout() {
	r := &c.res
	r.skip(1 + stateID)
	for n := min(r.u32(), 64); n > 0 && !r.bad; n-- {
		r.skip(5)
		kind := r.u32()
		body := xdr{b: r.opaque(maxAttrs)}
		if kind != fileLayout {
			continue
		}
		body.skip(8) // device, striping, first stripe, offset of the pattern
		for k := min(body.u32(), 64); k > 0; k-- {
			if data := string(body.opaque(v4Handle)); !body.bad && c.current != "" && data != c.current {
				c.p.layouts.add(data, c.current)
			}
		}
	}
}
