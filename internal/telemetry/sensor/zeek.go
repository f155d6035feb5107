package sensor

import (
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// zeekConn learns the ends of a connection.
func (s *Sensors) zeekConn(r *telemetry.Record) { s.flow(r) }

// zeekNTLM takes who logged on in a connection.
func (s *Sensors) zeekNTLM(r *telemetry.Record) {
	f := s.flow(r)
	user, ok := r.Get("username"), r.Get("success") != "F"
	if user != "" && ok {
		f.user, f.domain, f.auth = strings.Clone(user), strings.Clone(r.Get("domainname")), "ntlm"
		f.workstation = strings.Clone(r.Get("hostname"))
	}
	a := s.access(r, f, "logon", "")
	a.User, a.Domain, a.Detail = strings.Clone(user), strings.Clone(r.Get("domainname")), "NTLM"
	if host := r.Get("hostname"); host != "" {
		a.Detail = "NTLM from " + host
	}
	if !ok {
		a.Status = "refused"
	}
	s.report(a)
	for _, name := range [...]string{"server_dns_computer_name", "server_nb_computer_name"} {
		if host := r.Get(name); host != "" && f.server.IP.Known() {
			s.out.Bindings = append(s.out.Bindings, telemetry.Binding{Addr: f.server.IP, Host: strings.Clone(host), First: r.Time, Last: r.Time, Weak: true})
			break
		}
	}
}

// zeekKerberos takes a ticket, or its refusal.
func (s *Sensors) zeekKerberos(r *telemetry.Record) {
	f := s.flow(r)
	client := r.Get("client")
	if client == "" {
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

// zeekRDP takes a session.
func (s *Sensors) zeekRDP(r *telemetry.Record) {
	a := s.access(r, s.flow(r), "rdp-session", "rdp")
	a.Object, a.User, a.Detail = strings.Clone(r.Get("client_name")), strings.Clone(r.Get("cookie")), facts(r, "security_protocol", "client_build", "result")
	s.report(a)
}

// facts writes some fields as "name value".
func facts(r *telemetry.Record, names ...string) string {
	var all []string
	for _, n := range names {
		if v := r.Get(n); v != "" {
			all = append(all, n+" "+v)
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
	f := s.flow(r)
	what := calls[r.Get("endpoint")+"/"+r.Get("operation")]
	if what == "" {
		what = "rpc-call"
	}
	a := s.access(r, f, what, "rpc")
	a.Detail = r.Get("endpoint") + " " + r.Get("operation")
	if pipe := r.Get("named_pipe"); pipe != "" {
		a.Object = strings.Clone(pipe)
	}
	s.report(a)
}

// zeekDHCP takes a lease.
func (s *Sensors) zeekDHCP(r *telemetry.Record) {
	ip := address(r.First("assigned_addr", "client_addr", "assigned_ip"))
	mac := strings.ToLower(r.Get("mac"))
	if !ip.Known() || mac == "" {
		return
	}
	host := strings.Clone(r.First("client_fqdn", "host_name"))
	last := r.Time
	if n := number(strings.Split(r.Get("lease_time")+".", ".")[0]); n > 0 {
		last += model.Time(n) * 1e9
	}
	s.out.Bindings = append(s.out.Bindings, telemetry.Binding{Addr: ip, Host: host, MAC: mac, First: r.Time, Last: last, Lease: true})
	f := &flow{client: model.Endpoint{IP: ip, MAC: mac, Host: host}, server: model.Endpoint{IP: address(r.Get("server_addr"))}}
	a := s.access(r, f, "address-binding", "dhcp")
	a.Until = last
	s.report(a)
}

// zeekNotice takes what the sensor's own scripts complain of.
func (s *Sensors) zeekNotice(r *telemetry.Record) {
	f := s.flow(r)
	if !f.client.IP.Known() {
		f.client.IP, f.server.IP = address(r.Get("src")), address(r.Get("dst"))
	}
	a := s.access(r, f, "alert", "")
	a.Object, a.Detail = strings.Clone(r.Get("note")), strings.Clone(r.Get("msg"))
	s.report(a)
}
