package winhost

import (
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

const (
	wmi   = `C:\Windows\System32\wbem\WmiPrvSE.exe`
	zip   = `C:\Program Files\7-Zip\7z.exe`
	desk  = `C:\Windows\explorer.exe`
	power = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
)

// TestUnpacked: what becomes of an archive that another host put on C$, at once or when it
// is known to have come. Each must show as the archive's movement, and as no other.
func TestUnpacked(t *testing.T) {
	const came = "push smb t.7z 10.0.0.31 > SRV logged done by bob"
	for name, c := range map[string]struct {
		script func(n *synth.Net, srv *synth.Host)
		want   string
	}{
		"unpacked by WMI": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\bob`, zip, zip+` x -pK1 -oC:\ProgramData C:\ProgramData\t.7z`, wmi, 9, "aa11")
		}, came + ", unpack, unpacked there with 7z and a password"},
		"by a shell that WMI started, by name": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\bob`, shell, `cmd.exe /c cd C:\ProgramData && 7z.exe e t.7z`, wmi, 9, "aa11")
		}, came + ", unpack, unpacked there with 7z"},
		"by somebody at its desk": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\eve`, zip, zip+` x C:\ProgramData\t.7z`, desk, 9, "aa11")
		}, came + ", unpacked there with 7z"},
		"and what came out of it is started": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\eve`, zip, zip+` x C:\ProgramData\t.7z`, desk, 9, "aa11")
			n.FileCreated(srv, zip, 9, `C:\Users\eve\k.exe`)
			n.FileCreated(srv, zip, 9, `C:\Users\eve\k.txt`)
			n.Sleep(1e9)
			n.Ran(srv, `CORP\eve`, `C:\Users\eve\k.exe`, `k.exe`, desk, 10, "aa12")
		}, came + ", process, unpacked there with 7z"},
		"by PowerShell": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\eve`, power, `powershell Expand-Archive C:\ProgramData\t.7z C:\x`, desk, 9, "aa11")
			n.FileCreated(srv, power, 9, `C:\x\k.exe`)
			n.FileCreated(srv, power, 9, `C:\y\l.exe`)
			n.Sleep(1e9)
			n.Ran(srv, `CORP\eve`, `C:\x\k.exe`, `k.exe`, desk, 10, "aa12")
			n.Ran(srv, `CORP\eve`, `C:\y\l.exe`, `l.exe`, desk, 11, "aa13")
		}, came + ", process, unpacked there with expand-archive"},
		"and WMI starts a program of its folder": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\bob`, zip, zip+` x -oC:\ProgramData C:\ProgramData\t.7z`, wmi, 9, "aa11")
			n.Sleep(20e9)
			n.Ran(srv, `CORP\bob`, `C:\ProgramData\k.exe`, `k.exe`, wmi, 10, "aa12")
			n.Ran(srv, `CORP\eve`, `C:\ProgramData\l.exe`, `l.exe`, desk, 11, "aa13")
		}, came + ", unpack, process, unpacked there with 7z"},
		"another archive": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\bob`, zip, zip+` x C:\ProgramData\u.7z`, wmi, 9, "aa11")
			n.FileCreated(srv, zip, 9, `C:\Users\eve\k.exe`)
			n.Ran(srv, `CORP\eve`, `C:\Users\eve\k.exe`, `k.exe`, desk, 10, "aa12")
		}, came},
		"only listed": {func(n *synth.Net, srv *synth.Host) {
			n.Ran(srv, `CORP\bob`, zip, zip+` l C:\ProgramData\t.7z`, wmi, 9, "aa11")
		}, came},
	} {
		for _, wait := range []model.Time{1e9, 20 * 60e9} {
			n := synth.New(1)
			srv, ws := n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31")
			n.Logon(srv, ws, "bob", 3)
			n.ShareAccess(srv, ws, "bob", "0x77", "C$", `ProgramData\t.7z`, "0x17019f")
			n.FileCreated(srv, "System", 4, `C:\ProgramData\t.7z`)
			n.Sleep(wait)
			c.script(n, srv)
			if got := say(follow(t, n.Logs).Transfers); got != c.want {
				t.Errorf("%s: %s\ninstead of %s", name, got, c.want)
			}
		}
	}
}

// TestMounted: a program that is started from a drive that was none before a disk image was
// mounted, which another host had put there.
func TestMounted(t *testing.T) {
	for drive, want := range map[string]string{`E:\`: ", mount, process", `F:\`: ", mount"} {
		n := synth.New(1)
		srv, ws := n.Host("SRV", "10.0.0.8"), n.Host("WS", "10.0.0.31")
		n.Ran(srv, `CORP\eve`, `F:\App\a.exe`, `a.exe`, desk, 8, "aa10")
		n.Logon(srv, ws, "bob", 3)
		n.ShareAccess(srv, ws, "bob", "0x77", "C$", `t\a.iso`, "0x17019f")
		n.FileCreated(srv, "System", 4, `C:\t\a.iso`)
		n.Sleep(1e9)
		n.Log(srv, synth.VHDMP, 1, "VhdFileName", `C:\t\a.iso`)
		n.Sleep(1e9)
		n.Ran(srv, `CORP\eve`, drive+`k.exe`, `k.exe`, desk, 9, "aa11")
		if got, want := say(follow(t, n.Logs).Transfers), "push smb a.iso 10.0.0.31 > SRV logged done by bob"+want; got != want {
			t.Errorf("%s: %s\ninstead of %s", drive, got, want)
		}
	}
}
