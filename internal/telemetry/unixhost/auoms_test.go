package unixhost_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAUOMS: events as AUOMS writes them to syslog and as JSON, with its own names and
// quotes (OMSEventWriterTests.cpp, SyslogEventWriter.cpp).
func TestAUOMS(t *testing.T) {
	const head = `arch=x86_64 syscall=%s syscall_r=%d success=yes exit=0 a0=55d782c96198 ppid=900 pid=%d audit_user=ops auid=1000 user=root uid=0 tty=(none) ses=842 comm="x" exe="%s" key=auoms,execve cwd="/home/ops"`
	text := func(kind, name string, number, pid int, exe, more string) string {
		return fmt.Sprintf("Nov 23 16:24:51 ws3 auoms[700]: type=%s audit(1795451091.392:262332): "+head+" %s redactors= containerid=\n", kind, name, number, pid, exe, more)
	}
	scp := text("AUOMS_EXECVE", "execve", 59, 901, "/usr/bin/scp", `path_name=["/usr/bin/scp","/lib64/ld.so"] path_nametype=["NORMAL","NORMAL"] argc=4 cmdline="scp -p "/tmp/a b.sh" root@10.77.0.9:/tmp/x.sh"`)
	login := "Nov 23 16:24:40 ws3 auoms[700]: type=USER_LOGIN audit(1795451080.000:9): pid=800 uid=0 auid=1000 ses=842 op=login acct=\"ops\" exe=\"/usr/sbin/sshd\" hostname=10.77.0.5 addr=10.77.0.5 terminal=ssh res=success\n"
	made := text("AUOMS_SYSCALL", "openat", 257, 902, "/usr/lib/openssh/sftp-server", `name="/tmp/" nametype=PARENT path_name=["/tmp/","/tmp/agent"] path_nametype=["PARENT","CREATE"]`)
	called := text("AUOMS_SYSCALL", "connect", 42, 903, "/tmp/agent", `saddr={ fam=inet laddr=10.77.0.6 lport=5632 } saddr_r=020000160A4D00060000000000000000`)
	wrote := text("AUOMS_SYSCALL", "openat", 257, 903, "/tmp/agent", `path_name=["/var/","/var/b"] path_nametype=["PARENT","CREATE"]`)
	const push = "push ssh 10.77.0.5>ws3 /tmp/agent ? done ops\n"
	object := func(kind, more string) string {
		return `[1795451091.392,{"Timestamp":"1795451091.392","SerialNumber":262332,"records":[{"RecordTypeCode":1,"RecordType":"` + kind + `","node":"ws3",` + more + `}]}]` + "\n"
	}
	for name, c := range map[string]struct {
		text, want string
		accesses   string
	}{
		"a command":     {scp, "push ssh ws3>10.77.0.9 /tmp/x.sh ? claimed root was a b.sh\n", ""},
		"what it makes": {login + made, push, "logon"},
		"a writer":      {called + wrote, "", "network-write"},
		"JSON": {object("USER_LOGIN", `"pid":"800","ses":"842","acct":"ops","exe":"/usr/sbin/sshd","addr":"10.77.0.5","res":"success"`) +
			object("AUOMS_SYSCALL", `"syscall":"openat","success":"yes","pid":"902","ses":"842","exe":"/usr/lib/openssh/sftp-server","cwd":"/","path_name":"[\"/tmp/\",\"/tmp/agent\"]","path_nametype":"[\"PARENT\",\"CREATE\"]"`), push, "logon"},
		"not that": {strings.ReplaceAll(made, "CREATE", "NORMAL"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := follow(t, c.text)
			var accesses []string
			for _, a := range r.Accesses {
				accesses = append(accesses, a.What)
			}
			if got := brief(r.Transfers); got != c.want || strings.Join(accesses, " ") != c.accesses {
				t.Errorf("%q %q instead of %q %q", got, accesses, c.want, c.accesses)
			}
		})
	}
}

// TestAuditbeat: the objects that Auditbeat makes of an event's lines, which may be held in
// those of an index.
func TestAuditbeat(t *testing.T) {
	object := func(kind, action, process, more string) string {
		return `{"@timestamp":"2026-11-23T16:24:51.392Z","event":{"module":"auditd","action":"` + action + `"},"host":{"name":"ws3.corp.test","hostname":"ws3"},"process":{` + process + `},` +
			`"user":{"name":"root","audit":{"name":"ops"}},` + more + `"auditd":{"message_type":"` + kind + `","session":"842","result":"success",`
	}
	const sftp = `"pid":902,"executable":"/usr/lib/openssh/sftp-server","working_directory":"/tmp"`
	login := object("user_login", "logged-in", `"pid":800,"executable":"/usr/sbin/sshd"`, `"source":{"ip":"10.77.0.5"},`) + `"data":{"acct":"ops"}}}` + "\n"
	made := object("syscall", "opened-file", sftp, "") + `"data":{"syscall":"openat"},"paths":[{"item":"0","name":"/tmp/","nametype":"PARENT"},{"item":"1","name":"agent","nametype":"CREATE"}]}}` + "\n"
	scp := object("syscall", "executed", `"pid":901,"executable":"/usr/bin/scp","args":["scp","-p","/tmp/a b.sh","root@10.77.0.9:/tmp/x.sh"]`, "") + `"data":{"syscall":"execve"}}}` + "\n"
	called := object("syscall", "connected-to", `"pid":903,"executable":"/tmp/agent"`, `"destination":{"ip":"10.77.0.6","port":"5632"},`) + `"data":{"syscall":"connect"}}}` + "\n"
	wrote := object("syscall", "opened-file", `"pid":903,"executable":"/tmp/agent"`, "") + `"data":{"syscall":"openat"},"paths":[{"name":"/var/b","nametype":"CREATE"}]}}` + "\n"
	index := func(text string) string { return `{"_index":"a","_source":` + strings.TrimSpace(text) + "}\n" }
	const push = "push ssh 10.77.0.5>ws3 /tmp/agent ? done ops\n"
	for name, c := range map[string]struct{ text, want, accesses string }{
		"a command":     {scp, "push ssh ws3>10.77.0.9 /tmp/x.sh ? claimed root was a b.sh\n", ""},
		"what it makes": {login + made, push, "logon"},
		"of an index":   {index(login) + index(made), push, "logon"},
		"a writer":      {called + wrote, "", "network-write"},
		"refused":       {login + strings.ReplaceAll(made, `"success"`, `"fail"`), "", "logon"},
		"not that":      {strings.ReplaceAll(made, "CREATE", "NORMAL"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := follow(t, c.text)
			var accesses []string
			for _, a := range r.Accesses {
				accesses = append(accesses, a.What)
			}
			if got := brief(r.Transfers); got != c.want || strings.Join(accesses, " ") != c.accesses {
				t.Errorf("%q %q instead of %q %q", got, accesses, c.want, c.accesses)
			}
		})
	}
}

// TestBareSSH: sshd -E writes neither times nor processes.
func TestBareSSH(t *testing.T) {
	const (
		login = "Accepted publickey for ops from 10.77.0.5 port 50000 ssh2: ED25519 SHA256:x\r\n"
		begin = "session opened for local user ops from [10.77.0.5]\r\n"
		other = "session opened for local user ben from [10.77.0.6] [postauth]\r\n"
		put   = "open \"/srv/a\" flags WRITE,CREATE,TRUNCATE mode 0644\r\nclose \"/srv/a\" bytes read 0 written 7\r\n"
		end   = "session closed for local user ops from [10.77.0.5]\r\n"
	)
	for name, c := range map[string]struct{ text, want string }{
		"one after the other": {login + begin + put + end + other + strings.ReplaceAll(put, "/a", "/b"), "push ssh 10.77.0.5>fs1 /srv/a 7 done ops\npush ssh 10.77.0.6>fs1 /srv/b 7 done ben\n"},
		"side by side":        {login + begin + other + put + end, "push ssh >fs1 /srv/a 7 done \n"},
		"debug":               {"debug1: Bind to port 22 on 0.0.0.0.\nServer listening on 0.0.0.0 port 22.\n" + login + begin + put, "push ssh 10.77.0.5>fs1 /srv/a 7 done ops\n"},
	} {
		r := follow(t, c.text)
		if got := brief(r.Transfers); got != c.want {
			t.Errorf("%s: %q instead of %q", name, got, c.want)
		}
		for _, x := range r.Transfers {
			if !x.TimeAssumed {
				t.Errorf("%s: the time of %s is no assumption", name, x.Path)
			}
		}
	}
}
