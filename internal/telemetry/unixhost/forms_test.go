package unixhost_test

import (
	"net/netip"
	"strings"
	"testing"

	"waybill/internal/model"
	"waybill/internal/synth"
)

// TestForms: each kind of log by itself shows the movement of a scene, and that alone.
func TestForms(t *testing.T) {
	m := synth.Moved{Source: model.AddrOf(netip.MustParseAddr("10.77.0.11")), Destination: model.AddrOf(netip.MustParseAddr("10.77.0.20")), Operation: model.Push,
		Path: "/srv/in/svc.bin", Name: "svc.bin", Size: 720_001, User: "ops", End: stamp("2026-11-23T16:24:51.000000000Z")}
	pull := m
	pull.Source, pull.Destination, pull.Operation = m.Destination, m.Source, model.Pull
	for _, m := range []synth.Moved{m, pull} {
		for _, form := range synth.UnixForms(m, "fs1") {
			t.Run(m.Operation+"/"+form.Name, func(t *testing.T) {
				checkForm(t, m, form)
			})
		}
	}
}

func checkForm(t *testing.T, m synth.Moved, form synth.UnixForm) {
	all := follow(t, form.Text).Transfers
	if len(all) != 1 {
		t.Fatalf("%s of\n%s", brief(all), form.Text)
	}
	x := all[0]
	status := model.Done
	if form.Claims {
		status = model.Claimed
	}
	if x.Name != m.Name || x.Status != status || (x.Size == nil) != form.NoSize || x.Size != nil && *x.Size != m.Size {
		t.Errorf("%s", brief(all))
	}
	if mode := x.Mode; (mode == "0644") != (m.Operation == model.Push && strings.Contains(form.Text, " mode 0644")) {
		t.Errorf("mode %q", mode)
	}
	client, server := x.Source, x.Destination
	switch {
	case form.Name == "a shell's history": // the host that fetches writes it
		m.Operation = model.Pull
	case m.Operation == model.Pull:
		client, server = server, client
	}
	if x.Operation != m.Operation || server.Host != "fs1" && !form.Claims || !form.NoClient && client.IP.String() != "10.77.0.11" {
		t.Errorf("the ends: %s", brief(all))
	}
}
