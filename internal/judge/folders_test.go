package judge

import (
	"fmt"
	"testing"

	"waybill/internal/model"
)

// TestOddFolders: where a program came to lie, and the look-alikes that say nothing.
func TestOddFolders(t *testing.T) {
	unix := func(path, typ string) *model.Transfer {
		return logged("t-1", 0, func(t *model.Transfer) {
			t.Channel, t.Share, t.Path, t.Type = "ssh", "", path, typ
			t.Name = path[lastSlash(path)+1:]
		})
	}
	windows := func(share, path string) *model.Transfer {
		return logged("t-1", 0, func(t *model.Transfer) { t.Share, t.Path, t.Name, t.Type = share, path, "a.exe", "pe" })
	}
	pulled := func(channel, path, started string) *model.Transfer {
		x := unix(path, "elf")
		x.Operation, x.Initiator, x.Channel = model.Pull, model.ByDestination, channel
		if started != "" {
			x.Executed = []model.Execution{{Time: begin, How: "process", Process: started}}
		}
		return x
	}
	for _, c := range []struct {
		t    *model.Transfer
		want string // nats and technique
	}{
		{unix("/tmp/agent", ""), "1"},
		{unix("/tmp/agent", "elf"), "1"},
		{unix("/var/tmp/run.sh", ""), "1"},
		{unix("/var/tmp/run.sh", "text"), "1"},
		{unix("/dev/shm/agent", ""), "2"},
		{unix("/tmp/.x/agent", ""), "2 T1564.001"},
		{unix("/home/ops/.../agent", "elf"), "2 T1564.001"},
		{unix("tools/.x/agent", "elf"), "2 T1564.001"},
		{unix("/Users/bob/Library/LaunchAgents/a.plist", ""), "2 T1543.001"},
		{unix("/etc/cron.d/a", "text"), "2 T1053.003"},
		{unix("/tmp/report.pdf", ""), ""},
		{unix("/tmp/backup.tar.gz", "archive"), ""},
		{unix("/tmp/.X11-unix", "text"), ""},
		{unix("/tmp/notes", "text"), ""},
		{unix("/opt/app/agent", "elf"), ""},
		{unix("/home/ops/.ansible/tmp/AnsiballZ_setup.py", ""), ""},
		{unix("/home/ops/Library/a.plist", ""), ""},
		{pulled("http", "/tmp/agent", ""), ""},
		{pulled("http", "/agent", "/tmp/agent"), "1"},
		{pulled("ssh", "/dev/shm/agent", ""), "2"},
		{windows("C$", `PerfLogs\a.exe`), "2"},
		{windows("C$", `$Recycle.Bin\a.exe`), "2 T1564.001"},
		{windows("ADMIN$", `Temp\a.exe`), "1"},
		{windows("ADMIN$", `Fonts\a.exe`), "2"},
		{windows("C$", `ProgramData\a.exe`), "1"},
		{windows("C$", `ProgramData\Acme\a.exe`), ""},
		{windows("C$", `Users\bob\AppData\Roaming\Microsoft\Windows\Start Menu\Programs\Startup\a.exe`), "2 T1547.001"},
		{windows("", `C:\Users\Public\a.exe`), "1"},
		{windows("ADMIN$", `a.exe`), ""},
		{windows("pub", `tmp\a.exe`), ""},
		{windows("pub", `.x\a.exe`), "2 T1564.001"},
		{windows("C$", `Data\PerfLogs\a.exe`), ""},
	} {
		_, marks := lookDisguise(aliases{}, Event{Time: begin, Transfer: c.t, Usual: &Usual{}})
		got := ""
		for _, m := range marks {
			got += fmt.Sprint(m.Nats)
			for _, technique := range m.Techniques {
				got += " " + technique
			}
		}
		if got != c.want {
			t.Errorf("%s %s %s: %q instead of %q (%v)", c.t.Share, c.t.Path, c.t.Type, got, c.want, marks)
		}
	}
}

func lastSlash(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return -1
}

// TestRuns: what counts as executable by content, name, place and start.
func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name, typ string
		runs, may bool
	}{
		{"a", "elf", true, true},
		{"a", "macho", true, true},
		{"a", "script", true, true},
		{"a.sh", "", true, true},
		{"a.py", "text", true, true},
		{"a.vib", "archive", true, true},
		{"a.vmx", "text", true, true},
		{"libx.so.6", "", true, true},
		{"x.ko", "", true, true},
		{"a.exe", "text", false, false},
		{"a.js", "text", false, false},
		{"disk.vmdk", "disk", false, true},
		{"a.tgz", "archive", false, true},
		{"a", "", false, true},
		{"a.pdf", "", false, false},
		{"a.pdf", "pdf", false, false},
		{"notes", "text", false, false},
	} {
		x := &model.Transfer{Name: c.name, Path: c.name, Type: c.typ}
		if runs(x) != c.runs || mayRun(x) != c.may {
			t.Errorf("%s %s: runs %v, may run %v", c.name, c.typ, runs(x), mayRun(x))
		}
		x.Mode = "0755"
		if want := c.runs || c.typ == "" && c.may; runs(x) != want { // what tells content tells more
			t.Errorf("%s %s, mode 0755: runs %v", c.name, c.typ, runs(x))
		}
		x.Executed = started("bob")
		if !runs(x) {
			t.Errorf("%s %s was started and does not run", c.name, c.typ)
		}
	}
}
