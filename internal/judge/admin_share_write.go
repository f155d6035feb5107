package judge

import (
	"fmt"
	"strings"

	"waybill/internal/model"
)

// adminShareWrite marks programs written to an administrative share of another
// host, and files written there that a service runs later.
func adminShareWrite() Analytic {
	return &rule[adminWrites]{name: "admin-share-write", key: onHost, look: lookAdminShare, able: needsSMB}
}

// adminWrites is what was written to the administrative shares of one host and
// is not marked yet.
type adminWrites struct {
	Files []*landing `json:"files"`
}

func lookAdminShare(s adminWrites, e Event) (adminWrites, []Mark) {
	if e.Access != nil {
		return lookAdminStart(s, e.Access)
	}
	t := e.Transfer
	if t.Share == "" {
		return s, systemFolderMarks(t)
	}
	if _, admin := adminRoot(lastElement(t.Share)); !admin || t.Source.IP.Known() && t.Source.IP == t.Destination.IP {
		return s, nil
	}
	if policyFile(t) {
		return s, []Mark{adminMark(e.landing(), "a group policy file that copies or starts programs", t.End)}
	}
	if isArchive(t) && !runsItself(t) {
		return s, []Mark{archiveMark(&e)}
	}
	if !e.Runs {
		s.Files = remember(s.Files, e.landing(), e.window())
		return s, nil
	}
	m := adminMark(e.landing(), "executable content", t.End)
	if shareKind(t) == "policy" {
		m.Nats = policyPut
	}
	if t.Status == model.Claimed { // the access was granted, and nothing more is known
		m.Nats = adminClaimed
	}
	if !e.Usual.habit() {
		m.asTool(t)
	}
	return s, []Mark{m}
}

// archiveMark marks an archive or disk image, more when something of it was started there.
func archiveMark(e *Event) Mark {
	m := adminMark(e.landing(), "an archive", e.Transfer.End)
	if m.Nats = adminArchive; e.Runs {
		m.Nats, m.Text = adminWrite, m.Text+", of which something was started"
	}
	if _, _, nats := oddlyPlaced(e.Transfer); nats > 0 {
		m.Nats, m.Text = m.Nats+adminTemp, m.Text+", to a folder for temporary files or one that holds no programs"
	}
	return m
}

// asTool adds what speaks for a tool rather than for software: it lies where anybody may
// write or nobody looks, and its name is that of no installer.
func (m *Mark) asTool(t *model.Transfer) {
	if installer(t.Name) {
		return
	}
	const as = " under the name of no installer"
	if _, _, nats := oddlyPlaced(t); nats > 0 {
		m.Nats += adminTool
		m.Text += ", to a folder for temporary files or one that holds no programs," + as
	} else if t.Tool != "" && strings.HasPrefix(diskPath(t), `\temp\`) {
		m.Nats += adminTemp
		m.Text += ", to a folder for temporary files by a command," + as
	}
}

// policyFile says whether a file written to SYSVOL makes every host of the domain
// copy or start something (MS-GPPREF, MS-GPSCR).
func policyFile(t *model.Transfer) bool {
	if !strings.EqualFold(lastElement(t.Share), "sysvol") {
		return false
	}
	return policyName(strings.ToLower(t.Name))
}

// policyName says so of a name, lower case.
func policyName(name string) bool {
	switch name {
	case "scheduledtasks.xml", "files.xml", "scripts.ini", "psscripts.ini", "services.xml":
		return true
	}
	return false
}

// systemFolderMarks marks what System wrote for a client where the logs name no
// share: into folders that only administrative shares reach.
func systemFolderMarks(t *model.Transfer) []Mark {
	path := pathKey(t.Path)
	if len(path) < 3 || path[1] != ':' || !runs(t) {
		return nil
	}
	folder, _, deeper := strings.Cut(path[3:], `\`)
	switch {
	case deeper && (folder == "windows" || folder == "programdata" || folder == "users" || folder == "perflogs" || strings.HasPrefix(folder, "program files")):
	case !deeper:
	default:
		return nil
	}
	if t.Receiver != nil && strings.HasSuffix(strings.ToLower(t.Receiver.Process), `\lsass.exe`) {
		return []Mark{{Family: "channel", Analytic: "admin-share-write", Transfer: t.ID, Time: t.End, Nats: adminWrite, Techniques: []string{"T1210"},
			Text: "executable content that lsass wrote to " + t.Path + " for another host, as exploits of the SMB server do", Evidence: t.Evidence}}
	}
	m := Mark{Family: "channel", Analytic: "admin-share-write", Transfer: t.ID, Time: t.End, Nats: adminWrite,
		Text:     "executable content written over SMB to " + t.Path + ", where only an administrative share leads",
		Evidence: t.Evidence, Techniques: []string{"T1021.002"}}
	m.asTool(t)
	return []Mark{m}
}

// lookAdminStart marks what was written as no program and is the program of a service.
func lookAdminStart(s adminWrites, a *model.Access) (adminWrites, []Mark) {
	if a.Command == "" {
		return s, nil
	}
	var marks []Mark
	kept := s.Files[:0:0]
	for _, l := range s.Files {
		if l.Time <= a.Time && l.runBy(pathKey(strings.Trim(a.Command, ` "`))) {
			marks = append(marks, adminMark(l, "a file that a service runs", a.Time))
			continue
		}
		kept = append(kept, l)
	}
	s.Files = kept
	return s, marks
}

func adminMark(l *landing, what string, at model.Time) Mark {
	return Mark{Family: "channel", Analytic: "admin-share-write", Transfer: l.Transfer, Time: at, Nats: adminWrite,
		Text:     fmt.Sprintf("%s written to the administrative share %s from another host", what, l.Share),
		Evidence: l.Evidence, Techniques: []string{"T1021.002"}}
}

// sharesSeen is how many bytes of SMB of any dialect were read.
func sharesSeen(c *model.Coverage) int64 { return c.Decoded["smb1"] + c.Decoded["smb2"] }

// needsSMB says how much of SMB was readable.
func needsSMB(c *model.Coverage) model.Ableness {
	switch {
	case sharesSeen(c) == 0 && c.Events["security/5145"] > 0:
		return model.Ableness{Able: "able"}
	case sharesSeen(c) == 0 && c.Events["sysmon/11"]+c.Events["defender-hunting/11"] > 0:
		return model.Ableness{Able: "partly", Why: "no share access (Security 5145) was logged: files that System created show writes, seldom by whom"}
	case sharesSeen(c) == 0 && len(c.Events) > 0:
		return model.Ableness{Able: "unable", Why: "no share access (Security 5145) and no file creation (Sysmon 11) was logged, and no SMB was seen"}
	case sharesSeen(c) == 0:
		return model.Ableness{Able: "unable", Why: "no SMB was seen"}
	case c.Blind["encrypted-smb3"] > 0:
		return model.Ableness{Able: "partly", Why: "some SMB3 sessions are encrypted (--keytab or --smb-keys opens them)"}
	case c.Blind["lost-segments"]+c.Blind["snaplen"]+c.Blind["one-direction"] > 0:
		return model.Ableness{Able: "partly", Why: "packets or parts of packets are missing"}
	}
	return model.Ableness{Able: "able"}
}
