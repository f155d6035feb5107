package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestUnverified: coverage names what an input was read by and no real sample confirms,
// and nothing that one does.
func TestUnverified(t *testing.T) {
	const (
		es = `{"time":"2026-11-23T16:25:01.000000000Z","event_type":1,"process":{"audit_token":{"pid":501},"executable":{"path":"/usr/libexec/x"}},"event":`
		zk = "#separator \\x09\n#path\tntlm\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tusername\n1773738000.5\tC1\t10.0.0.1\t5\t10.0.0.2\t445\tbob\n"
	)
	sysmon := func(image string) string {
		return `{"EventTime":"2026-03-17 09:00:00","Hostname":"WS1","EventID":11,"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","RecordNumber":5,` +
			`"UtcTime":"2026-03-17 09:00:00.000","ProcessId":"9","Image":"C:\\Windows\\System32\\` + image + `","TargetFilename":"C:\\Users\\a\\x.exe"}` + "\n"
	}
	raw := synth.New(3)
	rawCopies(raw.SMB1(raw.Host("WS-1", "10.1.0.21"), raw.Host("FS-1", "10.1.0.22"), synth.SMB1Options{User: "bob"}).Tree("share"), raw)
	copied := synth.New(4)
	serverCopies(copied.NFS(copied.Host("WS-1", "10.1.0.21"), copied.Host("NFS-1", "10.1.0.22"), synth.NFSOptions{Version: 4, Minor: 2}), copied)
	for name, c := range map[string]struct {
		log  string
		want string
	}{
		"sshd":                  {"Nov 23 16:24:50 fs1 sshd[7]: Accepted password for ops from 10.0.0.5 port 22 ssh2\n", ""},
		"sshd since 9.8":        {"Nov 23 16:24:50 fs1 sshd-session[7]: Accepted password for ops from 10.0.0.5 port 22 ssh2\n", ""},
		"journald":              {`{"__REALTIME_TIMESTAMP":"1773738000000000","_HOSTNAME":"fs1","SYSLOG_IDENTIFIER":"sshd","_PID":"7","MESSAGE":"x"}` + "\n", ""},
		"AUOMS":                 {`[1795451091.392,{"Timestamp":"1795451091.392","SerialNumber":1,"records":[{"RecordTypeCode":1,"RecordType":"USER_LOGIN","node":"ws3","pid":"800","ses":"842","acct":"ops","exe":"/usr/sbin/sshd","addr":"10.77.0.5","res":"success"}]}]` + "\n", "auoms-json"},
		"Auditbeat":             {`{"@timestamp":"2026-11-23T16:24:51.392Z","host":{"name":"ws3"},"process":{"pid":800,"executable":"/usr/sbin/sshd"},"source":{"ip":"10.77.0.5"},"auditd":{"message_type":"user_login","session":"842","result":"success","data":{"acct":"ops"}}}` + "\n", "auditbeat"},
		"AUOMS in a system log": {"Nov 23 16:24:40 ws3 auoms[700]: type=USER_LOGIN audit(1795451080.000:9): pid=800 uid=0 auid=1000 ses=842 op=login acct=\"ops\" exe=\"/usr/sbin/sshd\" addr=10.77.0.5 res=success\n", "auoms"},
		"a mounted share":       {es + `{"mount":{"statfs":{"f_mntonname":"/Volumes/a","f_mntfromname":"//bob@10.0.0.9/a"}}}}` + "\n", "eslogger/mount"},
		"a mounted disk":        {es + `{"mount":{"statfs":{"f_mntonname":"/Volumes/a","f_mntfromname":"/dev/disk4s1"}}}}` + "\n", ""},
		"ntlm.log":              {zk, ""},
		"a hunting table":       {`{"DeviceName":"ws1","ActionType":"FileCreated","Timestamp":"2026-03-17T09:00:00Z","FileName":"a.exe","FolderPath":"C:\\a.exe","DeviceId":"d"}` + "\n", "defender-hunting/11"},
		"a receiver":            {sysmon("OpenSSH\\\\sftp-server.exe"), "receiver/sftp-server.exe"},
		"WinRM":                 {sysmon("wsmprovhost.exe"), ""},
		"Velociraptor":          {`{"Fqdn":"ws1","InUse":true,"OSPath":"C:\\a.exe","FileName":"a.exe","FileSize":77,"IsDir":false,"Created0x10":"2025-03-03T10:00:00Z"}` + "\n", "velociraptor"},
		"raw commands":          {string(raw.Take().PCAP()), "smb1/raw"},
		"copies of a server":    {string(copied.Take().PCAP()), "nfs/server-copy"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(c.log), 0o600); err != nil {
				t.Fatal(err)
			}
			r := scanned(t, path)
			for _, got := range r.Coverage {
				if strings.Join(got.Unverified, " ") != c.want || got.Events == nil && got.Packets == 0 {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

// TestUnverifiedIsSaid: docs/formats.md says what each name means.
func TestUnverifiedIsSaid(t *testing.T) {
	b, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	said, _, _ := strings.Cut(string(b), "## Captures")
	var names []string
	for name := range unverifiedKinds {
		names = append(names, name)
	}
	for _, f := range formats {
		if f.Unverified {
			names = append(names, f.Kind)
		}
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		short := name[strings.LastIndexByte(name, '/')+1:]
		if !strings.Contains(said, "`"+name+"`") && !strings.Contains(said, "`/"+short+"`") {
			t.Errorf("docs/formats.md does not say that %s is unverified", name)
		}
	}
}

// TestLateLogs: a log that begins long after the first finding on its host is said, not
// one whose first line is the end of that movement.
func TestLateLogs(t *testing.T) {
	findings := []*model.Finding{{Hosts: []string{"db1"}, Start: 1000e9}, {Hosts: []string{"db1"}, Start: 900e9}}
	logs := []model.LogCoverage{{Host: "db1", Channel: "xferlog", First: 901e9}, {Host: "db1", Channel: "sshd", First: 5000e9}, {Host: "ws1", Channel: "sshd", First: 5000e9}}
	if got := lateLogs(logs, findings); len(got) != 1 || !strings.HasPrefix(got[0], "the sshd log of db1 begins at ") {
		t.Errorf("%q", got)
	}
	for i := range 6 {
		host := fmt.Sprintf("srv%d", i)
		findings = append(findings, &model.Finding{Hosts: []string{host}, Start: 900e9})
		logs = append(logs, model.LogCoverage{Host: host, Channel: "Security", First: 5000e9})
	}
	if got := lateLogs(logs, findings); len(got) != 2 || got[0] != "the Security logs of 6 hosts (srv0, srv1, srv2, srv3, ...) begin after the first finding there" {
		t.Errorf("%q", got)
	}
}
