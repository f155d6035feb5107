package judge

import (
	"cmp"
	"fmt"
	"strings"

	"waybill/internal/model"
)

// toolPush marks programs that were pushed to a host inside over a channel that is no
// share: ssh, WinRM, FTP, a hypervisor, a medium that was carried. What tools of
// configuration management unpack in folders of their own is left out.
func toolPush() Analytic {
	return &rule[sends]{name: "tool-push", key: pushedBy, look: lookPush, able: needsFiles}
}

// sends is how often one host sent to each other one what encryption hides.
type sends struct {
	Sealed map[string]int `json:"sealed"`
}

// pushChannels are the channels, with the techniques that each is.
var pushChannels = map[string][]string{
	"ssh": {"T1021.004"}, "winrm": {"T1021.006"}, "rsync": nil, "ftp": nil, "tftp": nil, "http": nil, "webdav": nil,
	"guest": {"T1675"}, "removable": {"T1091"}, "deploy": {"T1072"}, "airdrop": nil,
	"unknown": {"T1219"}, // what a remote support tool wrote
}

func pushedBy(e Event) string {
	if !e.Runs && !(e.Program && e.Transfer.Type == "") || !e.moved() || e.Transfer.Operation != model.Push || e.Transfer.Scope != "" && e.Transfer.Scope != model.ScopeInternal {
		return ""
	}
	if _, ok := pushChannels[e.Transfer.Channel]; !ok || e.From == e.To || managed(e.Transfer) || e.Transfer.Channel == "unknown" && e.Transfer.Receiver == nil {
		return ""
	}
	return cmp.Or(e.From, e.To) // who wrote it is not always known
}

// managed says whether a path is one that configuration management unpacks its own
// programs in.
func managed(t *model.Transfer) bool {
	path := pathKey(t.Path)
	return strings.Contains(path, "ansible") || strings.Contains(path, `salt\minion`) || strings.Contains(path, `puppet\`) || strings.Contains(path, `chef\`)
}

func lookPush(s sends, e Event) (sends, []Mark) {
	t, nats, what := e.Transfer, pushedTool, "executable content pushed"
	switch {
	case isSealed(t):
		nats, what = pushedUnknown, volume(t)+", the size of one file, pushed"
		if s.lone(&e) {
			nats = pushedSealed
		}
	case hypervisor(&e):
		nats = pushedESX
	case !e.Runs:
		nats = pushedUnknown
	case (t.Channel == "ftp" || t.Channel == "tftp") && !installer(t.Name):
		nats = pushedFTP
	case seenProgram(t) && !e.Usual.Gives.Known():
		nats = pushedSeen
	case t.Channel == "removable" || t.Channel == "unknown" || t.Channel == "ftp" || t.Channel == "tftp":
		nats = pushedCarried
	}
	return s, []Mark{{Family: "channel", Analytic: "tool-push", Transfer: t.ID, Time: t.End, Nats: nats,
		Text: fmt.Sprintf("%s to %s over %s", what, cmp.Or(t.Destination.Name(), "an unknown host"), t.Channel), Evidence: t.Evidence,
		Techniques: pushChannels[t.Channel]}}
}

// hypervisor says whether what runs, or has no extension at all, was pushed to a hypervisor
// under a name that tells nothing: what these run comes in bundles (VIBs), images and archives.
func hypervisor(e *Event) bool {
	name := strings.ToLower(e.Transfer.Name)
	_, ext := cutExtension(name)
	return e.Transfer.Destination.Role == "hypervisor" && name != "" && ext != "vib" && (e.Runs || ext == "") && !installer(name)
}

// isSealed says whether an encrypted session moved one way what has the size of a file,
// and nothing else tells which.
func isSealed(t *model.Transfer) bool {
	return t.Completeness == model.Opaque && t.Name == "" && t.Confidence == "medium" && t.Estimate != nil && t.Estimate.Low > 0
}

// Who sends sealed files more often than that, or to more hosts, does so in everyday life.
const (
	sealedTimes = 3
	sealedHosts = 3
)

// lone notes a sealed file, and says whether it is among the first of its sender, where no
// history tells more.
func (s *sends) lone(e *Event) bool {
	var before int
	s.Sealed, before = counted(s.Sealed, e.To)
	return e.Usual.Days < watched && before < sealedTimes && len(s.Sealed) <= sealedHosts
}
