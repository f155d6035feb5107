package winhost

import (
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
)

// receiver is a process that writes files which another host sends.
type receiver struct {
	channel string
	// service is the port whose connections, or sign of a session, tell from where.
	service    uint16
	confidence string
	reason     string
}

// receivers are told by the name of their program. A file that one of them creates
// came from another host; other files of theirs are not looked at (mine).
var receivers = map[string]receiver{
	"wsmprovhost.exe": {"winrm", 5985, "medium", "the host process of a remote PowerShell session wrote it"},
	"sftp-server.exe": {"ssh", 22, "medium", "the SFTP server wrote it"},
	"sshd.exe":        {"ssh", 22, "medium", "the SSH server wrote it"},
	"vmtoolsd.exe":    {"guest", 0, "medium", "the guest agent of the hypervisor wrote it"},
	"vboxservice.exe": {"guest", 0, "medium", "the guest agent of the hypervisor wrote it"},
	"anydesk.exe":     {"unknown", 0, "low", "a remote support tool wrote it"},
	"teamviewer.exe":  {"unknown", 0, "low", "a remote support tool wrote it"},
	"rustdesk.exe":    {"unknown", 0, "low", "a remote support tool wrote it"},
	"tvnserver.exe":   {"unknown", 0, "low", "a remote support tool wrote it"},
	"lsass.exe":       {"smb", 445, "low", "lsass wrote a program, as exploits of the SMB server do"},
}

// received says that a receiver wrote a file.
func (h *host) received(c *creation) {
	r, ok := receivers[baseName(c.image)]
	if !ok || !carries(extension(c.path)) || receiversOwn(c) {
		return
	}
	if r.channel != "winrm" {
		h.s.out.Doubt(c.evidence.Input, "receiver/"+baseName(c.image))
	}
	_, name := splitPath(c.shown)
	tr := &model.Transfer{ID: c.id, Start: c.time, End: c.time, Operation: model.Push, Initiator: model.BySource, Channel: r.channel, Path: c.shown, Name: name,
		Completeness: model.Logged, Status: model.Done, Confidence: r.confidence, Receiver: &model.Receiver{Process: c.process, PID: c.pid},
		Reason: r.reason + ": " + model.ReasonLogged, Evidence: []model.Evidence{c.evidence}, TimeAssumed: c.assumed}
	if r.service != 0 {
		from, why := h.remoteOf(c.user, c.time)
		if from == nil {
			from, why = h.remoteAt(c.time)
		}
		if from == nil {
			tr.Reason += "; " + why
		} else {
			h.attribute(tr, from)
		}
	}
	h.found(tr, model.ByDestination)
	h.land(tr, c.path, c.time)
}

// agents are programs that bring software to hosts at the word of a server.
var agents = set("ccmexec.exe besclient.exe macmnsvc.exe masvc.exe frameworkservice.exe taniumclient.exe tmcsvc.exe aexnsagent.exe ltsvc.exe agentmon.exe")

// deployed says that the agent of a software distribution wrote a program while it was
// connected to a host inside: from there it is as a rule.
func (h *host) deployed(c *creation) {
	s, ok := h.spoke[c.guid]
	home, _ := splitPath(c.image)
	folder, name := splitPath(c.shown)
	if !ok || c.guid == "" || !carries(extension(c.path)) || strings.EqualFold(home, folder) || c.time < s.time-10e9 || c.time-s.time > writerWindow || !h.s.inside(s.addr) {
		return
	}
	h.s.out.Doubt(c.evidence.Input, "receiver/"+baseName(c.image))
	tr := &model.Transfer{ID: c.id, Start: s.time, End: max(s.time, c.time), Operation: model.Pull, Initiator: model.ByDestination, Channel: "deploy", Path: c.shown, Name: name,
		Source: model.Endpoint{IP: s.addr, Port: s.port}, Completeness: model.Inferred, Status: model.Done, Confidence: "low", Process: c.process, PID: c.pid,
		Receiver: &model.Receiver{Process: c.process, PID: c.pid}, InitiatorUser: c.user,
		Reason:   "the agent of a software distribution wrote it while it was connected there; no log names the file's origin",
		Evidence: []model.Evidence{c.evidence, s.evidence}, TimeAssumed: c.assumed}
	h.found(tr, model.ByDestination)
	h.land(tr, c.path, c.time)
}

// receiversOwn are files that receivers make for themselves: the probe of
// PowerShell's script policy, their own updates.
func receiversOwn(c *creation) bool {
	home, _ := splitPath(c.image)
	return strings.HasPrefix(baseName(c.path), "__psscriptpolicytest_") || !strings.HasPrefix(home, `c:\windows\`) && strings.HasPrefix(c.path, home) || strings.Contains(c.path, `\appdata\local\microsoft\`)
}

// pasted says that the shell wrote a program while a Remote Desktop session of
// another host was open, and nothing else on this host tells where it is from.
// It is a guess, and said as one.
func (h *host) pasted(c *creation) {
	if baseName(c.image) != "explorer.exe" || !runnable[extension(c.path)] || !strings.HasPrefix(c.path, `c:\`) || extension(c.path) == "lnk" {
		return
	}
	const session = 8 * 3600e9
	var from *remote
	for i := range h.sessions {
		s := &h.sessions[i]
		if s.time > c.time || c.time-s.time > session || h.isOwn(s.addr, s.time) {
			continue
		}
		if from != nil && from.addr != s.addr {
			return
		}
		from = s
	}
	if from == nil || h.knownName(c) {
		return
	}
	_, name := splitPath(c.shown)
	tr := &model.Transfer{ID: c.id, End: c.time, Operation: model.Push, Initiator: model.BySource, Channel: "rdp", Path: c.shown, Name: name,
		Completeness: model.Inferred, Status: model.Done, Confidence: "low", Receiver: &model.Receiver{Process: c.process, PID: c.pid}, InitiatorUser: c.user,
		Reason: "the shell wrote it in a Remote Desktop session, and no log shows another origin", Evidence: []model.Evidence{c.evidence}}
	h.attribute(tr, from)
	h.found(tr, model.ByDestination)
	h.land(tr, c.path, c.time)
}

// knownName says whether a file of that name came to the host in another way.
func (h *host) knownName(c *creation) bool {
	name := baseName(c.path)
	for p := range h.landed {
		if baseName(p) == name {
			return true
		}
	}
	for p := range h.local {
		if p != c.path && baseName(p) == name {
			return true
		}
	}
	return false
}

// toShare says that a process of this host created a file on another one's share,
// by a UNC path or a mapped letter.
func (h *host) toShare(c *creation) bool {
	server, share, rest, ok := unc(c.shown)
	if !ok {
		d, mapped := h.drives[c.path[:min(2, len(c.path))]]
		if !mapped || len(c.shown) < 4 {
			return false
		}
		server, share, rest = d.Host, d.Share, c.shown[3:]
	}
	if h.isSelf(server) || strings.EqualFold(server, "tsclient") {
		return false
	}
	_, name := splitPath(rest)
	tr := &model.Transfer{ID: c.id, Start: c.time, End: c.time, Operation: model.Push, Initiator: model.BySource, Channel: "smb", Destination: named(strings.Clone(server)),
		Share: strings.Clone(share), Path: rest, Name: name, Completeness: model.Logged, Status: model.Done, Process: c.process, PID: c.pid, InitiatorUser: c.user,
		Reason: model.ReasonLogged, Evidence: []model.Evidence{c.evidence}, TimeAssumed: c.assumed}
	h.found(tr, model.BySource)
	return true
}

// channelOf tells WebDAV from SMB by the form of a UNC path.
func channelOf(path string) string {
	lower := strings.ToLower(path)
	server, _, _ := strings.Cut(strings.TrimLeft(lower, `\`), `\`)
	if strings.Contains(server, "@") || strings.Contains(lower, `\davwwwroot\`) {
		return "webdav"
	}
	return "smb"
}

// spoken is the inside connection of a process.
type spoken struct {
	time     model.Time
	addr     model.Addr
	port     uint16
	evidence model.Evidence
}

// writerWindow is how long after its connection a process counts as a network-writer.
const writerWindow = patience

// maxSpoke bounds the processes of a host whose connections are remembered.
const maxSpoke = 1024

// speaks notes the connection of a process (Sysmon 3).
func (h *host) speaks(e *winevent.Event, other model.Addr, port uint16) {
	guid := e.Get("ProcessGuid")
	program := baseName(strings.ToLower(e.Get("Image")))
	if guid == "" || everyday[program] && !agents[program] {
		return
	}
	if len(h.spoke) >= maxSpoke {
		clear(h.spoke)
	}
	h.spoke[strings.Clone(guid)] = spoken{e.Time, other, port, h.evidence(e, eventName(e)+" connection")}
}

// everyday are programs whose business is to fetch and write: browsers, updaters,
// mail and sync clients. Others are learned by what they do often.
var everyday = set("chrome.exe msedge.exe firefox.exe iexplore.exe opera.exe brave.exe microsoftedgeupdate.exe googleupdate.exe onedrive.exe dropbox.exe " +
	"outlook.exe teams.exe svchost.exe system searchapp.exe msmpeng.exe mpcmdrun.exe ccmexec.exe")

// oftenWrites is how many programs a program writes before it is taken for an
// updater or agent.
const oftenWrites = 20

// networkWriter notes that a process with an inside connection created a file
// (contract: network-writer).
func (h *host) networkWriter(c *creation) {
	s, ok := h.spoke[c.guid]
	if !ok || c.guid == "" || agents[baseName(c.image)] || !carries(extension(c.path)) || c.time < s.time-10e9 || c.time-s.time > writerWindow || !h.s.inside(s.addr) {
		return
	}
	if h.wrote == nil {
		h.wrote = map[string]int{}
	}
	if h.wrote[c.image]++; h.wrote[c.image] > oftenWrites {
		return
	}
	a := &model.Access{Kind: "access", ID: "x" + c.id[1:], Time: c.time, What: "network-write", Source: model.Endpoint{IP: s.addr, Port: s.port},
		User: c.user, Object: c.shown, Command: c.process, Detail: "a process with an inside connection created a file", Evidence: []model.Evidence{c.evidence, s.evidence}}
	if h.s.out.Accessed(a) {
		h.accesses = append(h.accesses, a)
	}
	if l := h.landed[c.image]; l != nil {
		note := "once started it wrote " + c.shown + " while connected to " + s.addr.String()
		if !slices.Contains(l.transfer.Notes, note) && len(l.transfer.Notes) < maxExecutions {
			l.transfer.Notes = append(l.transfer.Notes, note)
		}
	}
}

func (s *Hosts) inside(a model.Addr) bool { return s.o.Inside == nil || s.o.Inside(a) }
