package unixhost

import (
	"net/netip"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// guestCopy is a copy into or out of a guest that was begun, until its path is said.
type guestCopy struct {
	time     model.Time
	guest    string
	into     bool
	evidence model.Evidence
}

// guestWait is how long after its beginning the path of a copy is said.
const guestWait = 10e9

// esxiShell takes "[USER]: COMMAND" of shell.log.
func (h *host) esxiShell(r *telemetry.Record) {
	user, command, ok := strings.Cut(r.Get("message"), "]: ")
	if !ok || !strings.HasPrefix(user, "[") {
		return
	}
	who := asker{user: strings.Clone(user[1:]), command: command}
	h.asked(r, who, cmdline.ReadShell(command))
	h.datastores(r, who.user, command)
	if program := typed(strings.Fields(command)); program != "" {
		h.ran(r, "process", program, who)
	}
}

// typed is the file that a command of the shell runs or installs: by its path, by an
// interpreter, or a VIB (ESXCLI reference, "esxcli software vib install").
func typed(args []string) string {
	if len(args) == 0 {
		return ""
	}
	if strings.Join(args[:min(3, len(args))], " ") == "esxcli software vib" {
		return option(args, "-v", "--viburl")
	}
	p := process{args: args}
	program := p.runsProgram("/")
	if strings.Contains(args[0], "/") || program != args[0] {
		return program
	}
	return ""
}

// ran gives the start of something that came to the host.
func (h *host) ran(r *telemetry.Record, how, program string, who asker) {
	if len(h.starts) >= maxFacts {
		return
	}
	program = strings.Clone(program)
	h.starts = append(h.starts, telemetry.Start{Host: &model.Endpoint{Host: h.key}, Image: strings.ReplaceAll(program, "/", `\`), Execution: model.Execution{
		Time: r.Time, How: how, Process: program, Command: cmdline.Redact(clip(who.command)), User: who.user, Evidence: []model.Evidence{h.evidence(r, how)}}})
}

// hostd takes what the management agent says: logins, copies to datastores, and copies
// into guests, which it passes on.
func (h *host) hostd(r *telemetry.Record) {
	m := r.Get("message")
	if rest, ok := after(m, "Guest File Path is "); ok {
		h.guestPath(r, rest)
		return
	}
	if strings.HasSuffix(m, "State Transition (VM_STATE_OFF -> VM_STATE_POWERING_ON)") {
		h.poweredOn(r, m)
		return
	}
	_, m, ok := strings.Cut(m, "] Event ")
	if !ok {
		return
	}
	_, m, _ = strings.Cut(m, " : ")
	switch {
	case strings.HasPrefix(m, "User ") && strings.Contains(m, " logged in as "):
		h.hostdLogin(r, m)
	case strings.HasPrefix(m, "Guest operation Initiate File Transfer "):
		what, guest, _ := strings.Cut(strings.TrimPrefix(m, "Guest operation Initiate File Transfer "), " performed on Virtual machine ")
		h.guest = guestCopy{r.Time, strings.Clone(strings.TrimSuffix(guest, ".")), what == "To Guest", h.evidence(r, "guest operation")}
	case strings.HasPrefix(m, "File upload to path "):
		h.datastore(r, m, model.Push)
	case strings.HasPrefix(m, "File download from path "):
		h.datastore(r, m, model.Pull)
	}
}

// poweredOn takes "[... sub=Vmsvc.vm:PATH.vmx ... user=USER] State Transition (...)": the
// machine's file is run, and so are the disks that came to its folder.
func (h *host) poweredOn(r *telemetry.Record, m string) {
	path, rest := within(m, "sub=Vmsvc.vm:", ".vmx")
	if path == "" {
		return
	}
	user, _ := within(rest, " user=", "]")
	who := asker{user: strings.Clone(user)}
	h.ran(r, "power-on", path+".vmx", who)
	for _, disk := range h.disks[folderOf(path)] {
		h.ran(r, "power-on", disk, who)
	}
}

// disk remembers a virtual machine's disk that came.
func (h *host) disk(path string) {
	if !strings.HasSuffix(strings.ToLower(path), ".vmdk") || len(h.disks) >= maxFacts {
		return
	}
	if h.disks == nil {
		h.disks = map[string][]string{}
	}
	if folder := folderOf(path); folder != "" && len(h.disks[folder]) < maxEvidence {
		h.disks[folder] = append(h.disks[folder], strings.Clone(path))
	}
}

// folderOf is the name of the folder that a file lies in, lower case: what stands before
// it, the store's name or number, differs between logs.
func folderOf(path string) string {
	return strings.ToLower(base(strings.TrimSuffix(path, base(path))))
}

// vmkernel takes what the kernel says of NFS datastores, and of machines that go to
// another hypervisor while they run.
func (h *host) vmkernel(r *telemetry.Record) {
	m := r.Get("message")
	switch {
	case strings.HasPrefix(m, "NFS: "):
		h.kernelMount(m)
	case strings.HasPrefix(m, "Migrate: "):
		h.migration(r, m)
	}
}

// kernelMount takes "NFS mount succeeded for SERVER:PATH volume NAME." and "Restored
// connection to the server SERVER mount point PATH, mounted as NUMBER ("NAME")".
func (h *host) kernelMount(m string) {
	if rest, ok := after(m, "NFS mount succeeded for "); ok {
		from, name, _ := strings.Cut(rest, " volume ")
		server, path, _ := strings.Cut(from, ":/")
		h.store(server, "/"+path, strings.TrimSuffix(name, "."))
		return
	}
	rest, _ := after(m, "Restored connection to the server ")
	server, rest, _ := strings.Cut(rest, " mount point ")
	path, rest, _ := strings.Cut(rest, ", mounted as ")
	number, rest, _ := strings.Cut(rest, " ")
	name, _ := within(rest, `("`, `"`)
	h.store(server, path, number)
	h.store(server, path, name)
}

// store notes a datastore that lies on an NFS server.
func (h *host) store(server, path, name string) {
	if server == "" || path == "" || name == "" || strings.Contains(name, "/") || h.isSelf(endOf(server, "")) {
		return
	}
	h.mount(export{host: strings.Clone(server), path: strings.Clone(path), at: "/vmfs/volumes/" + strings.Clone(name), channel: "nfs"})
}

// migration takes "... srcIP = <A> dstIP = <B> ..." at the host that the machine leaves.
func (h *host) migration(r *telemetry.Record, m string) {
	if !strings.Contains(m, "Source ") {
		return
	}
	from, rest := within(m, "<", ">")
	to, _ := within(rest, "<", ">")
	source, destination := endOf(from, ""), endOf(to, "")
	if !source.IP.Known() || !destination.IP.Known() {
		return
	}
	r.Unverified = "esxi/vmkernel/migration"
	a := h.access(r, "vm-migration", "vmotion", source)
	a.Destination, a.Detail = destination, "a virtual machine went to another hypervisor while it ran"
}

// within is what stands between two marks, and what is behind; "" when they are not there.
func within(s, from, to string) (inner, rest string) {
	_, s, _ = strings.Cut(s, from)
	inner, rest, ok := strings.Cut(s, to)
	if !ok {
		return "", ""
	}
	return inner, rest
}

func after(s, mark string) (string, bool) {
	_, rest, ok := strings.Cut(s, mark)
	return rest, ok
}

// hostdLogin takes "User USER@IP logged in as CLIENT".
func (h *host) hostdLogin(r *telemetry.Record, m string) {
	who, client, _ := strings.Cut(strings.TrimPrefix(m, "User "), " logged in as ")
	i := strings.LastIndexByte(who, '@')
	if i < 0 {
		return
	}
	from := endOf(who[i+1:], "")
	if !from.IP.Known() || from.IP.Netip().IsLoopback() {
		return
	}
	a := h.access(r, "logon", "http", from)
	a.User, a.Detail = strings.Clone(who[:i]), strings.Clone(client)
	if h.managers == nil || len(h.managers) >= maxFacts {
		h.managers = map[model.Addr]string{}
	}
	if user, ok := h.managers[from.IP]; ok && user != a.User {
		h.managers[from.IP] = "" // one of several
		return
	}
	h.managers[from.IP] = a.User
}

// guestPath takes the path of a copy that was begun just before. That it was asked for
// is known, not that it came about.
func (h *host) guestPath(r *telemetry.Record, path string) {
	g := h.guest
	h.guest = guestCopy{}
	name := path[strings.LastIndexAny(path, `/\`)+1:]
	if g.guest == "" || r.Time-g.time > guestWait || name == "" || strings.HasPrefix(name, "powerclivmware") { // output of Invoke-VMScript
		return
	}
	m := moved{operation: model.Pull, channel: "guest", other: model.Endpoint{Host: g.guest}, path: path, size: -1, status: model.Claimed,
		reason: "a copy through the hypervisor was begun; nothing shows that bytes moved", what: "guest file path"}
	if !g.into {
		m.operation = model.Push
	}
	t := h.found(r, m)
	if t == nil {
		return
	}
	// The host writes into the guest and reads from it, not the other way round.
	t.Name, t.Operation, t.Initiator = strings.Clone(name), model.Push, model.BySource
	if !g.into {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	t.Evidence = append(t.Evidence, g.evidence)
}

// datastore takes "File upload to path '[STORE] PATH' was initiated from 'CLIENT@IP' and
// completed with status 'S'".
func (h *host) datastore(r *telemetry.Record, m, operation string) {
	parts := strings.Split(m, "'")
	if len(parts) < 4 {
		return
	}
	store, path, ok := strings.Cut(strings.TrimPrefix(parts[1], "["), "] ")
	if !ok {
		store, path = "", parts[1]
	}
	address := parts[3][strings.LastIndexByte(parts[3], '@')+1:]
	if _, err := netip.ParseAddr(address); err != nil {
		address = ""
	}
	r.Unverified = "esxi/hostd/datastore"
	x := moved{operation: operation, channel: "http", other: endOf(address, ""), share: store, path: path, size: -1, what: "datastore file access"}
	x.user = h.managers[x.other.IP]
	if len(parts) > 5 && !strings.HasPrefix(strings.ToLower(parts[5]), "succe") {
		x.status, x.reason = model.Failed, "the host says: "+strings.Clone(parts[5])
	}
	h.found(r, x)
}

// screenSharing takes "Authentication: SUCCEEDED :: User Name: U :: Viewer Address: A :: Type: T"
// of a Mac's screensharingd.
func (h *host) screenSharing(r *telemetry.Record) {
	parts := strings.Split(r.Get("message"), " :: ")
	if len(parts) < 3 || !strings.HasPrefix(parts[0], "Authentication: ") {
		return
	}
	user, _ := after(parts[1], "User Name: ")
	viewer, _ := after(parts[2], "Viewer Address: ")
	from := endOf(viewer, "")
	if !from.IP.Known() {
		return
	}
	a := h.access(r, "logon", "vnc", from)
	a.User, a.Detail = strings.Clone(user), "screen sharing"
	if parts[0] != "Authentication: SUCCEEDED" {
		a.Status = "refused"
	}
}
