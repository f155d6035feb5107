package judge

import (
	"fmt"

	"waybill/internal/model"
)

// rawTransfer marks programs and archives that crossed a connection of a protocol
// nobody knows.
func rawTransfer() Analytic {
	return &rule[struct{}]{name: "raw-transfer", key: overRaw, look: lookRaw, able: needsCarving}
}

func overRaw(e Event) string {
	if !e.moved() || e.Transfer.Channel != "tcp" && e.Transfer.Channel != "udp" || e.Transfer.Completeness == model.Opaque {
		return ""
	}
	return e.To
}

func lookRaw(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	return s, []Mark{{Family: "channel", Analytic: "raw-transfer", Transfer: t.ID, Time: t.End, Nats: 4,
		Text: fmt.Sprintf("content of type %s crossed a %s connection of no known protocol", t.Type, t.Channel), Evidence: t.Evidence,
		Techniques: []string{"T1095"}}}
}

// needsCarving: with --no-carve nobody looks into unknown protocols.
func needsCarving(c *model.Coverage) model.Ableness {
	switch {
	case c.Carved:
		return model.Ableness{Able: "able"}
	case c.Packets == 0:
		return model.Ableness{Able: "unable", Why: "no packets"}
	}
	return model.Ableness{Able: "unable", Why: "--no-carve: protocols that nobody knows were not looked into"}
}
