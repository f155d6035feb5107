package sensor

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// What Suricata writes of files (checked against 7.0.10).

// eveEnds are the ends of an event in the order in which it gives them.
func eveEnds(r *telemetry.Record) (source, destination model.Endpoint) {
	return end(r, "src_ip", "src_port"), end(r, "dest_ip", "dest_port")
}

// eveClient gives the connection of an event whose source is the client.
func (s *Sensors) eveClient(r *telemetry.Record) *flow {
	client, server := eveEnds(r)
	return s.eveConnection(r, client, server)
}

// eveSides gives the connection of an event whose source may be either end: the lower
// port is taken for the server's until another event says more.
func (s *Sensors) eveSides(r *telemetry.Record) *flow {
	client, server := eveEnds(r)
	if serves(client.Port, server.Port) {
		client, server = server, client
	}
	return s.eveConnection(r, client, server)
}

// eveConnection gives the connection of an event with its ends where they are known.
func (s *Sensors) eveConnection(r *telemetry.Record, client, server model.Endpoint) *flow {
	f := s.flowOf(r.Get("flow_id"), client, server)
	if f.community == "" {
		f.community = strings.Clone(r.Get("community_id"))
	}
	return f
}

// eveProtocols are the protocols of files by what Suricata calls them.
var eveProtocols = map[string]string{"http": "HTTP", "http2": "HTTP", "ftp-data": "FTP_DATA", "smb": "SMB", "nfs": "NFS"}

// eveFile takes a file that passed: the source of the event sent it.
func (s *Sensors) eveFile(r *telemetry.Record) {
	protocol := eveProtocols[r.Get("app_proto")]
	if protocol == "" {
		return
	}
	source, destination := eveEnds(r)
	f := s.eveConnection(r, model.Endpoint{}, model.Endpoint{})
	x := &file{flow: f, time: r.Time, source: source, destination: destination, protocol: protocol, name: eveName(r), media: s.words.of(r.Get("http.http_content_type")),
		kind: magicKind(r.Get("fileinfo.magic")), size: -1, seen: telemetry.Count(r.Get("fileinfo.size")), parent: strings.Clone(r.Get("parent_id"))}
	x.id = strings.Join([]string{r.Get("flow_id"), r.Get("fileinfo.tx_id"), r.Get("fileinfo.filename"), r.Get("src_port"), r.Get("fileinfo.start"), r.Get("timestamp")}, "\x00")
	x.lost = r.Get("fileinfo.gaps") == "T" || r.Get("fileinfo.state") != "CLOSED"
	// CLOSED is also said of HTTP and FTP that were broken off.
	if whole := !x.lost; x.lost || protocol == "SMB" || protocol == "NFS" {
		x.complete = &whole
	}
	if !x.lost { // else they are of what was seen
		x.sums(r, "fileinfo.")
	}
	x.evidence = []model.Evidence{s.evidence(r, "file over "+r.Get("app_proto"))}
	x.fromClient = fromClient(r, f, x)
	if protocol == "HTTP" {
		x.web = s.eveExchange(r, x)
	}
	if protocol == "SMB" && !s.eveOpened(r, f, x) {
		return
	}
	s.count(x)
}

// fromClient says whether the sender is the client: by what was asked for, by other
// events of the connection, else by the ports.
func fromClient(r *telemetry.Record, f *flow, x *file) bool {
	switch asked := smbCommand(r.Get("smb.command")) + r.Get("nfs.procedure") + r.Get("http.http_method"); asked {
	case "READ", "GET":
		return false
	case "WRITE":
		return true
	}
	if f.client.IP.Known() {
		return f.client.IP == x.source.IP && f.client.Port == x.source.Port
	}
	return serves(x.destination.Port, x.source.Port)
}

// nfsPort is a server's although clients of NFS have lower ones (RFC 1813 2.3, RFC 2623 2.1).
const nfsPort = 2049

// serves says whether a port is the server's, by itself and the other end's.
func serves(port, other uint16) bool {
	return port == nfsPort || other != nfsPort && port < other
}

// eveName is the name of the file. One that was not ASCII comes in the bytes that were
// on the wire: Latin-1 ("\xfc", and U+FFFD in the command), or UTF-16 without its
// zeros, of which nothing can be made.
func eveName(r *telemetry.Record) string {
	name := strings.Clone(latin1(r.Get("fileinfo.filename")))
	if own := r.Get("smb.filename"); strings.ContainsRune(own, utf8.RuneError) || !utf8.ValidString(own) {
		name = unescaped(name)
	}
	if strings.ContainsFunc(name, func(c rune) bool { return c < ' ' }) {
		return ""
	}
	return name
}

// unescaped turns \xNN into the character of Latin-1 that it stands for.
func unescaped(s string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, `\x`)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		if n, err := strconv.ParseUint(after[:min(2, len(after))], 16, 8); err == nil && n >= 0x80 {
			out.WriteRune(rune(n))
			after = after[2:]
		} else {
			out.WriteString(`\x`)
		}
		s = after
	}
}

// latin1 takes bytes that are no UTF-8 for characters of Latin-1.
func latin1(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var out strings.Builder
	for i := range len(s) {
		out.WriteRune(rune(s[i]))
	}
	return out.String()
}

// magicKind is the type of content by libmagic's words.
func magicKind(magic string) string {
	for _, m := range [...]struct{ word, kind string }{
		{"PE32", "pe"}, {"ELF ", "elf"}, {"Mach-O", "macho"}, {"PDF document", "pdf"}, {"Microsoft OOXML", "office"}, {"Microsoft Word", "office"}, {"Microsoft Excel", "office"},
		{"Microsoft PowerPoint", "office"}, {"Composite Document File", "office"}, {"Zip archive", "archive"}, {"7-zip archive", "archive"}, {"RAR archive", "archive"},
		{"gzip compressed", "archive"}, {"Microsoft Cabinet", "archive"}, {"POSIX tar", "archive"}, {"XZ compressed", "archive"}, {"bzip2 compressed", "archive"},
		{"PNG image", "image"}, {"JPEG image", "image"}, {"GIF image", "image"},
	} {
		if strings.HasPrefix(magic, m.word) {
			return m.kind
		}
	}
	switch {
	case strings.Contains(magic, "script"):
		return "script"
	case strings.Contains(magic, " text"):
		return "text"
	}
	return ""
}

// eveExchange is the request that carried a file: that of an event of its own, else
// what the file's event says of it.
func (s *Sensors) eveExchange(r *telemetry.Record, x *file) *web {
	w := s.webs[eveWebKey(r)]
	if w == nil {
		w = s.eveWeb(r)
		w.client, w.server = x.destination, x.source
		if x.fromClient {
			w.client, w.server = x.source, x.destination
		}
	}
	path, _, _ := strings.Cut(w.target, "?")
	if strings.Contains(x.name, "libhtp::") || x.name == path || x.name == w.target {
		x.name = ""
	}
	return w
}

// eveWebKey is the name of a request within its connection.
func eveWebKey(r *telemetry.Record) string {
	return r.Get("flow_id") + "\x00" + r.First("tx_id", "fileinfo.tx_id", "http.url")
}

func (s *Sensors) eveWeb(r *telemetry.Record) *web {
	w := &web{key: eveWebKey(r), time: r.Time, method: s.words.of(r.Get("http.http_method")), host: s.words.of(r.Get("http.hostname")),
		target: strings.Clone(r.Get("http.url")), status: telemetry.Count(r.Get("http.status")), sent: -1, got: telemetry.Count(r.Get("http.length")),
		agent: s.words.of(r.Get("http.http_user_agent"))}
	if strings.Contains(w.target, "libhtp::") { // the request was not seen
		w.target = ""
	}
	w.medias[ofAnswer] = s.words.of(r.Get("http.http_content_type"))
	return w
}

// eveHTTP takes a request with its answer.
func (s *Sensors) eveHTTP(r *telemetry.Record) {
	f := s.eveClient(r)
	w := s.eveWeb(r)
	w.flow, w.client, w.server, w.evidence = f, f.client, f.server, []model.Evidence{s.evidence(r, "HTTP "+w.method)}
	if old := s.webs[w.key]; old != nil && old.time == w.time && old.target == w.target {
		return // the same event in another file
	}
	if len(s.webs) < maxFacts {
		s.webs[w.key] = w
	}
	s.name(w)
}

// eveFTP takes a command with its replies. The argument of PASS is never looked at.
func (s *Sensors) eveFTP(r *telemetry.Record) {
	f := s.eveClient(r)
	command := r.Get("ftp.command")
	codes := r.Get("ftp.completion_code")
	reply := telemetry.Count(codes[strings.LastIndexByte(codes, ',')+1:])
	switch command {
	case "USER":
		f.user, f.auth = strings.Clone(r.Get("ftp.command_data")), "ftp"
		return
	case "STOR", "APPE", "STOU", "RETR":
	default:
		return
	}
	name := latin1(strings.Clone(r.Get("ftp.command_data")))
	c := &ftp{id: id("t", "ftp", r.Get("flow_id"), r.Get("tx_id"), command, name, r.Get("timestamp")), flow: f.id, key: f.id + "\x00" + name, time: r.Time,
		client: f.client, server: f.server, upload: command != "RETR", path: name, size: statedSize(r.Get("ftp.reply")), reply: reply, user: f.user,
		evidence: []model.Evidence{s.evidence(r, "FTP "+command)}}
	s.ordered(c)
}

// statedSize is what the reply that opens a connection says: "(7000 bytes)".
func statedSize(reply string) int64 {
	before, _, ok := strings.Cut(reply, " bytes)")
	if !ok {
		return -1
	}
	return telemetry.Count(before[strings.LastIndexByte(before, '(')+1:])
}

// eveFTPData takes the command that a data connection carries out.
func (s *Sensors) eveFTPData(r *telemetry.Record) {
	f := s.eveConnection(r, model.Endpoint{}, model.Endpoint{})
	f.order = strings.Clone(r.Get("ftp_data.command"))
}

// eveTFTP takes a request: whether anything followed, the event does not say.
func (s *Sensors) eveTFTP(r *telemetry.Record) {
	f := s.eveClient(r)
	name := strings.Clone(latin1(r.Get("tftp.file")))
	if name == "" || !f.client.IP.Known() {
		return
	}
	t := &model.Transfer{ID: id("t", "tftp", r.Get("flow_id"), r.Get("timestamp"), name), Start: r.Time, End: r.Time, Channel: "tftp", Path: name,
		Source: f.server, Destination: f.client, Operation: model.Pull, Initiator: model.ByDestination, Status: model.Claimed,
		Reason: "the sensor names the request and counts no bytes", Evidence: []model.Evidence{s.evidence(r, "TFTP "+r.Get("tftp.packet"))}}
	switch r.Get("tftp.packet") {
	case "write":
		t.Source, t.Destination, t.Operation, t.Initiator = f.client, f.server, model.Push, model.BySource
	case "read":
	default:
		return
	}
	t.Name = lastElement(strings.ReplaceAll(name, "/", `\`))
	s.said(t, f, false)
}

// eveNFS takes the user of a connection.
func (s *Sensors) eveNFS(r *telemetry.Record) {
	f := s.eveSides(r)
	if host := r.Get("rpc.creds.machine_name"); f.workstation == "" && host != "" {
		f.workstation = strings.Clone(host)
	}
}

// eveFlow takes the ends of a connection.
func (s *Sensors) eveFlow(r *telemetry.Record) { s.eveClient(r) }

// eveAlert takes what a rule matched. It is evidence of what the connection moved.
func (s *Sensors) eveAlert(r *telemetry.Record) {
	client, server := end(r, "flow.src_ip", "flow.src_port"), end(r, "flow.dest_ip", "flow.dest_port")
	f := s.eveConnection(r, client, server)
	source, destination := eveEnds(r)
	a := s.access(r, &flow{client: source, server: destination, user: f.user, domain: f.domain}, "alert", strings.Clone(r.Get("app_proto")))
	a.Object = strings.Clone(r.Get("alert.signature_id"))
	a.Detail, a.Status = strings.Clone(r.Get("alert.signature")), strings.Clone(r.Get("alert.action"))
	a.ID = id("a", "alert", r.Get("flow_id"), r.Get("alert.signature_id"), r.Get("timestamp"), r.Get("src_ip"), r.Get("src_port"))
	s.report(a)
	if strings.HasPrefix(a.Detail, "SURICATA ") {
		return // what its own decoders stumbled over
	}
	f.alert(s.evidence(r, "alert: "+a.Detail), latin1(strings.Clone(cmp.Or(r.Get("smb.filename"), r.Get("http.url")))))
}
