package eval

import (
	"container/heap"
	"fmt"
	"strconv"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// What Zeek at the core writes of a movement, with the scripts that are loaded by
// default (hashes are MD5 and SHA-1). It names procedures and not their arguments.

// row queues a row of a log of Zeek: names and values in turn.
func (y *Eyes) row(path string, at model.Time, l *Label, uid string, client, server model.Endpoint, data ...string) {
	r := &telemetry.Record{Time: at, Stream: "zeek/" + path, Input: int32(l.Index)}
	r.Set("ts", zeekTime(at))
	r.Set("uid", uid)
	r.Set("id.orig_h", client.IP.String())
	r.Set("id.orig_p", strconv.Itoa(int(client.Port)))
	r.Set("id.resp_h", server.IP.String())
	r.Set("id.resp_p", strconv.Itoa(int(server.Port)))
	for i := 0; i+1 < len(data); i += 2 {
		r.Set(data[i], data[i+1])
	}
	y.queue(&Logged{row: r, label: l}, at)
}

func (y *Eyes) queue(e *Logged, at model.Time) {
	y.seq++
	e.seq, e.Time = y.seq, at
	heap.Push(&y.due, e)
}

func zeekTime(t model.Time) string { return fmt.Sprintf("%d.%06d", t/1e9, t%1e9/1e3) }

var mimes = map[string]string{"pe": "application/x-dosexec", "elf": "application/x-executable", "archive": "application/zip", "pdf": "application/pdf", "office": "application/msword",
	"image": "image/jpeg", "text": "text/plain", "script": "text/plain", "java": "application/java-archive"}

// zeek writes the rows of a movement that crosses the core.
func (y *Eyes) zeek(m *Move) {
	client, server := model.Endpoint{IP: m.client().IP, Port: m.client().nextPort()}, model.Endpoint{IP: m.server().IP, Port: m.Port}
	uid := "C" + hexOf(mix(m.seq, y.w.Seed, 51))
	if server.Port == 0 {
		server.Port = map[string]uint16{"smb": 445}[m.Channel]
	}
	if server.Port == 0 {
		server.Port = 80
	}
	put := func(path string, at model.Time, data ...string) {
		y.row(path, at, m.Label, uid, client, server, data...)
	}
	y.zeekConn(m, put)
	switch m.Channel {
	case "smb":
		if !m.server().Sealed {
			y.zeekShare(m, uid, put)
		}
	case "http", "bits", "webdav":
		fuid := y.zeekContent(m, "HTTP", "", put)
		host := m.Source.FQDN()
		if server.Port != 80 {
			host += ":" + strconv.Itoa(int(server.Port))
		}
		put("http", m.Time, "trans_depth", "1", "method", "GET", "host", host, "uri", m.Path, "status_code", "200", "response_body_len", fmt.Sprint(m.Content.Bytes()), "resp_fuids", fuid)
	case "ftp":
		fuid := y.zeekContent(m, "FTP_DATA", "", put)
		put("ftp", m.Time, "user", m.User, "command", "STOR", "arg", "ftp://"+server.IP.String()+m.Path, "reply_code", "226", "fuid", fuid)
	case "ssh":
		put("ssh", m.Time, "version", "2", "client", "SSH-2.0-OpenSSH_9.2", "server", "SSH-2.0-OpenSSH_9.2", "auth_success", "T")
	case "rdp":
		put("rdp", m.Time, "cookie", m.User, "security_protocol", "HYBRID", "result", "encrypted", "client_name", m.client().Name)
	}
}

func (y *Eyes) zeekConn(m *Move, put func(string, model.Time, ...string)) {
	up, down := m.Content.Bytes()+4000, int64(2600)
	if !m.Push {
		up, down = down, up
	}
	service := map[string]string{"smb": "smb,gssapi", "http": "http", "bits": "http", "webdav": "http", "ftp": "ftp-data", "ssh": "ssh", "rdp": "rdp", "tls": "ssl"}[m.Channel]
	data := []string{"proto", "tcp", "duration", fmt.Sprintf("%.6f", float64(m.End-m.Time)/1e9), "orig_bytes", fmt.Sprint(up), "resp_bytes", fmt.Sprint(down), "conn_state", "SF"}
	if service != "" {
		data = append(data, "service", service)
	}
	put("conn", m.Time, data...)
}

// zeekContent writes the row of what was moved, and gives its id.
func (y *Eyes) zeekContent(m *Move, source, name string, put func(string, model.Time, ...string)) string {
	fuid, size := "F"+hexOf(mix(m.seq, y.w.Seed, 53)), fmt.Sprint(m.Content.Bytes())
	data := []string{"fuid", fuid, "source", source, "is_orig", map[bool]string{true: "T", false: "F"}[m.Push], "seen_bytes", size, "total_bytes", size, "missing_bytes", "0", "overflow_bytes", "0", "timedout", "F"}
	if mime := mimes[m.Content.Type]; mime != "" {
		data = append(data, "mime_type", mime)
	}
	if name != "" {
		data = append(data, "filename", name)
	}
	if seeded(y.w.Seed, m.seq, 17).Float64() >= y.w.Parameters.value("capture_loss") {
		data = append(data, "md5", m.Content.MD5(), "sha1", m.Content.SHA1())
	}
	put("files", m.End, data...)
	return fuid
}

func (y *Eyes) zeekShare(m *Move, uid string, put func(string, model.Time, ...string)) {
	tree := `\\` + m.server().Name + `\` + m.Share
	if m.User != "" {
		y.zeekLogon(m, put)
	}
	put("smb_mapping", m.Time, "path", tree, "share_type", "DISK")
	size := fmt.Sprint(m.Content.Bytes())
	action := "SMB::FILE_READ"
	if m.Push {
		action, size = "SMB::FILE_WRITE", "0"
	}
	put("smb_files", m.Time+second/100, "action", "SMB::FILE_OPEN", "path", tree, "name", m.Path, "size", size)
	y.zeekContent(m, "SMB", m.Path, put)
	put("smb_files", m.End, "action", action, "path", tree, "name", m.Path, "size", size)
	if m.Start == nil || !m.Push {
		return
	}
	call := func(at model.Time, pipe, endpoint, operation string) {
		put("dce_rpc", at, "rtt", "0.0004", "named_pipe", pipe, "endpoint", endpoint, "operation", operation)
	}
	switch x := m.Start; x.How {
	case "service":
		call(x.Time-second, `\pipe\svcctl`, "svcctl", "CreateServiceW")
		call(x.Time-second/2, `\pipe\svcctl`, "svcctl", "StartServiceW")
	case "task":
		call(x.Time-2*second, "49668", "ITaskSchedulerService", "SchRpcRegisterTask")
		call(x.Time-second, "49668", "ITaskSchedulerService", "SchRpcRun")
	case "wmi":
		call(x.Time-second/2, "49669", "IWbemServices", "ExecMethod")
	}
}

// zeekLogon writes who logged on: NTLM in clear, of Kerberos the ticket that was asked for.
func (y *Eyes) zeekLogon(m *Move, put func(string, model.Time, ...string)) {
	c := m.client()
	if c.Role == "printer" || c.Role == "linux" {
		put("ntlm", m.Time, "username", m.User, "hostname", c.Name, "domainname", m.Domain, "success", "T")
		return
	}
	put("kerberos", m.Time, "service", "cifs/"+m.server().FQDN())
	key := session{-1 - m.server().ID, c.ID, m.User}
	l := y.sessions[key]
	if l.id != "" && m.Time-l.last < 8*hour {
		return
	}
	y.sessions[key] = logon{"asked", m.Time}
	dc := y.w.byRole["dc"][0]
	y.row("kerberos", m.Time-second/2, m.Label, "C"+hexOf(mix(m.seq, y.w.Seed, 57)), model.Endpoint{IP: c.IP, Port: c.nextPort()}, model.Endpoint{IP: dc.IP, Port: 88},
		"request_type", "TGS", "client", m.User+"/CORP.EXAMPLE", "service", "cifs/"+m.server().FQDN(), "success", "T")
}

// leased writes that a client got its address.
func (y *Eyes) leased(h *Host, at model.Time, l *Label) {
	dc := y.w.byRole["dc"][0]
	y.row("dhcp", at, l, "C"+hexOf(mix(uint64(h.ID), uint64(at), 59)), model.Endpoint{IP: h.IP, Port: 68}, model.Endpoint{IP: dc.IP, Port: 67},
		"mac", h.MAC, "assigned_addr", h.IP.String(), "host_name", h.Name, "client_fqdn", h.FQDN(), "lease_time", "86400.0", "msg_types", "REQUEST,ACK")
}

// MD5 and SHA1 of a content, as others write them.
func (c *Content) MD5() string  { return digest(c.Key, c.Pad, 2)[:32] }
func (c *Content) SHA1() string { return digest(c.Key, c.Pad, 3)[:40] }
