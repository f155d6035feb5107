package judge

import (
	"cmp"
	"fmt"
	"strings"

	"waybill/internal/model"
)

// shareDrop marks executable content written to a share that is no administrative
// one, by a host that does not usually write there.
func shareDrop() Analytic {
	return &rule[drops]{name: "share-drop", key: droppedOn, look: lookDrop, able: needsSMB}
}

// drops is who wrote how many programs to one share.
type drops struct {
	Writers map[string]int `json:"writers"`
}

// usualWriter is how many programs a host writes to a share before it is known for it.
const usualWriter = 10

func droppedOn(e Event) string {
	if !e.Runs || !smbPush(e) && !(e.Transfer.Channel == "nfs" && e.Transfer.Operation == model.Push && e.moved()) {
		return ""
	}
	share := lastElement(e.Transfer.Share)
	if e.Transfer.Channel == "nfs" {
		share = cmp.Or(share, "nfs")
	}
	if _, admin := adminRoot(share); admin || share == "" {
		return ""
	}
	return e.To + `\` + strings.ToLower(share)
}

func lookDrop(s drops, e Event) (drops, []Mark) {
	t := e.Transfer
	var n int
	if s.Writers, n = counted(s.Writers, e.From); n >= usualWriter {
		return s, nil
	}
	m := Mark{Family: "channel", Analytic: "share-drop", Transfer: t.ID, Time: t.End, Nats: dropped,
		Text: fmt.Sprintf("executable content written to the share %s by a host that does not usually write there", lastElement(t.Share)), Evidence: t.Evidence}
	switch {
	case t.Status == model.Claimed:
		m.Nats = dropClaimed
	case t.Channel == "nfs" && seenProgram(t):
		m.Nats = dropSeen
	}
	if strings.HasPrefix(t.Channel, "smb") {
		m.Techniques = []string{"T1021.002"}
	}
	if stray(t.Process) {
		m.Nats += dropStray
		m.Text += ", by " + t.Process + ", a program in a folder that holds none"
		m.Techniques = append(m.Techniques, "T1080")
	}
	return s, []Mark{m}
}
