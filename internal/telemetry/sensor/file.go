package sensor

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/webmedia"
)

// file is content that the sensor saw pass (Zeek's files.log).
type file struct {
	id                  string
	flow                *flow // that carried it
	time                model.Time
	source, destination model.Endpoint
	fromClient          bool // of the connection that carried it
	protocol            string
	name, media         string
	kind                string // of the content, by what the sensor saw of it
	size, seen          int64  // size is -1 where it is not known
	lost                bool   // bytes of it were not seen
	peek                bool   // a small part of a larger file
	complete            *bool  // whether it saw all; nil where the sensor cannot know
	web                 *web   // what it says itself of the exchange
	parent              string // the connection that ordered this one
	hashes              []model.Hash
	evidence            []model.Evidence
}

// carriers are the protocols whose files move between hosts; others carry mail and
// certificates.
var carriers = map[string]bool{"HTTP": true, "FTP_DATA": true, "SMB": true, "IRC_DATA": true, "TFTP": true, "NFS": true, "MIME": false}

// zeekFile takes a row of files.log, in its form before and since 5.1.
func (s *Sensors) zeekFile(r *telemetry.Record) {
	protocol, media := r.Get("source"), r.Get("mime_type")
	if !carriers[protocol] || r.Get("fuid") == "" || strings.HasPrefix(media, "application/x-x509") {
		return
	}
	uid, _, _ := strings.Cut(r.First("uid", "conn_uids"), ",")
	f := s.flowOf(uid, end(r, "id.orig_h", "id.orig_p"), end(r, "id.resp_h", "id.resp_p"))
	x := &file{id: strings.Clone(r.Get("fuid")), flow: f, time: r.Time, fromClient: r.Get("is_orig") == "T", protocol: s.words.of(protocol),
		name: strings.Clone(r.Get("filename")), media: s.words.of(media), kind: typeOf(media), size: telemetry.Count(r.Get("total_bytes")), seen: telemetry.Count(r.Get("seen_bytes"))}
	x.source, x.destination = f.server, f.client
	if x.fromClient {
		x.source, x.destination = f.client, f.server
	}
	if tx := firstAddress(r.Get("tx_hosts")); tx.Known() {
		x.ends(f, tx, firstAddress(r.Get("rx_hosts")))
	}
	x.lost = telemetry.Count(r.Get("missing_bytes")) > 0 || telemetry.Count(r.Get("overflow_bytes")) > 0 || r.Get("timedout") == "T" || x.size > x.seen
	whole := !x.lost
	x.complete = &whole
	x.sums(r, "")
	x.evidence = []model.Evidence{s.evidence(r, "file over "+protocol)}
	if old := s.files[x.id]; old != nil && old.fromClient == x.fromClient {
		old.join(x)
		return
	}
	s.files[x.id] = x
	s.count(x)
}

// zeekPE takes a row on a program's header: the file of its id is one, whatever its
// first bytes were taken for.
func (s *Sensors) zeekPE(r *telemetry.Record) {
	if x := s.files[r.Get("id")]; x != nil && r.Get("machine") != "" {
		x.kind = "pe"
	}
}

// sums takes the hashes of a row.
func (x *file) sums(r *telemetry.Record, under string) {
	for _, alg := range [...]string{"md5", "sha1", "sha256"} {
		if v := r.Get(under + alg); v != "" {
			x.hashes = append(x.hashes, model.Hash{Alg: alg, Value: strings.Clone(strings.ToLower(v)), From: "sensor", Time: r.Time})
		}
	}
}

// ends takes the ends as the older form names them, with the ports of the
// connection where it is known.
func (x *file) ends(f *flow, source, destination model.Addr) {
	client, server := f.client, f.server
	switch {
	case source == client.IP:
		x.source, x.destination = client, server
	case source == server.IP:
		x.source, x.destination = server, client
	default:
		x.source, x.destination = model.Endpoint{IP: source}, model.Endpoint{IP: destination}
	}
}

func firstAddress(set string) model.Addr {
	first, _, _ := strings.Cut(set, ",")
	return telemetry.Address(first)
}

// join takes a further row of the same file: Zeek writes one a read where a file is
// opened again.
func (x *file) join(o *file) {
	if o.seen > x.seen {
		x.seen, x.size, x.lost, x.complete = o.seen, o.size, o.lost, o.complete
	}
	if len(x.hashes) == 0 {
		x.hashes = o.hashes
	}
	if len(x.evidence) < maxEvidence {
		x.evidence = append(x.evidence, o.evidence...)
	}
}

// maxEvidence bounds the rows that are cited for one movement.
const maxEvidence = 8

// say gives the movement, with what other rows know of it.
func (x *file) say(s *Sensors) {
	if s.files[x.id] == x {
		delete(s.files, x.id)
	}
	if x.seen <= 0 && x.size != 0 {
		return
	}
	t := x.transfer()
	pagePart := false
	switch x.protocol {
	case "HTTP":
		w := x.exchange(s)
		if w != nil {
			if w.told = true; w.refused(x.fromClient) || !w.carries(x.fromClient) {
				return
			}
			w.describe(t, x.fromClient)
			if w.status == partial {
				t.Size, t.Notes = &x.seen, nil
			}
			if s.rangeOf(w, t) {
				return
			}
		}
		if !x.fromClient && x.size < leastBody && x.seen < leastBody && t.DispositionName == "" {
			return
		}
		t.Channel = cmp.Or(t.Channel, "http")
		pagePart = partOfPage(t, w, x)
	case "FTP_DATA":
		t.Channel = "ftp"
		if c := s.order(x.order()); c != nil {
			c.told = true
			c.describe(t)
		} else if x.name == "" && x.media == "text/plain" && x.seen < listingSize {
			return // most likely a listing
		} else {
			x.orderUnseen(t)
		}
	case "SMB":
		t.Channel = "smb"
		s.describeSMB(t, x)
		if x.peek || telemetry.ShellMetadata(t.Name) && x.seen <= webmedia.BigContent {
			return
		}
	case "NFS":
		t.Channel = "nfs"
		t.Path = x.name
	default:
		t.Channel = "unknown"
		t.Notes = append(t.Notes, "carried by "+x.protocol)
	}
	s.said(t, x.flow, pagePart)
}

// exchange is the request and answer that carried the file.
func (x *file) exchange(s *Sensors) *web {
	if x.web != nil {
		if w := s.webs[x.web.key]; w != nil && w != x.web { // its event came later
			w.told = true
			x.web.evidence = append(x.web.evidence, w.evidence...)
		}
		return x.web
	}
	return s.webs[x.id]
}

// order is where the command is found that a data connection carries out: Zeek gives
// the file's id, Suricata the control connection and the name.
func (x *file) order() string {
	if x.parent != "" {
		return x.parent + "\x00" + x.name
	}
	return x.id
}

// ftpData is the port that servers open data connections from (RFC 959 3.2).
const ftpData = 20

// orderUnseen says what can be said of a data connection whose control connection was
// not seen: by the command, or, of one from the data port, that the server opened it.
func (x *file) orderUnseen(t *model.Transfer) {
	t.Path = x.name
	order := x.flow.order
	switch {
	case order == "RETR", order == "" && x.fromClient && x.source.Port == ftpData:
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	case order != "", !x.fromClient && x.destination.Port == ftpData:
		t.Operation, t.Initiator = model.Push, model.BySource
	}
}

// listingSize is what listings of folders stay below.
const listingSize = 4 << 10

// transfer is what the row itself says. How much there was of a file that the sensor
// did not see all of is known only where it was stated.
func (x *file) transfer() *model.Transfer {
	t := &model.Transfer{ID: id("t", x.id, strconv.FormatBool(x.fromClient)), Start: x.time, End: x.time, Source: x.source, Destination: x.destination,
		Hashes: x.hashes, Type: x.kind, SensorComplete: x.complete, Evidence: x.evidence}
	if size := x.size; size >= 0 {
		t.Size = &size
	} else if seen := x.seen; !x.lost {
		t.Size = &seen
	}
	if x.lost {
		t.Notes = append(t.Notes, "the sensor saw "+strconv.FormatInt(x.seen, 10)+" bytes of it")
	}
	t.Operation, t.Initiator = model.Pull, model.ByDestination
	if x.fromClient {
		t.Operation, t.Initiator = model.Push, model.BySource
	}
	name := strings.ReplaceAll(x.name, "/", `\`)
	t.Name = name[strings.LastIndexByte(name, '\\')+1:]
	return t
}

// said finishes a movement, of a connection that may be forgotten by now.
func (s *Sensors) said(t *model.Transfer, f *flow, pagePart bool) {
	if t.Source.IP == t.Destination.IP || t.Source.IP.Netip().IsLoopback() || s.again(t.ID) {
		return // no movement between hosts, or the same rows in another form
	}
	if pagePart && !s.o.Parts && t.Name != "" { // one without a name may be what a host noted
		s.countPart(t)
		return
	}
	t.Kind, t.Completeness = "transfer", model.Logged
	t.Status = cmp.Or(t.Status, model.Done)
	t.Reason = cmp.Or(t.Reason, model.ReasonLogged)
	if f != nil {
		f.tell(t)
	}
	if !s.out.Moved(t) {
		return
	}
	if pagePart {
		if s.out.PageParts == nil {
			s.out.PageParts = map[string]bool{}
		}
		s.out.PageParts[t.ID] = true
	}
}

func (s *Sensors) countPart(t *model.Transfer) {
	if inside := s.o.Inside; inside == nil || inside(t.Source.IP) && inside(t.Destination.IP) {
		s.out.Counted.Inside++
		return
	}
	s.out.Counted.Outside++
}

// tell says in a movement what is known of its connection.
func (f *flow) tell(t *model.Transfer) {
	if t.User == "" && (f.user != "" || f.auth == byKerberos) {
		t.User, t.Domain, t.Auth = f.user, f.domain, f.auth
	}
	if f.workstation != "" {
		if t.Session == nil {
			t.Session = &model.Session{}
		}
		t.Session.Workstation = f.workstation
	}
	if f.community != "" {
		t.CommunityID = []string{f.community}
	}
	for _, a := range f.alerts {
		if a.of(t) {
			t.Evidence = append(t.Evidence, a.Evidence)
		}
	}
}

// typeOf is the type of content that a media type stands for, where it was told by
// the content (Zeek's mime_type is).
func typeOf(media string) string {
	switch media {
	case "application/x-dosexec":
		return "pe"
	case "application/x-executable", "application/x-sharedlib", "application/x-elf":
		return "elf"
	case "application/x-mach-o-executable":
		return "macho"
	case "application/pdf":
		return "pdf"
	case "text/x-shellscript", "text/x-python", "text/x-perl", "text/x-ruby", "text/x-msdos-batch", "text/x-php":
		return "script"
	case "application/zip", "application/x-7z-compressed", "application/x-rar", "application/gzip", "application/x-gzip", "application/x-tar",
		"application/vnd.ms-cab-compressed", "application/x-bzip2", "application/x-xz":
		return "archive"
	case "application/msword", "application/vnd.ms-office":
		return "office"
	}
	kind, sub, _ := strings.Cut(media, "/")
	switch {
	case strings.Contains(sub, "officedocument"):
		return "office"
	case kind == "image" || kind == "audio" || kind == "video" || kind == "text":
		return kind
	}
	return ""
}

// partOfPage says whether the default print rules leave a movement over HTTP out.
func partOfPage(t *model.Transfer, w *web, x *file) bool {
	if w != nil && w.dav() || t.DispositionName != "" || t.Type == "pe" || t.Type == "elf" || t.Type == "macho" || t.Type == "archive" || t.Type == "office" || t.Type == "pdf" ||
		webmedia.ScriptName(t.Name) || t.Type == "" && webmedia.FileName(t.Name) {
		return false
	}
	if x.fromClient {
		return w != nil && w.method != "PUT" && !webmedia.File(x.media) && (x.seen <= webmedia.BigContent || webmedia.Page(x.media))
	}
	if t.Type == "script" && !webmedia.Page(x.media) {
		return false
	}
	return x.seen <= webmedia.BigContent || webmedia.Page(x.media) || webmedia.PageName(t.Name)
}

// lastSegment is the file name of a URL's path.
func lastSegment(target string) string {
	path := webmedia.Path(target)
	name := path[strings.LastIndexByte(path, '/')+1:]
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}
