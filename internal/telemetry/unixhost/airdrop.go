package unixhost

import (
	"net/url"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// What sharingd says of AirDrop in the unified log (category AirDrop, in macOS 14 and 15 as
// public programs that watch it read its messages). Names are there only where the log is
// not private.

// dropping is one exchange by AirDrop, under sharingd's number of it.
type dropping struct {
	out   bool // this Mac sends
	peer  string
	paths []string
}

// sharing takes a message of sharingd.
func (h *host) sharing(r *telemetry.Record) {
	m := r.Get("message")
	d := h.dropping(r.Get("category"), m)
	switch {
	case strings.Contains(m, "state: .completedSuccessfully"):
		h.exchanged(r, d)
	case strings.Contains(m, "would like to share "):
		_, who, _ := strings.Cut(m, "prompt: ")
		who, _, _ = strings.Cut(who, " would like to share ")
		d.name(who)
	case strings.Contains(m, "prompt: Received "):
		_, who := within(m, "prompt: Received ", " from ")
		who, _, _ = strings.Cut(who, ")")
		who, _, _ = strings.Cut(who, "}")
		d.name(who)
	case strings.Contains(m, "Send StateMachine ASK END"):
		d.out = true
		who, _ := within(m, `ASK response Nm "`, `"`)
		d.name(who)
	case strings.Contains(m, "Adding file items"), strings.Contains(m, "Passing real URLS to zipper"), strings.Contains(m, "Sending UPLOAD request"):
		d.out = true
		d.files(m)
	case strings.Contains(m, "Start progress for url:"), strings.Contains(m, "Importing "), strings.Contains(m, "Decompression succeeded"):
		d.files(m)
	}
}

// dropping gives the exchange of a message: by the number in the category
// ("AirDrop.5F3A2B1C") or the text, else the one seen last.
func (h *host) dropping(category, m string) *dropping {
	_, id, ok := strings.Cut(category, "AirDrop.")
	for _, mark := range [...]string{"transferID: ", "{id: "} {
		if _, rest, found := strings.Cut(m, mark); !ok && found {
			id, ok = rest[:min(8, len(rest))], true
		}
	}
	if !ok {
		id = h.dropLast
	}
	if len(h.drops) >= maxFacts || h.drops == nil {
		h.drops = map[string]*dropping{}
	}
	d := h.drops[id]
	if d == nil {
		d = &dropping{}
		h.drops[strings.Clone(id)] = d
	}
	h.dropLast = strings.Clone(id)
	return d
}

func (d *dropping) name(who string) {
	if who = strings.TrimSpace(who); who != "" && !strings.Contains(who, "<private>") {
		d.peer = strings.Clone(who)
	}
}

// files takes the URLs of files that a message names.
func (d *dropping) files(m string) {
	for _, rest := range strings.Split(m, "file://")[1:] {
		if end := strings.IndexAny(rest, " ])},\""); end >= 0 {
			rest = rest[:end]
		}
		path, err := url.PathUnescape(rest)
		if err == nil && strings.HasPrefix(path, "/") && base(path) != "" && len(d.paths) < maxEvidence && !slices.Contains(d.paths, path) {
			d.paths = append(d.paths, strings.Clone(path))
		}
	}
}

// exchanged says what an exchange moved that came to its end.
func (h *host) exchanged(r *telemetry.Record, d *dropping) {
	for _, path := range d.paths {
		m := moved{operation: model.Push, channel: "airdrop", other: model.Endpoint{Host: d.peer}, path: path, size: -1, what: "AirDrop by sharingd"}
		if d.peer == "" {
			m.confident, m.reason = "medium", model.ReasonLogged+"; the log does not say with whom"
		}
		if !d.out {
			h.drop = h.found(r, m)
			continue
		}
		m.operation = model.Pull // as seen from here, but the one who sends begins it
		t := h.transfer(r, &m)
		t.Operation, t.Initiator = model.Push, model.BySource
		h.noted(t)
	}
	*d = dropping{}
}
