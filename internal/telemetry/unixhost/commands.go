package unixhost

import (
	"cmp"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/cmdline"
)

// asker is who gave a command.
type asker struct {
	user, command, process string
	pid                    uint64
}

// claim is a movement that a command asked for.
type claim struct {
	t    *model.Transfer
	time model.Time
}

// asked takes what a command asks for, each movement as a claim. It gives those of
// which this host is an end.
func (h *host) asked(r *telemetry.Record, who asker, m cmdline.Meaning) (out []*model.Transfer) {
	for _, mv := range m.Moves {
		if mv.On != "" {
			continue
		}
		for _, p := range [...]*cmdline.Place{&mv.From, &mv.To} {
			if p.Host != "" && h.isSelf(endOf(p.Host, "")) {
				*p = cmdline.Place{Path: p.Path}
			}
		}
		switch {
		case mv.From.Local() && mv.To.Local():
		case !mv.From.Local() && !mv.To.Local():
			// What goes from A to B through here is two movements (contract, ordered_by).
			in, on := mv, mv
			in.To, on.From = cmdline.Place{Path: mv.Name}, cmdline.Place{Path: mv.Name}
			out = append(out, h.claimed(r, who, in), h.claimed(r, who, on))
		default:
			out = append(out, h.claimed(r, who, mv))
		}
	}
	return out
}

// claimed gives the claim of a movement: the same from a shell, from what it starts
// and from another log is one.
func (h *host) claimed(r *telemetry.Record, who asker, mv cmdline.Move) *model.Transfer {
	key := strings.ToLower(mv.From.Host + "|" + mv.From.Path + "|" + mv.To.Host + "|" + mv.To.Path)
	if h.claims == nil || len(h.claims) >= maxFacts {
		h.claims = map[string]claim{}
	}
	if c, ok := h.claims[key]; ok && distance(c.time, r.Time) < 2*minute {
		if len(c.t.Evidence) < maxEvidence {
			c.t.Evidence = append(c.t.Evidence, h.evidence(r, "command"))
		}
		return c.t
	}
	push := mv.From.Local()
	remote := mv.From
	if push {
		remote = mv.To
	}
	local := mv.To.Path
	if push {
		local = mv.From.Path
	}
	t := &model.Transfer{Kind: "transfer", ID: h.id("t", r, key), Start: r.Time, End: r.Time, Channel: mv.Channel, Share: strings.Clone(remote.Share),
		Path: strings.Clone(cmp.Or(remote.Path, local)), Name: strings.Clone(mv.Name), Completeness: model.Logged, Status: model.Claimed,
		Reason: "a command asked for it; nothing shows that bytes moved", InitiatorUser: who.user, Process: who.process, Tool: mv.Tool,
		Command: cmdline.Redact(clip(who.command)), PID: who.pid, User: strings.Clone(remote.User), TimeAssumed: r.Assumed,
		Evidence: []model.Evidence{h.evidence(r, "command")}}
	if mv.Old != "" {
		t.EarlierNames = []string{strings.Clone(mv.Old)}
	}
	t.Source, t.Destination, t.Operation, t.Initiator = placeEnd(remote), h.self(), model.Pull, model.ByDestination
	if push {
		t.Source, t.Destination, t.Operation, t.Initiator = h.self(), placeEnd(remote), model.Push, model.BySource
	}
	h.claims[key] = claim{t, r.Time}
	if h.s.out.Moved(t) {
		h.book.all = append(h.book.all, t)
	}
	if !push && strings.HasPrefix(local, "/") {
		h.lies(t, local)
	}
	return t
}

// placeEnd is the end that a command names; what a shell would have filled in is not known.
func placeEnd(p cmdline.Place) model.Endpoint {
	if strings.ContainsAny(p.Host, "?$%{}`*") {
		return model.Endpoint{}
	}
	return endOf(p.Host, p.Port)
}

// sudo takes "USER : TTY=... ; PWD=... ; USER=... ; COMMAND=...".
func (h *host) sudo(r *telemetry.Record) {
	m := r.Get("message")
	user, rest, ok := strings.Cut(m, " : ")
	_, command, ok2 := strings.Cut(rest, "COMMAND=")
	if !ok || !ok2 || strings.Contains(rest, "command not allowed") {
		return
	}
	h.asked(r, asker{user: strings.Clone(strings.TrimSpace(user)), command: command}, cmdline.ReadShell(command))
}

// history takes a command of a shell's history.
func (h *host) history(r *telemetry.Record) {
	command := r.Get("command")
	h.asked(r, asker{command: command}, cmdline.ReadShell(command))
}
