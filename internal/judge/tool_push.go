package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// toolPush marks programs that were pushed to a host inside over a channel that is no
// share: ssh, WinRM, FTP, a hypervisor, a medium that was carried. What tools of
// configuration management unpack in folders of their own is left out.
func toolPush() Analytic {
	return &rule[struct{}]{name: "tool-push", key: pushedTo, look: lookPush, able: needsFiles}
}

// pushChannels are the channels, with the techniques that each is.
var pushChannels = map[string][]string{
	"ssh": {"T1021.004"}, "winrm": {"T1021.006"}, "rsync": nil, "ftp": nil, "tftp": nil, "http": nil, "webdav": nil,
	"guest": nil, "removable": {"T1091"}, "deploy": {"T1072"}, "airdrop": nil,
	"unknown": {"T1219"}, // what a remote support tool wrote
}

func pushedTo(e Event) string {
	if !e.Runs && !(e.Program && e.Transfer.Type == "") || !e.moved() || e.Transfer.Operation != model.Push || e.Transfer.Scope != "" && e.Transfer.Scope != model.ScopeInternal {
		return ""
	}
	if _, ok := pushChannels[e.Transfer.Channel]; !ok || managed(e.Transfer) || e.Transfer.Channel == "unknown" && e.Transfer.Receiver == nil {
		return ""
	}
	return e.To
}

// managed says whether a path is one that configuration management unpacks its own
// programs in.
func managed(t *model.Transfer) bool {
	path := pathKey(t.Path)
	return strings.Contains(path, "ansible") || strings.Contains(path, `salt\minion`) || strings.Contains(path, `puppet\`) || strings.Contains(path, `chef\`)
}

func lookPush(s struct{}, e Event) (struct{}, []Mark) {
	t, nats := e.Transfer, pushedTool
	switch {
	case !e.Runs:
		nats = pushedUnknown
	case (t.Channel == "ftp" || t.Channel == "tftp") && !installer(t.Name):
		nats = pushedFTP
	case t.Channel == "removable" || t.Channel == "unknown" || t.Channel == "ftp" || t.Channel == "tftp":
		nats = pushedCarried
	}
	return s, []Mark{{Family: "channel", Analytic: "tool-push", Transfer: t.ID, Time: t.End, Nats: nats,
		Text: fmt.Sprintf("executable content pushed to %s over %s", t.Destination.Name(), t.Channel), Evidence: t.Evidence,
		Techniques: pushChannels[t.Channel]}}
}
