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
	h.asked(r, asker{user: strings.Clone(user[1:]), command: command}, cmdline.ReadShell(command))
	h.datastores(r, strings.Clone(user[1:]), command)
}

// hostd takes what the management agent says: logins, copies to datastores, and copies
// into guests, which it passes on.
func (h *host) hostd(r *telemetry.Record) {
	m := r.Get("message")
	if rest, ok := after(m, "Guest File Path is "); ok {
		h.guestPath(r, rest)
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
