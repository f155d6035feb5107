package rsync

// Parts of an access list that are there (acls.c, XMIT_).
const (
	aclObjects = 0x0f // owner, group, mask and others, a bit each
	aclNames   = 1 << 4
	aclNamed   = 1 << 0 // of an entry: its name follows
)

// acls reads the access list of an entry (acls.c, receive_acl): the number of one
// that was sent before, or all of it. A folder has a second one.
func (l *lister) acls(r *reader, folder bool) {
	l.acl(r)
	if folder {
		l.acl(r)
	}
}

func (l *lister) acl(r *reader) {
	if r.varint() != 0 {
		return
	}
	parts := r.u8()
	for bit := 1; bit <= aclObjects; bit <<= 1 {
		if parts&bit != 0 {
			r.varint()
		}
	}
	if parts&aclNames == 0 {
		return
	}
	for n := r.varint(); n > 0 && !r.short && !r.bad; n-- {
		r.varint()
		if r.varint()&aclNamed != 0 {
			r.take(r.u8())
		}
	}
}

// An attribute longer than maxFull is sent as its checksum only, MD5 or MD4 (xattrs.c).
const (
	maxFull  = 32
	xattrSum = 16
)

// xattrs reads the extended attributes of an entry (xattrs.c, receive_xattr): the
// number of a set that was sent before, or all of it.
func (l *lister) xattrs(r *reader) {
	if r.varint() != 0 {
		return
	}
	for n := r.varint(); n > 0 && !r.short && !r.bad; n-- {
		name, value := r.varint(), r.varint()
		r.take(int(name))
		if value > maxFull {
			value = xattrSum
		}
		r.take(int(value))
	}
}
