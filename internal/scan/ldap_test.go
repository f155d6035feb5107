package scan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/synth"
)

// TestDirectoryLogons: who logs on at a directory is found in captures of any form, and
// no record holds a password.
func TestDirectoryLogons(t *testing.T) {
	c := synth.Record(3, directory).Capture
	want := []string{`CORP\r.lang ntlm from WS-31 success`, `CORP\svc-scan simple success`, `CORP\svc-scan simple invalidCredentials`}
	slices.Sort(want)
	unanswered := []string{`CORP\r.lang ntlm from WS-31 no answer seen`, `CORP\svc-scan simple no answer seen`, `CORP\svc-scan simple no answer seen`}
	for _, tt := range []struct {
		name    string
		capture synth.Capture
		want    []string
	}{
		{"whole", c, want}, {"out of order", c.Reorder(1, 0.2), want}, {"twice", c.Duplicate(1, 0.3), want}, {"in a tunnel", c.Wrap("vxlan"), want},
		{"one direction", c.Only(synth.Client), unanswered},
	} {
		r := run(t, Options{Paths: []string{captureFile(t, tt.capture)}})
		var got []string
		for _, a := range r.Accesses {
			if a.What == "logon" && a.Channel == "ldap" {
				got = append(got, fmt.Sprintf(`%s\%s %s %s`, a.Domain, a.User, a.Detail, a.Status))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if b, err := json.Marshal(r.Records); err != nil || strings.Contains(string(b), "Winter2026") {
			t.Errorf("%s: a password is shown (%v)", tt.name, err)
		}
	}
}
