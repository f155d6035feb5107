package winhost

import (
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
	"waybill/internal/telemetry"
)

// TestShareReads: one opening of a file is logged several times, and those of others come in
// between.
func TestShareReads(t *testing.T) {
	n := synth.New(1)
	fs, a, b := n.Host("FS-02", "10.30.0.5"), n.Host("WS-31", "10.30.1.31"), n.Host("WS-32", "10.30.1.32")
	for range 3 {
		n.ShareAccess(fs, a, `CORP\h.lang`, "0x77", "Pub", `Tools\a.exe`, "0x120089")
		n.ShareAccess(fs, b, `CORP\t.wolf`, "0x78", "Pub", `Tools\a.exe`, "0x120089")
	}
	n.Now += 2 * 60e9
	n.ShareAccess(fs, a, `CORP\h.lang`, "0x77", "Pub", `Tools\a.exe`, "0x120089")
	n.ShareAccess(fs, a, `CORP\h.lang`, "0x77", "Pub", `a.docx`, "0x120089")
	n.ShareAccess(fs, a, `CORP\h.lang`, "0x77", "Pub", `Tools\b.exe`, "0x80") // attributes
	if got := follow(t, n.Logs).Reads; len(got) != 3 {
		t.Errorf("%d reads instead of 3: %+v", len(got), got)
	}
}

// TestReadsBounded: when many reads were kept, those of what was put on a share still are,
// as many again.
func TestReadsBounded(t *testing.T) {
	s := New(telemetry.FollowerOptions{})
	h := s.host("FS-02")
	h.putOn("Pub", `Tools\A.exe`)
	h.putOn("Pub", `Letters\a.docx`)
	for _, c := range []struct {
		reads      int
		put, other bool
	}{{0, true, true}, {maxReads, true, false}, {2 * maxReads, false, false}} {
		s.out.Reads = make([]*model.Access, c.reads)
		if h.keepsRead("pub", `tools\a.exe`) != c.put || h.keepsRead("Pub", `Tools\b.exe`) != c.other || h.keepsRead("Pub", `Letters\a.docx`) != c.other {
			t.Errorf("%+v", c)
		}
	}
}

// TestReceivedByAccount: of several hosts that are connected, the one is named whose logon
// has the account of the file.
func TestReceivedByAccount(t *testing.T) {
	for user, want := range map[string]string{`CORP\it.admin`: "10.30.1.31", `CORP\t.wolf`: "", `NT AUTHORITY\SYSTEM`: ""} {
		n := synth.New(1)
		srv, a, b := n.Host("SRV-02", "10.30.0.5"), n.Host("WS-31", "10.30.1.31"), n.Host("WS-32", "10.30.1.32")
		n.Logon(srv, b, `CORP\h.lang`, 3)
		n.Logon(srv, a, `CORP.EXAMPLE\it.admin`, 3)
		n.Log(srv, synth.Sysmon, 11, "ProcessGuid", "{1}", "ProcessId", "9", "Image", `C:\Windows\System32\wsmprovhost.exe`, "TargetFilename", `C:\Temp\a.exe`, "User", user)
		moved := follow(t, n.Logs).Transfers
		if len(moved) != 1 || moved[0].Channel != "winrm" {
			t.Fatalf("%+v", moved)
		}
		got := ""
		if moved[0].Source.IP.Known() {
			got = moved[0].Source.IP.String()
		}
		if got != want {
			t.Errorf("%s: %q", user, got)
		}
	}
}
