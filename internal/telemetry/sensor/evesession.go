package sensor

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"waybill/internal/telemetry"
	"waybill/internal/wire/dcerpc"
)

const (
	maxTrees = 256 // of a connection
	smbOK    = "STATUS_SUCCESS"
)

// eveSMB takes a command with its answer.
func (s *Sensors) eveSMB(r *telemetry.Record) {
	f := s.eveClient(r)
	if user := r.Get("smb.ntlmssp.user"); user != "" {
		s.eveLogon(r, f, user)
	}
	if service := r.Get("smb.kerberos.snames"); service != "" && r.Get("smb.status") == smbOK && f.user == "" {
		r.Unverified = "suricata/smb/kerberos"
		s.ticketed(r, f, strings.ReplaceAll(service, ",", "/"))
	}
	if r.Get("smb.dcerpc.request") == "REQUEST" {
		s.eveProcedure(r, f, "smb.dcerpc.", strings.Clone(r.Get("smb.named_pipe")))
	}
	name := latin1(r.Get("smb.filename"))
	status := r.Get("smb.status")
	switch command := smbCommand(r.Get("smb.command")); command {
	case "TREE_CONNECT":
		s.eveTree(r, f)
	case "CREATE", "NT_CREATE":
		if status == "STATUS_ACCESS_DENIED" {
			a := s.access(r, f, "refused-open", "smb")
			a.Share, a.Object, a.Status = f.trees[r.Get("smb.tree_id")], strings.Clone(name), "STATUS_ACCESS_DENIED"
			s.report(a)
		} else if x := s.eveShareFile(r, f, name); x != nil && status == smbOK {
			x.size = max(x.size, telemetry.Count(r.Get("smb.size")))
		}
	case "READ", "WRITE":
		if x := s.eveShareFile(r, f, name); x != nil && (status == smbOK || status == "") {
			x.read, x.written = x.read || command == "READ", x.written || command == "WRITE"
			x.cite(s.evidence(r, "SMB "+strings.ToLower(command)))
		}
	case "SET_INFO":
		s.eveSetInfo(r, f, name)
	}
}

// smbCommand is a command of any dialect without what is before and behind it.
func smbCommand(s string) string {
	_, command, _ := strings.Cut(s, "_COMMAND_")
	return strings.TrimSuffix(command, "_ANDX")
}

// smbShare is a share as it is asked for; of SMB 1 the event lacks one of its slashes.
func smbShare(share string) string {
	if strings.HasPrefix(share, `\`) && !strings.HasPrefix(share, `\\`) {
		return `\` + share
	}
	return strings.Clone(share)
}

// eveShareFile is what is known of the file that an event names, by its handle or name.
func (s *Sensors) eveShareFile(r *telemetry.Record, f *flow, name string) *smbFile {
	handle := r.Get("smb.fuid")
	if i := slices.IndexFunc(f.opens, func(x *smbFile) bool { return handle != "" && x.handle == handle && !x.said }); i >= 0 {
		return f.opens[i]
	}
	if handle != "" && f.trees[handle] == pipes {
		return nil
	}
	share := smbShare(r.Get("smb.share"))
	if share == "" {
		share = f.trees[r.Get("smb.tree_id")]
	}
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == utf8.RuneError }) {
		return nil
	}
	if handle != "" && strings.HasSuffix(share, pipes) { // later events may leave the tree out
		s.tree(f, handle, pipes)
	}
	x := s.opened(f, r, share, name)
	if x != nil && handle != "" {
		x.handle = strings.Clone(handle)
	}
	return x
}

func (s *Sensors) eveTree(r *telemetry.Record, f *flow) {
	share := smbShare(r.First("smb.share", "smb.named_pipe"))
	if share == "" && r.Get("smb.share_type") == "PIPE" {
		share = pipes
	}
	s.tree(f, r.Get("smb.tree_id"), share)
	a := s.access(r, f, "share-connect", "smb")
	a.Share, a.Object = share, strings.Clone(r.Get("smb.share_type"))
	if status := r.Get("smb.status"); status != smbOK {
		a.Status = strings.Clone(status)
	}
	s.report(a)
}

// tree keeps what share an id of a tree, or a handle, is of.
func (s *Sensors) tree(f *flow, id, share string) {
	if f.trees == nil {
		f.trees = map[string]string{}
	}
	if f.trees[id] == "" && len(f.trees) >= maxTrees {
		return
	}
	f.trees[strings.Clone(id)] = share
	s.hold(f)
}

// eveSetInfo takes a new name, or the end of a file.
func (s *Sensors) eveSetInfo(r *telemetry.Record, f *flow, name string) {
	if r.Get("smb.status") != smbOK {
		return
	}
	if to := latin1(r.Get("smb.rename.to")); to != "" {
		if x := s.eveShareFile(r, f, to); x != nil {
			if x.path != to {
				x.path = strings.Clone(to)
			}
			x.renamed(f, latin1(r.Get("smb.rename.from")))
			x.cite(s.evidence(r, "SMB rename"))
		}
		return
	}
	if strings.Contains(r.Get("smb.access"), "delete on close") {
		if x := s.eveShareFile(r, f, name); x != nil {
			x.deleted = r.Time
			x.cite(s.evidence(r, "SMB delete"))
		}
	}
}

// pipes is the share of named pipes, which events do not name.
const pipes = "IPC$"

// eveOpened makes sure that the file of a movement is known with its share: events of
// writes leave it out. It reports whether it is a file, and no pipe.
func (s *Sensors) eveOpened(r *telemetry.Record, f *flow, x *file) bool {
	if strings.HasSuffix(f.trees[r.Get("smb.tree_id")], pipes) || f.trees[r.Get("smb.fuid")] == pipes {
		return false
	}
	if !f.client.IP.Known() {
		f.client, f.server = x.destination, x.source
		if x.fromClient {
			f.client, f.server = x.source, x.destination
		}
	}
	s.eveShareFile(r, f, x.name)
	return true
}

func (s *Sensors) eveLogon(r *telemetry.Record, f *flow, user string) {
	a := s.access(r, f, "logon", "")
	a.User, a.Domain, a.Detail = strings.Clone(user), strings.Clone(r.Get("smb.ntlmssp.domain")), "NTLM"
	if host := r.Get("smb.ntlmssp.host"); host != "" {
		a.Detail = "NTLM from " + host
	}
	if r.Get("smb.status") == smbOK {
		f.user, f.domain, f.auth, f.workstation = a.User, a.Domain, "ntlm", strings.Clone(r.Get("smb.ntlmssp.host"))
	} else {
		a.Status = "refused"
	}
	s.report(a)
}

// eveCall takes a remote procedure call over TCP, and the interface that it is of.
func (s *Sensors) eveCall(r *telemetry.Record) {
	f := s.eveSides(r)
	switch r.Get("dcerpc.request") {
	case "BIND", "ALTERCONTEXT":
		f.bound = strings.Clone(r.Get("dcerpc.interfaces.uuid"))
	case "REQUEST":
		s.eveProcedure(r, f, "dcerpc.", "")
	}
}

// eveProcedure names a procedure by the interface and number that the event has.
func (s *Sensors) eveProcedure(r *telemetry.Record, f *flow, under, pipe string) {
	uuid := r.First(under+"interfaces.uuid", under+"interface.uuid")
	if uuid == "" {
		uuid = f.bound
	}
	opnum, err := strconv.Atoi(r.First(under+"opnum", under+"req.opnum"))
	if err != nil || uuid == "" {
		return
	}
	call := dcerpc.Call{Interface: uuid, Name: dcerpc.InterfaceName(uuid), Opnum: opnum}
	endpoint, operation := call.Name, call.Operation()
	if endpoint == "" {
		endpoint = strings.Clone(uuid)
	}
	if operation == "" {
		operation = strconv.Itoa(opnum)
	}
	if endpoint == "svcctl" { // MS-SCMR puts an R before what others call it
		operation = strings.TrimPrefix(operation, "R")
	}
	s.called(r, f, endpoint, operation, pipe)
}

func (s *Sensors) eveSSH(r *telemetry.Record) {
	a := s.access(r, s.eveClient(r), "ssh-session", "ssh")
	a.Detail = facts(r, "ssh.client.software_version:client", "ssh.server.software_version:server", "ssh.client.hassh.hash:hassh")
	s.report(a)
}

// eveRDP takes a session by its first messages.
func (s *Sensors) eveRDP(r *telemetry.Record) {
	f := s.eveSides(r)
	cookie, name := r.Get("rdp.cookie"), r.Get("rdp.client.client_name")
	if cookie == "" && name == "" {
		return
	}
	a := s.access(r, f, "rdp-session", "rdp")
	a.User, a.Object, a.Detail = strings.Clone(cookie), strings.Clone(name), facts(r, "rdp.client.build:client_build", "rdp.channels:channels")
	s.report(a)
}

// eveKerberos takes a ticket, or its refusal, whose event does not say for whom.
func (s *Sensors) eveKerberos(r *telemetry.Record) {
	f := s.eveSides(r)
	name, kind, failure := r.Get("krb5.cname"), strings.TrimPrefix(r.Get("krb5.msg_type"), "KRB_"), r.Get("krb5.error_code")
	if name == "<empty>" {
		name = ""
	}
	switch kind {
	case "AS_REQ", "TGS_REQ":
		f.asking = strings.Clone(name)
		return
	case "ERROR":
		if name = f.asking; failure == "KDC_ERR_PREAUTH_REQUIRED" { // the first answer to everybody
			return
		}
		kind = "KRB_ERROR"
	}
	if name == "" {
		return
	}
	a := s.access(r, f, "kerberos-ticket", "kerberos")
	a.User, a.Domain, a.Object = strings.Clone(name), strings.Clone(r.Get("krb5.realm")), strings.Clone(r.Get("krb5.sname"))
	if a.Domain == "<empty>" {
		a.Domain = ""
	}
	a.Detail, a.Status = strings.ReplaceAll(kind, "_", "-"), strings.Clone(failure)
	s.report(a)
}

// eveDHCP takes a lease that the server confirmed.
func (s *Sensors) eveDHCP(r *telemetry.Record) {
	ip, mac := telemetry.Address(r.Get("dhcp.assigned_ip")), strings.ToLower(strings.Clone(r.Get("dhcp.client_mac")))
	if r.Get("dhcp.dhcp_type") != "ack" || !ip.Known() || ip.String() == "0.0.0.0" || mac == "" {
		return
	}
	s.leased(r, ip, mac, strings.Clone(r.Get("dhcp.hostname")), r.Get("dhcp.lease_time"), telemetry.Address(r.Get("src_ip")))
}
