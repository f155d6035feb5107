package winhost

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry/winevent"
	"waybill/internal/webmedia"
)

// download is a file with a mark of where it came from.
type download struct {
	first, last model.Time
	url         *url.URL
	path        string
	image       string
	pid         uint64
	user        string
	hashes      []model.Hash
	id          string
	assumed     bool
	evidence    []model.Evidence
}

// stream takes a Sysmon 15 that made a Zone.Identifier stream: it names the URL.
func (h *host) stream(e *winevent.Event) {
	file, stream, ok := cutStream(e.Get("TargetFilename"))
	if !ok || !strings.EqualFold(stream, "Zone.Identifier") {
		return
	}
	u := hostURL(e.Get("Contents"))
	if u == nil {
		return
	}
	sums := hashes(e.First("Hash", "Hashes"), "file-create", e.Time)
	for _, d := range h.downloads {
		if e.Time-d.last < patience && d.last-e.Time < patience && d.url.String() == u.String() && (temporary(d.path) || temporary(file) || strings.EqualFold(d.path, file)) {
			d.more(h, e, file, sums)
			return
		}
	}
	if len(h.downloads) >= maxOpen {
		return
	}
	d := &download{first: e.Time, last: e.Time, url: u, image: strings.Clone(e.Get("Image")), pid: e.Number("ProcessId"),
		user: strings.Clone(e.Get("User")), id: h.id(e), assumed: e.Assumed}
	d.more(h, e, file, sums)
	h.downloads = append(h.downloads, d)
}

// more adds an event of the same download: a browser writes under a temporary
// name, marks the file, renames it and marks it again.
func (d *download) more(h *host, e *winevent.Event, file string, sums []model.Hash) {
	d.first, d.last = min(d.first, e.Time), max(d.last, e.Time)
	if d.path == "" || !temporary(file) {
		d.path = strings.Clone(file)
	}
	for _, s := range sums {
		s.Value = strings.Clone(s.Value)
		if !slices.ContainsFunc(d.hashes, func(o model.Hash) bool { return o.Alg == s.Alg && o.Value == s.Value }) {
			d.hashes = append(d.hashes, s)
		}
	}
	if len(d.evidence) < maxWriteEvidence {
		d.evidence = append(d.evidence, h.evidence(e, eventName(e)+" Zone.Identifier"))
	}
}

// cutStream takes "path:stream" apart.
func cutStream(s string) (file, stream string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i <= 1 { // a drive's
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// temporary are the names of downloads that are not complete.
func temporary(file string) bool {
	switch extension(file) {
	case "crdownload", "part", "partial", "tmp", "download", "opdownload":
		return true
	}
	return false
}

// hostURL is the HostUrl of a Zone.Identifier stream.
func hostURL(contents string) *url.URL {
	for _, word := range strings.FieldsFunc(contents, func(r rune) bool { return r <= ' ' }) {
		if v, ok := strings.CutPrefix(word, "HostUrl="); ok {
			return webURL(v)
		}
	}
	return nil
}

func webURL(s string) *url.URL {
	if strings.HasPrefix(s, "//") { // a share
		s = "file:" + s
	}
	u, err := url.Parse(strings.Clone(s))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ftp" && u.Scheme != "file" {
		return nil
	}
	return u
}

// settleDownloads says the downloads whose last event is older than t.
func (h *host) settleDownloads(t model.Time) {
	h.downloads = slices.DeleteFunc(h.downloads, func(d *download) bool {
		if d.last > t {
			return false
		}
		h.sayDownload(d)
		return true
	})
}

func (h *host) sayDownload(d *download) {
	name := urlName(d.url)
	if !temporary(d.path) {
		_, name = splitPath(d.path)
	}
	tr := &model.Transfer{ID: d.id, Start: d.first, End: d.last, Operation: model.Pull, Initiator: model.ByDestination, Channel: webChannel(d.url),
		Source: urlEnd(d.url), Share: "", Path: d.url.Path, Name: name, Completeness: model.Logged, Status: model.Done, Hashes: d.hashes,
		InitiatorUser: d.user, Process: d.image, PID: d.pid, Reason: model.ReasonLogged, Evidence: d.evidence, TimeAssumed: d.assumed}
	if d.url.RawQuery != "" {
		tr.Path += "?" + d.url.RawQuery
	}
	h.found(tr, model.ByDestination)
	h.land(tr, strings.ToLower(d.path), d.first)
}

func webChannel(u *url.URL) string {
	if u.Scheme == "ftp" {
		return "ftp"
	}
	return "http"
}

// urlEnd is the server that a URL names.
func urlEnd(u *url.URL) model.Endpoint {
	end := named(u.Hostname())
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		end.Port = uint16(n)
	} else if p, ok := map[string]uint16{"http": 80, "https": 443, "ftp": 21}[u.Scheme]; ok {
		end.Port = p
	}
	return end
}

func urlName(u *url.URL) string { return path.Base(webmedia.Path(u.Path + "?" + u.RawQuery)) }

// bits takes BITS 60 (a job stopped) and 59 (it started) by its URL.
func (h *host) bits(e *winevent.Event) {
	if e.ID != 60 && e.ID != 59 {
		return
	}
	u := webURL(strings.ReplaceAll(e.Get("url"), `\`, "/"))
	if u == nil {
		return
	}
	job := e.First("Id", "transferId", "jobId") + u.String()
	tr := h.jobs[job]
	if tr == nil {
		if len(h.jobs) >= maxLanded {
			clear(h.jobs)
		}
		tr = &model.Transfer{ID: h.id(e), Start: e.Time, Operation: model.Pull, Initiator: model.ByDestination, Channel: "bits", Source: urlEnd(u),
			Path: u.Path, Name: urlName(u), Completeness: model.Logged, Status: model.Claimed, Reason: "the job began; nothing shows that it ended", TimeAssumed: e.Assumed}
		h.jobs[job] = tr
		h.found(tr, model.ByDestination)
	}
	tr.End = e.Time
	tr.Evidence = append(tr.Evidence, h.evidence(e, "BITS "+strconv.Itoa(int(e.ID))))
	if e.ID == 60 {
		h.bitsEnded(tr, e)
	}
}

// jobFolder is a folder that BITS wrote into, lower case, and when.
type jobFolder struct {
	path string
	time model.Time
}

// jobWrites notes the folder of a job: BITS writes BITxxxx.tmp there, and gives the file its
// name when the job is completed, which no log tells.
func (h *host) jobWrites(c *creation, path string) {
	folder, name := splitPath(path)
	if len(name) > 7 && strings.EqualFold(name[:3], "BIT") && strings.EqualFold(name[len(name)-4:], ".tmp") && baseName(c.image) == "svchost.exe" {
		h.jobFolder = jobFolder{strings.ToLower(folder), c.time}
	}
}

func (h *host) bitsEnded(tr *model.Transfer, e *winevent.Event) {
	total, moved := int64(e.Number("bytesTotal")), int64(e.Number("bytesTransferred"))
	switch {
	case e.First("hr", "status") != "" && e.Number("hr") != 0:
		tr.Status, tr.Reason = model.Failed, "the job ended with error "+e.Get("hr")
	case moved > 0 && moved >= total:
		tr.Status, tr.Reason = model.Done, model.ReasonLogged
		tr.Size = &moved
		if f := h.jobFolder; f.time >= tr.Start && f.time <= e.Time {
			h.land(tr, f.path+strings.ToLower(tr.Name), e.Time)
		}
	}
}
