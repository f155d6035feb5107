package sensor

import (
	"cmp"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// web is one request with its answer (Zeek's http.log).
type web struct {
	id             string
	time           model.Time
	client, server model.Endpoint
	method         string
	host, target   string
	status         int64
	sent, got      int64 // bodies
	names          [2]string
	medias         [2]string
	user, agent    string
	evidence       model.Evidence
	files          bool // the sensor gave its bodies ids
	told           bool // by a row of files.log
}

// The two bodies of an exchange.
const (
	ofRequest = iota
	ofAnswer
)

func (s *Sensors) zeekHTTP(r *telemetry.Record) {
	f := s.flow(r)
	w := &web{id: id("t", "http", r.Get("uid"), r.Get("trans_depth")), time: r.Time, client: f.client, server: f.server,
		method: strings.Clone(r.Get("method")), host: strings.Clone(r.Get("host")), target: strings.Clone(r.Get("uri")),
		status: number(r.Get("status_code")), sent: number(r.Get("request_body_len")), got: number(r.Get("response_body_len")),
		names:  [2]string{strings.Clone(r.Get("orig_filenames")), strings.Clone(r.Get("resp_filenames"))},
		medias: [2]string{strings.Clone(r.Get("orig_mime_types")), strings.Clone(r.Get("resp_mime_types"))},
		user:   strings.Clone(r.Get("username")), agent: strings.Clone(r.Get("user_agent")), evidence: s.evidence(r, "HTTP "+r.Get("method"))}
	for _, list := range [...]string{r.Get("orig_fuids"), r.Get("resp_fuids")} {
		for fuid := range strings.SplitSeq(list, ",") {
			if fuid != "" && len(s.webs) < maxFacts {
				s.webs[strings.Clone(fuid)] = w
				w.files = true
			}
		}
	}
	s.named = append(s.named, w)
}

// refused says whether the server took or gave nothing: its answer is an error, or
// says that nothing changed.
func (w *web) refused() bool { return w.status >= 300 }

// carries says whether a body of the exchange is a file's, by what was asked: not
// what is said about one.
func (w *web) carries(fromClient bool) bool {
	if fromClient {
		return w.method == "PUT" || w.method == "POST" || w.method == "PATCH" || w.method == ""
	}
	return w.method == "GET" || w.method == ""
}

// dav says whether the exchange is one of WebDAV.
func (w *web) dav() bool {
	switch w.method {
	case "PROPFIND", "MOVE", "COPY", "LOCK", "MKCOL":
		return true
	}
	return strings.Contains(w.agent, "WebDAV") || strings.HasPrefix(w.agent, "DavClnt") || strings.Contains(w.agent, "davfs")
}

// describe says in a movement what the exchange knows of it.
func (w *web) describe(t *model.Transfer, fromClient bool) {
	t.Channel = "http"
	if w.dav() {
		t.Channel = "webdav"
	}
	body := ofAnswer
	if fromClient {
		body = ofRequest
	}
	t.Share, t.Path = w.host, w.target
	t.DispositionName = cmp.Or(t.Name, w.names[body])
	t.Name = cmp.Or(lastSegment(w.target), t.Name)
	if t.DispositionName == t.Name {
		t.DispositionName = ""
	}
	t.User = w.user
	if w.user != "" {
		t.Auth = "basic"
	}
	if w.agent != "" {
		t.Session = &model.Session{ClientSoftware: w.agent}
	}
	t.Start = min(t.Start, w.time)
	t.Evidence = append(t.Evidence, w.evidence)
}

func (w *web) when() model.Time { return w.time }

// say gives the movements of an exchange of which no files.log is there.
func (w *web) say(s *Sensors) {
	if w.told || w.refused() || w.status < 200 {
		return
	}
	for body, size := range [...]int64{ofRequest: w.sent, ofAnswer: w.got} {
		if size < leastBody || !w.carries(body == ofRequest) {
			continue
		}
		x := &file{id: w.id, time: w.time, source: w.server, destination: w.client, fromClient: body == ofRequest, media: w.medias[body],
			name: w.names[body], size: size, seen: size}
		if x.fromClient {
			x.source, x.destination = w.client, w.server
		}
		t := x.transfer()
		w.describe(t, x.fromClient)
		t.SensorComplete = nil // the row does not say
		s.said(t, "", partOfPage(t, w, x))
	}
}

// leastBody is what a body without a row of its own must have to count.
const leastBody = 512
