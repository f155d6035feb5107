package sensor

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// zeekConn learns the ends of a connection, and what an encrypted one moved.
func (s *Sensors) zeekConn(r *telemetry.Record) {
	f := s.flow(r)
	if id := r.Get("community_id"); id != "" {
		f.community = strings.Clone(id)
	}
	s.zeekVolume(r, f)
}

// zeekNTLM takes who logged on in a connection.
func (s *Sensors) zeekNTLM(r *telemetry.Record) {
	f := s.flow(r)
	user, ok := r.Get("username"), r.Get("success") != "F"
	if user != "" && ok {
		f.user, f.domain, f.auth = strings.Clone(user), strings.Clone(r.Get("domainname")), "ntlm"
		f.workstation = strings.Clone(r.Get("hostname"))
	}
	if user != "" || r.Get("success") != "" { // else nobody answered the server's challenge
		s.ntlmLogon(r, f, user, ok)
	}
	for _, name := range [...]string{"server_dns_computer_name", "server_nb_computer_name"} {
		if host := r.Get(name); host != "" && f.server.IP.Known() {
			s.out.Bindings = append(s.out.Bindings, telemetry.Binding{Addr: f.server.IP, Host: strings.Clone(host), First: r.Time, Last: r.Time, Weak: true})
			break
		}
	}
}

func (s *Sensors) ntlmLogon(r *telemetry.Record, f *flow, user string, ok bool) {
	a := s.access(r, f, "logon", "")
	a.User, a.Domain, a.Detail = strings.Clone(user), strings.Clone(r.Get("domainname")), "NTLM"
	if host := r.Get("hostname"); host != "" {
		a.Detail = "NTLM from " + host
	}
	if !ok {
		a.Status = "refused"
	}
	s.report(a)
}

// byKerberos is how an account is known whose ticket opened the session.
const byKerberos = "kerberos"

// ticketed reports a logon with a ticket for a service. Whose it was, the tickets that
// were given out tell.
func (s *Sensors) ticketed(r *telemetry.Record, f *flow, service string) {
	f.auth = byKerberos
	a := s.access(r, f, "logon", "")
	a.Detail, a.Object = byKerberos, service
	s.report(a)
}

// zeekKerberos takes a ticket, or its refusal.
func (s *Sensors) zeekKerberos(r *telemetry.Record) {
	f := s.flow(r)
	client := r.Get("client")
	if client == "" {
		if r.Get("request_type") == "" && f.user == "" {
			f.auth = byKerberos // a logon with a ticket: the share's server says for what
		}
		return
	}
	a := s.access(r, f, "kerberos-ticket", "kerberos")
	a.User, a.Domain, _ = strings.Cut(strings.Clone(client), "/")
	a.Object, a.Status = strings.Clone(r.Get("service")), strings.Clone(r.Get("error_msg"))
	a.Detail = r.Get("request_type") + "-REP"
	if r.Get("success") == "F" {
		a.Detail = "KRB-ERROR"
	}
	s.report(a)
}

// zeekSSH takes a session.
func (s *Sensors) zeekSSH(r *telemetry.Record) {
	a := s.access(r, s.flow(r), "ssh-session", "ssh")
	a.Detail = facts(r, "client", "server", "hassh", "hasshServer")
	switch r.Get("auth_success") {
	case "F":
		a.Status = "no login seen"
	case "T":
		a.Object = "login"
	}
	s.report(a)
}

// zeekRDP takes a session. Where the two ends agreed on encryption, no more of its result
// is seen.
func (s *Sensors) zeekRDP(r *telemetry.Record) {
	a := s.access(r, s.flow(r), "rdp-session", "rdp")
	a.Object, a.User, a.Detail = strings.Clone(r.Get("client_name")), strings.Clone(strings.TrimSpace(r.Get("cookie"))), facts(r, "security_protocol", "client_build", "result")
	if result := r.Get("result"); result != "" && result != "Success" && result != "encrypted" {
		a.Status = "refused"
	}
	s.report(a)
}

// facts writes some fields as "name value"; "field:name" gives another name.
func facts(r *telemetry.Record, fields ...string) string {
	var all []string
	for _, f := range fields {
		field, name, ok := strings.Cut(f, ":")
		if !ok {
			name = field
		}
		if v := r.Get(field); v != "" {
			all = append(all, name+" "+v)
		}
	}
	return strings.Join(all, ", ")
}

// calls that start or schedule something, as Zeek names interface and operation.
var calls = map[string]string{
	"svcctl/CreateServiceW": "service-create", "svcctl/CreateServiceA": "service-create", "svcctl/CreateServiceWOW64W": "service-create",
	"svcctl/StartServiceW": "service-start", "svcctl/StartServiceA": "service-start", "svcctl/DeleteService": "service-delete",
	"atsvc/NetrJobAdd": "task-create", "atsvc/JobAdd": "task-create",
	"ITaskSchedulerService/SchRpcRegisterTask": "task-create", "ITaskSchedulerService/SchRpcRun": "task-run", "ITaskSchedulerService/SchRpcDelete": "task-delete",
	"IWbemServices/ExecMethod": "wmi-exec", "IWbemServices/ExecMethodAsync": "wmi-exec",
}

// zeekCall takes a remote procedure call: its arguments are not in the row.
func (s *Sensors) zeekCall(r *telemetry.Record) {
	s.called(r, s.flow(r), r.Get("endpoint"), r.Get("operation"), r.Get("named_pipe"))
}

// maxCalled bounds the procedures of a connection that are told apart.
const maxCalled = 256

// called reports a procedure, once a connection unless it starts something.
func (s *Sensors) called(r *telemetry.Record, f *flow, endpoint, operation, pipe string) {
	name := endpoint + " " + operation
	what := calls[endpoint+"/"+operation]
	if what == "" {
		if what = "rpc-call"; f.called[name] {
			return
		}
	}
	if f.called == nil {
		f.called = map[string]bool{}
	}
	if len(f.called) < maxCalled {
		f.called[name] = true
		s.hold(f)
	}
	a := s.access(r, f, what, "rpc")
	a.Detail, a.Object = name, strings.Clone(pipe)
	s.report(a)
}

// zeekDHCP takes a lease.
func (s *Sensors) zeekDHCP(r *telemetry.Record) {
	ip := telemetry.Address(r.First("assigned_addr", "client_addr", "assigned_ip"))
	mac := strings.ToLower(r.Get("mac"))
	if types := r.Get("msg_types"); !ip.Known() || mac == "" || types != "" && !acknowledged(types) {
		return
	}
	s.leased(r, ip, mac, strings.Clone(r.First("client_fqdn", "host_name")), r.Get("lease_time"), telemetry.Address(r.Get("server_addr")))
}

// acknowledged says whether a client got its address in the end, by the types of all messages
// of an exchange: one that was refused may ask again.
func acknowledged(types string) (got bool) {
	for kind := range strings.SplitSeq(types, ",") {
		switch kind {
		case "ACK":
			got = true
		case "NAK", "DECLINE", "RELEASE":
			got = false
		}
	}
	return got
}

// leased takes that an address was handed out.
func (s *Sensors) leased(r *telemetry.Record, ip model.Addr, mac, host, seconds string, by model.Addr) {
	last := r.Time
	seconds, _, _ = strings.Cut(seconds, ".")
	if n := telemetry.Count(seconds); n > 0 && n < 1<<32 {
		last += model.Time(n) * 1e9
	}
	s.out.Bindings = append(s.out.Bindings, telemetry.Binding{Addr: ip, Host: host, MAC: mac, First: r.Time, Last: last, Lease: true})
	f := &flow{client: model.Endpoint{IP: ip, MAC: mac, Host: host}, server: model.Endpoint{IP: by}}
	a := s.access(r, f, "address-binding", "dhcp")
	a.Until = last
	s.report(a)
}

// zeekHost takes an address inside that answered, which the sensor says once a day: that
// somebody was there.
func (s *Sensors) zeekHost(r *telemetry.Record) {
	ip := telemetry.Address(r.Get("host"))
	if !ip.Known() {
		return
	}
	a := s.access(r, &flow{client: model.Endpoint{IP: ip}}, "host-seen", "")
	a.ID = id("a", "known_hosts", r.Get("host"), strconv.FormatInt(int64(r.Time), 10))
	s.report(a)
}

// zeekNotice takes what the sensor's own scripts complain of.
func (s *Sensors) zeekNotice(r *telemetry.Record) {
	f := s.flow(r)
	if !f.client.IP.Known() {
		f.client.IP, f.server.IP = telemetry.Address(r.Get("src")), telemetry.Address(r.Get("dst"))
	}
	a := s.access(r, f, "alert", "")
	a.Object, a.Detail = strings.Clone(r.Get("note")), strings.Clone(r.Get("msg"))
	s.report(a)
	f.alert(s.evidence(r, "alert: "+a.Object), "")
}

// alert is what a sensor complained of in a connection.
type alert struct {
	model.Evidence
	path string // of the file or request that was under way, "" where it is not known
}

// alert keeps what the sensor complained of, for the movements of the connection.
func (f *flow) alert(e model.Evidence, path string) {
	again := func(a alert) bool { return a.What == e.What && a.path == path }
	if len(f.alerts) < maxEvidence && !slices.ContainsFunc(f.alerts, again) {
		f.alerts = append(f.alerts, alert{e, path})
	}
}

// of says whether the complaint may be about a movement.
func (a alert) of(t *model.Transfer) bool {
	return a.path == "" || t.Path == "" || a.path == t.Path || slices.Contains(t.EarlierNames, lastElement(a.path)) ||
		strings.ContainsFunc(t.Path, func(c rune) bool { return c >= utf8.RuneSelf }) // which the sensor garbles
}
