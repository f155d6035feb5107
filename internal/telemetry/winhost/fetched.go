package winhost

import (
	"slices"
	"strings"

	"waybill/internal/model"
)

// A program that a process of one host creates came from another one where that host's
// log shows that it read a file of the name just before: group policy, installers and
// scripts fetch so, and name no source.

// sharedRead is a read of a share, on the host that serves it.
type sharedRead struct {
	server *host
	access *model.Access
}

// Bounds of the reads that are remembered, and for how long.
const (
	maxSharedNames = 1 << 13
	maxSharedReads = 64 // of one name
	fetchWindow    = minute
)

// served remembers a read by the name of its file.
func (h *host) served(a *model.Access) {
	s := h.s
	if len(s.shared) >= maxSharedNames || s.shared == nil {
		s.shared = map[string][]sharedRead{}
	}
	name := strings.ToLower(baseName(a.Object))
	all := s.shared[name]
	if len(all) >= maxSharedReads {
		all = slices.Delete(all, 0, maxSharedReads/2)
	}
	s.shared[name] = append(all, sharedRead{h, a})
}

// fetched says that a file which a process created was read from a share of another
// host: the latest read of that name from an address of this host.
func (h *host) fetched(c *creation) bool {
	if extension(c.path) == "inf" {
		return false // settings, which every host fetches again and again
	}
	for _, r := range slices.Backward(h.s.shared[baseName(c.path)]) {
		a := r.access
		if r.server == h || a.Time < c.time-fetchWindow || a.Time > c.time+10e9 || !h.isOwn(a.Source.IP, a.Time) {
			continue
		}
		_, name := splitPath(a.Object)
		tr := &model.Transfer{ID: c.id, Start: a.Time, End: max(a.Time, c.time), Operation: model.Pull, Initiator: model.ByDestination, Channel: "smb",
			Share: a.Share, Path: a.Object, Name: name, User: a.User, Domain: a.Domain, Completeness: model.Logged, Status: model.Done,
			Reason:  "it was read from the share and created here: " + model.ReasonLogged,
			Process: c.process, PID: c.pid, InitiatorUser: c.user, Receiver: &model.Receiver{Process: c.process, PID: c.pid},
			Evidence: append(slices.Clone(a.Evidence), c.evidence), TimeAssumed: c.assumed}
		h.found(tr, model.ByDestination)
		r.server.mine = append(r.server.mine, side0{tr, model.BySource})
		h.land(tr, c.path, c.time)
		return true
	}
	return false
}
