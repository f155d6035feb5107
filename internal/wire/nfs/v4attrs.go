package nfs

// maxAttrs bounds the attributes of one file.
const maxAttrs = 64 << 10

func (x *xdr) bitmap() []uint32 {
	n := x.u32()
	if n > 16 {
		x.bad = true
		return nil
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = x.u32()
	}
	return out
}

// attrs is what attributes say of a file: its size, -1 where they do not, and its
// handle.
type attrs struct {
	size   int64
	handle string
}

// The attributes up to the handle of a file (RFC 7530 5.6), and how many words those
// of a fixed length take.
const (
	attrSize   = 4
	attrACL    = 12
	attrHandle = 19
)

var attrWords = [attrHandle]int{1: 1, 2: 1, 3: 2, 5: 1, 6: 1, 7: 1, 8: 4, 9: 1, 10: 1, 11: 1, 13: 1, 14: 1, 15: 1, 16: 1, 17: 1, 18: 1}

// attributes reads fattr4 (RFC 7530 3.3.1).
func (x *xdr) attributes() attrs {
	a, mask := attrs{size: -1}, x.bitmap()
	v := xdr{b: x.opaque(maxAttrs)}
	for i := 0; i <= attrHandle && len(mask) > 0; i++ {
		if mask[0]&(1<<i) != 0 {
			v.attribute(i, &a)
		}
	}
	return a
}

func (x *xdr) attribute(i int, a *attrs) {
	switch i {
	case 0: // which ones the server knows
		x.bitmap()
	case attrSize:
		if size := int64(x.u64()); !x.bad {
			a.size = size
		}
	case attrACL:
		for n := min(x.u32(), 1024); n > 0 && !x.bad; n-- {
			x.skip(3)
			x.opaque(1024)
		}
	case attrHandle:
		if h := x.opaque(v4Handle); !x.bad {
			a.handle = string(h)
		}
	default:
		x.skip(attrWords[i])
	}
}

// listed reads the entries of READDIR (RFC 7530 16.24.2): clients ask for handles to
// know what is in the folder.
func (c *compound) listed() {
	r := &c.res
	r.skip(2)
	for range maxEntries {
		if r.u32() == 0 || r.bad {
			break
		}
		r.skip(2)
		name := r.text()
		if a := r.attributes(); !r.bad && a.handle != "" && c.names.places[a.handle] == nil {
			c.names.add(c.current, name, a.handle, a.size)
		}
	}
	r.u32() // end of the folder
}
