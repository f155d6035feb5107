package smb2

import (
	"strings"

	"waybill/internal/wire/fileshare"
)

// maxTrees bounds the trees of one session.
const maxTrees = 4096

const (
	treeConnectRequestLen  = 8
	treeConnectResponseLen = 16
)

// shareKind is what a share is (MS-SMB2 2.2.10).
type shareKind uint8

const (
	shareUnknown shareKind = 0
	shareDisk    shareKind = 1
	sharePipe    shareKind = 2
	sharePrint   shareKind = 3
)

// tree is a share that a session connected to.
type tree struct {
	id    uint32
	share string // as sent; empty when the TREE_CONNECT was not seen
	kind  shareKind
}

// pipes says that what is opened in the tree are pipes.
func (t *tree) pipes() bool {
	return t.kind == sharePipe || strings.EqualFold(fileshare.LastElement(t.share), "IPC$")
}

// tree gives the tree with an id, adopting one whose TREE_CONNECT was not seen.
func (s *session) tree(id uint32) *tree {
	t, ok := s.trees[id]
	if !ok {
		t = &tree{id: id}
		if len(s.trees) < maxTrees {
			s.trees[id] = t
		}
	}
	return t
}

// tree gives the tree that a request names. Where only the answers are missing,
// the last TREE_CONNECT is the one that a new id comes from.
func (c *conn) tree(s *session, id uint32) *tree {
	q := c.connecting
	if _, known := s.trees[id]; known || q == nil || q.session != s || !c.unheard() {
		return s.tree(id)
	}
	c.connecting = nil
	t := s.tree(id)
	t.share = q.tree.share
	return t
}

func (c *conn) treeConnectRequest(r *request, m fields) bool {
	if !m.has(headerLen + treeConnectRequestLen) {
		return false
	}
	name := m.bytes(uint32(m.u16(headerLen+4)), uint32(m.u16(headerLen+6)))
	r.detail = text(name)
	// Requests of the same compound mean the tree to come.
	r.tree = &tree{share: r.detail.(string)}
	c.connecting = r
	return true
}

func (c *conn) treeConnectResponse(r *request, h *header, m fields, at place) {
	s := r.session
	if c.connecting == r {
		c.connecting = nil
	}
	a := s.access(c, "share-connect", r.at, 0)
	a.Share = r.detail.(string)
	a.Object = a.Share
	a.Seen.Add(at.last)
	if isError(h.status) {
		a.Status = fileshare.StatusName(h.status)
		c.p.env.Access(a)
		return
	}
	t := r.tree
	t.id = h.tree
	if m.has(headerLen + treeConnectResponseLen) {
		t.kind = shareKind(m.u8(headerLen + 2))
	}
	if _, again := s.trees[t.id]; again || len(s.trees) < maxTrees {
		s.trees[t.id] = t
	}
	c.p.env.Access(a)
}

func (c *conn) treeDisconnectResponse(r *request, h *header, at place) {
	if isError(h.status) {
		return
	}
	for _, o := range r.session.inOrder(r.tree) {
		o.finish(closed, at.last)
	}
	delete(r.session.trees, r.tree.id)
}
