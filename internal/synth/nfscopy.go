package synth

import "waybill/internal/model"

// The server-side copies of version 4.2.

// CopyTo lets the server copy the whole file to another one (RFC 7862 15.2): no
// content is on the wire.
func (o *NFSOpen) CopyTo(to *NFSOpen) {
	var ask, result xdr
	ask.fixed(o.state, to.state)
	ask.u64(0, 0, uint64(o.size))
	ask.u32(1, 1, 0) // in order, at once, on this server
	result.u32(0)
	result.u64(uint64(o.size))
	result.u32(2, 7, 7, 1, 1)
	o.copied(to, op4(60, ask, result))
}

// CloneTo lets both files share their blocks (RFC 7862 15.13).
func (o *NFSOpen) CloneTo(to *NFSOpen) {
	var ask xdr
	ask.fixed(o.state, to.state)
	ask.u64(0, 0, uint64(o.size))
	o.copied(to, op4(71, ask))
}

// copied sends the operation, with the file itself saved and the other current.
func (o *NFSOpen) copied(to *NFSOpen, op nfs4Op) {
	v := o.m.as.(*nfs4)
	to.size, to.made = o.size, false
	v.do(v.putFH(o.Path), op4(32, nil), v.putFH(to.Path), op, v.getAttr(to))
	_, path := o.m.shown(to.Path)
	x := moved(o.m.Server, o.m.Server, model.Copy, "nfs", path, o.content)
	x.SHA256, x.Completeness = "", model.Inferred
	o.m.note(x)
}
