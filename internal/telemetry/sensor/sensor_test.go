package sensor_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/eve"
	"waybill/internal/telemetry/sensor"
	"waybill/internal/telemetry/zeek"
)

// follow gives what logs show: the records of all, merged as the pipeline does.
func follow(t *testing.T, texts ...string) *telemetry.Result {
	t.Helper()
	type due struct {
		at model.Time
		r  telemetry.Record
	}
	var all []due
	var names []string
	for i, text := range texts {
		names = append(names, fmt.Sprintf("%d.log", i))
		var last model.Time
		for _, r := range records(t, text) {
			r.Input = int32(i)
			last = max(last, r.Time)
			all = append(all, due{last, r})
		}
	}
	slices.SortStableFunc(all, func(a, b due) int { return int(a.at - b.at) })
	s := sensor.New(telemetry.FollowerOptions{Inputs: names, Parts: true})
	for i := range all {
		r := all[i].r
		s.Record(&r)
		for j := range r.Fields { // they are the batch's
			r.Fields[j] = telemetry.Field{Name: "gone", Value: "gone"}
		}
	}
	return s.Close()
}

func records(t *testing.T, text string) (all []telemetry.Record) {
	t.Helper()
	for _, f := range []telemetry.Format{zeek.TSV, eve.JSON, zeek.JSON} {
		if !f.Looks([]byte(text)) {
			continue
		}
		l := f.Open(strings.NewReader(text), telemetry.OpenOptions{})
		var b telemetry.Batch
		for l.Next(&b) != io.EOF {
			for _, r := range b.Records {
				r.Fields = slices.Clone(r.Fields)
				all = append(all, r)
			}
		}
		if len(l.Damage()) > 0 {
			t.Fatal(l.Damage())
		}
		return all
	}
	t.Fatalf("nobody reads %s", text)
	return nil
}

// show is a movement in a line.
func show(x *model.Transfer) string {
	s := fmt.Sprintf("%s:%d>%s:%d %s %s", x.Source.IP, x.Source.Port, x.Destination.IP, x.Destination.Port, x.Operation, x.Channel)
	for _, v := range []struct{ name, value string }{{"share", x.Share}, {"path", x.Path}, {"name", x.Name}, {"given", x.DispositionName},
		{"was", strings.Join(x.EarlierNames, ",")}, {"type", x.Type}, {"user", x.User}, {"by", x.Auth}} {
		if v.value != "" {
			s += " " + v.name + "=" + v.value
		}
	}
	if x.Size != nil {
		s += fmt.Sprintf(" size=%d", *x.Size)
	}
	if x.SensorComplete != nil {
		s += fmt.Sprintf(" complete=%v", *x.SensorComplete)
	}
	if x.Deleted != nil {
		s += " deleted"
	}
	for _, h := range x.Hashes {
		s += " " + h.Alg
	}
	return s + " " + x.Status
}

func shown(r *telemetry.Result) (all []string) {
	for _, x := range r.Transfers {
		all = append(all, show(x))
	}
	return all
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\ninstead of\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// Rows of Zeek as JSON, which names their fields.
const conn = `"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":50000,"id.resp_h":"10.0.0.2","id.resp_p":445`

func zrow(path string, at float64, fields string) string {
	return fmt.Sprintf(`{"_path":"%s","ts":%f,%s}`+"\n", path, 1773738000+at, fields)
}

func zfile(at float64, fields string) string {
	return zrow("files", at, conn+`,"fuid":"F1",`+fields)
}

func TestZeekShares(t *testing.T) {
	smb := func(at float64, action, name, more string) string {
		return zrow("smb_files", at, conn+`,"action":"SMB::FILE_`+action+`","path":"\\\\FS\\Docs","name":"`+name+`","times.modified":1.0`+more)
	}
	content := `"source":"SMB","is_orig":%s,"filename":"%s","seen_bytes":700,"missing_bytes":0,"mime_type":"application/x-dosexec","md5":"AB"`
	for name, c := range map[string]struct {
		texts []string
		want  []string
	}{
		"read": {[]string{zfile(1, fmt.Sprintf(content, "false", `d\\a.exe`)), smb(0, "OPEN", `d\\a.exe`, `,"size":700`)},
			[]string{`10.0.0.2:445>10.0.0.1:50000 pull smb share=\\FS\Docs path=d\a.exe name=a.exe type=pe size=700 complete=true md5 done`}},
		"written, renamed, deleted": {[]string{zfile(1, fmt.Sprintf(content, "true", `a.tmp`)), smb(0, "OPEN", "a.tmp", "") + smb(2, "RENAME", "a.exe", `,"prev_name":"a.tmp"`) + smb(3, "DELETE", "a.exe", "")},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb share=\\FS\Docs path=a.exe name=a.exe was=a.tmp type=pe size=700 complete=true deleted md5 done`}},
		"a program by its header": {[]string{zfile(1, `"source":"SMB","is_orig":true,"filename":"a.dat","seen_bytes":700`), zrow("pe", 1.5, `"id":"F1","machine":"AMD64","compile_ts":1.0,"is_exe":true`) + zrow("pe", 1.5, `"id":"F7","machine":"AMD64","compile_ts":1.0`)},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a.dat name=a.dat type=pe size=700 complete=true done`}},
		"no smb_files": {[]string{zfile(1, fmt.Sprintf(content, "true", `d\\a.exe`))},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb path=d\a.exe name=a.exe type=pe size=700 complete=true md5 done`}},
		"no files": {[]string{smb(0, "OPEN", "a.exe", `,"size":5`) + smb(0, "READ", "a.exe", "") + smb(1, "WRITE", "b.exe", `,"size":0`) + smb(2, "OPEN", "c.exe", "") + smb(2, "DELETE", "c.exe", "")},
			[]string{`10.0.0.2:445>10.0.0.1:50000 pull smb share=\\FS\Docs path=a.exe name=a.exe size=5 claimed`, `10.0.0.1:50000>10.0.0.2:445 push smb share=\\FS\Docs path=b.exe name=b.exe claimed`}},
		"written under a name that it lost, no files": {[]string{smb(0, "WRITE", "a.tmp", "") + smb(1, "RENAME", "a.exe", `,"prev_name":"a.tmp"`)},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb share=\\FS\Docs path=a.exe name=a.exe was=a.tmp claimed`}},
		"an hour long": {[]string{smb(0, "WRITE", "a.exe", "") + smb(3600, "OPEN", "z", ""), zrow("conn", 3600, `"uid":"C2","conn_state":"SF"`) + zfile(0, fmt.Sprintf(content, "true", `a.exe`))},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb share=\\FS\Docs path=a.exe name=a.exe type=pe size=700 complete=true md5 done`}},
		"folders and pipes":      {[]string{smb(0, "READ", "<share_root>", "") + zrow("smb_files", 0, conn+`,"action":"SMB::FILE_WRITE","path":"\\\\FS\\IPC$","name":"svcctl"`)}, nil},
		"what shells keep":       {[]string{zfile(1, fmt.Sprintf(content, "false", `d\\desktop.ini`)) + smb(1, "READ", `Thumbs.db`, "")}, nil},
		"a peek":                 {[]string{zfile(1, `"source":"SMB","is_orig":false,"filename":"a.exe","seen_bytes":4096`) + smb(0, "OPEN", "a.exe", `,"size":90000`)}, nil},
		"half of it":             {[]string{zfile(1, `"source":"SMB","is_orig":false,"filename":"a.exe","seen_bytes":4096`) + smb(0, "OPEN", "a.exe", `,"size":8000`)}, []string{`10.0.0.2:445>10.0.0.1:50000 pull smb share=\\FS\Docs path=a.exe name=a.exe size=8000 complete=false done`}},
		"not all of it":          {[]string{zfile(1, `"source":"SMB","is_orig":true,"filename":"a","seen_bytes":700,"missing_bytes":3`)}, []string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a name=a complete=false done`}},
		"of a size that is said": {[]string{zfile(1, `"source":"SMB","is_orig":true,"filename":"a","seen_bytes":700,"total_bytes":900,"timedout":true`)}, []string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a name=a size=900 complete=false done`}},
		"certificates and mail": {[]string{zfile(1, `"source":"SSL","seen_bytes":700`) + zfile(2, `"source":"SMTP","seen_bytes":700`) + zfile(2, `"source":"KRB_TCP","seen_bytes":700`) +
			zfile(3, `"source":"HTTP","mime_type":"application/x-x509-user-cert","seen_bytes":70000`)}, nil},
		"loopback": {[]string{zrow("files", 1, `"uid":"C9","id.orig_h":"127.0.0.1","id.orig_p":1,"id.resp_h":"127.0.0.1","id.resp_p":445,"fuid":"F9","source":"SMB","filename":"a.exe","seen_bytes":5`)}, nil},
		"before 5.1, one of both ends known": {[]string{zrow("files", 1, `"fuid":"F1","tx_hosts":["10.0.0.2"],"rx_hosts":["10.0.0.1"],"conn_uids":["C1"],"source":"SMB","is_orig":false,"filename":"a.exe","seen_bytes":5`),
			zrow("conn", 0, conn+`,"conn_state":"SF"`)}, []string{`10.0.0.2:445>10.0.0.1:50000 pull smb path=a.exe name=a.exe size=5 complete=true done`}},
		"between nobody": {[]string{zrow("files", 1, `"fuid":"F1","source":"SMB","is_orig":false,"filename":"a.exe","seen_bytes":5`)}, nil},
		"before 5.1, no conn": {[]string{zrow("files", 1, `"fuid":"F1","tx_hosts":["10.0.0.2"],"rx_hosts":["10.0.0.1"],"conn_uids":["C1"],"source":"SMB","is_orig":false,"filename":"a.exe","seen_bytes":5`)},
			[]string{`10.0.0.2:0>10.0.0.1:0 pull smb path=a.exe name=a.exe size=5 complete=true done`}},
		"in both forms": {[]string{zfile(1, fmt.Sprintf(content, "true", "a")), zfile(1, fmt.Sprintf(content, "true", "a"))},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a name=a type=pe size=700 complete=true md5 done`}},
		"a user": {[]string{zfile(1, `"source":"SMB","is_orig":true,"filename":"a","seen_bytes":7`), zrow("ntlm", 0, conn+`,"username":"bob","hostname":"WS1","domainname":"CORP","success":true`)},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a name=a user=bob by=ntlm size=7 complete=true done`}},
		"a user who was refused": {[]string{zfile(1, `"source":"SMB","is_orig":true,"filename":"a","seen_bytes":7`), zrow("ntlm", 0, conn+`,"username":"bob","hostname":"WS1","success":false`)},
			[]string{`10.0.0.1:50000>10.0.0.2:445 push smb path=a name=a size=7 complete=true done`}},
	} {
		check(t, name, shown(follow(t, c.texts...)), c.want...)
	}
}

func TestZeekWeb(t *testing.T) {
	web := func(at float64, depth int, method, uri string, status int, more string) string {
		return zrow("http", at, fmt.Sprintf(`%s,"trans_depth":%d,"method":"%s","host":"srv","uri":"%s","status_code":%d%s`, strings.Replace(conn, "445", "80", 1), depth, method, uri, status, more))
	}
	file := func(fuid, more string) string {
		return zrow("files", 1, strings.Replace(conn, "445", "80", 1)+`,"fuid":"`+fuid+`","source":"HTTP",`+more)
	}
	const from, to = "10.0.0.1:50000>10.0.0.2:80 push ", "10.0.0.2:80>10.0.0.1:50000 pull "
	for name, c := range map[string]struct {
		texts []string
		want  []string
	}{
		"refused, then taken": {[]string{web(0, 1, "PUT", "/d/a.7z", 401, `,"orig_fuids":["F1"]`) + web(1, 2, "PUT", "/d/a.7z", 204, `,"orig_fuids":["F2"]`),
			file("F1", `"is_orig":true,"seen_bytes":9,"mime_type":"application/x-7z-compressed"`) + file("F2", `"is_orig":true,"seen_bytes":9,"mime_type":"application/x-7z-compressed"`)},
			[]string{from + "http share=srv path=/d/a.7z name=a.7z type=archive size=9 complete=true done"}},
		"a page that says no": {[]string{web(0, 1, "GET", "/a.exe", 404, `,"resp_fuids":["F1"]`), file("F1", `"is_orig":false,"seen_bytes":9`)}, nil},
		"in ranges": {[]string{web(0, 1, "GET", "/a.exe", 206, `,"resp_fuids":["F1"]`) + web(1, 2, "GET", "/a.exe", 206, `,"resp_fuids":["F2"]`) + web(900, 3, "GET", "/a.exe", 206, `,"response_body_len":600`),
			file("F1", `"is_orig":false,"seen_bytes":500,"total_bytes":900,"md5":"a"`) + file("F2", `"is_orig":false,"seen_bytes":400,"total_bytes":900`)},
			[]string{to + "http share=srv path=/a.exe name=a.exe size=900 done", to + "http share=srv path=/a.exe name=a.exe size=600 done"}},
		"in ranges, no files.log": {[]string{web(0, 1, "GET", "/a.exe", 206, `,"response_body_len":600`) + web(1, 2, "GET", "/a.exe", 206, `,"response_body_len":700`)},
			[]string{to + "http share=srv path=/a.exe name=a.exe size=1300 done"}},
		"nothing changed":        {[]string{web(0, 1, "GET", "/a.exe", 304, `,"response_body_len":0`)}, nil},
		"posted, then sent on":   {[]string{web(0, 1, "POST", "/up", 302, `,"orig_fuids":["F1"],"orig_filenames":["a.exe"]`), file("F1", `"is_orig":true,"seen_bytes":9,"filename":"a.exe"`)}, []string{from + "http share=srv path=/up name=a.exe size=9 complete=true done"}},
		"an attachment":          {[]string{web(0, 1, "GET", "/get?id=5", 200, `,"resp_fuids":["F1"]`), file("F1", `"is_orig":false,"seen_bytes":9,"total_bytes":9,"filename":"a.exe"`)}, []string{to + "http share=srv path=/get?id=5 name=get given=a.exe size=9 complete=true done"}},
		"no files.log":           {[]string{web(0, 1, "GET", "/a%20b.exe", 200, `,"response_body_len":7168,"resp_mime_types":["application/x-dosexec"]`)}, []string{to + "http share=srv path=/a%20b.exe name=a b.exe type=pe size=7168 done"}},
		"no name at all":         {[]string{file("F1", `"is_orig":false,"seen_bytes":7168,"mime_type":"application/x-dosexec"`)}, []string{to + "http type=pe size=7168 complete=true done"}},
		"WebDAV":                 {[]string{web(0, 1, "GET", "/d/a.exe", 200, `,"user_agent":"DavClnt","username":"bob","resp_fuids":["F1"]`), file("F1", `"is_orig":false,"seen_bytes":900`)}, []string{to + "webdav share=srv path=/d/a.exe name=a.exe user=bob by=basic size=900 complete=true done"}},
		"a small answer":         {[]string{web(0, 1, "GET", "/a.css", 200, `,"resp_fuids":["F1"]`), file("F1", `"is_orig":false,"seen_bytes":500`)}, nil},
		"what is said about one": {[]string{web(0, 1, "PROPFIND", "/d/", 207, `,"resp_fuids":["F1"]`), file("F1", `"is_orig":false,"seen_bytes":900`)}, nil},
	} {
		check(t, name, shown(follow(t, c.texts...)), c.want...)
	}
	r := follow(t, web(0, 1, "GET", "/logo.png", 200, `,"resp_fuids":["F1"],"resp_mime_types":["image/png"]`)+web(1, 2, "GET", "/a.exe", 200, `,"resp_fuids":["F2"]`),
		file("F1", `"is_orig":false,"seen_bytes":900,"mime_type":"image/png"`)+file("F2", `"is_orig":false,"seen_bytes":900,"mime_type":"application/x-dosexec"`))
	if len(r.Transfers) != 2 || len(r.PageParts) != 1 || !r.PageParts[r.Transfers[0].ID] {
		t.Errorf("%v: page parts %v", shown(r), r.PageParts)
	}
}

func TestZeekFTP(t *testing.T) {
	control := strings.Replace(conn, "445", "21", 1)
	data := `"uid":"C2","id.orig_h":"10.0.0.2","id.orig_p":20,"id.resp_h":"10.0.0.1","id.resp_p":50001`
	command := func(at float64, verb, arg string, reply int, more string) string {
		return zrow("ftp", at, fmt.Sprintf(`%s,"user":"bob","password":"hush","command":"%s","arg":"%s","reply_code":%d%s`, control, verb, arg, reply, more))
	}
	for name, c := range map[string]struct {
		texts []string
		want  []string
	}{
		"with its data": {[]string{command(0, "STOR", "ftp://10.0.0.2/d/a.exe", 226, `,"fuid":"F1"`), zrow("files", 1, strings.Replace(data, "C2", "C3", 1)+`,"fuid":"F1","source":"FTP_DATA","is_orig":true,"seen_bytes":9`)},
			[]string{"10.0.0.1:50000>10.0.0.2:21 push ftp path=d/a.exe name=a.exe user=bob by=ftp size=9 complete=true done"}},
		"without": {[]string{command(0, "RETR", "ftp://10.0.0.2/d/a.exe", 226, `,"file_size":70`)},
			[]string{"10.0.0.2:21>10.0.0.1:50000 pull ftp path=d/a.exe name=a.exe user=bob by=ftp size=70 done"}},
		"refused":           {[]string{command(0, "RETR", "ftp://10.0.0.2/d/a.exe", 550, "")}, nil},
		"no command":        {[]string{zrow("files", 1, data+`,"fuid":"F1","source":"FTP_DATA","is_orig":true,"seen_bytes":9000,"mime_type":"application/x-dosexec"`)}, []string{"10.0.0.2:20>10.0.0.1:50001 pull ftp type=pe size=9000 complete=true done"}},
		"a listing":         {[]string{zrow("files", 1, data+`,"fuid":"F1","source":"FTP_DATA","is_orig":true,"seen_bytes":900,"mime_type":"text/plain"`)}, nil},
		"twice one file":    {[]string{command(0, "RETR", "/a", 226, "") + command(9, "RETR", "/a", 226, "")}, []string{"10.0.0.2:21>10.0.0.1:50000 pull ftp path=/a name=a user=bob by=ftp done", "10.0.0.2:21>10.0.0.1:50000 pull ftp path=/a name=a user=bob by=ftp done"}},
		"over IPv6, a path": {[]string{command(0, "STOR", "ftp://[2001:db8::1]/d/a", 226, "")}, []string{"10.0.0.1:50000>10.0.0.2:21 push ftp path=d/a name=a user=bob by=ftp done"}},
	} {
		r := follow(t, c.texts...)
		check(t, name, shown(r), c.want...)
		if s := fmt.Sprintf("%+v", r); strings.Contains(s, "hush") {
			t.Errorf("%s: a password", name)
		}
	}
}

// TestZeekAccesses: what is no movement and is evidence.
func TestZeekAccesses(t *testing.T) {
	r := follow(t, zrow("smb_mapping", 0, conn+`,"path":"\\\\FS\\ADMIN$","share_type":"DISK"`)+
		zrow("kerberos", 0, conn+`,"request_type":"TGS","client":"bob/CORP","service":"cifs/fs","success":true`)+
		zrow("kerberos", 0, conn+`,"request_type":"AS","client":"eve/CORP","service":"krbtgt/CORP","success":false,"error_msg":"KDC_ERR_C_PRINCIPAL_UNKNOWN"`)+
		zrow("ssh", 0, conn+`,"client":"SSH-2.0-a","server":"SSH-2.0-b","auth_success":true`)+
		zrow("rdp", 0, conn+`,"cookie":"bob","client_name":"WS1","security_protocol":"HYBRID"`)+
		zrow("dce_rpc", 0, conn+`,"endpoint":"svcctl","operation":"CreateServiceW","named_pipe":"\\pipe\\ntsvcs"`)+
		zrow("dce_rpc", 0, conn+`,"endpoint":"samr","operation":"SamrConnect5"`)+zrow("dce_rpc", 1, conn+`,"endpoint":"samr","operation":"SamrConnect5"`)+
		zrow("dhcp", 0, `"uids":["C5"],"client_addr":"10.0.0.9","assigned_addr":"10.0.0.9","server_addr":"10.0.0.254","mac":"00:1B:21:00:00:01","host_name":"WS9","lease_time":3600.0,"msg_types":["DISCOVER","OFFER","REQUEST","ACK"]`)+
		zrow("dhcp", 0, `"uids":["C6"],"client_addr":"10.0.0.8","mac":"00:1b:21:00:00:02","msg_types":["REQUEST","NAK"]`)+
		zrow("known_hosts", 0, `"host":"10.0.0.7"`)+zrow("known_hosts", 0, `"host":"-"`))
	var got []string
	for _, a := range r.Accesses {
		got = append(got, strings.TrimSpace(strings.Join([]string{a.What, a.User, a.Share, a.Object, a.Status, a.Detail}, "|")))
	}
	check(t, "accesses", got, `share-connect||\\FS\ADMIN$|DISK||`, "kerberos-ticket|bob||cifs/fs||TGS-REP", "kerberos-ticket|eve||krbtgt/CORP|KDC_ERR_C_PRINCIPAL_UNKNOWN|KRB-ERROR",
		"ssh-session|||login||client SSH-2.0-a, server SSH-2.0-b", "rdp-session|bob||WS1||security_protocol HYBRID",
		`service-create|||\pipe\ntsvcs||svcctl CreateServiceW`, "rpc-call|||||samr SamrConnect5", "address-binding|||||", "host-seen|||||")
	if seen := r.Accesses[len(r.Accesses)-1]; seen.Source.IP.String() != "10.0.0.7" {
		t.Errorf("%+v", seen)
	}
	if len(r.Bindings) != 1 || r.Bindings[0].Host != "WS9" || r.Bindings[0].MAC != "00:1b:21:00:00:01" || r.Bindings[0].Last-r.Bindings[0].First != 3600e9 {
		t.Errorf("%+v", r.Bindings)
	}
}

// TestZeekOutcomes: sessions that came to nothing, as the logs of Zeek's tests have them: a
// challenge that nobody answered, a refused kind of encryption, an address that was asked
// for again after a refusal, and one that the client declined.
func TestZeekOutcomes(t *testing.T) {
	lease := func(types string) string {
		return zrow("dhcp", 0, `"uids":["C1"],"client_addr":"10.0.0.9","assigned_addr":"10.0.0.9","mac":"00:1b:21:00:00:01","msg_types":`+types)
	}
	for name, c := range map[string]struct {
		text, want string
		bindings   int
	}{
		"a challenge alone":    {zrow("ntlm", 0, conn+`,"server_nb_computer_name":"FS1"`), "", 1},
		"a user, unknown end":  {zrow("ntlm", 0, conn+`,"username":"bob","domainname":"CORP"`), "logon|bob|", 0},
		"a nameless refusal":   {zrow("ntlm", 0, conn+`,"success":false`), "logon||refused", 0},
		"RDP without TLS":      {zrow("rdp", 0, conn+`,"cookie":"CORP\\bob  ","result":"SSL_NOT_ALLOWED_BY_SERVER"`), `rdp-session|CORP\bob|refused`, 0},
		"RDP, encrypted":       {zrow("rdp", 0, conn+`,"result":"encrypted"`), "rdp-session||", 0},
		"RDP, in clear":        {zrow("rdp", 0, conn+`,"result":"Success"`), "rdp-session||", 0},
		"refused, asked again": {lease(`["REQUEST","NAK","DISCOVER","OFFER","REQUEST","ACK"]`), "address-binding||", 1},
		"declined":             {lease(`["REQUEST","NAK","REQUEST","ACK","DECLINE"]`), "", 0},
		"given back":           {lease(`["ACK","RELEASE"]`), "", 0},
	} {
		r := follow(t, c.text)
		var got []string
		for _, a := range r.Accesses {
			got = append(got, a.What+"|"+a.User+"|"+a.Status)
		}
		if strings.Join(got, " ") != c.want || len(r.Bindings) != c.bindings {
			t.Errorf("%s: %q, %+v", name, got, r.Bindings)
		}
	}
}

func TestAlerts(t *testing.T) {
	r := follow(t, zfile(1, `"source":"SMB","is_orig":true,"filename":"a","seen_bytes":7`), zrow("notice", 2, conn+`,"note":"ATTACK::Lateral_Movement","msg":"a file to ADMIN$","src":"10.0.0.1","dst":"10.0.0.2"`))
	if len(r.Transfers) != 1 || len(r.Transfers[0].Evidence) != 2 || r.Transfers[0].Evidence[1].What != "alert: ATTACK::Lateral_Movement" || len(r.Accesses) != 1 || r.Accesses[0].What != "alert" {
		t.Errorf("%v, %+v", shown(r), r.Accesses)
	}
}

// TestMemory follows many rows: what waits is bounded by the time that it waits.
func TestMemory(t *testing.T) {
	var text strings.Builder
	for i := range 30_000 {
		text.WriteString(zrow("http", float64(i), fmt.Sprintf(`"uid":"C%d","id.orig_h":"10.0.0.1","id.orig_p":5,"id.resp_h":"10.0.0.2","id.resp_p":80,"method":"GET","trans_depth":1,"status_code":304,"resp_fuids":["F%d"]`, i, i)))
	}
	if r := follow(t, text.String()); len(r.Transfers) != 0 {
		t.Error(len(r.Transfers))
	}
}

// FuzzSensor gives rows of any content: movements have ends, a channel and a witness.
func FuzzSensor(f *testing.F) {
	f.Add(zfile(1, `"source":"SMB","is_orig":true,"filename":"a","seen_bytes":7`)+zrow("smb_files", 2, conn+`,"action":"SMB::FILE_RENAME","name":"b","prev_name":"a"`), uint64(1))
	f.Add(`{"timestamp":"2026-03-17T09:00:00.0+0000","event_type":"fileinfo","flow_id":7,"app_proto":"smb","fileinfo":{"filename":"a\\xfc","size":5},"smb":{"filename":"`+"\xfc"+`"}}`, uint64(2))
	f.Add(`{"timestamp":"2026-03-17T09:00:00.0+0000","event_type":"smb","flow_id":7,"smb":{"command":"SMB2_COMMAND_SET_INFO","rename":{"from":"a","to":"b"},"fuid":"1","status":"STATUS_SUCCESS"}}`, uint64(3))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		s := sensor.New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		var all []telemetry.Record
		for _, f := range []telemetry.Format{eve.JSON, zeek.JSON, zeek.TSV} {
			l := f.Open(strings.NewReader(text), telemetry.OpenOptions{})
			var b telemetry.Batch
			for l.Next(&b) != io.EOF {
				for _, r := range b.Records {
					r.Fields = slices.Clone(r.Fields)
					all = append(all, r)
				}
			}
		}
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for i := range all {
			s.Record(&all[i])
		}
		for _, x := range s.Close().Transfers {
			if x.ID == "" || x.Channel == "" || x.Status == "" || x.Operation == "" || len(x.Evidence) == 0 || x.Completeness != model.Logged {
				t.Fatalf("%+v", x)
			}
		}
	})
}
