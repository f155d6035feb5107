package unixhost_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/esxi"
	"waybill/internal/telemetry/macos"
	"waybill/internal/telemetry/unixhost"
)

// esEvent is a line of eslogger: a number that differs between releases, and the event.
func esEvent(second int, pid int, image, event string) string {
	return fmt.Sprintf(`{"schema_version":1,"event_type":%d,"time":"2025-03-03T11:00:%02d.120000000Z","process":{"audit_token":{"pid":%d,"asid":100000},"executable":{"path":%q},"is_platform_binary":true},"event":%s,"seq_num":%[2]d}`+"\n",
		second+7, second, pid, image, event)
}

const (
	newFile  = `{"create":{"destination_type":1,"destination":{"new_path":{"dir":{"path":"%s"},"filename":"%s","mode":420}}}}`
	sshLogin = `{"openssh_login":{"success":%t,"result_type":0,"source_address_type":1,"source_address":"%s","username":"ops"}}`
)

// told writes movements and logons a line each.
func told(r *telemetry.Result) string {
	var out []string
	for _, t := range r.Transfers {
		out = append(out, fmt.Sprintf("%s>%s %s %s %s %s by %s", t.Source.Name(), t.Destination.Name(), t.Operation, t.Channel, t.Path, t.Status, t.Initiator))
	}
	for _, a := range r.Accesses {
		if a.What == "logon" || a.What == "network-write" {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", a.What, a.Source.Name(), a.User, a.Channel, a.Status)))
		}
	}
	return strings.Join(out, "\n")
}

func TestMac(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"scp is a claim": {esEvent(1, 801, "/bin/zsh", `{"exec":{"target":{"audit_token":{"pid":801},"executable":{"path":"/usr/bin/scp"}},"args":["scp","a, b.bin","ops@10.77.0.12:/tmp/"]}}`),
			"fs1>10.77.0.12 push ssh /tmp/ claimed by source"},
		"sftp-server makes a file": {esEvent(1, 700, "/usr/sbin/sshd", fmt.Sprintf(sshLogin, true, "10.77.0.11")) + esEvent(2, 812, "/usr/libexec/sftp-server", fmt.Sprintf(newFile, "/private/tmp", "agent")) +
			esEvent(3, 900, "/usr/bin/touch", fmt.Sprintf(newFile, "/private/tmp", "mine")),
			"10.77.0.11>fs1 push ssh /tmp/agent done by source\nlogon 10.77.0.11 ops ssh"},
		"a refused login": {esEvent(1, 700, "/usr/sbin/sshd", fmt.Sprintf(sshLogin, false, "10.77.0.11")), ""},
		"curl, and the file that it makes": {esEvent(1, 801, "/bin/zsh", `{"exec":{"target":{"audit_token":{"pid":801},"executable":{"path":"/usr/bin/curl"}},"args":["curl","-o","/tmp/t.sh","http://10.77.0.9/t.sh"]}}`) +
			esEvent(2, 801, "/usr/bin/curl", fmt.Sprintf(newFile, "/private/tmp", "t.sh")),
			"10.77.0.9>fs1 pull http /t.sh done by destination"},
		"unified log": {`{"timestamp":"2025-03-03 12:00:00.100000+0100","eventMessage":"Accepted publickey for ops from 10.77.0.11 port 51544 ssh2","processID":41,"processImagePath":"\/usr\/sbin\/sshd","eventType":"logEvent"}` + "\n" +
			`{"timestamp":"2025-03-03 12:00:01.000000+0100","eventMessage":"Authentication: SUCCEEDED :: User Name: anna :: Viewer Address: 10.77.0.12 :: Type: RSA-SRP","processID":42,"processImagePath":"\/System\/x\/screensharingd"}` + "\n" +
			`{"timestamp":"2025-03-03 12:00:02.000000+0100","eventMessage":"Authentication: FAILED :: User Name: bob :: Viewer Address: 10.77.0.13 :: Type: DH","processID":42,"processImagePath":"\/System\/x\/screensharingd"}` + "\n",
			"logon 10.77.0.11 ops ssh\nlogon 10.77.0.12 anna vnc\nlogon 10.77.0.13 bob vnc refused"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(follow(t, c.text)); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}

const guestEvent = "2024-06-03T22:46:09.892Z In(166) Hostd[1050233]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 229 : Guest operation Initiate File Transfer %s Guest performed on Virtual machine DC1.\n" +
	"2024-06-03T22:46:%s.969Z In(166) Hostd[1050237]: [Originator@6876 sub=Guestsvc.GuestFileHandler] Guest File Path is %s\n"

func TestESXi(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"into a guest":       {fmt.Sprintf(guestEvent, "To", "09", `C:\Windows\Temp\a.exe`), `fs1>DC1 push guest C:\Windows\Temp\a.exe claimed by source`},
		"out of a guest":     {fmt.Sprintf(guestEvent, "From", "09", "/etc/shadow"), "DC1>fs1 pull guest /etc/shadow claimed by destination"},
		"output of a script": {fmt.Sprintf(guestEvent, "From", "09", `C:\Temp\powerclivmware151`), ""},
		"a path much later":  {fmt.Sprintf(guestEvent, "To", "30", `C:\a.exe`), ""},
		"logins": {"2023-12-05T14:31:48.558Z In(166) Hostd[1050748]: [Originator@6876 sub=Vimsvc.ha-eventmgr opID=e sid=5] Event 99 : User root@10.77.0.10 logged in as Mozilla/5.0\n" +
			"2023-12-05T14:31:49.558Z info hostd[1050748] [Originator@6876 sub=Vimsvc.ha-eventmgr opID=e] Event 100 : User vpxuser@127.0.0.1 logged in as x\n", "logon 10.77.0.10 root http"},
		"shell": {"2023-12-05T17:36:17.835Z In(14) shell[1053659]: [root]: esxcli vm process list\n2023-12-05T17:36:18Z shell[1053659]: [root]: scp /vmfs/volumes/ds1/x.vmdk ops@10.77.0.12:/srv/\n" +
			"2023-12-05T17:36:19.810Z In(182) vmkernel: cpu0:2098001)Jumpstart plugin swapobjd activated.\n", "fs1>10.77.0.12 push ssh /srv/ claimed by source"},
		"scp by SFTP": {"2012-02-01T22:01:44Z sshd[23752]: Accepted keyboard-interactive/pam for root from 10.77.0.2 port 57994 ssh2\n2012-02-01T22:01:45Z sftp-server[23760]: session opened for local user root from [10.77.0.2]\n" +
			"2012-02-01T22:01:45Z sftp-server[23760]: open \"/vmfs/volumes/ds1/enc\" flags WRITE,CREATE,TRUNCATE mode 0644\n2012-02-01T22:01:46Z sftp-server[23760]: close \"/vmfs/volumes/ds1/enc\" bytes read 0 written 81920\n",
			"10.77.0.2>fs1 push ssh /vmfs/volumes/ds1/enc done by source\nlogon 10.77.0.2 root ssh"},
		"datastore": {"2024-06-03T22:46:09.892Z In(166) Hostd[1]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 9 : File upload to path '[ds1] tools/enc' was initiated from 'Mozilla/5.0@10.77.0.10' and completed with status 'Success'\n" +
			"2024-06-03T22:46:10.892Z In(166) Hostd[1]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 10 : File download from path '[ds1] vm/vm.vmx' was initiated from 'Mozilla/5.0@10.77.0.10' and completed with status 'Failure'\n",
			"10.77.0.10>fs1 push http tools/enc done by source\nfs1>10.77.0.10 pull http vm/vm.vmx failed by destination"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(follow(t, c.text)); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}

// TestDatastoreAccount: a file is of the account that logged in from its client, when
// it is one only.
func TestDatastoreAccount(t *testing.T) {
	const event = "2024-06-03T22:46:09.892Z In(166) Hostd[1]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 9 : "
	upload := func(name string) string {
		return event + "File upload to path '[ds1] " + name + "' was initiated from 'Mozilla/5.0@10.77.0.10' and completed with status 'Success'\n"
	}
	login := func(user string) string { return event + "User " + user + "@10.77.0.10 logged in as Mozilla/5.0\n" }
	r := follow(t, upload("a")+login("vmadmin")+login("vmadmin")+upload("b")+login("root")+upload("c")+login("root")+upload("d"))
	var users []string
	for _, x := range r.Transfers {
		users = append(users, x.Name+":"+x.User)
	}
	if got := strings.Join(users, " "); got != "a: b:vmadmin c: d:" {
		t.Error(got)
	}
}

// TestReceivedFrom: without a session, the only client of the last minutes is who sent
// a file, under its account when it used one only.
func TestReceivedFrom(t *testing.T) {
	file := func(second int, name string) string {
		return esEvent(second, 812, "/usr/libexec/sftp-server", fmt.Sprintf(newFile, "/tmp", name))
	}
	in := func(second int, user, client string) string {
		return esEvent(second, 700, "/usr/sbin/sshd", strings.Replace(fmt.Sprintf(sshLogin, true, client), "ops", user, 1))
	}
	r := follow(t, in(1, "ops", "10.77.0.11")+file(2, "a")+in(3, "kim", "10.77.0.11")+file(4, "b")+in(5, "ops", "10.77.0.12")+file(6, "c"))
	var from []string
	for _, x := range r.Transfers {
		from = append(from, x.Name+":"+x.User+"@"+x.Source.Name())
	}
	if got := strings.Join(from, " "); got != "a:ops@10.77.0.11 b:@10.77.0.11 c:@" {
		t.Error(got)
	}
}

// TestNotESXi: other system logs are no logs of ESXi.
func TestNotESXi(t *testing.T) {
	for _, text := range []string{"2026-03-17T09:00:01Z fs1 sshd[1]: x\n", "Mar  3 10:00:00 fs1 sshd[1]: x\n", "2026-03-17T09:00:01+00:00 fs1 cron: y\n", "2026-03-17T09:00:01Z envoy started\n", ""} {
		if esxi.Format.Looks([]byte(text)) {
			t.Errorf("%q", text)
		}
	}
}

func FuzzMacAndESXi(f *testing.F) {
	f.Add(esEvent(1, 1, "/x", fmt.Sprintf(newFile, "/tmp", "a")), uint8(0))
	f.Add(`{"timestamp":"2025-03-03 12:00:00.100000+0100","eventMessage":"x","processID":41,"processImagePath":"/usr/sbin/sshd"}`, uint8(1))
	f.Add(fmt.Sprintf(guestEvent, "To", "09", `C:\a`), uint8(2))
	f.Add(mounted+esCopyfile(2, finder, public+"/a", "/tmp", "a")+esCreate(3, 8, "/bin/cp", public, "b")+esClose(4, 8, "/bin/cp", public+"/c", true), uint8(0))
	f.Add("2023-12-05T17:36:17.835Z In(14) shell[1]: [root]: esxcli storage nfs add -H a -s /b -v c\n2023-12-05T17:36:18.835Z In(14) shell[1]: [root]: cp /d /vmfs/volumes/c/\n", uint8(2))
	all := []telemetry.Format{macos.Eslogger, macos.Unified, esxi.Format}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		form := all[int(which)%len(all)]
		form.Looks([]byte(text))
		log, h := form.Open(strings.NewReader(text), telemetry.OpenOptions{}), unixhost.New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		var b telemetry.Batch
		for log.Next(&b) != io.EOF {
			for i := range b.Records {
				b.Records[i].Host = "h"
				h.Record(&b.Records[i])
			}
		}
		for _, x := range h.Close().Transfers {
			if x.Source.Name() != "" && x.Source.Name() == x.Destination.Name() || x.Status == model.Done && x.Channel == "guest" {
				t.Errorf("%+v", x)
			}
		}
	})
}
