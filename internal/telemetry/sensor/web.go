package sensor

import (
	"cmp"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// web is one request with its answer (Zeek's http.log).
type web struct {
	id             string // of Zeek
	flow           *flow
	key            string   // by which its movement finds it
	fuids          []string // the same, of Zeek
	time           model.Time
	client, server model.Endpoint
	method         string
	host, target   string
	status         int64
	sent, got      int64 // bodies
	names          [2]string
	medias, kinds  [2]string
	user, agent    string
	evidence       []model.Evidence
	told           bool // by a row of files.log
}

// The two bodies of an exchange.
const (
	ofRequest = iota
	ofAnswer
)

func (s *Sensors) zeekHTTP(r *telemetry.Record) {
	f := s.flow(r)
	w := &web{id: id("t", "http", r.Get("uid"), r.Get("trans_depth"), r.Get("uri")), flow: f, time: r.Time, client: f.client, server: f.server,
		method: s.words.of(r.Get("method")), host: s.words.of(r.Get("host")), target: strings.Clone(r.Get("uri")),
		status: telemetry.Count(r.Get("status_code")), sent: telemetry.Count(r.Get("request_body_len")), got: telemetry.Count(r.Get("response_body_len")),
		names:  [2]string{first(r.Get("orig_filenames")), first(r.Get("resp_filenames"))},
		medias: [2]string{first(r.Get("orig_mime_types")), first(r.Get("resp_mime_types"))},
		user:   strings.Clone(r.Get("username")), agent: s.words.of(r.Get("user_agent")), evidence: []model.Evidence{s.evidence(r, "HTTP "+r.Get("method"))}}
	w.kinds = [2]string{typeOf(w.medias[0]), typeOf(w.medias[1])}
	for _, list := range [...]string{r.Get("orig_fuids"), r.Get("resp_fuids")} {
		for fuid := range strings.SplitSeq(list, ",") {
			if old := s.webs[fuid]; old != nil && old.id == w.id {
				return // the same row in another file
			}
			if fuid != "" && len(s.webs) < maxFacts {
				w.fuids = append(w.fuids, strings.Clone(fuid))
			}
		}
	}
	for _, fuid := range w.fuids {
		s.webs[fuid] = w
	}
	s.name(w)
}

// first is the first of a list.
func first(list string) string {
	one, _, _ := strings.Cut(list, ",")
	return strings.Clone(one)
}

// refused says whether the server took or gave nothing: its answer is an error, or
// says that nothing changed. What was posted is often answered by sending the client on.
func (w *web) refused(fromClient bool) bool {
	return w.status >= 300 && !(fromClient && w.method == "POST" && (w.status == 302 || w.status == 303))
}

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
	given := cmp.Or(t.Name, w.names[body])
	t.Name = cmp.Or(lastSegment(w.target), given)
	switch {
	case fromClient && given != "": // of a part of a form
		t.Name = given
	case given != t.Name:
		t.DispositionName = given
	}
	t.User = w.user
	if w.user != "" {
		t.Auth = "basic"
	}
	if w.agent != "" {
		t.Session = &model.Session{ClientSoftware: w.agent}
	}
	t.Start = min(t.Start, w.time)
	t.Evidence = append(t.Evidence, w.evidence...)
}

// say gives the movements of an exchange of which no files.log is there.
func (w *web) say(s *Sensors) {
	w.forget(s)
	if w.told || w.status < 200 {
		return
	}
	for body, size := range [...]int64{ofRequest: w.sent, ofAnswer: w.got} {
		if size < leastBody || !w.carries(body == ofRequest) || w.refused(body == ofRequest) {
			continue
		}
		x := &file{id: cmp.Or(w.id, w.key+"\x00"+strconv.FormatInt(int64(w.time), 10)), time: w.time, source: w.server, destination: w.client, fromClient: body == ofRequest, media: w.medias[body], kind: w.kinds[body],
			name: w.names[body], size: size, seen: size}
		if x.fromClient {
			x.source, x.destination = w.client, w.server
		}
		t := x.transfer()
		w.describe(t, x.fromClient)
		if s.rangeOf(w, t) {
			continue
		}
		s.said(t, w.flow, partOfPage(t, w, x))
	}
}

// partial is the status of an answer that carries a range (RFC 9110 15.3.7).
const partial = 206

// entity is a content that a client fetches in ranges.
type entity struct{ client, server, host, target string }

// rangeOf puts an answer with a range to the other ranges of its entity, and says
// whether there are some. How much of it came is known when all rows were there.
func (s *Sensors) rangeOf(w *web, t *model.Transfer) bool {
	if w == nil || w.status != partial || t.Operation != model.Pull {
		return false
	}
	t.SensorComplete = nil
	k := entity{t.Destination.IP.String(), t.Source.IP.String(), w.host, w.target}
	one := s.ranges[k]
	if one == nil || t.Start-one.End > wait || one.Start-t.End > wait {
		if len(s.ranges) >= maxFlows {
			clear(s.ranges)
		}
		s.ranges[k] = t
		return false
	}
	one.Start, one.End = min(one.Start, t.Start), max(one.End, t.End)
	if one.Size != nil && t.Size != nil {
		*one.Size += *t.Size
	}
	one.Hashes = nil // of a part
	if len(one.Evidence) < maxEvidence {
		one.Evidence = append(one.Evidence, t.Evidence...)
	}
	return true
}

// forget takes the exchange out of the tables in which its files look for it.
func (w *web) forget(s *Sensors) {
	for _, k := range w.fuids {
		w.forgetUnder(k, s)
	}
	w.forgetUnder(w.key, s)
}

func (w *web) forgetUnder(key string, s *Sensors) {
	if key != "" && s.webs[key] == w {
		delete(s.webs, key)
	}
}

// leastBody is what a body without a row of its own must have to count.
const leastBody = 512
