package sensor_test

import (
	"fmt"
	"strings"
	"testing"
)

// event is one of Suricata's, from the client on port 50000 to a server's; back is one
// whose source is the server.
func event(at float64, kind string, port int, fields string) string {
	return fmt.Sprintf(`{"timestamp":"2026-03-17T09:00:%09.6f+0000","flow_id":7,"event_type":"%s","src_ip":"10.0.0.1","src_port":50000,"dest_ip":"10.0.0.2","dest_port":%d,"proto":"TCP","community_id":"1:x=",%s}`+"\n", at, kind, port, fields)
}

func back(at float64, kind string, port int, fields string) string {
	return fmt.Sprintf(`{"timestamp":"2026-03-17T09:00:%09.6f+0000","flow_id":7,"event_type":"%s","src_ip":"10.0.0.2","src_port":%d,"dest_ip":"10.0.0.1","dest_port":50000,"proto":"TCP","community_id":"1:x=",%s}`+"\n", at, kind, port, fields)
}

func info(name, more string) string {
	return `"fileinfo":{"filename":"` + name + `","gaps":false,"state":"CLOSED","stored":false,"size":700,"tx_id":5` + more + `}`
}

const (
	tree  = `"smb":{"command":"SMB2_COMMAND_TREE_CONNECT","status":"STATUS_SUCCESS","tree_id":3,"share":"\\\\FS\\Docs","share_type":"FILE"}`
	pe    = `,"magic":"PE32+ executable (console) x86-64, for MS Windows"`
	three = `,"md5":"AA","sha1":"BB","sha256":"CC"`
)

func smbEvent(command, more string) string {
	return `"smb":{"command":"SMB2_COMMAND_` + command + `","status":"STATUS_SUCCESS","tree_id":3` + more + `}`
}

func TestEveShares(t *testing.T) {
	const up, down = `10.0.0.1:50000>10.0.0.2:445 push smb share=\\FS\Docs `, `10.0.0.2:445>10.0.0.1:50000 pull smb share=\\FS\Docs `
	write := func(at float64, name, raw, more string) string {
		return event(at, "fileinfo", 445, `"app_proto":"smb",`+smbEvent("WRITE", `,"filename":"`+raw+`","share":"","fuid":"h1"`)+`,`+info(name, more))
	}
	tree := event(0, "smb", 445, tree)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"read": {tree + back(1, "fileinfo", 445, `"app_proto":"smb",`+smbEvent("READ", `,"filename":"d\\a.docx","share":"\\\\FS\\Docs","fuid":"h1"`)+`,`+info(`d\\a.docx`, three)),
			[]string{down + `path=d\a.docx name=a.docx size=700 complete=true md5 sha1 sha256 done`}},
		"written, without the share": {tree + write(1, `a.exe`, `a.exe`, pe), []string{up + `path=a.exe name=a.exe type=pe size=700 complete=true done`}},
		"written to a tree not seen": {write(1, `a.exe`, `a.exe`, ""), []string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a.exe name=a.exe size=700 complete=true done`}},
		"a name of Latin-1":          {tree + write(1, `up\\\\xdcber f\\xfcr.exe`, "up\\\\\ufffdber f\ufffdr.exe", ""), []string{up + `path=up\Über für.exe name=Über für.exe size=700 complete=true done`}},
		"a name that looks so":       {tree + write(1, `t\\xcacls.exe`, `t\\xcacls.exe`, ""), []string{up + `path=t\xcacls.exe name=xcacls.exe size=700 complete=true done`}},
		"a name of UTF-16":           {tree + write(1, `\u001e\u0004B\u0004.bin`, `\u001e\u0004B\u0004.bin`, ""), []string{`10.0.0.1:50000>10.0.0.2:445 push smb size=700 complete=true done`}},
		"with a gap":                 {tree + strings.Replace(write(1, `a`, `a`, three), `"gaps":false`, `"gaps":true`, 1), []string{up + `path=a name=a complete=false done`}},
		"broken off":                 {tree + strings.Replace(write(1, `a`, `a`, ""), `CLOSED`, `TRUNCATED`, 1), []string{up + `path=a name=a complete=false done`}},
		"no file events":             {tree + event(1, "smb", 445, smbEvent("CREATE", `,"filename":"a","size":9,"fuid":"h1"`)) + event(2, "smb", 445, smbEvent("READ", `,"filename":"a","fuid":"h1"`)), []string{down + `path=a name=a size=9 claimed`}},
		"opened only":                {tree + event(1, "smb", 445, smbEvent("CREATE", `,"filename":"a","size":9,"fuid":"h1"`)), nil},
		"in a pipe":                  {event(0, "smb", 445, strings.Replace(smbEvent("TREE_CONNECT", `,"share":"\\\\FS\\IPC$"`), "3", "4", 1)) + event(1, "smb", 445, strings.Replace(smbEvent("WRITE", `,"filename":"svcctl"`), `"tree_id":3`, `"tree_id":4`, 1)), nil},
		"read from a pipe":           {event(0, "smb", 445, smbEvent("TREE_CONNECT", `,"share_type":"PIPE"`)) + back(1, "fileinfo", 445, `"app_proto":"smb",`+smbEvent("READ", `,"filename":"PSEXESVC-stdout"`)+`,`+info("PSEXESVC-stdout", "")), nil},
		"read from a pipe, the tree left out": {event(0, "smb", 445, smbEvent("TREE_CONNECT", `,"named_pipe":"\\\\FS\\IPC$","share_type":"PIPE"`)) + event(1, "smb", 445, smbEvent("CREATE", `,"filename":"PSEXESVC-stdout","fuid":"h1"`)) +
			strings.Replace(event(1, "smb", 445, smbEvent("READ", `,"filename":"PSEXESVC-stdout","fuid":"h1"`)), `"tree_id":3`, `"tree_id":0`, 1) +
			strings.Replace(back(1, "fileinfo", 445, `"app_proto":"smb",`+smbEvent("READ", `,"filename":"PSEXESVC-stdout","fuid":"h1"`)+`,`+info("PSEXESVC-stdout", "")), `"tree_id":3`, `"tree_id":0`, 1), nil},
		"renamed before it is written": {tree + event(1, "smb", 445, smbEvent("CREATE", `,"filename":"a.tmp","fuid":"h1"`)) + event(2, "smb", 445, smbEvent("SET_INFO", `,"rename":{"from":"a.tmp","to":"a.exe"},"fuid":"h1"`)) + event(3, "smb", 445, smbEvent("WRITE", `,"filename":"a.tmp","fuid":"h1"`)) + write(4, "a.tmp", "a.tmp", ""), []string{up + `path=a.exe name=a.exe was=a.tmp size=700 complete=true done`}},
		"deleted":                      {tree + write(1, "a", "a", "") + event(3, "smb", 445, smbEvent("SET_INFO", `,"filename":"a","access":"delete on close","fuid":"h1"`)), []string{up + `path=a name=a size=700 complete=true deleted done`}},
		"a user":                       {tree + event(0, "smb", 445, smbEvent("SESSION_SETUP", `,"ntlmssp":{"domain":"CORP","user":"bob","host":"WS1"}`)) + write(1, "a", "a", ""), []string{up + `path=a name=a user=bob by=ntlm size=700 complete=true done`}},
		"SMB 1": {event(0, "smb", 445, `"smb":{"command":"SMB1_COMMAND_TREE_CONNECT_ANDX","status":"STATUS_SUCCESS","tree_id":0,"share":"\\FS\\Docs"}`) + back(1, "fileinfo", 445, `"app_proto":"smb","smb":{"command":"SMB1_COMMAND_READ_ANDX","filename":"\\a","share":"\\FS\\Docs"},`+info(`\\a`, "")),
			[]string{down + `path=\a name=a size=700 complete=true done`}},
	} {
		check(t, name, shown(follow(t, c.text)), c.want...)
	}
	r := follow(t, tree+write(1, "a", "a", ""))
	if ids := r.Transfers[0].CommunityID; len(ids) != 1 || ids[0] != "1:x=" {
		t.Errorf("%v", ids)
	}
}

func TestEveOthers(t *testing.T) {
	http := func(method, url string, status int) string {
		return fmt.Sprintf(`"http":{"hostname":"srv","url":"%s","http_method":"%s","protocol":"HTTP/1.1","status":%d,"length":700}`, url, method, status)
	}
	ftp := func(at float64, command, data, codes, more string) string {
		return event(at, "ftp", 21, `"ftp":{"command":"`+command+`","command_data":"`+data+`","completion_code":[`+codes+`]`+more+`}`)
	}
	const (
		get  = "10.0.0.2:80>10.0.0.1:50000 pull http share=srv "
		stor = "10.0.0.1:50000>10.0.0.2:21 push ftp path=d/a.exe name=a.exe user=bob by=ftp "
	)
	data := strings.Replace(event(2, "fileinfo", 51725, `"app_proto":"ftp-data","parent_id":7,`+info("d/a.exe", pe)), `"flow_id":7`, `"flow_id":8`, 1)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"HTTP": {event(1, "http", 80, `"tx_id":5,`+http("GET", "/t/a.exe?x=1", 200)) + back(2, "fileinfo", 80, http("GET", "/t/a.exe?x=1", 200)+`,"app_proto":"http",`+info("/t/a.exe", pe)), []string{get + "path=/t/a.exe?x=1 name=a.exe type=pe size=700 done"}},
		"HTTP, twice": {event(1, "http", 80, `"tx_id":5,`+http("GET", "/a", 200)) + back(2, "fileinfo", 80, http("GET", "/a", 200)+`,"app_proto":"http",`+info("/a", "")) +
			event(3, "http", 80, `"tx_id":6,`+http("GET", "/a", 200)) + back(4, "fileinfo", 80, http("GET", "/a", 200)+`,"app_proto":"http",`+strings.Replace(info("/a", ""), `"tx_id":5`, `"tx_id":6`, 1)),
			[]string{get + "path=/a name=a size=700 done", get + "path=/a name=a size=700 done"}},
		"FTP, twice": {ftp(0, "USER", "bob", `"331"`, "") + data + ftp(3, "STOR", "d/a.exe", `"226"`, "") + strings.Replace(data, "00:02", "00:05", 1) + ftp(6, "STOR", "d/a.exe", `"226"`, ""),
			[]string{strings.Replace(stor, "user", "type=pe user", 1) + "size=700 done", strings.Replace(stor, "user", "type=pe user", 1) + "size=700 done"}},
		"HTTP, the file only": {back(2, "fileinfo", 80, http("GET", "/get", 200)+`,"app_proto":"http",`+info("a.exe", pe)), []string{get + "path=/get name=get given=a.exe type=pe size=700 done"}},
		"HTTP, no file":       {event(1, "http", 80, `"tx_id":0,`+http("GET", "/t/a.exe", 200)), []string{get + "path=/t/a.exe name=a.exe size=700 done"}},
		"HTTP, no request":    {back(2, "fileinfo", 80, `"http":{"url":"/libhtp::request_uri_not_seen","status":200},"app_proto":"http",`+info("/libhtp::request_uri_not_seen", pe)), []string{"10.0.0.2:80>10.0.0.1:50000 pull http type=pe size=700 done"}},
		"HTTP, refused":       {back(2, "fileinfo", 80, http("GET", "/t/a.exe", 404)+`,"app_proto":"http",`+info("/t/a.exe", "")), nil},
		"PUT":                 {event(2, "fileinfo", 80, http("PUT", "/d/a", 201)+`,"app_proto":"http",`+info("/d/a", "")), []string{"10.0.0.1:50000>10.0.0.2:80 push http share=srv path=/d/a name=a size=700 done"}},
		"FTP":                 {ftp(0, "USER", "bob", `"331"`, "") + ftp(0, "PASS", "hush", `"230"`, "") + data + ftp(3, "STOR", "d/a.exe", `"150","226"`, ""), []string{strings.Replace(stor, "user", "type=pe user", 1) + "size=700 done"}},
		"FTP, no file":        {ftp(0, "USER", "bob", `"331"`, "") + ftp(3, "STOR", "d/a.exe", `"150","226"`, `,"reply":["Opening (700 bytes)","done"]`), []string{stor + "size=700 done"}},
		"FTP, refused":        {ftp(3, "RETR", "d/a.exe", `"550"`, ""), nil},
		"FTP, data only":      {data + strings.Replace(event(2, "ftp_data", 51725, `"ftp_data":{"filename":"d/a.exe","command":"STOR"}`), `"flow_id":7`, `"flow_id":8`, 1), []string{"10.0.0.1:50000>10.0.0.2:51725 push ftp path=d/a.exe name=a.exe type=pe size=700 done"}},
		"TFTP":                {event(0, "tftp", 69, `"tftp":{"packet":"write","file":"a.cfg","mode":"octet"}`) + event(1, "tftp", 69, `"tftp":{"packet":"read","file":"b.cfg","mode":"octet"}`), []string{"10.0.0.1:50000>10.0.0.2:69 push tftp path=a.cfg name=a.cfg claimed", "10.0.0.2:69>10.0.0.1:50000 pull tftp path=b.cfg name=b.cfg claimed"}},
		"NFS":                 {strings.Replace(event(0, "fileinfo", 2049, `"app_proto":"nfs","nfs":{"version":3,"procedure":"WRITE","filename":"a.exe"},`+info("a.exe", "")), "50000", "799", 1), []string{"10.0.0.1:799>10.0.0.2:2049 push nfs path=a.exe name=a.exe size=700 complete=true done"}},
		"NFS, by its port":    {strings.Replace(event(0, "fileinfo", 2049, `"app_proto":"nfs","nfs":{"version":3,"procedure":"COMMIT"},`+info("a.exe", "")), "50000", "799", 1), []string{"10.0.0.1:799>10.0.0.2:2049 push nfs path=a.exe name=a.exe size=700 complete=true done"}},
		"NFS 4 has no names":  {strings.Replace(back(0, "fileinfo", 2049, `"app_proto":"nfs","nfs":{"version":4,"procedure":"READ","filename":""},`+info("", "")), "50000", "799", 1), []string{"10.0.0.2:2049>10.0.0.1:799 pull nfs size=700 complete=true done"}},
		"mail":                {event(0, "fileinfo", 25, `"app_proto":"smtp",`+info("a.exe", "")), nil},
	} {
		r := follow(t, c.text)
		check(t, name, shown(r), c.want...)
		if strings.Contains(fmt.Sprintf("%+v", r), "hush") {
			t.Errorf("%s: a password", name)
		}
	}
}

// TestEveParts: where nothing tells the content, the name says whether it is a file's.
func TestEveParts(t *testing.T) {
	get := func(name string) string {
		return back(2, "fileinfo", 80, fmt.Sprintf(`"http":{"hostname":"srv","url":"/%s","http_method":"GET","status":200,"length":700},"app_proto":"http",`, name)+info("/"+name, ""))
	}
	for name, part := range map[string]bool{"a.exe": false, "b.7Z": false, "c.ps1": false, "d.pdf": false, "e.js": true, "f": true, "exe": true} {
		r := follow(t, get(name))
		if len(r.Transfers) != 1 || r.PageParts[r.Transfers[0].ID] != part {
			t.Errorf("%s: %v, part of a page %v", name, shown(r), r.PageParts)
		}
	}
}

func TestEveAccesses(t *testing.T) {
	r := follow(t, event(0, "smb", 445, strings.Replace(smbEvent("SESSION_SETUP", `,"ntlmssp":{"domain":"CORP","user":"bob","host":"WS1"}`), "SUCCESS", "LOGON_FAILURE", 1))+
		event(1, "smb", 445, tree)+
		event(2, "smb", 445, strings.Replace(smbEvent("CREATE", `,"filename":"pay.xlsx"`), "SUCCESS", "ACCESS_DENIED", 1))+
		event(3, "smb", 445, smbEvent("IOCTL", `,"dcerpc":{"request":"REQUEST","response":"RESPONSE","opnum":12,"interfaces":[{"uuid":"367abb81-9844-35f1-ad32-98f038001003","version":"2.0"}]}`)))
	r.Add(follow(t, back(0, "rdp", 3389, `"rdp":{"tx_id":3,"event_type":"connect_request","client":{"client_name":"WS1","build":"Windows 10"},"channels":["rdpdr","cliprdr"]}`)))
	r.Add(follow(t, event(0, "ssh", 22, `"ssh":{"client":{"software_version":"a"},"server":{"software_version":"b"}}`)))
	r.Add(follow(t, event(0, "krb5", 88, `"krb5":{"msg_type":"KRB_AS_REQ","cname":"bob","realm":"CORP"}`)+back(1, "krb5", 88, `"krb5":{"msg_type":"KRB_ERROR","error_code":"KDC_ERR_PREAUTH_REQUIRED","cname":"<empty>","realm":"<empty>","sname":"krbtgt/CORP"}`)+
		back(2, "krb5", 88, `"krb5":{"msg_type":"KRB_ERROR","error_code":"KDC_ERR_PREAUTH_FAILED","cname":"<empty>","realm":"<empty>","sname":"krbtgt/CORP"}`)+back(3, "krb5", 88, `"krb5":{"msg_type":"KRB_AS_REP","cname":"bob","realm":"CORP","sname":"krbtgt/CORP"}`)))
	r.Add(follow(t, event(0, "dcerpc", 49700, `"dcerpc":{"request":"BIND","interfaces":[{"uuid":"86d35949-83c9-4044-b424-db363231fd0c","ack_result":0}]}`)+event(1, "dcerpc", 49700, `"dcerpc":{"request":"REQUEST","req":{"opnum":1},"response":"RESPONSE"}`)))
	r.Add(follow(t, back(0, "dhcp", 67, `"dhcp":{"type":"reply","client_mac":"00:1b:21:00:00:01","assigned_ip":"10.0.0.9","dhcp_type":"ack","lease_time":60,"hostname":"WS9"}`)+back(1, "dhcp", 67, `"dhcp":{"dhcp_type":"nak","client_mac":"00:1b:21:00:00:01","assigned_ip":"10.0.0.8"}`)))
	var got []string
	for _, a := range r.Accesses {
		got = append(got, strings.Join([]string{a.What, a.Source.IP.String(), a.User, a.Share, a.Object, a.Status, a.Detail}, "|"))
	}
	check(t, "accesses", got, "logon|10.0.0.1|bob|||refused|NTLM from WS1", `share-connect|10.0.0.1||\\FS\Docs|FILE||`, `refused-open|10.0.0.1||\\FS\Docs|pay.xlsx|STATUS_ACCESS_DENIED|`,
		"service-create|10.0.0.1|||||svcctl CreateServiceW", "rdp-session|10.0.0.1|||WS1||client_build Windows 10, channels rdpdr,cliprdr", "ssh-session|10.0.0.1|||||client a, server b",
		"kerberos-ticket|10.0.0.1|bob||krbtgt/CORP|KDC_ERR_PREAUTH_FAILED|KRB-ERROR", "kerberos-ticket|10.0.0.1|bob||krbtgt/CORP||AS-REP",
		"task-create|10.0.0.1|||||ITaskSchedulerService SchRpcRegisterTask", "address-binding|10.0.0.9|||||")
	if len(r.Bindings) != 1 || r.Bindings[0].Host != "WS9" {
		t.Errorf("%+v", r.Bindings)
	}
}

// TestEveAlerts: an alert is evidence of what was under way, and of all where it names nothing.
func TestEveAlerts(t *testing.T) {
	file := func(at float64, name string) string {
		return event(at, "fileinfo", 445, `"app_proto":"smb",`+smbEvent("WRITE", `,"filename":"`+name+`","fuid":"`+name+`"`)+`,`+info(name, ""))
	}
	alert := func(id, more string) string {
		return event(3, "alert", 445, `"alert":{"action":"allowed","signature_id":`+id+`,"signature":"rule `+id+`"},"app_proto":"smb","flow":{"src_ip":"10.0.0.1","src_port":50000,"dest_ip":"10.0.0.2","dest_port":445}`+more)
	}
	r := follow(t, event(0, "smb", 445, tree)+file(1, "a")+file(2, "b")+alert("1", "")+alert("1", "")+strings.Replace(alert("3", ""), "rule 3", "SURICATA STREAM ESTABLISHED invalid ack", 1)+alert("2", `,`+smbEvent("WRITE", `,"filename":"b"`)))
	var got []string
	for _, x := range r.Transfers {
		for _, e := range x.Evidence {
			if e.Channel == "suricata/alert" {
				got = append(got, x.Name+" "+e.What)
			}
		}
	}
	check(t, "evidence", got, "a alert: rule 1", "b alert: rule 1", "b alert: rule 2")
	alerts := 0
	for _, a := range r.Accesses {
		if a.What == "alert" {
			alerts++
			if a.Object == "" || a.Detail == "" || a.Source.IP.String() != "10.0.0.1" || a.Channel != "smb" {
				t.Errorf("%+v", a)
			}
		}
	}
	if alerts != 4 {
		t.Errorf("%d alerts", alerts)
	}
}
