package winhost

import (
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/winevent"
)

// Rights of a 5145's access mask (MS-SMB2 2.2.13.1.1): those that write data.
const (
	writeData  = 0x2
	appendData = 0x4
)

// write is a file on a share of this host that another host asked to write, as
// one or more 5145 say.
type write struct {
	first, last model.Time
	share       string // without the leading \\*\
	path        string // below the share
	local       string // on the disk, lower case; "" unknown
	from        model.Addr
	port        uint16
	user        string
	domain      string
	sid         string
	logon       string
	refused     bool // every one of them
	id          string
	assumed     bool
	evidence    []model.Evidence
}

// creation is a file that was created, as Sysmon 11 says.
type creation struct {
	time     model.Time
	path     string // lower case
	shown    string
	image    string // of the writer, lower case
	process  string
	pid      uint64
	guid     string
	user     string
	id       string
	assumed  bool
	hashes   []model.Hash
	blocked  bool // Sysmon kept it from being written
	taken    bool // belongs to a movement that was said
	evidence model.Evidence
}

// maxWriteEvidence bounds the events that are cited for one movement.
const maxWriteEvidence = 8

// share takes a 5145: access to a file of a share was checked. It is a claim; with
// write rights, of a write.
func (h *host) share(e *winevent.Event) {
	share := lastElement(e.Get("ShareName"))
	path := strings.Trim(e.Get("RelativeTargetName"), `\`)
	from, mask := telemetry.Address(e.First("IpAddress", "SourceAddress")), rights(e)
	if share == "" || path == "" {
		return
	}
	if strings.EqualFold(share, "IPC$") {
		h.pipeOpened(e, path, from)
		return
	}
	h.servesLogons(e, share, from, mask)
	if telemetry.ShellMetadata(baseName(path)) {
		return
	}
	if mask&(writeData|appendData) == 0 {
		h.shareRead(e, share, path, from, mask)
		return
	}
	// An address of the host itself shows when more of it is known.
	for _, w := range h.writes {
		if w.from == from && e.Time-w.last < patience && w.last-e.Time < patience && strings.EqualFold(w.share, share) && strings.EqualFold(w.path, path) {
			w.first, w.last = min(w.first, e.Time), max(w.last, e.Time)
			w.refused = w.refused && e.Failure
			if len(w.evidence) < maxWriteEvidence {
				w.evidence = append(w.evidence, h.evidence(e, "5145 write access"))
			}
			return
		}
	}
	if len(h.writes) >= maxOpen {
		return
	}
	w := &write{first: e.Time, last: e.Time, share: strings.Clone(share), path: strings.Clone(path), from: from, port: uint16(e.Number("IpPort")),
		user: strings.Clone(e.Get("SubjectUserName")), domain: strings.Clone(e.Get("SubjectDomainName")), sid: strings.Clone(e.Get("SubjectUserSid")),
		logon: strings.Clone(strings.ToLower(e.Get("SubjectLogonId"))), refused: e.Failure, assumed: e.Assumed, id: h.id(e),
		evidence: []model.Evidence{h.evidence(e, "5145 write access")}}
	w.local = strings.ToLower(localPath(e.Get("ShareLocalPath"), share, w.path))
	h.writes = append(h.writes, w)
	h.open[w.local]++
	h.putOn(share, path)
}

// fileLike says whether a name is most likely a file's: it has an extension that is
// no number, as folders of versions have.
func fileLike(name string) bool {
	ext := extension(name)
	return ext != "" && strings.Trim(ext, "0123456789") != ""
}

// requested takes a file event of Defender's tables that names the request over SMB
// which made the file, or the URL that it came from.
func (h *host) requested(e *winevent.Event) bool {
	path := e.Get("TargetFilename")
	if u := webURL(e.Get("FileOriginUrl")); u != nil && path != "" && len(h.downloads) < maxOpen {
		d := &download{first: e.Time, last: e.Time, url: u, image: strings.Clone(e.Get("Image")), pid: e.Number("ProcessId"), user: strings.Clone(e.Get("User")), id: h.id(e)}
		d.more(h, e, path, hashes(e.Get("Hashes"), "file-create", e.Time))
		h.downloads = append(h.downloads, d)
		return true
	}
	from := telemetry.Address(e.Get("RequestSourceIP"))
	if path == "" || !from.Known() || loopback(from) || h.isOwn(from, e.Time) {
		return false
	}
	_, name := splitPath(path)
	share := lastElement(e.Get("ShareName"))
	tr := &model.Transfer{ID: h.id(e), Start: e.Time, End: e.Time, Operation: model.Push, Initiator: model.BySource, Channel: "smb",
		Source: model.Endpoint{IP: from, Port: uint16(e.Number("RequestSourcePort"))}, Share: strings.Clone(share), Path: strings.Clone(path), Name: strings.Clone(name),
		User: strings.Clone(e.Get("RequestAccountName")), Domain: strings.Clone(e.Get("RequestAccountDomain")), UserSID: strings.Clone(e.Get("RequestAccountSid")),
		Completeness: model.Logged, Status: model.Done, Reason: model.ReasonLogged, Hashes: hashes(e.Get("Hashes"), "file-create", e.Time),
		Receiver: &model.Receiver{Process: strings.Clone(e.Get("Image")), PID: e.Number("ProcessId")}, Evidence: []model.Evidence{h.evidence(e, eventName(e)+" request over SMB")}}
	h.found(tr, model.ByDestination)
	h.land(tr, strings.ToLower(tr.Path), e.Time)
	return true
}

// rights are those of the access mask, else of the list that is made of it.
func rights(e *winevent.Event) uint64 {
	if m := e.Number("AccessMask"); m != 0 {
		return m
	}
	list := e.Get("AccessList")
	var m uint64
	for _, r := range []struct {
		code, name string
		bit        uint64
	}{{"%%4416", "ReadData", 1}, {"%%4417", "WriteData", writeData}, {"%%4418", "AppendData", appendData}} {
		if strings.Contains(list, r.code) || strings.Contains(list, r.name) {
			m |= r.bit
		}
	}
	return m
}

// localPath is where a file of a share lies, as far as the event or the share's
// name tell.
func localPath(root, share, path string) string {
	root = strings.TrimRight(strings.TrimPrefix(root, `\??\`), `\`)
	switch s := strings.ToLower(share); {
	case root != "":
	case s == "admin$":
		root = `C:\Windows`
	case len(s) == 2 && s[1] == '$':
		root = strings.ToUpper(s[:1]) + ":"
	default:
		return ""
	}
	return root + `\` + path
}

// creation takes a Sysmon 11.
func (h *host) creation(e *winevent.Event) {
	path := e.Get("TargetFilename")
	image := e.Get("Image")
	c := creation{time: e.Time, image: h.s.lower(image), pid: e.Number("ProcessId")}
	system := c.image == "system"
	h.jobWrites(&c, path)
	if !system && h.createdBy(e, path) {
		return
	}
	if path == "" || system && housekeeping(path) || !system && !h.watched(c.image, path) {
		return
	}
	if len(h.created) >= maxOpen {
		return
	}
	c.shown, c.process, c.guid = strings.Clone(path), h.s.texts.Shared(image), strings.Clone(e.Get("ProcessGuid"))
	c.path, c.user, c.assumed = finalPlace(strings.ToLower(c.shown)), h.s.texts.Shared(e.Get("User")), e.Assumed
	c.id, c.evidence = h.id(e), h.evidence(e, eventName(e)+" file create")
	if !system {
		h.networkWriter(&c)
		h.ontoMedium(&c)
		if h.toShare(&c) || h.synced(&c) {
			return
		}
		h.cameOut(&c)
	}
	h.created = append(h.created, c)
	h.open[c.path]++
}

// finalPlace is where a file comes to lie that is created under this path: the spooler
// moves what it puts into the folder New of its drivers to the folder above.
func finalPlace(path string) string {
	folder, name := splitPath(path)
	if parent, ok := strings.CutSuffix(folder, `new\`); ok && strings.Contains(parent, `\spool\drivers\`) {
		return parent + name
	}
	return path
}

// closed forgets that a path was open.
func (h *host) closed(path string) {
	if h.open[path]--; h.open[path] <= 0 {
		delete(h.open, path)
	}
}

// watched says whether a file that a process other than System creates matters:
// what can run, and what a Remote Desktop client writes.
func (h *host) watched(image, path string) bool {
	if strings.HasSuffix(image, `\mstsc.exe`) || inSyncFolder(path) {
		return true
	}
	return carries(extension(path))
}

// housekeeping are files that the system process writes by itself: traces, shadow
// copies, registry hives, page files, crash dumps (field notes, host telemetry).
func housekeeping(path string) bool {
	p := strings.ToLower(path)
	switch extension(p) {
	case "etl", "blf", "regtrans-ms", "log1", "log2", "pf", "dmp", "evtx":
		return true
	}
	_, name := splitPath(p)
	if strings.Contains(name, ".etl.") || strings.HasPrefix(name, "ntuser.dat") || strings.HasPrefix(name, "usrclass.dat") || name == "pagefile.sys" || name == "hiberfil.sys" || name == "swapfile.sys" {
		return true
	}
	for _, part := range []string{`\system volume information\`, `\$extend\`, `\windows\system32\config\`, `\device\harddiskvolumeshadowcopy`,
		`\appdata\local\microsoft\windows\notifications\`, `\windows\serviceprofiles\`, `\windows\system32\logfiles\`, `\windows\softwaredistribution\`} {
		if strings.Contains(p, part) {
			return true
		}
	}
	return false
}

// carries says whether a file of this extension runs, or holds what may run.
func carries(ext string) bool { return runnable[ext] || archives[ext] }

var runnable = set("exe dll sys scr com pif cpl ocx drv msi msp msu jar class ps1 psm1 psd1 bat cmd vbs vbe js jse wsf wsh hta py pyw pl sh " +
	"lnk inf reg sct xsl chm aspx asp ashx asmx jsp jspx php war cab elf so bin xll wll ppam xlam")

var archives = set("zip 7z rar gz tgz tar iso img vhd vhdx arj bz2 xz zst")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// settleWrites decides on the 5145 writes whose last event is older than t.
func (h *host) settleWrites(t model.Time) {
	h.writes = slices.DeleteFunc(h.writes, func(w *write) bool {
		if w.last > t {
			return false
		}
		h.decide(w)
		h.closed(w.local)
		return true
	})
}

func (h *host) decide(w *write) {
	c := h.creationOf(w)
	if loopback(w.from) || h.isOwn(w.from, w.first) {
		h.loopback = append(h.loopback, fact{w.first, strings.ToLower(w.path)})
		if c != nil {
			c.taken = true
		}
		return
	}
	_, name := splitPath(w.path)
	tr := &model.Transfer{ID: w.id, Start: w.first, End: w.last, Operation: model.Push, Initiator: model.BySource, Channel: "smb",
		Source: model.Endpoint{IP: w.from, Port: w.port}, Share: w.share, Path: w.path, Name: name, User: w.user, Domain: w.domain, UserSID: w.sid,
		Completeness: model.Logged, Status: model.Claimed, Reason: "write access was granted; nothing shows that bytes moved", Evidence: w.evidence, TimeAssumed: w.assumed}
	if w.logon != "" {
		tr.Logon = &model.Logon{Host: h.name, ID: w.logon, Source: w.from, Type: h.logons[w.logon].kind}
	}
	if w.refused {
		tr.Status, tr.Reason = model.Denied, "the share refused the access"
	}
	path := w.local
	if c != nil {
		h.take(c, w)
		path = c.path
		tr.Evidence = append(slices.Clone(tr.Evidence), c.evidence)
		tr.Observations = []string{w.id, c.id}
		tr.Receiver = &model.Receiver{Process: "System", PID: c.pid}
		tr.End = max(tr.End, c.time)
		h.confirm(tr)
		noteCreation(tr, c)
	}
	if c == nil && !fileLike(name) && !h.runs(path, w.first) {
		return // most likely a folder: 5145 does not tell
	}
	h.found(tr, model.ByDestination)
	h.land(tr, path, w.first)
}

// confirm makes a claim a movement.
func (h *host) confirm(tr *model.Transfer) {
	if tr.Status == model.Claimed {
		tr.Status, tr.Reason = model.Done, model.ReasonLogged
	}
}

// creationOf finds the file that System created for a write.
func (h *host) creationOf(w *write) *creation {
	tail := `\` + strings.ToLower(w.path)
	for i := range h.created {
		c := &h.created[i]
		if c.image != "system" || c.time < w.first-10e9 || c.time > w.last+minute {
			continue
		}
		if w.local != "" && c.path == w.local || w.local == "" && strings.HasSuffix(c.path, tail) || c.path == `\\`+h.bare+`\`+strings.ToLower(w.share)+tail {
			return c
		}
	}
	return nil
}

// take notes that a file was created for a write, and again for what was written to it
// before the write was over.
func (h *host) take(c *creation, w *write) {
	for i := range h.created {
		if o := &h.created[i]; o.path == c.path && o.image == c.image && o.time >= c.time && o.time <= w.last+minute {
			o.taken = true
		}
	}
}

// settleCreations decides on files that were created before t and belong to no 5145.
func (h *host) settleCreations(t model.Time) {
	kept := h.created[:0]
	for i := range h.created {
		c := &h.created[i]
		if c.time > t {
			kept = append(kept, *c)
			continue
		}
		if !c.taken {
			h.decideCreation(c)
		}
		h.closed(c.path)
	}
	h.created = kept
}

func (h *host) decideCreation(c *creation) {
	switch {
	case c.image == "system":
		h.systemWrite(c)
	case strings.HasSuffix(c.image, `\mstsc.exe`):
		h.remoteDesktop(c)
	case receivers[baseName(c.image)].channel != "":
		h.received(c)
	case agents[baseName(c.image)]:
		h.deployed(c)
	case h.fetched(c) || h.throughPipe(c):
	default:
		h.pasted(c)
		if h.landed[c.path] == nil && len(h.local) < maxFacts {
			h.local[c.path] = true
		}
	}
}

// systemWrite says that a file which System created came from the network: over
// SMB, the server writes in the name of the client.
func (h *host) systemWrite(c *creation) {
	_, name := splitPath(c.shown)
	if outputFile(name) || h.writtenThroughLoopback(c) {
		return
	}
	from, why := h.remoteAt(c.time)
	if from == nil && !carries(extension(name)) {
		return
	}
	tr := &model.Transfer{ID: c.id, Start: c.time, End: c.time, Operation: model.Push, Initiator: model.BySource, Channel: "smb",
		Path: c.shown, Name: name, Completeness: model.Logged, Status: model.Done, Receiver: &model.Receiver{Process: "System", PID: c.pid},
		Reason: model.ReasonLogged, Evidence: []model.Evidence{c.evidence}, TimeAssumed: c.assumed}
	if from != nil {
		h.attribute(tr, from)
		tr.Confidence = "medium"
	} else {
		tr.Reason += "; " + why
	}
	noteCreation(tr, c)
	h.found(tr, model.ByDestination)
	h.land(tr, c.path, c.time)
}

// noteCreation adds what was said of the file's content and its fate.
func noteCreation(tr *model.Transfer, c *creation) {
	addHashes(tr, c.hashes)
	if c.blocked {
		tr.Notes = append(tr.Notes, "Sysmon blocked the file when its bytes had come")
	}
}

// attribute names the source of a transfer by a sign that another host was there.
func (h *host) attribute(tr *model.Transfer, from *remote) {
	tr.Source = model.Endpoint{IP: from.addr, Port: from.port}
	tr.Destination.IP = from.own
	tr.User, tr.Domain = from.user, from.domain
	if from.id != "" {
		tr.Logon = &model.Logon{Host: h.name, ID: from.id, Type: 3, Source: from.addr}
	}
	tr.Evidence = append(slices.Clip(tr.Evidence), from.evidence)
}

// remoteAt is the other host that was connected at a time: the only one within
// ten seconds, else within a minute, else within half an hour before. Where there
// are several, none is named. Connections may be logged a little later than what
// came over them.
func (h *host) remoteAt(t model.Time) (*remote, string) {
	return h.remoteOf("", t)
}

// remoteOf is the same of those that came under an account; "" is any.
func (h *host) remoteOf(user string, t model.Time) (*remote, string) {
	for _, reach := range []model.Time{10e9, minute, recent} {
		var only *remote
		several := false
		for i := range h.remotes {
			r := &h.remotes[i]
			if r.time < t-reach || r.time > t+min(reach, minute) || r.rpc || user != "" && !sameUser(r.user, user) || h.isOwn(r.addr, r.time) {
				continue
			}
			if only != nil && only.addr != r.addr {
				several = true
			}
			if only == nil || only.user == "" && r.user != "" && r.addr == only.addr {
				only = r
			}
		}
		if several {
			return nil, "several hosts were connected then: which one sent it is not known"
		}
		if only != nil {
			return only, ""
		}
	}
	return nil, "no log shows which host was connected then"
}

// sameUser compares the names of two accounts without their domains, which logs write in
// two ways.
func sameUser(a, b string) bool { return strings.EqualFold(baseName(a), baseName(b)) }

// outputFile are the files that remote execution tools leave for the output of
// commands (field notes): they show execution, and no file that moved.
func outputFile(name string) bool {
	n := strings.ToLower(name)
	if n == "__output" {
		return true
	}
	rest, ok := strings.CutPrefix(n, "__")
	return ok && rest != "" && strings.Trim(rest, "0123456789.") == ""
}

// writtenThroughLoopback says whether a file was written through a share by the
// host itself.
func (h *host) writtenThroughLoopback(c *creation) bool {
	_, name := splitPath(c.path)
	for _, f := range h.loopback {
		if f.time < c.time-patience || f.time > c.time+patience {
			continue
		}
		if i := strings.Index(f.text, name); i >= 0 && wordEnd(f.text[i+len(name):]) && (i == 0 || !wordByte(f.text[i-1])) {
			return true
		}
	}
	return false
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c >= 0x80
}

func wordEnd(rest string) bool { return rest == "" || !wordByte(rest[0]) && rest[0] != '.' }

// lastElement is a share's own name: "ADMIN$" of "\\*\ADMIN$".
func lastElement(share string) string {
	share = strings.TrimRight(share, `\`)
	return share[strings.LastIndexByte(share, '\\')+1:]
}
