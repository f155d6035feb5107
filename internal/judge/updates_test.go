package judge

import (
	"fmt"
	"testing"

	"waybill/internal/history"
	"waybill/internal/model"
)

// updates is what clients fetch from an update server: cabinets for days, then a program.
func updates(days int) []*model.Transfer {
	var out []*model.Transfer
	for day := range days {
		for host := range 8 {
			name, typ := fmt.Sprintf("783FAF5378C231F69D1939D3CC847E568DA16C%02d.cab", day), "archive"
			if day == days-1 {
				name, typ = "0E54E8A08764F10A5B4881E026DAAE8AD71AA08B.exe", "pe"
			}
			size := int64(5_000_000 + day)
			t := &model.Transfer{ID: fmt.Sprintf("t-%d-%d", day, host), Start: begin + model.Time(day)*Window + model.Time(host)*60e9, Operation: model.Pull, Initiator: model.ByDestination, Channel: "http",
				Source: model.Endpoint{Host: "WSUS01", Port: 8530}, Destination: model.Endpoint{Host: fmt.Sprintf("PC%02d", host)}, Share: "wsus01:8530", Path: "/Content/01/" + name, Name: name, Type: typ, Size: &size,
				Completeness: model.Logged, Status: model.Done, Scope: model.ScopeInternal, Evidence: []model.Evidence{{Input: "http.log", Line: day*100 + host}}}
			t.Hashes = []model.Hash{{Alg: "sha1", Value: name[:40], From: "sensor"}}
			t.End = t.Start + 1e9
			out = append(out, t)
		}
	}
	return out
}

// TestUpdates: the first program of an update server that gave out cabinets is everyday life.
func TestUpdates(t *testing.T) {
	for _, days := range []int{2, 4, 12} {
		for _, f := range Look(updates(days), nil, nil, Settings{Usual: history.New()}).Findings {
			if f.Severity >= model.Medium {
				t.Errorf("%d days: %v %v", days, f.Score, f.Reasons)
			}
		}
	}
}
