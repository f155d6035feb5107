package judge

import (
	"testing"

	"waybill/internal/history"
)

func TestStem(t *testing.T) {
	for host, want := range map[string]string{"hlp0018.corp.example": "hlp", "ws-07": "ws", "fs01": "fs", "anna.corp": "", "x1": "", "10.0.0.1": "", "": "", "print-server": ""} {
		if got := stem(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

// TestPeersGive: what a quarter of the hosts do that are called alike, on three days, is new
// for none of them; what a few of many workstations do is.
func TestPeersGive(t *testing.T) {
	for name, c := range map[string]struct {
		days          uint16
		called, gives int
		want          bool
	}{
		"helpdesk":             {3, 12, 3, true},
		"two days":             {2, 12, 6, false},
		"two of three":         {5, 3, 2, false},
		"some of many":         {5, 64, 15, false},
		"a quarter of many":    {5, 64, 16, true},
		"all together are few": {5, 2, 2, false},
	} {
		u := &Usual{Days: 10, Called: c.called, CalledGivers: c.gives, CalledGive: history.Use{First: 1, Last: 1, Days: c.days, Count: 9}}
		if got := u.peersGive(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if nats, _ := u.unseen("anna", false, false); c.want != (nats == newPair) {
			t.Errorf("%s: %v nats", name, nats)
		}
	}
}
