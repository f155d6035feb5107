package synth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// What network sensors beside the hosts would have logged of what moved over SMB, HTTP
// and FTP. Hashes are left out, as both makers do by default.

// Zeek gives the tab-separated logs, by the names of their files.
func (t Truth) Zeek() map[string][]byte {
	out := map[string][]byte{}
	for _, l := range t.zeekRows() {
		name := l.path + ".log"
		if out[name] == nil {
			out[name] = fmt.Appendf(nil, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t%s\n#fields\t%s\n", l.path, strings.Join(l.names(), "\t"))
		}
		out[name] = append(out[name], strings.Join(l.values(), "\t")+"\n"...)
	}
	return out
}

// ZeekJSON gives the same rows as objects, all in one file.
func (t Truth) ZeekJSON() []byte {
	var out []byte
	for _, l := range t.zeekRows() {
		out = append(out, fmt.Sprintf(`{"_path":%q`, l.path)...)
		for _, f := range l.fields {
			if f[1] != "-" {
				out = append(out, fmt.Sprintf(",%q:%s", f[0], quoted(f[1]))...)
			}
		}
		out = append(out, "}\n"...)
	}
	return out
}

// quoted is a value in JSON.
func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// zeekRow is a row with its fields in order.
type zeekRow struct {
	path   string
	fields [][2]string
}

func (l zeekRow) names() (out []string) {
	for _, f := range l.fields {
		out = append(out, f[0])
	}
	return out
}

func (l zeekRow) values() (out []string) {
	for _, f := range l.fields {
		out = append(out, strings.NewReplacer(`\`, `\\`, "\t", `\x09`).Replace(f[1]))
	}
	return out
}

// sensed are the movements that sensors see, with client and server.
func (t Truth) sensed(see func(i int, m Moved, client, server model.Addr)) {
	for i, m := range t.Moved {
		if m.Status != model.Done || m.Completeness != model.Whole || m.End == 0 {
			continue
		}
		client, server := m.Destination, m.Source
		if m.Operation == model.Push {
			client, server = server, client
		}
		see(i, m, client, server)
	}
}

func (t Truth) zeekRows() (rows []zeekRow) {
	known := map[string]bool{}
	t.sensed(func(i int, m Moved, client, server model.Addr) {
		ends := [][2]string{{"ts", unixTime(m.End)}, {"uid", uid("C", client, m.Ports)}, {"id.orig_h", client.String()}, {"id.orig_p", strconv.Itoa(int(m.Ports[0]))},
			{"id.resp_h", server.String()}, {"id.resp_p", strconv.Itoa(int(m.Ports[1]))}}
		row := func(path string, more ...string) {
			l := zeekRow{path, ends[:len(ends):len(ends)]}
			for j := 0; j < len(more); j += 2 {
				l.fields = append(l.fields, [2]string{more[j], more[j+1]})
			}
			rows = append(rows, l)
		}
		fuid, size, up := fmt.Sprintf("F%08d", i), strconv.FormatInt(m.Size, 10), "F"
		if m.Operation == model.Push {
			up = "T"
		}
		file := func(source, name string) {
			row("files", "fuid", fuid, "source", source, "filename", name, "mime_type", "-", "is_orig", up, "seen_bytes", size, "total_bytes", size, "missing_bytes", "0", "timedout", "F")
		}
		if !known[ends[1][1]] {
			known[ends[1][1]] = true
			row("conn", "proto", "tcp", "conn_state", "SF")
			if m.User != "" && m.Domain != "" {
				row("ntlm", "username", m.User, "hostname", "-", "domainname", m.Domain, "success", "T")
			}
		}
		switch m.Channel {
		case "smb1", "smb2":
			file("SMB", m.Path)
			row("smb_files", "action", map[string]string{"F": "SMB::FILE_READ", "T": "SMB::FILE_WRITE"}[up], "path", m.Share, "name", m.Path, "size", size, "times.modified", ends[0][1])
		case "http":
			form := strings.HasSuffix(m.Path, m.Name)
			name := "-"
			if !form {
				name = m.Name
			}
			file("HTTP", name)
			sent, got := fuid, "-"
			method := "PUT"
			if up == "F" {
				sent, got, method = "-", fuid, "GET"
			}
			row("http", "trans_depth", strconv.Itoa(i+1), "method", method, "host", m.Share, "uri", m.Path, "status_code", "200", "orig_fuids", sent, "resp_fuids", got)
		case "ftp":
			file("FTP_DATA", "-")
			row("ftp", "user", m.User, "command", map[string]string{"F": "RETR", "T": "STOR"}[up], "arg", "ftp://"+server.String()+"/"+m.Path, "reply_code", "226", "fuid", fuid)
		}
	})
	return rows
}

// unixTime is a time as Zeek writes it.
func unixTime(t model.Time) string { return fmt.Sprintf("%d.%06d", t/1e9, t%1e9/1e3) }

// uid is a sensor's name for a connection.
func uid(kind string, client model.Addr, ports [2]uint16) string {
	return kind + hashOf([]byte(fmt.Sprint(client, ports)))[:16]
}

// EVE gives the events of Suricata.
func (t Truth) EVE() []byte {
	var out []byte
	trees := map[string]int{}
	t.sensed(func(i int, m Moved, client, server model.Addr) {
		flow, _ := strconv.ParseUint(uid("", client, m.Ports)[:12], 16, 64)
		event := func(kind string, back bool, more string) {
			from, to, ports := client, server, m.Ports
			if back {
				from, to, ports = server, client, [2]uint16{m.Ports[1], m.Ports[0]}
			}
			out = fmt.Appendf(out, `{"timestamp":"%s+0000","flow_id":%d,"event_type":"%s","src_ip":"%s","src_port":%d,"dest_ip":"%s","dest_port":%d,"proto":"TCP",%s}`+"\n",
				stamp(m.End, "2006-01-02T15:04:05.000000"), flow, kind, from, ports[0], to, ports[1], more)
		}
		file := func(name string) string {
			return fmt.Sprintf(`"fileinfo":{"filename":%s,"gaps":false,"state":"CLOSED","stored":false,"size":%d,"tx_id":%d}`, quoted(name), m.Size, i)
		}
		back, verb := m.Operation == model.Pull, "WRITE"
		if back {
			verb = "READ"
		}
		switch m.Channel {
		case "smb1", "smb2":
			tree := fmt.Sprint(flow, m.Share)
			if trees[tree] == 0 {
				trees[tree] = len(trees) + 1
				event("smb", false, fmt.Sprintf(`"smb":{"command":"SMB2_COMMAND_SESSION_SETUP","status":"STATUS_SUCCESS","ntlmssp":{"domain":%s,"user":%s,"host":""}}`, quoted(m.Domain), quoted(m.User)))
				event("smb", false, fmt.Sprintf(`"smb":{"command":"SMB2_COMMAND_TREE_CONNECT","status":"STATUS_SUCCESS","tree_id":%d,"share":%s,"share_type":"FILE"}`, trees[tree], quoted(m.Share)))
			}
			event("fileinfo", back, fmt.Sprintf(`"smb":{"command":"SMB2_COMMAND_%s","status":"STATUS_SUCCESS","tree_id":%d,"filename":%s,"share":"","fuid":"h%d"},"app_proto":"smb",%s`, verb, trees[tree], quoted(m.Path), i, file(m.Path)))
		case "http":
			method := map[bool]string{true: "GET", false: "PUT"}[back]
			asked := fmt.Sprintf(`"http":{"hostname":%s,"url":%s,"http_method":"%s","protocol":"HTTP/1.1","status":200,"length":%d}`, quoted(m.Share), quoted(m.Path), method, m.Size)
			event("http", false, fmt.Sprintf(`"tx_id":%d,%s`, i, asked))
			name := m.Name
			if strings.HasSuffix(m.Path, name) {
				name, _, _ = strings.Cut(m.Path, "?")
			}
			event("fileinfo", back, asked+`,"app_proto":"http",`+file(name))
		case "ftp":
			command := map[bool]string{true: "RETR", false: "STOR"}[back]
			event("ftp", false, fmt.Sprintf(`"ftp":{"command":"USER","command_data":%s,"completion_code":["331"]}`, quoted(m.User)))
			event("ftp", false, fmt.Sprintf(`"tx_id":%d,"ftp":{"command":"%s","command_data":%s,"completion_code":["150","226"],"reply":["Opening (%d bytes)","done"]}`, i, command, quoted(m.Path), m.Size))
		}
	})
	return out
}
