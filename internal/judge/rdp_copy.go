package judge

import (
	"fmt"

	"waybill/internal/model"
)

// rdpCopy marks files that crossed a Remote Desktop session.
func rdpCopy() Analytic {
	return &rule[struct{}]{name: "rdp-copy", key: overRDP, look: lookRDP, able: needsDesktop}
}

func overRDP(e Event) string {
	if !e.moved() || e.Transfer.Channel != "rdp" || screens(e.Transfer) {
		return ""
	}
	return e.To
}

// screens says that nothing that an encrypted session moved need be a file.
func screens(t *model.Transfer) bool {
	return t.Completeness == model.Opaque && (t.Estimate == nil || t.Estimate.Low == 0)
}

func lookRDP(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	text := "a file crossed a Remote Desktop session (" + t.Path + ")"
	if t.Completeness == model.Opaque {
		text = fmt.Sprintf("about %d bytes (%d to %d) crossed a Remote Desktop session out of the pattern of screens and keys: %s",
			t.Estimate.Size, t.Estimate.Low, t.Estimate.High, t.Reason)
	}
	nats := 2.0
	if e.Runs {
		nats = 3
	}
	return s, []Mark{{Family: "channel", Analytic: "rdp-copy", Transfer: t.ID, Time: t.End, Nats: nats,
		Text: text, Evidence: t.Evidence, Techniques: []string{"T1021.001"}}}
}

// needsDesktop: a copy shows where the client's file creations are logged.
func needsDesktop(c *model.Coverage) model.Ableness {
	if c.Decoded["rdp"]+c.Blind["encrypted-rdp"] > 0 {
		return model.Ableness{Able: "partly", Why: "sessions are encrypted as a rule: only the rhythm of volumes shows"}
	}
	if c.Events["sysmon/11"]+c.Events["defender-hunting/11"] == 0 {
		return model.Ableness{Able: "unable", Why: "no file creations (Sysmon 11) were logged"}
	}
	return model.Ableness{Able: "partly", Why: "only the client's writes show a copy; sessions themselves are encrypted"}
}
