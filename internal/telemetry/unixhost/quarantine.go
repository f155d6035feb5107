package unixhost

import (
	"net/url"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// quarantine takes what a Mac notes of a file that came: by AirDrop the sender's name and
// no file, else the URL of a server inside.
func (h *host) quarantine(r *telemetry.Record) {
	if r.Time == 0 {
		return
	}
	if strings.EqualFold(r.Get("agent"), "sharingd") || strings.EqualFold(r.Get("agent"), "AirDrop") {
		h.airDrop(r)
		return
	}
	u, err := url.Parse(r.Get("url"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || base(u.Path) == "" || !h.inside(u.Hostname()) {
		return
	}
	server := endOf(u.Hostname(), u.Port())
	t := h.transfer(r, &moved{operation: model.Pull, channel: "http", other: server, path: u.Path, size: -1, what: "quarantine event of " + r.Get("agent")})
	t.Source, t.Destination = t.Destination, t.Source // here the host is the client
	h.came(t)
}

// came says what the host alone notes of a file that came.
func (h *host) came(t *model.Transfer) {
	if !h.isSelf(t.Source) {
		h.noted(t)
	}
}

// noted says a movement that no other log of the host shows.
func (h *host) noted(t *model.Transfer) {
	if len(h.book.all) < maxAccesses && h.s.out.Moved(t) {
		h.book.all = append(h.book.all, t)
	}
}

// inside says whether a server is one of this network, by its address or a name that is
// none of the Internet.
func (h *host) inside(server string) bool {
	if a := telemetry.Address(server); a.Known() {
		return h.s.o.Inside == nil || h.s.o.Inside(a)
	}
	return server != "" && (!strings.Contains(server, ".") || strings.HasSuffix(server, ".local"))
}

// airDrop takes a file that another device sent. Its name is not noted: it is that of
// what sharingd has just made, if that was logged.
func (h *host) airDrop(r *telemetry.Record) {
	sender := strings.Clone(r.Get("sender"))
	if sender == "" {
		return
	}
	if t := h.drop; t != nil && t.Name != "" && (t.Source == (model.Endpoint{}) || t.Source.Host == sender) && distance(r.Time, t.End) < minute {
		t.Source.Host, t.Confidence = sender, ""
		t.Reason = model.ReasonLogged
		t.Evidence = append(t.Evidence, h.evidence(r, "quarantine event: AirDrop"))
		return
	}
	h.drop = h.transfer(r, &moved{operation: model.Push, channel: "airdrop", other: model.Endpoint{Host: sender}, size: -1, what: "quarantine event: AirDrop"})
	h.came(h.drop)
}

// dropped takes a file that sharingd (sharingd(8)) made among the downloads of an account:
// one that came by AirDrop, from whom only the quarantine event says.
func (h *host) dropped(r *telemetry.Record, p *process, file string) bool {
	if p.image != "/usr/libexec/sharingd" || !strings.HasPrefix(file, "/Users/") || !strings.Contains(file, "/Downloads/") || strings.Contains(file, "/.") {
		return false
	}
	r.Unverified = "eslogger/airdrop"
	if t := h.drop; t != nil && t.Name == "" && distance(r.Time, t.End) < minute {
		t.Path, t.Name = strings.Clone(file), strings.Clone(base(file))
		t.Evidence = append(t.Evidence, h.evidence(r, "file create by sharingd"))
		h.lies(t, t.Path)
	} else {
		h.drop = h.found(r, moved{operation: model.Push, channel: "airdrop", path: file, size: -1, confident: "medium", what: "file create by sharingd",
			reason: "sharingd wrote it: " + model.ReasonLogged + "; the log does not say from where"})
	}
	return true
}
