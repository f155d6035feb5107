package identity

import (
	"cmp"
	"strings"

	"waybill/internal/model"
)

// The roles that hosts have, as --assets and records write them.
const (
	RoleController  = "domain controller"
	RoleHypervisor  = "hypervisor"
	RoleDeployment  = "deployment"
	RoleBackup      = "backup"
	RoleScanner     = "scanner"
	RoleSensor      = "sensor"
	RolePrint       = "print server"
	RoleFileServer  = "file server"
	RoleServer      = "server"
	RoleWorkstation = "workstation"
	RoleUnknown     = "unknown"
)

// Roles tells what hosts are for by what they are seen doing. In come transfers and
// accesses in the order of time; what it keeps of a host has a fixed size, and what a
// host no longer does is forgotten in two months. The zero value is empty.
type Roles struct {
	// Inside says whether a host belongs to the networks that are looked at; nil is all.
	Inside func(model.Endpoint) bool

	hosts map[string]*member
	ends  map[end]*member // by how records write them
	clock [24]uint32      // how many hosts opened exchanges in each hour of the day
	since model.Time      // the first event
	last  model.Time
}

// member is a host, and the role that its name hints at.
type member struct {
	habits
	hint string
}

// end is what tells hosts apart in a record.
type end struct {
	ip   model.Addr
	host string
}

// maxRoles bounds the hosts whose habits are kept.
const maxRoles = 1 << 18

// Key names a host in what is kept: its name, else its address.
func Key(e model.Endpoint) string {
	if e.Host != "" {
		return strings.ToLower(e.Host)
	}
	return e.IP.String()
}

// of gives the habits of an end of an exchange, nil when it is none of ours.
func (r *Roles) of(e *model.Endpoint) *member {
	k := end{e.IP, e.Host}
	if h, ok := r.ends[k]; ok {
		return h
	}
	if r.ends == nil || len(r.ends) >= 2*maxRoles {
		r.ends = map[end]*member{}
	}
	h := r.find(e)
	r.ends[k] = h
	return h
}

func (r *Roles) find(e *model.Endpoint) *member {
	key := Key(*e)
	if ip := e.IP.Netip(); key == "" || e.IP.Known() && (ip.IsLoopback() || ip.IsMulticast()) || r.Inside != nil && !r.Inside(*e) {
		return nil
	}
	h := r.hosts[key]
	if h == nil && len(r.hosts) < maxRoles {
		if r.hosts == nil {
			r.hosts = map[string]*member{}
		}
		h = &member{habits{ID: hash(key)}, nameHint(e.Host)}
		r.hosts[key] = h
	}
	return h
}

// Observe takes the next transfer.
func (r *Roles) Observe(t *model.Transfer) {
	at, from, to := max(t.Start, t.End), r.of(&t.Source), r.of(&t.Destination)
	client, server := from, to
	switch t.Initiator {
	case model.ByDestination:
		client, server = to, from
	case model.ByOther:
		client, server = nil, from
		if t.Client != nil {
			client = r.of(t.Client)
		}
	}
	r.exchange(client, server, t.User, at, cmp.Or(moved(t), unknownSize(t)))
	if t.Status == model.Denied || t.Status == model.Failed || from == to {
		return
	}
	if t.Channel == "guest" {
		sign(from, runsGuests)
	}
	if server != nil && client != nil {
		server.lends(t, client.ID)
	}
	if from != nil && to != nil && t.Operation != model.Copy {
		r.movement(t, from, to, at)
	}
}

// exchange notes that one host opened an exchange with another one.
func (r *Roles) exchange(client, server *member, account string, at model.Time, bytes int64) {
	if client == nil || server == nil || client == server {
		return
	}
	r.tick(client, at)
	client.asks(server.ID, at, bytes)
	server.serves(client.ID, strings.ToLower(account), at)
}

// tick notes that a host is at work in an hour.
func (r *Roles) tick(client *member, at model.Time) {
	if r.since == 0 {
		r.since = at
	}
	r.last = max(r.last, at)
	if hour := int64(at / oneHour); hour > client.Active {
		client.Active = hour
		r.clock[hour%24]++
	}
}

// night says whether few hosts are at work at a time: the hours of the day in which
// less than a quarter as many open exchanges as in the busiest one. Nothing needs to
// know the zone. It takes a day, and some hosts, to tell.
func (r *Roles) night(at model.Time) bool {
	if at-r.since < 20*oneHour {
		return false
	}
	most := uint32(0)
	for _, n := range r.clock {
		most = max(most, n)
	}
	return most >= 8 && r.clock[int64(at/oneHour)%24]*4 < most
}

// lends notes which kind of file the host serves.
func (s *habits) lends(t *model.Transfer, client uint64) {
	share := lastElement(t.Share)
	switch {
	case share == "sysvol" || share == "netlogon":
		if t.Initiator == model.ByDestination { // a write there proves nothing
			s.Signs |= servesLogon
		}
	case share == "print$":
		s.Signs |= prints
	case shares(t.Channel) && !strings.HasSuffix(share, "$") && !runnable(t):
		s.Now.Files++
		s.Now.Readers.add(client)
	}
}

func sign(h *member, bit uint16) {
	if h != nil {
		h.Signs |= bit
	}
}

// movement notes who handed out programs, and who collects files in the night.
func (r *Roles) movement(t *model.Transfer, from, to *member, at model.Time) {
	if r.night(at) {
		to.collects(from.ID, at, moved(t))
	} else {
		to.turn(at)
		to.Now.TakenByDay++
	}
	if content := programOf(t); content != "" && deployable(t) {
		from.hands(hash(content), to.ID, at)
	}
}

// deployable says whether a program may come this way by software distribution: pushed,
// or over the web. What is read from a share is not handed out: file servers hold
// programs that many start.
func deployable(t *model.Transfer) bool {
	return t.Initiator == model.BySource || !shares(t.Channel)
}

// programOf names a program by its content, "" where the file is none.
func programOf(t *model.Transfer) string {
	switch {
	case !runnable(t) && t.Type != "archive":
		return ""
	case t.SHA256 != "":
		return t.SHA256
	case len(t.Hashes) > 0:
		return t.Hashes[0].Value
	case t.Name == "":
		return ""
	}
	return strings.ToLower(t.Name)
}

func moved(t *model.Transfer) int64 {
	switch {
	case t.BytesSeen != nil:
		return *t.BytesSeen
	case t.Size != nil && t.Status == model.Done:
		return *t.Size
	case t.Estimate != nil:
		return t.Estimate.Size
	}
	return 0
}

// unknownSize is what a file counts whose size nobody tells: it was no look around.
func unknownSize(t *model.Transfer) int64 {
	if t.Status == model.Denied || t.Status == model.Failed {
		return 0
	}
	return 16 * littleEach
}

// shares says whether a channel is one of those by which hosts share folders.
func shares(channel string) bool {
	switch channel {
	case "smb", "smb1", "smb2", "nfs", "ftp", "webdav", "rsync":
		return true
	}
	return false
}

// runnable says whether a file runs: told from its content, else by its name.
func runnable(t *model.Transfer) bool {
	switch t.Type {
	case "pe", "elf", "macho", "script":
		return true
	case "":
		i := strings.LastIndexByte(t.Name, '.')
		return i >= 0 && programs[strings.ToLower(t.Name[i+1:])]
	}
	return false
}

var programs = map[string]bool{"exe": true, "dll": true, "sys": true, "msi": true, "msp": true, "msu": true, "cab": true, "scr": true, "com": true,
	"bat": true, "cmd": true, "ps1": true, "vbs": true, "js": true, "hta": true, "sh": true, "deb": true, "rpm": true, "pkg": true, "jar": true}

// lastElement is the share of a tree path, lower case.
func lastElement(share string) string {
	return strings.ToLower(share[strings.LastIndexAny(share, `\/`)+1:])
}

// ObserveAccess takes the next access.
func (r *Roles) ObserveAccess(a *model.Access) {
	switch a.What {
	case "desktop-use":
		r.used(a)
	case "http-client":
		if h := r.of(&a.Source); h != nil && strings.HasSuffix(a.Object, "browser") {
			h.turn(a.Time)
			h.Desk.set(dayOf(a.Time))
		}
	case "address-binding":
		if strings.Contains(a.Object, "domain controller") {
			sign(r.of(&a.Source), saysController)
		}
	case "tickets-issued":
		sign(r.of(&a.Destination), issuesTickets)
	case "kerberos-ticket":
		if strings.HasSuffix(a.Detail, "-REP") || a.Status != "" {
			sign(r.of(&a.Destination), issuesTickets)
		}
		r.exchange(r.of(&a.Source), r.of(&a.Destination), a.User, a.Time, 0)
	case "logon", "share-connect", "share-read", "rpc-call", "ssh-session", "rdp-session", "winrm-exec", "wmi-exec", "dcom-exec", "dcom-activation",
		"service-create", "service-start", "task-create", "task-run", "pipe-open", "peek", "metadata", "refused-open":
		r.contact(a)
	}
}

// used takes that somebody works at a host.
func (r *Roles) used(a *model.Access) {
	h := r.of(&a.Destination)
	if h == nil {
		return
	}
	h.turn(a.Time)
	if a.Channel == "rdp" {
		h.Remote.set(dayOf(a.Time))
		return
	}
	h.Desk.set(dayOf(a.Time))
}

// contact takes an access that one host opened with another one.
func (r *Roles) contact(a *model.Access) {
	c, s := r.of(&a.Source), r.of(&a.Destination)
	if c == s || s == nil {
		return
	}
	r.exchange(c, s, a.User, a.Time, 0)
	switch share := lastElement(a.Share); {
	case a.What == "logon" && a.Channel == "ldap":
		s.Signs |= answersLDAP
	case a.What == "refused-open":
	case share == "sysvol" || share == "netlogon":
		s.Signs |= servesLogon
	case share == "print$", a.What == "rpc-call" && strings.HasPrefix(a.Detail, "spoolss"):
		s.Signs |= prints
	case a.What == "rpc-call" && strings.HasPrefix(a.Detail, "drsuapi"):
		s.Signs |= replicates
	}
}

// known gives the habits of a host that was seen before, else nil.
func (r *Roles) known(e *model.Endpoint) *member {
	if h, ok := r.ends[end{e.IP, e.Host}]; ok {
		return h
	}
	return r.hosts[Key(*e)]
}

// Of says what a host is for, by what was seen until now.
func (r *Roles) Of(e model.Endpoint) Role {
	if e.Role != "" {
		return Role{Name: e.Role, Confidence: "high", why: "the inventory says so"}
	}
	if h := r.known(&e); h != nil {
		if role := h.role(); role.Name != RoleUnknown {
			role.Hint = h.hint
			return role
		}
		return hinted(h.hint)
	}
	return hinted(nameHint(e.Host))
}

// Fill gives an end the role that it was seen in, when that is surer than a name.
func (r *Roles) Fill(e *model.Endpoint) {
	if e.Role != "" || e.Name() == "" {
		return
	}
	if role := r.Of(*e); role.Name != RoleUnknown && role.Confidence != "low" {
		e.Role = role.Name
	}
}
