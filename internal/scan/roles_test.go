package scan

import (
	"context"
	"fmt"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestRoles: what logs show of how hosts are used gives the ends of a movement their
// roles; the inventory's word counts before, and a name alone fills in nothing.
func TestRoles(t *testing.T) {
	n := synth.New(1)
	dc, ws, fs := n.Host("north", "10.30.0.2"), n.Host("desk", "10.30.1.31"), n.Host("stores", "10.30.0.5")
	n.Logon(ws, ws, `CORP\h.lang`, 2)
	n.Log(dc, synth.Security, 4768, "TargetUserName", "h.lang", "ServiceName", "krbtgt", "IpAddress", "::ffff:10.30.1.31")
	for i := range 12 {
		n.Sleep(60e9)
		n.SharePut(fs, n.Host(fmt.Sprintf("other-%d", i), fmt.Sprintf("10.30.1.%d", 40+i)), `CORP\someone`, "Team", fmt.Sprintf("note-%d.docx", i))
	}
	n.Sleep(600e9)
	n.SharePut(ws, dc, `CORP\it.admin`, "C$", `Temp\LabelPrinterSetup.msi`)
	n.SharePut(fs, ws, `CORP\h.lang`, "Team", `plan.docx`)
	paths := folder(t, map[string][]byte{"all.evtx": n.Logs.Sorted().EVTX()})
	roles := func(assets ...Asset) map[string]string {
		r, err := Run(context.Background(), Options{Paths: paths, Assets: assets})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, tr := range r.Transfers {
			for _, e := range []model.Endpoint{tr.Source, tr.Destination} {
				out[e.Host] = e.Role
			}
		}
		return out
	}
	got := roles()
	for host, want := range map[string]string{"north.corp.example": "domain controller", "desk.corp.example": "workstation", "stores.corp.example": "file server", "other-1.corp.example": ""} {
		if got[host] != want {
			t.Errorf("%s: %q, want %q (%v)", host, got[host], want, got)
		}
	}
	if got := roles(Asset{Name: "stores", Role: "vault"}); got["stores.corp.example"] != "vault" {
		t.Errorf("the inventory's role: %v", got)
	}
}
