package unixhost

import (
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Files that go from host to host by a synced folder: one host's log shows that a
// program laid a file into it, another's that a sync client wrote it. As logs of
// Windows hosts are read (package winhost).

// placed is a file in a synced folder.
type placed struct {
	host     *host
	time     model.Time
	path     string
	process  string
	user     string
	pid      uint64
	id       string
	evidence model.Evidence
}

// syncWindow is how long after it was laid there a file may come out.
const syncWindow model.Time = 24 * 3600e9

// syncClients are the programs that keep a folder the same on many hosts: bird and
// fileproviderd do for iCloud and for File Provider extensions of others. syncFolders
// are parts of the paths of such folders, below a home.
var (
	syncClients = map[string]bool{"dropbox": true, "dropboxfileprovider": true, "onedrive": true, "onedrive file provider": true, "google drive": true, "dfsfileproviderextension": true,
		"bird": true, "fileproviderd": true, "box": true, "box sync": true, "megasync": true, "syncthing": true, "nextcloud": true, "owncloud": true, "rclone": true, "insync": true, "maestral": true}
	syncFolders = []string{"/library/cloudstorage/", "/library/mobile documents/", "/dropbox/", "/onedrive/", "/onedrive - ", "/google drive/", "/my drive/", "/box/", "/box sync/", "/mega/", "/megasync/",
		"/syncthing/", "/sync/", "/nextcloud/", "/owncloud/"}
)

func (s *Hosts) syncs(program string) bool {
	return syncClients[strings.ToLower(program)] || slices.ContainsFunc(s.o.SyncApps, func(app string) bool { return strings.EqualFold(app, program) })
}

// inSyncFolder looks for such a folder below a home. What lies below a hidden folder is
// the client's own.
func (s *Hosts) inSyncFolder(file string) bool {
	home := false
	for _, root := range [...]string{"/Users/", "/home/", "/root/"} {
		home = home || strings.HasPrefix(file, root)
	}
	if !home || strings.Contains(file, "/.") || strings.HasPrefix(base(file), "~$") {
		return false
	}
	lower := strings.ToLower(file)
	return slices.ContainsFunc(syncFolders, func(f string) bool { return strings.Contains(lower, f) }) ||
		slices.ContainsFunc(s.o.SyncApps, func(app string) bool { return strings.Contains(lower, "/"+strings.ToLower(app)+"/") })
}

// synced takes a file that was made in a synced folder. It says whether a sync client
// made it.
func (h *host) synced(r *telemetry.Record, p *process, file string) bool {
	if !h.s.inSyncFolder(file) {
		return false
	}
	x := placed{host: h, time: r.Time, path: strings.Clone(file), process: p.image, user: strings.Clone(r.Get("AUID")), pid: pidOf(r), evidence: h.evidence(r, "file create in a synced folder")}
	client := h.s.syncs(base(p.image))
	switch {
	case client && len(h.s.syncedOut) < maxFacts:
		x.id = h.id("t", r, "synced", file)
		r.Unverified = r.Stream + "/sync-folder"
		h.s.syncedOut = append(h.s.syncedOut, x)
	case !client && h.s.laid < maxFacts:
		name := strings.ToLower(base(x.path))
		h.s.laid++
		h.s.syncedIn[name] = append(h.s.syncedIn[name], x)
	}
	return client
}

// carried joins what was laid into synced folders with what came out on other hosts.
func (s *Hosts) carried() {
	for i := range s.syncedOut {
		out := &s.syncedOut[i]
		if in := s.laidBefore(out); in != nil {
			s.out.Moved(relayed(in, out))
		}
	}
}

// laidBefore is the earliest laying of a file that another host's client wrote later.
func (s *Hosts) laidBefore(out *placed) *placed {
	var from *placed
	all := s.syncedIn[strings.ToLower(base(out.path))]
	for i := range all[:min(len(all), crowd)] {
		p := &all[i]
		if p.host == out.host || p.time > out.time+minute || out.time-p.time > syncWindow {
			continue
		}
		if from == nil || p.time < from.time {
			from = p
		}
	}
	return from
}

func relayed(in, out *placed) *model.Transfer {
	in.evidence.Computer, out.evidence.Computer = in.host.name, out.host.name
	return &model.Transfer{Kind: "transfer", ID: out.id, Start: min(in.time, out.time), End: out.time, Source: model.Endpoint{Host: in.host.name}, Destination: model.Endpoint{Host: out.host.name},
		Operation: model.Push, Initiator: model.BySource, Channel: "sync-folder", Path: out.path, Name: base(out.path), Completeness: model.Logged, Status: model.Done, Confidence: "low",
		Process: in.process, PID: in.pid, InitiatorUser: in.user, Receiver: &model.Receiver{Process: out.process, PID: out.pid},
		Reason:   "it entered a synced folder there and the sync client wrote it here: a log shows both, no bytes were seen",
		Evidence: []model.Evidence{in.evidence, out.evidence}}
}
