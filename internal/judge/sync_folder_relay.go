package judge

// syncFolderRelay marks files that went from host to host through a synced folder.
func syncFolderRelay() Analytic {
	return &rule[struct{}]{name: "sync-folder-relay", key: throughFolder, look: lookFolder, able: needsDesktop}
}

func throughFolder(e Event) string {
	if !e.moved() || e.Transfer.Channel != "sync-folder" || !mayRun(e.Transfer) {
		return ""
	}
	return hostKey(e.Transfer.Destination)
}

func lookFolder(s struct{}, e Event) (struct{}, []Mark) {
	t := e.Transfer
	return s, []Mark{{Family: "channel", Analytic: "sync-folder-relay", Transfer: t.ID, Time: t.End, Nats: 2,
		Text: "it entered a synced folder on " + t.Source.Name() + " and the sync client wrote it on " + t.Destination.Name(), Evidence: t.Evidence}}
}
