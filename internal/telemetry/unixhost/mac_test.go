package unixhost_test

import (
	"fmt"
	"testing"
)

// Events of the Endpoint Security framework, in the form of es_message_t.
func esClose(second, pid int, image, path string, modified bool) string {
	return esEvent(second, pid, image, fmt.Sprintf(`{"close":{"modified":%t,"target":{"path":%q}}}`, modified, path))
}

func esCreate(second, pid int, image, dir, name string) string {
	return esEvent(second, pid, image, fmt.Sprintf(newFile, dir, name))
}

func esRename(second, pid int, image, from, dir, name string) string {
	return esEvent(second, pid, image, fmt.Sprintf(`{"rename":{"source":{"path":%q},"destination_type":1,"destination":{"new_path":{"dir":{"path":%q},"filename":%q}}}}`, from, dir, name))
}

func esExec(second, pid int, image, args string) string {
	return esEvent(second, pid, "/bin/zsh", fmt.Sprintf(`{"exec":{"target":{"audit_token":{"pid":%d},"executable":{"path":%q}},"args":[%s],"cwd":{"path":"/Users/ops"}}}`, pid, image, args))
}

func esMount(second int, what, from, at string) string {
	return esEvent(second, 99, "/sbin/mount_smbfs", fmt.Sprintf(`{%q:{"statfs":{"f_fstypename":"smbfs","f_mntfromname":%q,"f_mntonname":%q}}}`, what, from, at))
}

func esCopyfile(second int, image, from, dir, name string) string {
	return esEvent(second, 501, image, fmt.Sprintf(`{"copyfile":{"source":{"path":%q},"target_file":null,"target_dir":{"path":%q},"target_name":%q,"mode":0,"flags":0}}`, from, dir, name))
}

const (
	sftpd  = "/usr/libexec/sftp-server"
	finder = "/System/Library/CoreServices/Finder.app/Contents/MacOS/Finder"
	public = "/Volumes/public"
)

var (
	sshIn   = esEvent(1, 700, "/usr/sbin/sshd", fmt.Sprintf(sshLogin, true, "10.77.0.11"))
	mounted = esMount(1, "mount", "//LAB;ops@10.77.0.20/public", public)
)

const logon = "\nlogon 10.77.0.11 ops ssh"

func TestMacFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a file that is written over":     {sshIn + esClose(2, 812, sftpd, "/private/tmp/agent", true), "10.77.0.11>fs1 push ssh /tmp/agent done by source" + logon},
		"one that is only read":           {sshIn + esClose(2, 812, sftpd, "/private/tmp/agent", false), "logon 10.77.0.11 ops ssh"},
		"made and closed is one movement": {sshIn + esCreate(2, 812, sftpd, "/tmp", "a") + esClose(3, 812, sftpd, "/tmp/a", true), "10.77.0.11>fs1 push ssh /tmp/a done by source" + logon},
		"written over again":              {sshIn + esCreate(2, 812, sftpd, "/tmp", "a") + esClose(3, 812, sftpd, "/tmp/a", true) + esClose(5, 812, sftpd, "/tmp/a", true), "10.77.0.11>fs1 push ssh /tmp/a done by source\n10.77.0.11>fs1 push ssh /tmp/a done by source" + logon},
		"an editor that writes over":      {sshIn + esClose(2, 900, "/usr/bin/vim", "/tmp/a", true), "logon 10.77.0.11 ops ssh"},
		"a temporary file of SFTP":        {sshIn + esCreate(2, 812, sftpd, "/tmp", "a.filepart") + esClose(3, 812, sftpd, "/tmp/a.filepart", true) + esRename(4, 812, sftpd, "/tmp/a.filepart", "/tmp", "a"), "10.77.0.11>fs1 push ssh /tmp/a done by source" + logon},
		"openrsync": {sshIn + esExec(2, 812, "/usr/bin/rsync", `"rsync","--server","-t",".","/tmp/in/"`) + esCreate(3, 812, "/usr/bin/rsync", "/tmp/in", ".a.bin.k3Jd9sLq0Z") +
			esClose(4, 812, "/usr/bin/rsync", "/tmp/in/.a.bin.k3Jd9sLq0Z", true) + esRename(5, 812, "/usr/bin/rsync", "/tmp/in/.a.bin.k3Jd9sLq0Z", "/tmp/in", "a.bin"),
			"10.77.0.11>fs1 push ssh /tmp/in/a.bin done by source" + logon},
		"fetched under another name": {esExec(1, 801, "/usr/bin/curl", `"curl","-o","/tmp/t.sh","http://10.77.0.9/t.sh"`) + esCreate(2, 801, "/usr/bin/curl", "/tmp", "t.part") + esRename(3, 801, "/usr/bin/curl", "/tmp/t.part", "/tmp", "t.sh"),
			"10.77.0.9>fs1 pull http /t.sh done by destination"},
		"fetched over an older file": {esExec(1, 801, "/usr/bin/curl", `"curl","-o","/tmp/t.sh","http://10.77.0.9/t.sh"`) + esClose(2, 801, "/usr/bin/curl", "/tmp/t.sh", true), "10.77.0.9>fs1 pull http /t.sh done by destination"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(follow(t, c.text)); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}

// TestMacShare: what copying programs make below a mounted share went to it, and what is
// run or copied from there came from it; what else lies there did not move by this.
func TestMacShare(t *testing.T) {
	const toShare = "fs1>10.77.0.20 push smb "
	cp := esExec(2, 801, "/bin/cp", `"cp","tools/agent","/Volumes/public/in/agent"`)
	for name, c := range map[string]struct{ text, want string }{
		"cp to it":               {mounted + cp + esCreate(3, 801, "/bin/cp", public+"/in", "agent") + esClose(4, 801, "/bin/cp", public+"/in/agent", true), toShare + `in\agent` + " done by source"},
		"cp over a file of it":   {mounted + cp + esClose(4, 801, "/bin/cp", public+"/in/agent", true), toShare + `in\agent` + " done by source"},
		"cp whose start is not":  {mounted + esCreate(3, 801, "/bin/cp", public+"/in", "agent"), toShare + `in\agent` + " done by source"},
		"the Finder":             {mounted + esCreate(3, 501, finder, public, "a.dmg") + esClose(4, 501, finder, public+"/a.dmg", true), toShare + "a.dmg done by source"},
		"what the Finder keeps":  {mounted + esCreate(3, 501, finder, public, ".DS_Store") + esCreate(4, 501, finder, public, "._a.dmg"), ""},
		"an editor":              {mounted + esCreate(3, 501, "/usr/bin/vim", public, "a.txt"), ""},
		"run from it":            {mounted + esExec(3, 801, public+"/t.sh", `"t.sh"`), "10.77.0.20>fs1 pull smb t.sh done by destination"},
		"opened and closed":      {mounted + esClose(3, 801, "/usr/bin/mdworker", public+"/t.sh", false), ""},
		"copyfile from it":       {mounted + esCopyfile(3, finder, public+"/t.dmg", "/private/tmp", "t.dmg"), "10.77.0.20>fs1 pull smb t.dmg done by destination"},
		"copyfile to it":         {mounted + esCopyfile(3, finder, "/tmp/t.dmg", public+"/in", "t.dmg"), toShare + `in\t.dmg` + " done by source"},
		"copyfile within it":     {mounted + esCopyfile(3, finder, public+"/a", public+"/in", "a"), ""},
		"copyfile on a disk":     {mounted + esCopyfile(3, finder, "/tmp/a", "/tmp/b", "a"), ""},
		"a folder of like name":  {mounted + esCreate(3, 501, finder, "/Volumes/public2", "a.dmg"), ""},
		"after it was unmounted": {mounted + esMount(2, "unmount", "//ops@10.77.0.20/public", public) + esCreate(3, 501, finder, public, "a.dmg"), ""},
		"a disk in its place":    {mounted + esMount(2, "mount", "/dev/disk4s1", public) + esCreate(3, 501, finder, public, "a.dmg"), ""},
		"its own share":          {esMount(1, "mount", "//ops@127.0.0.1/public", public) + esCreate(3, 501, finder, public, "a.dmg"), ""},
		"a share by Bonjour":     {esMount(1, "mount", "//ops@NAS%201._smb._tcp.local/public", public) + esCreate(3, 501, finder, public, "a.dmg"), "fs1>NAS 1 push smb a.dmg done by source"},
		"an NFS export":          {esMount(1, "mount", "10.77.0.21:/srv/x", "/private/tmp/n") + esCreate(3, 501, finder, "/private/tmp/n", "a.dmg"), "fs1>10.77.0.21 push nfs a.dmg done by source"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(follow(t, c.text)); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}

// TestMacShareTold: share, account and program are told; a run from a share is one.
func TestMacShareTold(t *testing.T) {
	r := follow(t, mounted+esCreate(2, 501, finder, public, "a.dmg")+esExec(3, 801, public+"/t.sh", `"t.sh","-x"`))
	put, ran := r.Transfers[0], r.Transfers[1]
	if put.Share != "public" || put.User != "ops" || put.Process != finder || put.Confidence != "" {
		t.Errorf("%+v", put)
	}
	if len(ran.Executed) != 1 || ran.Executed[0].PID != 801 || ran.Executed[0].Command != "t.sh -x" {
		t.Errorf("%+v", ran.Executed)
	}
}
