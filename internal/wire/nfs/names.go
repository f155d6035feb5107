package nfs

import "waybill/internal/content"

// names is the tree of a server's files, as far as exchanges with one client name
// handles.
type names struct {
	budget *content.Budget
	places map[string]*place // by handle
	inside map[entry]string  // the handle of a name in a folder
	order  []string          // handles as they became known
}

// entry is a name in a folder, which is known by its handle.
type entry struct{ folder, name string }

// place is where a file lies. The root of an export has a share and no entry.
type place struct {
	entry
	share string
	size  int64 // as the server stated it last; -1 unknown
}

func newNames(b *content.Budget) names {
	return names{budget: b, places: map[string]*place{}, inside: map[entry]string{}}
}

// cost is what the budget counts for a place.
func (p *place) cost(handle string) int64 {
	const maps = 256
	return maps + int64(2*len(handle)+2*len(p.folder)+len(p.name)+len(p.share))
}

// root names a handle as the root of a share.
func (n *names) root(handle, share string) { n.keep(handle, place{share: share, size: -1}) }

// add names a handle as a file in a folder; size is -1 where it is not known.
func (n *names) add(folder, name, handle string, size int64) {
	if name == "" || name == "." || name == ".." {
		return
	}
	e := entry{folder, name}
	if p := n.places[handle]; p != nil && size < 0 {
		size = p.size
	}
	if n.keep(handle, place{entry: e, size: size}) {
		n.inside[e] = handle
	}
}

// keep notes a place within the bounds. Older ones make room.
func (n *names) keep(handle string, p place) bool {
	if handle == "" {
		return false
	}
	old := n.places[handle]
	if old != nil {
		n.budget.Give(old.cost(handle))
		n.leave(old.entry, handle)
	} else if len(n.order) >= maxHandles {
		n.forget(maxHandles / 2)
	}
	if !n.budget.Take(p.cost(handle)) {
		if n.forget(len(n.order) / 2); !n.budget.Take(p.cost(handle)) {
			delete(n.places, handle)
			return false
		}
	}
	if n.places[handle] == nil {
		n.order = append(n.order, handle)
	}
	n.places[handle] = &p
	return true
}

// leave takes a name from a handle, unless another one has it by now.
func (n *names) leave(e entry, handle string) {
	if n.inside[e] == handle {
		delete(n.inside, e)
	}
}

// forget gives up the k oldest handles.
func (n *names) forget(k int) {
	for _, h := range n.order[:k] {
		if p := n.places[h]; p != nil {
			n.budget.Give(p.cost(h))
			n.leave(p.entry, h)
			delete(n.places, h)
		}
	}
	n.order = append([]string(nil), n.order[k:]...)
}

// maxDepth bounds the folders above a file.
const maxDepth = 64

// path is the share and the path of a handle, as far up as they are known.
func (n *names) path(handle string) (share, path string) {
	for p, depth := n.places[handle], 0; p != nil && depth < maxDepth; p, depth = n.places[p.folder], depth+1 {
		if p.name == "" {
			return p.share, path
		}
		path = join(p.name, path)
	}
	return "", path
}

func join(folder, rest string) string {
	if rest == "" {
		return folder
	}
	return folder + "/" + rest
}

// move gives the file of a name another one, and says which file that is.
func (n *names) move(from, to entry) (handle string) {
	handle = n.inside[from]
	if handle != "" {
		n.add(to.folder, to.name, handle, -1)
	}
	return handle
}

// remove takes a name away and gives the handle that it had. The file keeps its
// place for what is still to be said of it.
func (n *names) remove(e entry) string {
	handle := n.inside[e]
	delete(n.inside, e)
	return handle
}

// state notes the size that the server states of a file.
func (n *names) state(handle string, size int64) {
	if p := n.places[handle]; p != nil && size >= 0 {
		p.size = size
	}
}

// size is the size of a file as far as it is known; else -1.
func (n *names) size(handle string) int64 {
	if p := n.places[handle]; p != nil {
		return p.size
	}
	return -1
}
