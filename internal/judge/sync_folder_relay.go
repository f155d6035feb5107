package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// syncFolderRelay marks files that went from host to host through a synced folder.
// Where logs name the file, that is a reason; where only volumes fit, it is context.
func syncFolderRelay() Analytic {
	return &rule[struct{}]{name: "sync-folder-relay", key: throughFolder, look: lookFolder, able: needsSync}
}

func throughFolder(e Event) string {
	if e.Transfer == nil || e.Transfer.Channel != "sync-folder" || !e.landed() || !mayRun(e.Transfer) {
		return ""
	}
	return e.To
}

// Nats of a synced file: the contract's where it is named, and less where it is one
// of many things that the volume may be.
const (
	folderNamed   = 2
	folderProgram = 3
	folderStarted = 4
	folderVolume  = 1
)

func lookFolder(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	m := Mark{Family: "channel", Analytic: "sync-folder-relay", Transfer: t.ID, Time: t.End, Nats: folderNamed, Evidence: t.Evidence, Techniques: []string{"T1102"},
		Text: "it entered a synced folder on " + t.Source.Name() + " and the sync client wrote it on " + t.Destination.Name()}
	if e.Runs {
		m.Nats = folderProgram
	}
	if len(t.Executed) > 0 {
		m.Nats = folderStarted
	}
	if t.Completeness == model.Opaque {
		m.Nats, m.Text, m.Alone = folderVolume, volumeText(t), t.Operation == model.Copy
	}
	return s, []Mark{m}
}

// volumeText says what volumes show: of a relay both, of a direct copy the one.
func volumeText(t *model.Transfer) string {
	if t.Operation == model.Copy {
		return "what one host sent to a sync service fits what another got from it soon after, by volume alone: " + strings.Join(t.Notes, "; ")
	}
	return fmt.Sprintf("a sync client on %s gave about %d bytes of a synced folder to the one on %s", t.Source.Name(), t.Estimate.Size, t.Destination.Name())
}

// needsSync: logs of file creations name the files, connections to services show volumes.
func needsSync(c *model.Coverage) model.Ableness {
	switch {
	case c.Events["sysmon/11"]+c.Events["defender-hunting/11"]+c.Events["eslogger"] > 0:
		return model.Ableness{Able: "partly", Why: "only files that a known sync client writes are seen"}
	case c.Decoded["tls"]+c.Blind["encrypted-tls"]+c.Blind["encrypted-quic"] > 0:
		return model.Ableness{Able: "partly", Why: "no file creations (Sysmon 11, eslogger) were logged: only volumes of encrypted connections show"}
	}
	return model.Ableness{Able: "unable", Why: "no file creations (Sysmon 11, eslogger) were logged, and no encrypted connections seen"}
}
