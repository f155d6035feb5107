package smb2

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/fileshare"
)

// holdTime is how long a transfer waits for a rename or delete by a later open
// of the same session; maxHeld bounds how many wait.
const (
	holdTime = 60 * 1e9
	maxHeld  = 1 << 14
)

// held is a transfer that is done but for its final name.
type held struct {
	t     *wire.Transfer
	key   fileKey
	since model.Time
	empty bool // an empty file, unless a later open fills it
	gone  bool
}

// fileKey is a file of a session. Names are compared without case.
type fileKey struct {
	session *session
	share   string
	path    string
}

func (o *open) key() fileKey { return o.session.key(o.tree, o.path) }

func (s *session) key(t *tree, path string) fileKey {
	return fileKey{s, strings.ToLower(t.share), strings.ToLower(strings.Trim(path, `\`))}
}

// holdList is the held transfers in the order in which they ended.
type holdList struct {
	queue []*held
	byKey map[fileKey][]*held
}

// add holds a transfer of the open.
func (l *holdList) add(o *open, t *wire.Transfer, empty bool) {
	if l.byKey == nil {
		l.byKey = make(map[fileKey][]*held)
	}
	h := &held{t: t, key: o.key(), since: o.p.env.Now(), empty: empty}
	if !empty && t.Operation != model.Pull {
		l.filled(h.key)
	}
	if len(l.queue) >= maxHeld {
		l.release(o.p, l.queue[0])
	}
	l.queue = append(l.queue, h)
	l.byKey[h.key] = append(l.byKey[h.key], h)
}

// filled drops word of an empty file that is not empty in the end.
func (l *holdList) filled(k fileKey) {
	for _, h := range l.byKey[k] {
		if h.empty && h.t.Operation == model.Push {
			h.gone = true
		}
	}
}

// renamed moves what was held under the open's old path to its new one.
func (l *holdList) renamed(o *open, old string) {
	from, to := o.session.key(o.tree, old), o.key()
	if from == to || old == "" {
		return
	}
	list := l.byKey[from]
	delete(l.byKey, from)
	for _, h := range list {
		h.key = to
		h.t.EarlierNames = append(h.t.EarlierNames[:len(h.t.EarlierNames):len(h.t.EarlierNames)], h.t.Name)
		h.t.Path, h.t.Name = o.path, fileshare.LastElement(o.path)
		h.t.Seen.Merge(o.seen)
	}
	if len(list) > 0 {
		l.byKey[to] = append(l.byKey[to], list...)
	}
}

// removed notes that the open's file was deleted.
func (l *holdList) removed(o *open, at model.Time) {
	for _, h := range l.byKey[o.key()] {
		if h.t.Deleted == nil {
			h.t.Deleted = &model.Deleted{Time: at}
			h.t.Seen.Merge(o.seen)
		}
	}
}

// written says that a held transfer wrote the open's file after it was opened.
func (l *holdList) written(o *open) bool {
	for _, h := range l.byKey[o.key()] {
		if h.t.Operation != model.Pull && h.t.End >= o.at.first.Time {
			return true
		}
	}
	return false
}

// expire lets go of what was held for long enough.
func (l *holdList) expire(p *protocol, now model.Time) {
	for len(l.queue) > 0 && now-l.queue[0].since > holdTime {
		l.release(p, l.queue[0])
	}
}

func (l *holdList) flush(p *protocol) {
	for len(l.queue) > 0 {
		l.release(p, l.queue[0])
	}
}

// release hands over the oldest held transfer.
func (l *holdList) release(p *protocol, h *held) {
	l.queue[0] = nil
	l.queue = l.queue[1:]
	list := l.byKey[h.key]
	for i, x := range list {
		if x == h {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(l.byKey, h.key)
	} else {
		l.byKey[h.key] = list
	}
	if !h.gone {
		p.env.Transfer(h.t)
	}
}
