package smb2

const (
	ioctlRequestLen  = 56
	ioctlResponseLen = 48
)

// The control codes that move or copy file data (MS-SMB2 2.2.31, MS-FSCC 2.3).
const (
	fsctlPipeTransceive = 0x0011C017
	fsctlResumeKey      = 0x00140078
	fsctlCopyChunk      = 0x001440F2
	fsctlCopyChunkWrite = 0x001480F2
	fsctlDuplicate      = 0x00098344
	fsctlDuplicateEx    = 0x000983E8
	fsctlOffloadRead    = 0x00094264
	fsctlOffloadWrite   = 0x00098268
)

// control is an IOCTL that waits for its answer.
type control struct {
	code   uint32
	source *open // of a duplication
	size   int64 // asked for
	key    resumeKey
	token  offloadToken
}

func (c *conn) ioctlRequest(r *request, m fields) bool {
	if !m.has(headerLen + ioctlRequestLen) {
		return false
	}
	in := fields(m.bytes(m.u32(headerLen+24), m.u32(headerLen+28)))
	x := &control{code: m.u32(headerLen + 4)}
	r.detail = x
	o := r.open
	switch x.code {
	case fsctlPipeTransceive:
		if o.pipe == nil {
			o.pipe = newPipe(o) // nothing but a pipe takes this
		}
		o.pipe.written(in, r)
	case fsctlResumeKey, fsctlOffloadRead:
	case fsctlCopyChunk, fsctlCopyChunkWrite:
		copy(x.key[:], in)
	case fsctlDuplicate:
		x.source = r.session.opens[in.fileID(0)]
		x.size = in.i64(32)
	case fsctlDuplicateEx:
		x.source = r.session.opens[in.fileID(8)]
		x.size = in.i64(40)
	case fsctlOffloadWrite:
		x.token = tokenOf(in.bytes(32, tokenLen))
	default:
		return false
	}
	return true
}

func (c *conn) ioctlResponse(r *request, h *header, m fields, at place) {
	if isError(h.status) || r.open.done || !m.has(headerLen+ioctlResponseLen) {
		return
	}
	out := fields(m.bytes(m.u32(headerLen+32), m.u32(headerLen+36)))
	o, x := r.open, r.detail.(*control)
	switch x.code {
	case fsctlPipeTransceive:
		if o.pipe != nil {
			o.pipe.read(out, r, at)
		}
	case fsctlResumeKey:
		if out.has(len(resumeKey{})) {
			o.session.keepResumeKey(resumeKey(out[:len(resumeKey{})]), o)
		}
	case fsctlCopyChunk, fsctlCopyChunkWrite:
		o.copied(r, o.session.resumeKeys[x.key].source(), int64(out.u32(8)), at)
	case fsctlDuplicate, fsctlDuplicateEx:
		o.copied(r, sourceOf(x.source), x.size, at)
	case fsctlOffloadRead:
		if token := out.bytes(16, tokenLen); token != nil {
			o.p.tokens.keep(tokenOf(token), sourceOf(o))
		}
	case fsctlOffloadWrite:
		o.p.env.Unverified("smb2/offload")
		o.copied(r, o.p.tokens.find(x.token), out.i64(8), at)
	}
}
