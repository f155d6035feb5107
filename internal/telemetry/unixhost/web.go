package unixhost

import (
	"fmt"
	"net/url"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/webmedia"
)

// webState is what is known of a host's access logs.
type webState struct {
	inputs map[int32]*webInput
	parts  map[string]*webPart // what is fetched in parts, by client and path
	pages  int
}

// webInput is one access log. Whether its bytes count headers is known when answers
// without a body were seen.
type webInput struct {
	headers, bodies bool
	sized           []webSize
}

type webSize struct {
	t *model.Transfer
	n int64
}

type webPart struct {
	t    *model.Transfer
	last model.Time
}

// maxPages bounds the page parts that are kept of a host: they are printed with --all
// only.
const maxPages = 1 << 16

// partsApart is how far apart the parts of one file are fetched.
const partsApart = 10 * minute

// request takes a request of a web server, by clients inside: what the log says of
// others is the server's business.
func (h *host) request(r *telemetry.Record) {
	status, n := telemetry.Count(r.Get("status")), telemetry.Count(r.Get("bytes"))
	method := r.Get("method")
	in := h.web.input(r.Input)
	if method == "HEAD" || status == 304 {
		in.headers, in.bodies = in.headers || n > 0, in.bodies || n <= 0
		return
	}
	client := endOf(r.Get("client"), "")
	path, _, _ := strings.Cut(r.Get("target"), "?")
	if !strings.HasPrefix(path, "/") || client.IP.Known() && h.s.o.Inside != nil && !h.s.o.Inside(client.IP) {
		return
	}
	path = unescaped(path)
	m := moved{channel: webChannel(r), other: client, path: path, size: -1, user: r.Get("user"), what: "HTTP " + method}
	if m.user != "" {
		m.auth = "basic"
	}
	switch {
	case method == "GET" && (status == 200 || status == 206):
		m.operation = model.Pull
		h.fetched(r, m, n, status == 206, in)
	case method == "PUT" && status >= 200 && status < 300:
		m.operation = model.Push
		h.spoke(r, h.found(r, m))
	case method == "PUT" && (status == 403 || status == 405 || status == 409 || status == 413 || status == 423 || status == 507):
		m.operation, m.status, m.reason = model.Push, model.Denied, fmt.Sprintf("the web server answered %d", status)
		h.spoke(r, h.found(r, m))
	case method == "DELETE" && status < 300:
		h.removed(r, path)
	case method == "MOVE" && status < 300:
		h.movedAway(r, path)
	}
}

func (w *webState) input(i int32) *webInput {
	if w.inputs == nil {
		w.inputs, w.parts = map[int32]*webInput{}, map[string]*webPart{}
	}
	if w.inputs[i] == nil {
		w.inputs[i] = &webInput{}
	}
	return w.inputs[i]
}

// fetched takes a file, or a part of one, that a client got.
func (h *host) fetched(r *telemetry.Record, m moved, n int64, part bool, in *webInput) {
	page := !webmedia.FileName(m.path) && (n <= webmedia.BigContent || webmedia.PageName(m.path))
	if page {
		if h.web.pages++; h.web.pages > maxPages {
			return
		}
	}
	key := ""
	if part {
		key = m.other.Name() + " " + m.path
		if p := h.web.parts[key]; p != nil && r.Time-p.last < partsApart {
			p.last, p.t.End = r.Time, max(p.t.End, r.Time)
			return
		}
	}
	t := h.found(r, m)
	if t == nil {
		return
	}
	h.spoke(r, t)
	if part {
		t.Notes = append(t.Notes, "fetched in parts")
		if len(h.web.parts) >= maxFacts {
			clear(h.web.parts)
		}
		h.web.parts[key] = &webPart{t, r.Time}
	} else if n >= 0 {
		in.sized = append(in.sized, webSize{t, n})
	}
	if page {
		h.pagePart(t)
	}
}

func (h *host) pagePart(t *model.Transfer) {
	if h.s.out.PageParts == nil {
		h.s.out.PageParts = map[string]bool{}
	}
	h.s.out.PageParts[t.ID] = true
}

// sizes gives the files their sizes, where the log counts bodies only.
func (w *webState) sizes() {
	for _, in := range w.inputs {
		for _, s := range in.sized {
			switch {
			case s.t.Size != nil:
			case in.bodies && !in.headers:
				s.t.Size = &s.n
			default:
				s.t.Notes = append(s.t.Notes, fmt.Sprintf("the server counted %d bytes, perhaps with the headers", s.n))
			}
		}
	}
}

// movedAway notes that a file was renamed; the log does not say how.
func (h *host) movedAway(r *telemetry.Record, path string) {
	t := h.book.byPath[path]
	if t == nil {
		return
	}
	delete(h.book.byPath, path)
	t.Notes = append(t.Notes, "renamed on the server (MOVE); the log does not say to what")
	if len(t.Evidence) < maxEvidence {
		t.Evidence = append(t.Evidence, h.evidence(r, "HTTP MOVE"))
	}
}

// spoke notes the client's program.
func (h *host) spoke(r *telemetry.Record, t *model.Transfer) {
	if a := r.Get("agent"); t != nil && a != "" && t.Session == nil {
		t.Session = &model.Session{ClientSoftware: strings.Clone(a)}
	}
}

// webChannel tells BITS and WebDAV by the client's program.
func webChannel(r *telemetry.Record) string {
	a := r.Get("agent")
	switch {
	case strings.HasPrefix(a, "Microsoft BITS/"):
		return "bits"
	case strings.Contains(a, "WebDAV") || strings.HasPrefix(a, "DavClnt") || strings.Contains(a, "davfs"):
		return "webdav"
	}
	return "http"
}

func unescaped(path string) string {
	if plain, err := url.PathUnescape(path); err == nil {
		return plain
	}
	return path
}
