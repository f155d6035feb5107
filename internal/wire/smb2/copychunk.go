package smb2

import (
	"crypto/sha256"
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// A server that copies by itself moves no bytes over this wire. What it confirms
// is a `copy` transfer: one for each open that is written and source.

// Bounds of what copies may refer to.
const (
	maxResumeKeys = 1024 // of one session
	maxTokens     = 1024
	maxCopies     = 64 // sources of one open
)

// tokenLen is the length of an offload token (MS-FSCC 2.3.79).
const tokenLen = 512

type resumeKey [24]byte

type offloadToken [sha256.Size]byte

func tokenOf(b []byte) offloadToken { return sha256.Sum256(b) }

// copySource is where a server-side copy takes its data from.
type copySource struct {
	server wire.AddrPort
	share  string
	path   string
}

// sourceOf is an open as the source of a copy; nil when it is not known.
func sourceOf(o *open) *copySource {
	if o == nil {
		return nil
	}
	return &copySource{o.session.server, o.tree.share, o.path}
}

func (o *open) source() *copySource { return sourceOf(o) }

// serverCopy is what one open got from one source.
type serverCopy struct {
	from  *copySource
	at    place
	size  int64
	start model.Time
	end   model.Time
	seen  wire.Packets
	conns []*wire.Conn
}

// keepResumeKey remembers which open a server's resume key stands for.
func (s *session) keepResumeKey(k resumeKey, o *open) {
	if s.resumeKeys == nil || len(s.resumeKeys) >= maxResumeKeys {
		s.resumeKeys = make(map[resumeKey]*open)
	}
	s.resumeKeys[k] = o
}

// tokenTable joins offload reads and writes, also on two servers.
type tokenTable struct {
	byToken map[offloadToken]*copySource
	order   []offloadToken
}

func (t *tokenTable) keep(k offloadToken, from *copySource) {
	if t.byToken == nil {
		t.byToken = make(map[offloadToken]*copySource)
	}
	if _, again := t.byToken[k]; !again {
		t.order = append(t.order, k)
	}
	t.byToken[k] = from
	if len(t.order) > maxTokens {
		delete(t.byToken, t.order[0])
		t.order = slices.Delete(t.order, 0, 1)
	}
}

func (t *tokenTable) find(k offloadToken) *copySource { return t.byToken[k] }

// copied counts n bytes that the server says it copied into the open.
func (o *open) copied(r *request, from *copySource, n int64, at place) {
	if n <= 0 {
		return
	}
	o.changes++
	x := o.copyFrom(r, from)
	if x == nil {
		return
	}
	x.size += n
	if x.size < 0 {
		x.size = maxOffset // a sum that no file has
	}
	x.seen.Add(r.at.first)
	x.seen.Add(at.last)
	wire.Stretch(&x.start, &x.end, r.at.first.Time)
	wire.Stretch(&x.start, &x.end, at.last.Time)
	if !slices.Contains(x.conns, r.c.wire) {
		x.conns = append(x.conns, r.c.wire)
	}
}

func (o *open) copyFrom(r *request, from *copySource) *serverCopy {
	for _, x := range o.copies {
		if x.from == from || x.from != nil && from != nil && *x.from == *from {
			return x
		}
	}
	if len(o.copies) >= maxCopies {
		return nil
	}
	x := &serverCopy{from: from, at: r.at}
	o.copies = append(o.copies, x)
	return x
}
