package cloudsync

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

func TestOf(t *testing.T) {
	for name, want := range map[string]string{
		"client.dropbox.com": Dropbox, "dropbox.com": Dropbox, "DL.DropboxUserContent.com.": Dropbox, "*.dropbox.com": Dropbox, "client.dropbox-dns.com": Dropbox,
		"corp-my.sharepoint.com": OneDrive, "api.onedrive.com": OneDrive, "xyz.storage.live.com": OneDrive, "my.files.1drv.com": OneDrive,
		"drive.google.com": GoogleDrive, "0.drive.google.com": GoogleDrive, "drive.usercontent.google.com": GoogleDrive,
		"upload.app.box.com": Box, "dl.boxcloud.com": Box,
		"p42-content.icloud.com": ICloud, "cvws.icloud-content.com": ICloud,

		"www.google.com": "", "google.com": "", "usercontent.google.com": "", "www.googleapis.com": "", "fonts.gstatic.com": "", "xdrive.google.com": "",
		"vortex.data.microsoft.com": "", "microsoft.com": "", "login.live.com": "", "live.com": "", "outlook.office365.com": "",
		"notdropbox.com": "", "dropbox.com.evil.example": "", "cdn.dropboxstatic.com": "", "xbox.com": "", "www.xbox.com": "", "cdn01.boxcdn.net": "",
		"mask.icloud.com": "", "mask-h2.icloud.com": "", "apple.com": "", "swcdn.apple.com": "", "com": "", "": "", "*": "",
	} {
		if got := Of(name); got != want {
			t.Errorf("%q: %q instead of %q", name, got, want)
		}
	}
}

// flow is a movement: who, seconds, and volumes.
func flow(host string, start, end int, up, down int64) Movement {
	return Movement{Host: model.Endpoint{IP: model.AddrOf(netip.MustParseAddr(host))}, Service: Dropbox, Server: "client.dropbox.com",
		Start: model.Time(start) * 1e9, End: model.Time(end) * 1e9, Up: up, Down: down,
		Evidence: []model.Evidence{{Input: fmt.Sprintf("%s at %d", host, start), Kind: "packets"}}}
}

const (
	a, b, c, d = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"
	mib        = 1 << 20
)

func TestRelays(t *testing.T) {
	other := func(m Movement) Movement { m.Service = Box; return m }
	for _, x := range []struct {
		name string
		all  []Movement
		want string // who from whom, others
	}{
		{"relay to two", []Movement{flow(a, 10, 20, mib, 9_000), flow(b, 40, 50, 8_000, mib+9_000), flow(c, 300, 310, 8_000, mib-2_000)}, "1>2 1>3"},
		{"nothing near", []Movement{flow(a, 10, 20, mib, 9_000), flow(b, 40, 50, 8_000, mib+mib/10)}, ""},
		{"too late", []Movement{flow(a, 10, 20, mib, 0), flow(b, 700, 710, 0, mib)}, ""},
		{"clocks", []Movement{flow(a, 10, 20, mib, 0), flow(b, 17, 25, 0, mib)}, "1>2"},
		{"download first", []Movement{flow(b, 1, 2, 0, mib), flow(a, 10, 20, mib, 0)}, ""},
		{"small", []Movement{flow(a, 10, 20, 60_000, 0), flow(b, 40, 50, 0, 60_000)}, ""},
		{"both ways", []Movement{flow(a, 10, 20, mib, mib/2), flow(b, 40, 50, mib/2, mib)}, ""},
		{"other service", []Movement{flow(a, 10, 20, mib, 0), other(flow(b, 40, 50, 0, mib))}, ""},
		{"own file back", []Movement{flow(a, 10, 20, mib, 0), flow(a, 40, 50, 0, mib)}, ""},
		{"update for all", []Movement{flow(b, 1, 5, 0, mib), flow(a, 10, 20, mib, 0), flow(c, 40, 50, 0, mib), flow(d, 60, 70, 0, mib)}, ""},
		{"backups", []Movement{flow(a, 10, 20, mib, 0), flow(b, 40, 50, mib, 0), flow(c, 60, 70, mib, 0)}, ""},
		{"two uploads fit", []Movement{flow(a, 10, 20, mib, 0), flow(b, 30, 40, mib, 0), flow(c, 60, 70, 0, mib)}, "2>3+1"},
		{"many uploads fit", []Movement{flow(a, 10, 20, mib, 0), flow(b, 30, 40, mib, 0), flow(d, 41, 45, mib, 0), flow("10.0.0.5", 42, 46, mib, 0), flow(c, 60, 70, 0, mib)}, ""},
		{"chain", []Movement{flow(a, 10, 20, mib, 0), flow(b, 40, 50, 0, mib), flow(b, 650, 660, mib, 0), flow(c, 700, 710, 0, mib)}, "1>2 2>3"},
		{"parts over several connections", []Movement{flow(a, 10, 20, mib/2, 0), flow(a, 12, 19, mib/2, 0), flow(b, 40, 44, 0, mib/2), flow(b, 46, 50, 0, mib/2)}, "1>2"},
	} {
		for range 2 {
			slices.Reverse(x.all)
			var got []string
			for _, r := range Relays(x.all) {
				line := string(r.Up.Host.IP.String()[7:]) + ">" + r.Down.Host.IP.String()[7:]
				if r.Others > 0 {
					line += fmt.Sprintf("+%d", r.Others)
				}
				got = append(got, line)
			}
			if s := strings.Join(got, " "); s != x.want {
				t.Errorf("%s: %q instead of %q", x.name, s, x.want)
			}
		}
	}
}

func TestRecord(t *testing.T) {
	up, down := flow(a, 10, 20, mib, 0), flow(b, 40, 50, 0, mib+4_000)
	down.Known = "named by DNS"
	x := Relays([]Movement{up, down})[0].Transfer()
	if x.Source.IP.String() != a || x.Destination.IP.String() != b || x.Client.IP.String() != a || x.Operation != model.Copy || x.Initiator != model.ByOther ||
		x.Channel != "sync-folder" || x.Confidence != "low" || x.Completeness != model.Opaque || x.Start != up.Start || x.End != down.End || len(x.Evidence) != 2 {
		t.Errorf("%+v", x)
	}
	if e := x.Estimate; e.Size != mib || e.Low > mib || e.High < mib+4_000 {
		t.Errorf("%+v", e)
	}
	want := []string{
		"10.0.0.1 sent 1048576 bytes to Dropbox (client.dropbox.com) from 1970-01-01T00:00:10.000000000Z to 1970-01-01T00:00:20.000000000Z",
		"10.0.0.2 got 1052576 bytes from Dropbox (client.dropbox.com) from 1970-01-01T00:00:40.000000000Z to 1970-01-01T00:00:50.000000000Z, named by DNS",
	}
	if !slices.Equal(x.Notes, want) {
		t.Errorf("%q", x.Notes)
	}
}
