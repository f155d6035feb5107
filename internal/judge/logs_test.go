package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

// logged is a movement as host logs show it: a program from WS to SRV.
func logged(id string, at model.Time, change func(*model.Transfer)) *model.Transfer {
	t := &model.Transfer{ID: id, Start: begin + at, End: begin + at, Source: model.Endpoint{Host: "WS"}, Destination: model.Endpoint{Host: "SRV"},
		Initiator: model.BySource, Operation: model.Push, Channel: "smb", Share: "ADMIN$", Path: `System32\a.exe`, Name: "a.exe", User: "bob", Domain: "CORP",
		Completeness: model.Logged, Status: model.Done, Scope: model.ScopeInternal, Techniques: []string{"T1570"},
		Evidence: []model.Evidence{{Input: "a.evtx", Kind: "event", Computer: "SRV", Record: 1}}}
	change(t)
	return t
}

func started(user string) []model.Execution {
	return []model.Execution{{Time: begin + 5e9, How: "process", Process: `C:\Windows\System32\a.exe`, User: user}}
}

// archive is one of which the bytes are not known, and what became of it.
func archive(became ...model.Execution) func(*model.Transfer) {
	return func(t *model.Transfer) {
		t.Share, t.Name, t.Path, t.Executed = "C$", "a.7z", `ProgramData\a.7z`, became
	}
}

func unpackedBy(by string) model.Execution {
	return model.Execution{Time: begin + 4e9, How: "unpack", Process: `C:\7z.exe`, Command: `7z x a.7z`, User: `CORP\bob`, By: by}
}

// said writes the marks of a run: analytic and nats.
func said(transfers []*model.Transfer, accesses []*model.Access, set Settings) string {
	var out []string
	for _, f := range Look(transfers, accesses, nil, set).Findings {
		for _, r := range f.Reasons {
			out = append(out, fmt.Sprintf("%s %g", r.Analytic, r.Nats))
		}
	}
	return strings.Join(out, ", ")
}

func TestLogged(t *testing.T) {
	access := func(what, object, command, detail string) []*model.Access {
		return []*model.Access{{ID: "x", Time: begin + 60e9, What: what, Destination: model.Endpoint{Host: "SRV"}, Source: model.Endpoint{Host: "WS"}, Object: object, Command: command, Detail: detail}}
	}
	for name, c := range map[string]struct {
		change   func(*model.Transfer)
		accesses []*model.Access
		set      Settings
		want     string
	}{
		"a write":                 {func(t *model.Transfer) {}, nil, Settings{}, "admin-share-write 5"},
		"a claim":                 {func(t *model.Transfer) { t.Status = model.Claimed }, nil, Settings{}, "admin-share-write 4"},
		"refused":                 {func(t *model.Transfer) { t.Status = model.Denied }, nil, Settings{}, ""},
		"started":                 {func(t *model.Transfer) { t.Executed = started(`NT AUTHORITY\SYSTEM`) }, nil, Settings{}, "remote-start 6, admin-share-write 5"},
		"started by the writer":   {func(t *model.Transfer) { t.Executed = started(`CORP\bob`) }, nil, Settings{}, "remote-start 6, admin-share-write 5, executor-match 1"},
		"started by a namesake":   {func(t *model.Transfer) { t.Executed = started(`SRV\bob`) }, nil, Settings{}, "remote-start 6, admin-share-write 5"},
		"a text that was started": {func(t *model.Transfer) { t.Name, t.Path = "a.xml", `System32\a.xml`; t.Executed = started("x") }, nil, Settings{}, "remote-start 6, admin-share-write 5"},
		"a text":                  {func(t *model.Transfer) { t.Name, t.Path = "a.txt", `System32\a.txt` }, nil, Settings{}, ""},
		"a policy that starts":    {func(t *model.Transfer) { t.Share, t.Name = "SYSVOL", "ScheduledTasks.xml" }, nil, Settings{}, "admin-share-write 5"},
		"another policy file":     {func(t *model.Transfer) { t.Share, t.Name = "SYSVOL", "gpt.ini" }, nil, Settings{}, ""},
		"no share is named":       {func(t *model.Transfer) { t.Share, t.Path = "", `C:\ProgramData\a\a.exe` }, nil, Settings{}, "admin-share-write 5"},
		"a share's own folder":    {func(t *model.Transfer) { t.Share, t.Path = "", `D:\Data\a.exe` }, nil, Settings{}, ""},
		"an archive":              {archive(), nil, Settings{}, ""},
		"an archive, unpacked":    {archive(unpackedBy("wmi")), nil, Settings{}, "remote-start 5, admin-share-write 3, executor-match 1"},
		"what it holds, started":  {archive(unpackedBy("wmi"), started("x")[0]), nil, Settings{}, "admin-share-write 7, remote-start 6, executor-match 1, disguise 1"},
		"a disk image, mounted": {func(t *model.Transfer) {
			archive(model.Execution{Time: begin + 5e9, How: "mount"})(t)
			t.Name, t.Path = "a.iso", `ProgramData\a.iso`
		}, nil, Settings{}, "admin-share-write 7, remote-start 6, disguise 1"},
		"to a share, nothing else": {func(t *model.Transfer) { t.Share = "pub" }, nil, Settings{}, ""},
		"to a share, and started":  {func(t *model.Transfer) { t.Share = "pub"; t.Executed = started("x") }, nil, Settings{}, "remote-start 6, share-drop 3"},
		"by a tool":                {func(t *model.Transfer) { t.Tool, t.Command = "robocopy", "robocopy a b" }, nil, Settings{}, "admin-share-write 5, transfer-utility 2"},
		"calls itself something":   {func(t *model.Transfer) { t.OriginalName = "procdump.exe" }, nil, Settings{}, "admin-share-write 5, disguise 3"},
		"a copy's number":          {func(t *model.Transfer) { t.Name, t.OriginalName = "procdump64 (1).exe", "ProcDump" }, nil, Settings{}, "admin-share-write 5"},
		"two extensions":           {func(t *model.Transfer) { t.Name, t.Share = "plan.pdf.exe", "pub" }, nil, Settings{}, "disguise 3, share-drop 3"},
		"over Remote Desktop":      {func(t *model.Transfer) { t.Channel, t.Share = "rdp", ""; t.Executed = started("x") }, nil, Settings{}, "remote-start 6, rdp-copy 3"},
		"through a folder":         {func(t *model.Transfer) { t.Channel, t.Share = "sync-folder", ""; t.Executed = started("x") }, nil, Settings{}, "remote-start 6, sync-folder-relay 4"},
		"a pull that was run": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share = model.Pull, model.ByDestination, "pub"
			t.Executed = started("x")
		}, nil, Settings{}, "remote-start 3, tool-pull 2"},
		"a pull that its reader ran": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share = model.Pull, model.ByDestination, "pub"
			t.Executed = started(`CORP\bob`)
		}, nil, Settings{}, "remote-start 3, tool-pull 2"},
		"run in a web folder": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share, t.Channel = model.Pull, model.ByDestination, "DavWWWRoot", "webdav"
			t.Executed = started("x")
		}, nil, Settings{}, "tool-pull 7, remote-start 3"},
		"copied by a policy": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share, t.User = model.Pull, model.ByDestination, "pub", "SRV$"
			t.Receiver = &model.Receiver{Process: `C:\Windows\System32\svchost.exe`}
		}, nil, Settings{}, "tool-pull 4"},
		"fetched by the system of a host": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share, t.User = model.Pull, model.ByDestination, "pub", "SRV$"
			t.Executed = started("x")
		}, nil, Settings{}, "tool-pull 4, remote-start 3"},
		"to a share of policies": {func(t *model.Transfer) { t.Share, t.Path = "NETLOGON", "a.exe" }, nil, Settings{}, "admin-share-write 6.5"},
		"fetched to /tmp and started": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Channel, t.Share, t.Path, t.Name, t.Tool, t.Command = model.Pull, model.ByDestination, "http", "", "/agent", "agent", "curl", "curl http://ws/agent"
			t.Executed = []model.Execution{{Time: begin + 5e9, How: "process", Process: "/tmp/agent"}}
		}, nil, Settings{}, "remote-start 6, tool-pull 2, transfer-utility 2, disguise 1"},
		"an installer fetched to /tmp and started": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Channel, t.Share, t.Path, t.Name, t.Tool, t.Command = model.Pull, model.ByDestination, "http", "", "/install.sh", "install.sh", "curl", "curl http://ws/install.sh"
			t.Executed = []model.Execution{{Time: begin + 5e9, How: "process", Process: "/tmp/install.sh"}}
		}, nil, Settings{}, "remote-start 5, tool-pull 2, transfer-utility 2, disguise 1"},
		"fetched to a Mac's Library and started": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Channel, t.Share, t.Path, t.Name, t.Tool, t.Command = model.Pull, model.ByDestination, "http", "", "/agent", "agent", "curl", "curl http://ws/agent"
			t.Executed = []model.Execution{{Time: begin + 5e9, How: "process", Process: "/Users/kim/Library/agent"}}
		}, nil, Settings{}, "remote-start 6, tool-pull 2, transfer-utility 2, disguise 1"},
		"fetched to a folder in a Mac's Library and started": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Channel, t.Share, t.Path, t.Name, t.Tool, t.Command = model.Pull, model.ByDestination, "http", "", "/agent", "agent", "curl", "curl http://ws/agent"
			t.Executed = []model.Execution{{Time: begin + 5e9, How: "process", Process: "/Users/kim/Library/Vendor/agent"}}
		}, nil, Settings{}, "remote-start 5, tool-pull 2, transfer-utility 2"},
		"copied for a user": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share = model.Pull, model.ByDestination, "pub"
			t.Receiver = &model.Receiver{Process: `C:\Windows\System32\svchost.exe`}
			t.Executed = started("x")
		}, nil, Settings{}, "remote-start 3, tool-pull 2"},
		"dropped by a stray program": {func(t *model.Transfer) { t.Share, t.Process = "pub", `C:\Users\Public\x.exe` }, nil, Settings{}, "share-drop 7"},
		"dropped by Explorer":        {func(t *model.Transfer) { t.Share, t.Process = "pub", `C:\Windows\explorer.exe` }, nil, Settings{}, ""},
		"to C:\\Temp by a command":   {func(t *model.Transfer) { t.Share, t.Path, t.Tool, t.Command = "C$", `Temp\a.exe`, "copy", "copy a b" }, nil, Settings{}, "admin-share-write 7, transfer-utility 2"},
		"to C:\\Temp":                {func(t *model.Transfer) { t.Share, t.Path = "C$", `Temp\a.exe` }, nil, Settings{}, "admin-share-write 5"},
		"an image that was mounted": {func(t *model.Transfer) {
			t.Share, t.Name, t.Executed = "pub", "a.iso", []model.Execution{{Time: begin + 5e9, How: "mount", Process: `C:\pub\a.iso`}}
		}, nil, Settings{}, "remote-start 6, share-drop 3, disguise 1"},
		"by a tool that WMI started": {func(t *model.Transfer) { t.Tool, t.Command, t.CommandBy = "robocopy", "robocopy a b", "wmi" }, nil, Settings{}, "admin-share-write 5, transfer-utility 4"},
		"by a tool of a service":     {func(t *model.Transfer) { t.Tool, t.Command, t.CommandBy = "robocopy", "robocopy a b", "service" }, nil, Settings{}, "admin-share-write 5, transfer-utility 4"},
		"by a tool of a task":        {func(t *model.Transfer) { t.Tool, t.Command, t.CommandBy = "robocopy", "robocopy a b", "task" }, nil, Settings{}, "admin-share-write 5, transfer-utility 2"},
		"lsass wrote it": {func(t *model.Transfer) {
			t.Share, t.Path, t.Receiver = "", `C:\Windows\a.exe`, &model.Receiver{Process: `C:\Windows\System32\lsass.exe`}
		}, nil, Settings{}, "admin-share-write 5"},
		"deployed, of no maker": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share, t.Channel, t.Company = model.Pull, model.ByDestination, "", "deploy", "-"
			t.Executed = started("x")
		}, nil, Settings{}, "remote-start 3, no-maker 2, tool-pull 2"},
		"deployed, of a maker": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share, t.Channel, t.Company = model.Pull, model.ByDestination, "", "deploy", "Acme"
			t.Executed = started("x")
		}, nil, Settings{}, "remote-start 3, tool-pull 2"},
		"a logon script": {func(t *model.Transfer) {
			t.Operation, t.Initiator, t.Share = model.Pull, model.ByDestination, "NETLOGON"
		}, nil, Settings{}, ""},
		"a tool's pipe":              {func(t *model.Transfer) {}, access("pipe-open", `\PSEXESVC`, "", "the pipe of a remote execution tool"), Settings{}, "admin-share-write 5, pipe-context 2"},
		"a service's pipe":           {func(t *model.Transfer) {}, access("pipe-open", `\srvsvc`, "", ""), Settings{}, "admin-share-write 5"},
		"wrote while connected":      {func(t *model.Transfer) {}, access("network-write", `C:\b.exe`, `C:\Windows\System32\a.exe`, ""), Settings{}, "admin-share-write 5, network-writer 2"},
		"another wrote":              {func(t *model.Transfer) {}, access("network-write", `C:\b.exe`, `C:\Windows\Temp\c.exe`, ""), Settings{}, "admin-share-write 5"},
		"a trusted account":          {func(t *model.Transfer) { t.Executed = started("x") }, nil, Settings{TrustedAccounts: []string{`corp\b*`}}, ""},
		"a trusted channel":          {func(t *model.Transfer) { t.Executed = started("x") }, nil, Settings{TrustedChannels: []string{"SMB*"}}, ""},
		"another channel is trusted": {func(t *model.Transfer) {}, nil, Settings{TrustedChannels: []string{"rsync"}}, "admin-share-write 5"},
		"a tool that is allowed":     {func(t *model.Transfer) { t.Tool, t.Share = "scp", "pub"; t.Executed = started("x") }, nil, Settings{AllowedTools: []string{"sc?"}}, "remote-start 6, share-drop 3"},
		"another tool is allowed":    {func(t *model.Transfer) { t.Tool, t.Share = "scp", "pub"; t.Executed = started("x") }, nil, Settings{AllowedTools: []string{"rsync"}}, "remote-start 6, share-drop 3, transfer-utility 2"},
		"another account is trusted": {func(t *model.Transfer) {}, nil, Settings{TrustedAccounts: []string{`other\*`, "bo"}}, "admin-share-write 5"},
		"a trusted path":             {func(t *model.Transfer) {}, nil, Settings{TrustedPaths: []string{`ADMIN$\system32\?.exe`}}, ""},
		"another path is trusted":    {func(t *model.Transfer) {}, nil, Settings{TrustedPaths: []string{`ADMIN$\ccmsetup\*`}}, "admin-share-write 5"},
		"a known name":               {func(t *model.Transfer) { t.Share = "pub" }, nil, Settings{Known: []Known{{What: "name", Value: "A.EXE"}}}, "share-drop 3, known 0"},
		"a known host":               {func(t *model.Transfer) { t.Name = "a.txt" }, nil, Settings{Known: []Known{{What: "host", Value: "srv"}}}, "known 0"},
		"another is known":           {func(t *model.Transfer) { t.Name = "a.txt" }, nil, Settings{Known: []Known{{What: "host", Value: "sr"}, {What: "account", Value: "bo"}, {What: "hash", Value: "aa"}, {What: "address", Value: "10.0.0.1"}}}, ""},
	} {
		if got := said([]*model.Transfer{logged("t-1", 0, c.change)}, c.accesses, c.set); got != c.want {
			t.Errorf("%s: %q instead of %q", name, got, c.want)
		}
	}
}

// TestHabits: what a host, an account or a share does often says nothing any more.
func TestHabits(t *testing.T) {
	for name, c := range map[string]struct {
		change func(i int, t *model.Transfer)
		quiet  string // the analytic that falls silent
		after  int
	}{
		"a writer of a share": {func(_ int, t *model.Transfer) { t.Share, t.Executed = "pub", started("x") }, "share-drop", usualWriter},
		"an account's tool":   {func(_ int, t *model.Transfer) { t.Tool, t.Command = "robocopy", "robocopy a b" }, "transfer-utility", habitual},
		"a server of many": {func(i int, t *model.Transfer) {
			t.Operation, t.Initiator, t.Share, t.Executed = model.Pull, model.ByDestination, "pub", started("x")
			t.Destination.Host = fmt.Sprint("WS", i)
		}, "tool-pull", servesMany - 1},
	} {
		var all []*model.Transfer
		for i := range 40 {
			all = append(all, logged(fmt.Sprintf("t-%02d", i), model.Time(i)*7200e9, func(t *model.Transfer) {
				t.Name = fmt.Sprintf("a%02d.exe", i)
				t.Path = t.Name
				c.change(i, t)
			}))
		}
		for i, f := range Look(all, nil, nil, Settings{}).Findings {
			if has := slices.Contains(f.Analytics, c.quiet); has != (i < c.after) {
				t.Errorf("%s: finding %d has %v", name, i, f.Analytics)
			}
		}
	}
}

// TestAlias: a program that comes under another name than before.
func TestAlias(t *testing.T) {
	for name, c := range map[string]struct {
		second string
		hash   string
		want   bool
	}{
		"another name":     {"svchost32.exe", "aa", true},
		"a copy's number":  {"A (2).exe", "aa", false},
		"another content":  {"svchost32.exe", "bb", false},
		"the same name":    {"a.exe", "aa", false},
		"a text's content": {"b.txt", "aa", false},
	} {
		var all []*model.Transfer
		for i, x := range []struct{ name, hash string }{{"a.exe", "aa"}, {c.second, c.hash}} {
			all = append(all, logged(fmt.Sprint("t-", i), model.Time(i)*60e9, func(t *model.Transfer) {
				t.Name, t.Path, t.Hashes = x.name, x.name, []model.Hash{{Alg: "sha256", Value: x.hash, From: "process-start"}}
			}))
		}
		if got := strings.Contains(said(all, nil, Settings{}), "disguise 2"); got != c.want {
			t.Errorf("%s: %s", name, said(all, nil, Settings{}))
		}
	}
}

// TestHashJoinsHosts: the hash that logs took at the start makes one content of
// what two hosts ran.
func TestHashJoinsHosts(t *testing.T) {
	var all []*model.Transfer
	for i := range 3 {
		all = append(all, logged(fmt.Sprint("t-", i), model.Time(i)*60e9, func(t *model.Transfer) {
			t.Destination.Host = fmt.Sprint("SRV", i)
			t.Hashes = []model.Hash{{Alg: "sha256", Value: "aa", From: "process-start"}}
		}))
	}
	v := Look(all, nil, nil, Settings{})
	if len(v.Findings) != 1 || !slices.Contains(v.Findings[0].Analytics, "same-file-many-hosts") || len(v.Artifacts) != 1 || v.Artifacts[0].SHA256 != "aa" {
		t.Errorf("%d findings, %+v", len(v.Findings), v.Artifacts)
	}
}
