package unixhost_test

import (
	"io"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/macos"
	"waybill/internal/telemetry/unixhost"
)

// on is what a host logs.
type on struct{ host, text string }

// macs gives logs of several Macs to a follower, in their order.
func macs(logs ...on) *telemetry.Result {
	f := unixhost.New(telemetry.FollowerOptions{Inputs: []string{"es"}, SyncApps: []string{"AcmeSync"}, Inside: func(model.Addr) bool { return true }})
	for _, l := range logs {
		log := macos.Eslogger.Open(strings.NewReader(l.text), telemetry.OpenOptions{})
		var b telemetry.Batch
		for log.Next(&b) != io.EOF {
			for i := range b.Records {
				b.Records[i].Host = l.host
				f.Record(&b.Records[i])
			}
		}
	}
	return f.Close()
}

func TestSynced(t *testing.T) {
	const (
		bird   = "/System/Library/PrivateFrameworks/CloudDocsDaemon.framework/Versions/A/Support/bird"
		drive  = "/Users/anna/Library/Mobile Documents/com~apple~CloudDocs"
		cloud  = "/Users/anna/Library/CloudStorage/OneDrive-Lab"
		one    = "/Applications/OneDrive.app/Contents/MacOS/OneDrive"
		found  = "mac1.lab.example>mac2 push sync-folder "
		byHand = "/bin/cp"
	)
	laid := on{"mac1.lab.example", esCreate(1, 50, byHand, drive, "Tool.pkg")}
	for name, c := range map[string]struct {
		logs []on
		want string
	}{
		"iCloud":                 {[]on{laid, {"mac2", esCreate(9, 60, bird, drive, "Tool.pkg") + esClose(10, 60, bird, drive+"/Tool.pkg", true)}}, found + drive + "/Tool.pkg done by source"},
		"a temporary name":       {[]on{laid, {"mac2", esCreate(8, 60, bird, drive+"/.tmp", "x1") + esRename(9, 60, bird, drive+"/.tmp/x1", drive, "Tool.pkg")}}, found + drive + "/Tool.pkg done by source"},
		"written over":           {[]on{laid, {"mac2", esClose(9, 60, bird, drive+"/Tool.pkg", true)}}, found + drive + "/Tool.pkg done by source"},
		"OneDrive":               {[]on{{"mac1.lab.example", esCreate(1, 50, byHand, cloud, "a.sh")}, {"mac2", esCreate(9, 60, one, cloud, "a.sh")}}, found + cloud + "/a.sh done by source"},
		"of this site":           {[]on{{"mac1.lab.example", esCreate(1, 50, byHand, "/Users/anna/AcmeSync", "a.sh")}, {"mac2", esCreate(9, 60, "/opt/acmesync", "/Users/bob/AcmeSync", "a.sh")}}, found + "/Users/bob/AcmeSync/a.sh done by source"},
		"out before it was laid": {[]on{{"mac2", strings.ReplaceAll(esCreate(9, 60, bird, drive, "Tool.pkg"), "T11:", "T10:")}, laid}, ""},
		"on the same Mac":        {[]on{laid, {"mac1.lab.example", esCreate(9, 60, bird, drive, "Tool.pkg")}}, ""},
		"another name":           {[]on{laid, {"mac2", esCreate(9, 60, bird, drive, "Tool2.pkg")}}, ""},
		"no sync client":         {[]on{laid, {"mac2", esCreate(9, 60, byHand, drive, "Tool.pkg")}}, ""},
		"another folder":         {[]on{laid, {"mac2", esCreate(9, 60, bird, "/Users/anna/Documents", "Tool.pkg")}}, ""},
		"a hidden folder":        {[]on{laid, {"mac2", esCreate(9, 60, bird, drive+"/.cache", "Tool.pkg")}}, ""},
		"laid elsewhere":         {[]on{{"mac1", esCreate(1, 50, byHand, "/Users/anna/Documents", "Tool.pkg")}, {"mac2", esCreate(9, 60, bird, drive, "Tool.pkg")}}, ""},
		"a day later":            {[]on{laid, {"mac2", strings.ReplaceAll(esCreate(9, 60, bird, drive, "Tool.pkg"), "03-03", "03-05")}}, ""},
		"no home":                {[]on{{"mac1", esCreate(1, 50, byHand, "/srv/box", "a")}, {"mac2", esCreate(9, 60, one, "/srv/box", "a")}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := macs(c.logs...)
			if got := told(r); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
			for _, x := range r.Transfers {
				if x.Confidence != "low" || x.Process == "" || x.Receiver.PID != 60 || x.Evidence[0].Computer != "mac1.lab.example" || x.Evidence[1].Computer != "mac2" {
					t.Errorf("%+v", x)
				}
			}
		})
	}
}

func TestAirDropFiles(t *testing.T) {
	const sharingd = "/usr/libexec/sharingd"
	for name, c := range map[string]struct{ text, want string }{
		"made":             {esCreate(1, 400, sharingd, "/Users/anna/Downloads", "t.dmg") + esClose(2, 400, sharingd, "/Users/anna/Downloads/t.dmg", true), ">fs1 push airdrop /Users/anna/Downloads/t.dmg done by source"},
		"renamed":          {esRename(1, 400, sharingd, "/private/var/folders/x/t.dmg", "/Users/anna/Downloads", "t.dmg"), ">fs1 push airdrop /Users/anna/Downloads/t.dmg done by source"},
		"its own files":    {esCreate(1, 400, sharingd, "/Users/anna/Library/Preferences", "x.plist"), ""},
		"a hidden file":    {esCreate(1, 400, sharingd, "/Users/anna/Downloads", ".x"), ""},
		"another sharingd": {esCreate(1, 400, "/tmp/sharingd", "/Users/anna/Downloads", "t.dmg"), ""},
		"a browser":        {esCreate(1, 400, "/Applications/Safari.app/Contents/MacOS/Safari", "/Users/anna/Downloads", "t.dmg"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := follow(t, c.text)
			if got := told(r); got != c.want {
				t.Errorf("\n%s\ninstead of\n%s", got, c.want)
			}
			if len(r.Transfers) == 1 && r.Transfers[0].Confidence != "medium" {
				t.Error(r.Transfers[0].Confidence)
			}
		})
	}
}

// TestAirDropSender: the file that sharingd made and the quarantine event are one
// movement, whichever was noted first; another one an hour later is another.
func TestAirDropSender(t *testing.T) {
	file := on{"mac1", esCreate(10, 400, "/usr/libexec/sharingd", "/Users/anna/Downloads", "t.dmg")}
	event := func(f telemetry.Follower, text string) {
		r := telemetry.Record{Time: stamp(text), Stream: "quarantine", Host: "mac1", Fields: []telemetry.Field{{Name: "agent", Value: "sharingd"}, {Name: "sender", Value: "Anna"}}}
		f.Record(&r)
	}
	const named = "Anna>mac1 push airdrop /Users/anna/Downloads/t.dmg done by source"
	for _, c := range []struct{ before, after, want string }{
		{"2025-03-03T11:00:09.000000000Z", "", named},
		{"", "2025-03-03T11:00:11.000000000Z", named},
		{"", "2025-03-03T12:00:11.000000000Z", ">mac1 push airdrop /Users/anna/Downloads/t.dmg done by source\nAnna>mac1 push airdrop  done by source"},
	} {
		f := unixhost.New(telemetry.FollowerOptions{Inputs: []string{"x"}})
		if c.before != "" {
			event(f, c.before)
		}
		feed(t, named1{f}, 0, file.text)
		if c.after != "" {
			event(f, c.after)
		}
		if got := told(f.Close()); got != c.want {
			t.Errorf("\n%s\ninstead of\n%s", got, c.want)
		}
	}
}

// named1 gives all records to one Mac.
type named1 struct{ telemetry.Follower }

func (n named1) Record(r *telemetry.Record) {
	r.Host = "mac1"
	n.Follower.Record(r)
}
