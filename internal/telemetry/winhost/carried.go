package winhost

import (
	"cmp"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// What goes from host to host by other ways than a connection between them: synced
// folders and removable media. One host's log shows that a file went in, another's
// that it came out.

// placed is a file in a synced folder or on a medium.
type placed struct {
	host     *host
	time     model.Time
	name     string // lower case
	shown    string
	process  string
	pid      uint64
	user     string
	id       string
	serial   string // of the medium
	hashes   []model.Hash
	how      string          // of a start
	transfer *model.Transfer // of what came out of a synced folder, to which its starts are tied
	evidence model.Evidence
}

// carriedWindow is how long after it went in a file may come out.
const carriedWindow model.Time = 24 * 3600e9

// syncClients are the programs that keep a folder the same on many hosts, and
// syncFolders parts of the paths of such folders.
var (
	syncClients = set("onedrive.exe dropbox.exe googledrivefs.exe googledrivesync.exe box.exe boxsync.exe megasync.exe rclone.exe syncthing.exe nextcloud.exe owncloud.exe resilio.exe")
	syncFolders = []string{`\onedrive`, `\dropbox\`, `\google drive\`, `\my drive\`, `\box\`, `\box sync\`, `\megasync\`, `\mega\`, `\syncthing\`, `\sync\`, `\nextcloud\`}
)

// inSyncFolder looks at each folder of a path.
func inSyncFolder(path string) bool {
	for i := 0; i+4 < len(path); i++ {
		if path[i] != '\\' || strings.IndexByte("odgmbsnODGMBSN", path[i+1]) < 0 {
			continue
		}
		for _, f := range syncFolders {
			if len(path)-i >= len(f) && strings.EqualFold(path[i:i+len(f)], f) {
				return true
			}
		}
	}
	return false
}

// siteClient says whether a program is one that syncs folders at this site, siteFolder
// whether a path is in a folder of such a program's name.
func (s *Hosts) siteClient(program string) bool {
	return slices.ContainsFunc(s.o.SyncApps, func(app string) bool { return strings.EqualFold(app, program) })
}

func (s *Hosts) siteFolder(path string) bool {
	return slices.ContainsFunc(s.o.SyncApps, func(app string) bool {
		return strings.Contains(strings.ToLower(path), `\`+strings.TrimSuffix(strings.ToLower(app), ".exe")+`\`)
	})
}

// synced takes a creation in a synced folder.
func (h *host) synced(c *creation) bool {
	if !inSyncFolder(c.path) && !h.s.siteFolder(c.path) {
		return false
	}
	p := placed{host: h, time: c.time, name: baseName(c.path), shown: c.shown, process: c.process, pid: c.pid, user: c.user, id: c.id, evidence: c.evidence}
	if syncClients[baseName(c.image)] || h.s.siteClient(baseName(c.image)) {
		p.transfer = &model.Transfer{}
		if carries(extension(c.path)) {
			h.land(p.transfer, c.path, c.time)
		}
		h.s.syncedOut = keep(h.s.syncedOut, p)
		return true
	}
	h.s.syncedIn = keep(h.s.syncedIn, p)
	return false
}

func keep(all []placed, p placed) []placed {
	if len(all) >= maxOpen {
		return all
	}
	return append(all, p)
}

// device notes that a medium with a serial number was connected (6416, Partition 1006).
func (h *host) device(e *winevent.Event) {
	serial := e.Get("SerialNumber")
	if serial == "" {
		id := e.Get("DeviceId")
		if !strings.HasPrefix(strings.ToUpper(id), "USBSTOR") {
			return
		}
		serial = id[strings.LastIndexByte(id, '\\')+1:]
		serial, _, _ = strings.Cut(serial, "&")
	}
	serial = strings.ToLower(strings.TrimSpace(serial))
	if serial == "" || len(h.media) >= maxFacts {
		return
	}
	h.media = append(h.media, fact{e.Time, strings.Clone(serial)})
}

// medium is the serial of the medium that was connected last at a time.
func (h *host) medium(t model.Time) string {
	for _, m := range slices.Backward(h.media) {
		if m.time <= t+minute && t-m.time < carriedWindow {
			return m.text
		}
	}
	return ""
}

// removableDrive says whether a path lies on a drive that is neither the system's
// nor a mapped share.
func (h *host) removableDrive(path string) bool {
	if len(path) < 3 || path[1] != ':' || path[0] <= 'c' || path[0] > 'z' {
		return false
	}
	_, mapped := h.drives[path[:2]]
	return !mapped
}

// ontoMedium takes a file that was created on a removable drive.
func (h *host) ontoMedium(c *creation) {
	if !h.removableDrive(c.path) {
		return
	}
	if serial := h.medium(c.time); serial != "" {
		h.s.mediaIn = keep(h.s.mediaIn, placed{host: h, time: c.time, name: baseName(c.path), shown: c.shown, process: c.process, pid: c.pid, user: c.user, id: c.id, serial: serial, evidence: c.evidence})
	}
}

// offMedium takes the start of a program, or the load of a module, from a removable drive.
func (h *host) offMedium(x *start) {
	if !h.removableDrive(x.image) {
		return
	}
	if serial := h.medium(x.time); serial != "" {
		h.s.mediaOut = keep(h.s.mediaOut, placed{host: h, time: x.time, name: baseName(x.image), shown: x.shown, process: x.shown, pid: x.pid, user: x.user,
			id: h.idOf(&x.evidence, "medium"), serial: serial, hashes: x.hashes, how: x.how, evidence: x.evidence})
	}
}

// carried joins what went in with what came out on another host.
func (s *Hosts) carried() {
	join(s.syncedIn, s.syncedOut, "sync-folder", "low", "it entered a synced folder there and the sync client wrote it here: a log shows both, no bytes were seen")
	join(s.mediaIn, s.mediaOut, "removable", "medium", "it was written to a medium there and run from the same medium here: logs show both, no bytes were seen")
}

func join(in, out []placed, channel, confidence, reason string) {
	for _, o := range out {
		var from *placed
		for i := range in {
			p := &in[i]
			if p.host == o.host || p.name != o.name || p.serial != o.serial || p.time > o.time+minute || o.time-p.time > carriedWindow {
				continue
			}
			if from == nil || p.time < from.time {
				from = p
			}
		}
		if from == nil {
			continue
		}
		_, name := splitPath(o.shown)
		tr := cmp.Or(o.transfer, &model.Transfer{})
		starts, sums := tr.Executed, append(slices.Clone(o.hashes), tr.Hashes...)
		*tr = model.Transfer{ID: o.id, Start: from.time, End: o.time, Operation: model.Push, Initiator: model.BySource, Channel: channel, Path: o.shown, Name: name,
			Completeness: model.Logged, Status: model.Done, Confidence: confidence, Process: from.process, PID: from.pid, InitiatorUser: from.user, Hashes: sums, Executed: starts, OriginalName: tr.OriginalName,
			Receiver: &model.Receiver{Process: o.process, PID: o.pid}, Reason: reason, Evidence: []model.Evidence{from.evidence, o.evidence}}
		if channel == "removable" {
			tr.Executed = []model.Execution{{Time: o.time, How: o.how, Process: o.process, User: o.user, PID: o.pid, Evidence: []model.Evidence{o.evidence}}}
		}
		o.host.found(tr, model.ByDestination)
		from.host.mine = append(from.host.mine, side0{tr, model.BySource})
	}
}

// shareRead takes a file of a share that another host asked to read, as a 5145 says. It is no movement
// by itself, and confirms one that another witness claims.
func (h *host) shareRead(e *winevent.Event, share, path string, from model.Addr, mask uint64) {
	if e.Failure || mask&1 == 0 || !carries(extension(path)) || !from.Known() || loopback(from) || h.isOwn(from, e.Time) || !h.keepsRead(share, path) {
		return
	}
	for i := len(h.reads) - 1; i >= 0 && i >= len(h.reads)-8; i-- {
		if last := h.reads[i]; last.Object == path && last.Source.IP == from && e.Time-last.Time < minute {
			return
		}
	}
	a := &model.Access{Kind: "access", ID: "x" + h.id(e)[1:], Time: e.Time, What: "share-read", Source: model.Endpoint{IP: from, Port: uint16(e.Number("IpPort"))}, User: h.s.texts.Shared(e.Get("SubjectUserName")),
		Domain: h.s.texts.Shared(e.Get("SubjectDomainName")), Channel: "smb", Share: h.s.texts.Shared(share), Object: h.s.texts.Shared(path), Evidence: []model.Evidence{h.evidence(e, "5145 read access")}}
	h.reads = append(h.reads, a)
	if h.s.out.Opened(a) {
		h.accesses = append(h.accesses, a)
	}
	h.served(a)
	if len(h.reads) > 64 {
		h.reads = slices.Delete(h.reads, 0, 32)
	}
}

// maxReads bounds the reads that are kept to confirm others' claims; as many again are kept
// of what was seen to be put on a share.
const maxReads = 1 << 17

// keepsRead says whether there is room for one more read of this file.
func (h *host) keepsRead(share, path string) bool {
	n := len(h.s.out.Reads)
	return n < maxReads || n < 2*maxReads && h.put[shelf(share, path)]
}

// putOn notes that a program was put on a share of the host.
func (h *host) putOn(share, path string) {
	if !carries(extension(path)) {
		return
	}
	if h.put == nil || len(h.put) >= maxLanded {
		h.put = map[string]bool{}
	}
	h.put[shelf(share, path)] = true
}

func shelf(share, path string) string { return strings.ToLower(share + `|` + path) }
