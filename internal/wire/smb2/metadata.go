package smb2

import "waybill/internal/wire/fileshare"

// isMetadata says that what moved is small shell metadata.
func (o *open) isMetadata(f *flow) bool {
	return fileshare.Metadata(o.path, f.file.Seen(), f.file.High(), f.file.Head())
}

// emitMetadata reports shell metadata that moved.
func (o *open) emitMetadata(d direction, f *flow) {
	f.file.Abandon()
	a := o.session.access(o.conn, "metadata", o.at, int(d))
	a.Share, a.Object = o.tree.share, o.path
	a.Detail = "read"
	if d == writing {
		a.Detail = "written"
	}
	a.Seen.Merge(f.seen)
	o.p.env.Access(a)
}
