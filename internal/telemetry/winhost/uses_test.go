package winhost

import (
	"fmt"
	"slices"
	"testing"

	"waybill/internal/synth"
)

// How a host is used is told once a day; drawing windows and a host's own logons are
// no use.
func TestUses(t *testing.T) {
	n := synth.New(1)
	dc, ws, fs := n.Host("DC-03", "10.30.0.2"), n.Host("WS-31", "10.30.1.31"), n.Host("FS-02", "10.30.0.5")
	for range 2 {
		n.Log(dc, synth.Security, 4769, "TargetUserName", "h.lang@CORP", "ServiceName", "FS-02$", "IpAddress", "::ffff:10.30.1.31")
		n.ShareAccess(dc, ws, `CORP\WS-31$`, "0x77", "SYSVOL", `corp.example\Policies\gpt.ini`, "0x120089")
		n.ShareAccess(fs, ws, `CORP\h.lang`, "0x77", "SYSVOL", `a.ini`, "0x2") // a write proves nothing
		n.Logon(ws, ws, `CORP\h.lang`, 2)
		n.Logon(fs, ws, `CORP\h.lang`, 3)
		n.Logon(fs, ws, `CORP\it.admin`, 10)
	}
	n.Logon(fs, fs, `Window Manager\DWM-1`, 2)
	n.Ran(ws, `CORP\h.lang`, `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`, "winword", `C:\Windows\explorer.exe`, 70, "00")
	n.Now += 25 * 3600e9
	n.Logon(fs, ws, `CORP\h.lang`, 3)
	var got []string
	for _, u := range follow(t, n.Logs).Uses {
		got = append(got, fmt.Sprint(u.Host.Host, " ", u.What, u.Channel, u.Share, " ", u.From, " ", u.Account))
	}
	slices.Sort(got)
	want := []string{"DC-03.corp.example share-readsysvol  ", "DC-03.corp.example tickets-issued  ", "FS-02.corp.example desktop-userdp 10.30.1.31 ", "FS-02.corp.example logon 10.30.1.31 h.lang",
		"FS-02.corp.example logon 10.30.1.31 h.lang", "WS-31.corp.example desktop-use  "}
	if !slices.Equal(got, want) {
		t.Errorf("uses\n%q\nwant\n%q", got, want)
	}
}
