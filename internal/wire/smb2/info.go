package smb2

import (
	"strings"

	"waybill/internal/wire/fileshare"
)

const (
	queryInfoRequestLen = 40
	setInfoRequestLen   = 32
	infoResponseLen     = 8

	infoFile = 1 // InfoType of file information
)

// The file information classes that say or change what matters here (MS-FSCC 2.4).
const (
	classBasic         = 4
	classStandard      = 5
	classRename        = 10
	classDisposition   = 13
	classAll           = 18
	classEndOfFile     = 20
	classNetworkOpen   = 34
	classDispositionEx = 64
	classRenameEx      = 65
)

// infoChange is one SET_INFO that waits for its answer.
type infoChange struct {
	class  uint8
	end    int64
	target string
	remove bool
}

func (c *conn) queryInfoRequest(r *request, m fields) bool {
	class := m.u8(headerLen + 3)
	if !m.has(headerLen+queryInfoRequestLen) || m.u8(headerLen+2) != infoFile {
		return false
	}
	r.detail = class
	return class == classStandard || class == classAll || class == classNetworkOpen
}

func (c *conn) queryInfoResponse(r *request, h *header, m fields) {
	if isError(h.status) || r.open.done {
		return
	}
	b := fields(m.bytes(uint32(m.u16(headerLen+2)), m.u32(headerLen+4)))
	switch o := r.open; r.detail.(uint8) {
	case classStandard:
		if b.has(22) {
			o.queried(b.i64(8), b.u8(21) != 0)
		}
	case classNetworkOpen:
		if b.has(52) {
			o.queried(b.i64(40), b.u32(48)&attributeDirectory != 0)
			o.modifiedAt(b.u64(16))
		}
	case classAll:
		if b.has(64) {
			o.queried(b.i64(48), b.u8(61) != 0)
			o.modifiedAt(b.u64(16))
			o.nameOf(b)
		}
	}
}

// queried keeps the size and kind that the server states.
func (o *open) queried(size int64, directory bool) {
	o.stated(size)
	o.directory = o.directory || directory
}

func (o *open) modifiedAt(t uint64) {
	if o.modified == 0 {
		o.modified = t
	}
}

// nameOf names an open whose CREATE was not seen by FileAllInformation, which
// ends with the path from the share's root on.
func (o *open) nameOf(b fields) {
	if o.path != "" || o.known {
		return
	}
	o.path = strings.TrimPrefix(text(b.bytes(100, b.u32(96))), `\`)
}

// setInfoRequest waits for the answer of every SET_INFO, so that an answer
// without a request always means that a change was not seen.
func (c *conn) setInfoRequest(r *request, m fields) bool {
	r.detail = infoChange{}
	if m.has(headerLen+setInfoRequestLen) && m.u8(headerLen+2) == infoFile {
		r.detail = readChange(m.u8(headerLen+3), m.bytes(uint32(m.u16(headerLen+8)), m.u32(headerLen+4)))
	}
	return true
}

// readChange reads a change that matters; all others are class 0.
func readChange(class uint8, b fields) infoChange {
	x := infoChange{class: class}
	switch class {
	case classEndOfFile:
		x.end = b.i64(0)
		if b.has(8) && x.end >= 0 {
			return x
		}
	case classRename, classRenameEx:
		x.target = text(b.bytes(20, b.u32(16)))
		if x.target != "" {
			return x
		}
	case classDisposition:
		x.remove = b.u8(0) != 0
		return x
	case classDispositionEx:
		x.remove = b.u32(0)&1 != 0
		return x
	}
	return infoChange{}
}

func (c *conn) setInfoResponse(r *request, h *header, at place) {
	x := r.detail.(infoChange)
	if isError(h.status) || r.open.done || x.class == 0 {
		return
	}
	r.open.seen.Add(r.at.first)
	r.open.seen.Add(at.last)
	r.open.apply(x)
}

// apply does what a SET_INFO that succeeded did.
func (o *open) apply(x infoChange) {
	switch x.class {
	case classEndOfFile:
		o.cut(x.end)
	case classRename, classRenameEx:
		o.rename(x.target)
	case classDisposition, classDispositionEx:
		o.remove = x.remove
	}
}

// rename gives the file a new path: for what this open moves, and for what was
// moved to the old path shortly before.
func (o *open) rename(target string) {
	if o.pipe != nil {
		return
	}
	o.p.expire(o.p.env.Now())
	old := o.path
	o.path = renamed(old, target)
	if old != "" && old != o.path {
		o.earlier = append(o.earlier[:min(len(o.earlier), 15)], fileshare.LastElement(old))
	}
	o.p.hold.renamed(o, old)
}

// renamed is the path after a rename to target: a stream's new name starts with
// a colon and keeps its file.
func renamed(path, target string) string {
	if !strings.HasPrefix(target, ":") {
		return target
	}
	dir := path[:len(path)-len(fileshare.LastElement(path))]
	file, _, _ := strings.Cut(fileshare.LastElement(path), ":")
	return dir + file + target
}
