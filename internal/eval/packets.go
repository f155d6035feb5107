package eval

import (
	"fmt"
	"path"
	"strings"

	"waybill/internal/model"
)

// captured makes the records that a capture at the core gives of a movement: nothing of
// what stays within a segment, sizes of what is encrypted, all of the rest.
func (y *Eyes) captured(m *Move) {
	t := y.packets(m)
	switch m.Channel {
	case "smb":
		t.Channel, t.Share = "smb2", `\\`+m.server().Name+`\`+m.Share
		if m.server().Sealed {
			y.opaque(t, m, 0.012)
			break
		}
		t.User, t.Domain, t.Auth = m.User, m.Domain, "kerberos"
		y.whole(t, m)
		y.calls(m)
	case "http", "bits", "webdav":
		t.Channel = m.Channel
		if m.Channel == "bits" {
			t.Channel = "http"
		}
		t.Share = m.Source.FQDN()
		if m.Port != 0 && m.Port != 80 {
			t.Share += fmt.Sprintf(":%d", m.Port)
		}
		y.whole(t, m)
	case "ftp", "tftp":
		y.whole(t, m)
		t.User = m.User
	case "ssh", "rdp":
		y.opaque(t, m, 0.02)
		t.Confidence = "medium"
	case "tls":
		t.Channel = "tcp"
		y.opaque(t, m, 0.03)
	case "tcp":
		if m.Content.Type != "pe" {
			return // nothing is told of a protocol that nobody knows
		}
		t.Completeness, t.Type, t.Status = model.Partial, "pe", model.Done
	default:
		return // WinRM: an exchange of encrypted messages
	}
	y.seen.Transfers = append(y.seen.Transfers, t)
}

// packets begins a record.
func (y *Eyes) packets(m *Move) *model.Transfer {
	port := m.Port
	if port == 0 {
		port = map[string]uint16{"smb": 445, "http": 80, "bits": 80, "webdav": 80}[m.Channel]
	}
	client, server := model.Endpoint{IP: m.client().IP, Port: m.client().nextPort()}, model.Endpoint{IP: m.server().IP, Port: port}
	t := &model.Transfer{Kind: "transfer", ID: "t-" + hexOf(mix(m.seq, y.w.Seed, 13)), Start: m.Time, End: m.End, Channel: m.Channel, Status: model.Done,
		Evidence: []model.Evidence{{Input: labelName(m.Label), Kind: "packets", Packets: &[2]uint64{m.seq * 10, m.seq*10 + 9}, What: m.Channel}}}
	if m.Push {
		t.Source, t.Destination, t.Operation, t.Initiator = client, server, model.Push, model.BySource
	} else {
		t.Source, t.Destination, t.Operation, t.Initiator = server, client, model.Pull, model.ByDestination
	}
	return t
}

// whole fills in what the bytes tell.
func (y *Eyes) whole(t *model.Transfer, m *Move) {
	size := m.Content.Bytes()
	t.Path, t.Name = m.Path, m.Name
	t.Size, t.BytesSeen, t.Type = &size, &size, m.Content.Type
	if runs(m.Content.Type) || m.Content.Type == "archive" {
		t.Prefix = m.Content.Prefix()
	}
	if m.Content.Original != "" {
		t.OriginalName = m.Content.Original
	}
	if seeded(y.w.Seed, m.seq, 17).Float64() < y.w.Parameters.value("capture_loss") {
		t.Completeness, t.Reason = model.Partial, "bytes were not captured"
		return
	}
	t.Completeness, t.SHA256 = model.Whole, m.Content.SHA256()
}

func runs(typ string) bool {
	switch typ {
	case "pe", "elf", "macho", "java", "script":
		return true
	}
	return false
}

// opaque fills in what the sizes of encrypted messages tell.
func (y *Eyes) opaque(t *model.Transfer, m *Move, exact float64) {
	rng := seeded(y.w.Seed, m.seq, 19)
	size := float64(m.Content.Bytes())
	about := size * (1 + exact*rng.NormFloat64()/2)
	t.Completeness, t.Reason, t.Confidence = model.Opaque, "encrypted", "low"
	t.BytesSeen = new(int64)
	t.Estimate = &model.Estimate{Size: int64(about), Low: int64(about * (1 - exact)), High: int64(about * (1 + exact))}
	t.Session = &model.Session{Encrypted: true, Channels: 1}
}

// calls are the procedure calls that start what was copied: services are called in
// clear, tasks and WMI are sealed.
func (y *Eyes) calls(m *Move) {
	if m.Start == nil || !m.Push {
		return
	}
	access := func(what string, at model.Time, object, command, status string) {
		y.seen.Accesses = append(y.seen.Accesses, &model.Access{Kind: "access", ID: "a-" + hexOf(mix(m.seq, text(what), 23)), Time: at, What: what, Channel: "dcerpc", User: m.User, Domain: m.Domain,
			Source: model.Endpoint{IP: m.Source.IP}, Destination: model.Endpoint{IP: m.Destination.IP}, Object: object, Command: command, Status: status,
			Evidence: []model.Evidence{{Input: labelName(m.Label), Kind: "packets", Packets: &[2]uint64{m.seq*10 + 5, m.seq*10 + 6}, What: what}}})
	}
	switch x := m.Start; x.How {
	case "service":
		access("service-create", x.Time-second, x.Service, x.Command, "")
		access("service-start", x.Time-second/2, x.Service, "", "")
	case "task":
		access("rpc-call", x.Time-2*second, "", "", "sealed")
	case "wmi":
		access("wmi-exec", x.Time-second/2, "", "", "sealed")
	}
}

// unix makes what the logs of Linux hosts tell of a copy over SSH.
func (y *Eyes) unix(m *Move) {
	if c := m.client(); c.Role == "linux" && y.tier.starts(c) && m.Command != "" && m.Push {
		y.seen.Transfers = append(y.seen.Transfers, y.copyCommand(m))
	}
	d := m.Destination
	if d.Role != "linux" || !y.tier.starts(d) || !m.Push || !runs(m.Content.Type) {
		return
	}
	t := &model.Transfer{Kind: "transfer", ID: "t-" + hexOf(mix(m.seq, y.w.Seed, 29)), Start: m.Time, End: m.End, Channel: "ssh", Operation: model.Push, Initiator: model.BySource,
		Source: model.Endpoint{IP: m.Source.IP}, Destination: model.Endpoint{Host: d.Name, IP: d.IP}, Path: m.Path, Name: m.Name, User: m.User,
		Completeness: model.Logged, Status: model.Done, Reason: model.ReasonLogged, Evidence: y.hostEvidence(m, d, "auditd")}
	if x := m.Start; x != nil {
		image, command := m.Path, m.Path
		if x.Image != m.Local && x.Image != "" {
			image, command = x.Image, x.Image+" "+m.Path
		}
		t.Executed = []model.Execution{{Time: x.Time, How: "process", Process: image, Command: command, User: x.User, Evidence: y.hostEvidence(m, d, "auditd")}}
	}
	y.seen.Transfers = append(y.seen.Transfers, t)
}

// copyCommand is the claim that a command on a Linux host makes.
func (y *Eyes) copyCommand(m *Move) *model.Transfer {
	c := m.client()
	return &model.Transfer{Kind: "transfer", ID: "t-" + hexOf(mix(m.seq, y.w.Seed, 37)), Start: m.Time, End: m.Time, Channel: "ssh", Operation: model.Push, Initiator: model.BySource,
		Source: model.Endpoint{Host: c.Name, IP: c.IP}, Destination: model.Endpoint{Host: m.Destination.Name}, Path: m.Path, Name: m.Name, User: m.User,
		Completeness: model.Logged, Status: model.Claimed, Reason: "a command asked for it; nothing shows that bytes moved", InitiatorUser: m.User,
		Process: m.Process, Tool: path.Base(strings.Fields(m.Command)[0]), Command: m.Command, Evidence: y.hostEvidence(m, c, "auditd")}
}

func (y *Eyes) hostEvidence(m *Move, h *Host, channel string) []model.Evidence {
	return []model.Evidence{{Input: labelName(m.Label), Kind: "event", Computer: h.Name, Channel: channel, Line: int(m.seq), What: channel}}
}

func labelName(l *Label) string { return fmt.Sprintf("simulated-%d", l.Index) }
