package judge

import (
	"testing"

	"waybill/internal/model"
)

// TestSameAccount: a realm of Kerberos is the domain of logs and NTLM under its DNS name.
func TestSameAccount(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`CORP\anna`, `corp\ANNA`, true},
		{`CORP\anna`, `CORP.EXAMPLE\anna`, true},
		{`corp.example\anna`, `CORP\anna`, true},
		{`CORP.EXAMPLE\anna`, `CORP.OTHER\anna`, false},
		{`CORP\anna`, `LAB.CORP\anna`, false},
		{`CORP\anna`, `CORP.EXAMPLE\bob`, false},
		{`anna`, `CORP.EXAMPLE\anna`, true},
		{`CORP\SYSTEM`, `CORP\SYSTEM`, false},
		{`CORP\WS1$`, `CORP\WS1$`, false},
	} {
		if got := sameAccount(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
}

func TestSameHand(t *testing.T) {
	l := &landing{User: `CORP.EXAMPLE\anna`, From: "h1"}
	for _, tt := range []struct{ domain, user, want string }{
		{"CORP", "anna", `account CORP\anna`}, {"corp.example", "Anna", `account corp.example\Anna`},
		{"OTHER", "anna", ""}, {"", "anna", ""}, {"CORP", "bob", ""}, {"", "", ""},
	} {
		if got := sameHand(l, &model.Access{Domain: tt.domain, User: tt.user}); got != tt.want {
			t.Errorf("%s\\%s: %q, want %q", tt.domain, tt.user, got, tt.want)
		}
	}
}
