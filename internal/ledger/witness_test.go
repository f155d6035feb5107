package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// sysmon is what Sysmon on WS1 says of the copy, audit what 4688 there does.
func sysmon() *model.Transfer {
	return with(client(), func(t *model.Transfer) {
		t.ID, t.Start, t.End, t.Process, t.Command, t.PID, t.Tool = "t-m", 99*second, 99*second, `C:\Windows\System32\cmd.exe`, `cmd /c copy a.exe \\srv\t\`, 42, ""
		t.Status = model.Done
		t.Evidence[0].Channel, t.Evidence[0].Computer = "Microsoft-Windows-Sysmon/Operational", "WS1.corp.test"
	})
}

func audit() *model.Transfer {
	return with(client(), func(t *model.Transfer) {
		t.Process, t.PID, t.Command, t.InitiatorUser = `C:\Windows\System32\cmd.exe`, 0x2a, "cmd /c copy", `CORP\bob`
		t.Evidence[0].Channel = "Security"
	})
}

// TestWitnesses: of each field what the best witness says.
func TestWitnesses(t *testing.T) {
	size := func(n int64) *int64 { return &n }
	of := func(make func() *model.Transfer, change func(*model.Transfer)) *model.Transfer {
		return with(make(), change)
	}
	yes, no := true, false
	for name, c := range map[string]struct {
		all  []*model.Transfer
		show func(*model.Transfer) any
		want string
	}{
		"times: packets": {[]*model.Transfer{packets(), server(), passed()},
			func(x *model.Transfer) any { return int64(x.Start / second) }, "100"},
		"times and id: a sensor, before the server's log": {[]*model.Transfer{noted(), of(passed, func(t *model.Transfer) { t.Name = "a.exe" })},
			func(x *model.Transfer) any { return fmt.Sprint(int64(x.Start/second), " ", x.ID) }, "100 t-z"},
		"size: packets that saw all": {[]*model.Transfer{of(packets, func(t *model.Transfer) { t.Size = size(7) }), of(server, func(t *model.Transfer) { t.Size = size(9) })},
			func(x *model.Transfer) any { return *x.Size }, "7"},
		"size: the server's, where packets saw a part": {[]*model.Transfer{of(packets, func(t *model.Transfer) { t.Completeness, t.SHA256, t.Size = model.Partial, "", size(7) }), of(server, func(t *model.Transfer) { t.Size = size(9) })},
			func(x *model.Transfer) any { return *x.Size }, "9"},
		"size: the server's, where a sensor lost some": {[]*model.Transfer{of(passed, func(t *model.Transfer) { t.Name, t.SensorComplete, t.Size = "a.exe", &no, size(7) }), of(noted, func(t *model.Transfer) { t.Size = size(9) })},
			func(x *model.Transfer) any { return *x.Size }, "9"},
		"size: the sensor's, where it saw all": {[]*model.Transfer{of(passed, func(t *model.Transfer) { t.Name, t.SensorComplete, t.Size = "a.exe", &yes, size(7) }), of(noted, func(t *model.Transfer) { t.Size = size(9) })},
			func(x *model.Transfer) any { return *x.Size }, "7"},
		"type: packets": {[]*model.Transfer{of(packets, func(t *model.Transfer) { t.Type = "pe" }), of(passed, func(t *model.Transfer) { t.Type = "data" })},
			func(x *model.Transfer) any { return x.Type }, "pe"},
		"type: a sensor, where packets show none": {[]*model.Transfer{packets(), passed()},
			func(x *model.Transfer) any { return x.Type }, "pe"},
		"user: Kerberos before NTLM": {[]*model.Transfer{of(packets, func(t *model.Transfer) { t.User, t.Auth = "BOB", "ntlm" }), of(passed, func(t *model.Transfer) { t.User, t.Auth, t.Domain = "bob", "kerberos", "CORP.TEST" })},
			func(x *model.Transfer) any { return x.User + " " + x.Auth + " " + x.Domain }, "bob kerberos CORP.TEST"},
		"user: NTLM before the server's record, whose SID it has": {[]*model.Transfer{of(packets, func(t *model.Transfer) { t.User, t.Auth = "bob", "ntlm" }), of(server, func(t *model.Transfer) { t.UserSID, t.Domain = "S-1-5-21-1-2-3-1001", "CORP" })},
			func(x *model.Transfer) any { return x.User + " " + x.Auth + " " + x.Domain + " " + x.UserSID }, "bob ntlm CORP S-1-5-21-1-2-3-1001"},
		"user: the server's record before a command's": {[]*model.Transfer{server(), of(client, func(t *model.Transfer) { t.User = "alias" })},
			func(x *model.Transfer) any { return x.User }, "bob"},
		"process: Sysmon before a command": {[]*model.Transfer{sysmon(), client()},
			func(x *model.Transfer) any { return fmt.Sprint(x.Process, " ", x.PID, " ", x.Tool) }, `C:\Windows\System32\cmd.exe 42 copy`},
		"process: Sysmon before 4688, with the account that only 4688 has": {[]*model.Transfer{of(sysmon, func(t *model.Transfer) { t.Start, t.End, t.Evidence[0].Computer = 97*second, 97*second, "ws1" }), audit()},
			func(x *model.Transfer) any { return fmt.Sprint(x.Command, " ", x.InitiatorUser) }, `cmd /c copy a.exe \\srv\t\ CORP\bob`},
		"process: 4688 before a command": {[]*model.Transfer{of(client, func(t *model.Transfer) { t.Evidence[0].Channel, t.Evidence[0].Computer = "shell-history", "other" }), audit()},
			func(x *model.Transfer) any { return x.Command }, "cmd /c copy"},
		"host: its own record": {[]*model.Transfer{of(packets, func(t *model.Transfer) { t.Destination.Host = "srv" }), server()},
			func(x *model.Transfer) any { return x.Destination.Host }, "SRV.corp.test"},
		"channel: who knows the dialect": {[]*model.Transfer{of(passed, func(t *model.Transfer) { t.Name, t.Channel = "a.exe", "smb" }), of(noted, func(t *model.Transfer) { t.Channel = "smb1" })},
			func(x *model.Transfer) any { return x.Channel }, "smb1"},
		"operation: packets": {[]*model.Transfer{packets(), of(server, func(t *model.Transfer) { t.Operation, t.Initiator = model.Pull, model.ByDestination })},
			func(x *model.Transfer) any { return x.Operation }, "push"},
		"an estimate that another knows": {[]*model.Transfer{of(noted, func(t *model.Transfer) { t.Confidence = "medium" }), of(passed, func(t *model.Transfer) { t.Name = "a.exe" })},
			func(x *model.Transfer) any { return x.Confidence }, ""},
	} {
		for range 2 {
			slices.Reverse(c.all)
			got := Join(copies(c.all), named())
			if len(got) != 1 {
				t.Errorf("%s: %s", name, joined(got))
				continue
			}
			if s := fmt.Sprint(c.show(got[0])); s != c.want {
				t.Errorf("%s: %s instead of %s", name, s, c.want)
			}
		}
	}
}

func copies(all []*model.Transfer) (out []*model.Transfer) {
	for _, t := range all {
		x := *t
		x.Evidence = slices.Clone(t.Evidence)
		out = append(out, &x)
	}
	return out
}

// named knows the hosts by what they are called in exchanges: without domains.
func named() *identity.Table {
	t := &identity.Table{}
	for a, h := range map[string]string{"10.0.0.1": "ws1", "10.0.0.2": "ws2", "10.0.0.8": "srv"} {
		t.Add(identity.Binding{Addr: addr(a), Host: h, Last: 1e15, Weak: true})
	}
	return t
}

// TestContradictions: what witnesses say differently is kept and counted.
func TestContradictions(t *testing.T) {
	size := func(n int64) *int64 { return &n }
	md5 := func(v string) []model.Hash { return []model.Hash{{Alg: "md5", Value: v, From: "sensor"}} }
	wire := func(change func(*model.Transfer)) *model.Transfer {
		return with(packets(), func(t *model.Transfer) { t.SHA256, t.User, t.Size = "", "bob", size(700); change(t) })
	}
	zeek := func(change func(*model.Transfer)) *model.Transfer {
		return with(passed(), func(t *model.Transfer) { t.Name, t.Start, t.End = "a.exe", 100*second, 101*second; change(t) })
	}
	none := func(*model.Transfer) {}
	for name, c := range map[string]struct {
		all   []*model.Transfer
		want  string
		count int
	}{
		"none":                    {[]*model.Transfer{wire(none), zeek(none), server()}, "", 3},
		"sizes":                   {[]*model.Transfer{wire(none), zeek(func(t *model.Transfer) { t.Size = size(701) })}, "size: the packets of a.pcap says 700, zeek/files says 701", 2},
		"a size that lost some":   {[]*model.Transfer{wire(none), zeek(func(t *model.Transfer) { t.Size = size(600); *t.SensorComplete = false })}, "", 2},
		"a size on the wire":      {[]*model.Transfer{wire(func(t *model.Transfer) { t.WireSize = size(300) }), zeek(func(t *model.Transfer) { t.Size = size(300) })}, "", 2},
		"line ends":               {[]*model.Transfer{wire(func(t *model.Transfer) { t.Notes = []string{"ASCII mode: line ends"} }), zeek(func(t *model.Transfer) { t.Size = size(701) })}, "", 2},
		"users":                   {[]*model.Transfer{wire(none), with(server(), func(t *model.Transfer) { t.User = `CORP\eve` })}, `user: the packets of a.pcap says bob, Security of SRV.corp.test says CORP\eve`, 2},
		"a user with its domain":  {[]*model.Transfer{wire(none), with(server(), func(t *model.Transfer) { t.User = `CORP\BOB` })}, "", 2},
		"nobody":                  {[]*model.Transfer{wire(none), with(server(), func(t *model.Transfer) { t.User = "ANONYMOUS LOGON" })}, "", 2},
		"a user that was asked":   {[]*model.Transfer{wire(none), with(client(), func(t *model.Transfer) { t.User = "eve" })}, "", 2},
		"who opened it":           {[]*model.Transfer{wire(none), with(server(), func(t *model.Transfer) { t.Operation = model.Pull })}, "operation: the packets of a.pcap says push, Security of SRV.corp.test says pull", 2},
		"contents, one exchange":  {[]*model.Transfer{wire(func(t *model.Transfer) { t.Hashes = md5("aa") }), zeek(func(t *model.Transfer) { t.Hashes = md5("bb") })}, "sha256: the packets of a.pcap says md5 aa, zeek/files says md5 bb", 2},
		"contents, two exchanges": {[]*model.Transfer{wire(func(t *model.Transfer) { t.Hashes = md5("aa") }), zeek(func(t *model.Transfer) { t.Hashes, t.Source.Port = md5("bb"), 5001 })}, "", 2},
		"the other direction": {[]*model.Transfer{wire(none), zeek(func(t *model.Transfer) { t.Source, t.Destination = t.Destination, t.Source })},
			"direction: the packets of a.pcap says from 10.0.0.1 to 10.0.0.8, zeek/files says from 10.0.0.8 to 10.0.0.1", 2},
		"there and back": {[]*model.Transfer{wire(none), wire(func(t *model.Transfer) { t.ID = "t-q"; t.Source, t.Destination = t.Destination, t.Source }),
			zeek(func(t *model.Transfer) { t.Source, t.Destination = t.Destination, t.Source })}, "", 3},
	} {
		for _, x := range c.all {
			if x.ID == "t-s" {
				x.Evidence[0].Channel = "Security"
			}
		}
		l := New(hosts(), Settings{})
		got, seen := l.Join(c.all), 0
		var said []string
		for _, x := range got {
			said = append(said, x.Contradictions...)
			seen += len(x.Evidence)
		}
		if s := strings.Join(said, "; "); s != c.want || seen != c.count {
			t.Errorf("%s: %q instead of %q, %s", name, s, c.want, joined(got))
		}
		if field, _, _ := strings.Cut(c.want, ":"); c.want != "" && (l.Stats().Contradictions[field] != 1 || len(got) != 1) {
			t.Errorf("%s: counted %v, %s", name, l.Stats().Contradictions, joined(got))
		}
	}
}
