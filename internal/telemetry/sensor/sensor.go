// Package sensor follows what network sensors of other makers say: Zeek's logs and
// Suricata's events. In come their rows, about in the order of time; out come the movements that they
// show, as logged, with the sensor's own word on whether it saw all of them, and
// accesses: who logged on, what was called, which address was whose. A row that says
// that a file was opened or asked for is no movement; one that counts its bytes is.
// It reads no packet, believes no hash further than "the sensor says so", and what
// it keeps of a connection is bounded.
package sensor

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/model"
	"waybill/internal/telemetry"
)

// Family is the family of formats whose records are followed here.
const Family = "sensor"

// Bounds.
const (
	wait     model.Time = 5 * 60e9 // that rows of one movement may be apart in the logs
	grace    model.Time = 60e9     // that names wait longer than counts
	maxFlows            = 1 << 16
	maxFacts            = 1 << 18 // rows that wait, or are kept of connections
	maxWords            = 1 << 12
)

// Sensors is the state of all sensors of a run.
type Sensors struct {
	o     telemetry.FollowerOptions
	flows map[string]*list.Element // of *flow, by the sensor's id of the connection
	used  *list.List               // of *flow, the one used last in front
	held  int                      // by all of them
	now   model.Time
	out   telemetry.Result
	words words

	files map[string]*file  // by the sensor's id of the file
	webs  map[string]*web   // by the same, or by connection and target
	ftps  map[string][]*ftp // by the same, or by connection and path
	// Rows wait in the order in which they came: what a sensor counted, and what it
	// only named, which speaks for itself when nothing was counted.
	counted, named queue
	ranges         map[entity]*model.Transfer
	given, before  map[string]bool          // ids of movements, the last and those before
	taken          map[*model.Transfer]bool // claims that were counted later
}

// New makes a state without rows.
func New(o telemetry.FollowerOptions) telemetry.Follower {
	return &Sensors{o: o, out: telemetry.Result{Room: o.Room}, flows: map[string]*list.Element{}, used: list.New(),
		files: map[string]*file{}, webs: map[string]*web{}, ftps: map[string][]*ftp{}, words: words{}, given: map[string]bool{}, ranges: map[entity]*model.Transfer{}, taken: map[*model.Transfer]bool{}}
}

// words holds texts that many rows have, each once: those of rows are the batch's.
type words map[string]string

func (w words) of(text string) string {
	if old, ok := w[text]; ok || text == "" {
		return old
	}
	text = strings.Clone(text)
	if len(w) < maxWords {
		w[text] = text
	}
	return text
}

// flow is a connection as the sensor names it.
type flow struct {
	id                 string
	client, server     model.Endpoint
	user, domain, auth string
	workstation        string
	community          string
	opens              []*smbFile
	trees              map[string]string // shares by the sensor's id of the tree
	order              string            // the command of FTP that it carries out
	asking             string            // who asked for a ticket
	bound              string            // the interface that calls are of
	called             map[string]bool   // procedures that were reported
	alerts             []alert
	held               int // what of it counts against maxFacts
}

// fact is a row that waits for others of the same movement.
type fact interface{ say(s *Sensors) }

// waiting is a fact since the time of the rows among which it came: Zeek writes a row
// when all is over, under the time at which it began.
type waiting struct {
	since model.Time
	fact
}

// queue is facts in the order in which they came; those before first are said.
type queue struct {
	all   []waiting
	first int
}

func (q *queue) add(w waiting) {
	if q.first > len(q.all)/2 {
		rest := copy(q.all, q.all[q.first:])
		clear(q.all[rest:])
		q.all, q.first = q.all[:rest], 0
	}
	q.all = append(q.all, w)
}

// settle says the facts that are older than t, and those that are too many.
func (q *queue) settle(s *Sensors, t model.Time) {
	for ; q.first < len(q.all) && (q.all[q.first].since < t || len(q.all)-q.first > maxFacts); q.first++ {
		f := q.all[q.first].fact
		q.all[q.first].fact = nil
		f.say(s)
	}
}

// count and name put a fact with those that wait.
func (s *Sensors) count(f fact) { s.counted.add(waiting{s.now, f}) }
func (s *Sensors) name(f fact)  { s.named.add(waiting{s.now, f}) }

// Record takes a row.
func (s *Sensors) Record(r *telemetry.Record) {
	s.now = max(s.now, r.Time)
	if take := streams[r.Stream]; take != nil {
		take(s, r)
	}
	s.counted.settle(s, s.now-wait)
	s.named.settle(s, s.now-wait-grace)
}

// streams are the rows that are used.
var streams = map[string]func(*Sensors, *telemetry.Record){
	"zeek/files":       (*Sensors).zeekFile,
	"zeek/pe":          (*Sensors).zeekPE,
	"zeek/http":        (*Sensors).zeekHTTP,
	"zeek/ftp":         (*Sensors).zeekFTP,
	"zeek/smb_files":   (*Sensors).zeekSMBFile,
	"zeek/smb_mapping": (*Sensors).zeekMapping,
	"zeek/conn":        (*Sensors).zeekConn,
	"zeek/ntlm":        (*Sensors).zeekNTLM,
	"zeek/kerberos":    (*Sensors).zeekKerberos,
	"zeek/ssh":         (*Sensors).zeekSSH,
	"zeek/rdp":         (*Sensors).zeekRDP,
	"zeek/dce_rpc":     (*Sensors).zeekCall,
	"zeek/dhcp":        (*Sensors).zeekDHCP,
	"zeek/notice":      (*Sensors).zeekNotice,
	"zeek/known_hosts": (*Sensors).zeekHost,

	"suricata/fileinfo": (*Sensors).eveFile,
	"suricata/http":     (*Sensors).eveHTTP,
	"suricata/ftp":      (*Sensors).eveFTP,
	"suricata/tftp":     (*Sensors).eveTFTP,
	"suricata/smb":      (*Sensors).eveSMB,
	"suricata/nfs":      (*Sensors).eveNFS,
	"suricata/ftp_data": (*Sensors).eveFTPData,
	"suricata/flow":     (*Sensors).eveFlow,
	"suricata/ssh":      (*Sensors).eveSSH,
	"suricata/rdp":      (*Sensors).eveRDP,
	"suricata/dcerpc":   (*Sensors).eveCall,
	"suricata/krb5":     (*Sensors).eveKerberos,
	"suricata/dhcp":     (*Sensors).eveDHCP,
	"suricata/alert":    (*Sensors).eveAlert,
}

// Close says what still waits.
func (s *Sensors) Close() *telemetry.Result {
	const all = model.Time(math.MaxInt64)
	s.counted.settle(s, all)
	s.named.settle(s, all)
	s.out.Transfers = slices.DeleteFunc(s.out.Transfers, func(t *model.Transfer) bool { return s.taken[t] })
	return &s.out
}

// flow gives the connection of a row of Zeek, and learns its ends.
func (s *Sensors) flow(r *telemetry.Record) *flow {
	return s.flowOf(r.Get("uid"), end(r, "id.orig_h", "id.orig_p"), end(r, "id.resp_h", "id.resp_p"))
}

// known gives a connection that a row was of, nil for none.
func (s *Sensors) known(id string) *flow {
	if e := s.flows[id]; e != nil {
		return e.Value.(*flow)
	}
	return nil
}

func (s *Sensors) flowOf(id string, client, server model.Endpoint) *flow {
	if id == "" {
		return &flow{client: client, server: server}
	}
	e := s.flows[id]
	if e == nil {
		if s.used.Len() >= maxFlows {
			s.evict()
		}
		e = s.used.PushFront(&flow{id: strings.Clone(id)})
		s.flows[e.Value.(*flow).id] = e
	}
	s.used.MoveToFront(e)
	f := e.Value.(*flow)
	if !f.client.IP.Known() {
		f.client, f.server = client, server
	}
	return f
}

// evict forgets the connection that was used least lately.
func (s *Sensors) evict() {
	f := s.used.Remove(s.used.Back()).(*flow)
	delete(s.flows, f.id)
	s.held -= f.held
}

// hold counts something more that is kept of a connection.
func (s *Sensors) hold(f *flow) {
	if s.known(f.id) != f {
		return // it goes with its row
	}
	f.held++
	for s.held++; s.held > maxFacts && s.used.Len() > 1; {
		s.evict()
	}
}

// end reads an endpoint.
func end(r *telemetry.Record, host, port string) model.Endpoint {
	p, _ := strconv.ParseUint(r.Get(port), 10, 16)
	return model.Endpoint{IP: telemetry.Address(r.Get(host)), Port: uint16(p)}
}

// lately is how many movements are remembered for rows that come again in another form.
const lately = 1 << 15

// again says whether a movement was given lately, and remembers it.
func (s *Sensors) again(id string) bool {
	if s.given[id] || s.before[id] {
		return true
	}
	if len(s.given) >= lately {
		s.given, s.before = make(map[string]bool, lately), s.given
	}
	s.given[id] = true
	return false
}

// evidence cites a row. What is no part of the row.
func (s *Sensors) evidence(r *telemetry.Record, what string) model.Evidence {
	return model.Evidence{Input: s.o.Inputs[r.Input], Kind: "event", Computer: strings.Clone(r.Get("sensor")), Channel: r.Stream, Line: r.Line, What: what}
}

// id is an observation's id: by the sensor's own ids where the row has them, so that
// it does not depend on where the log lay.
func id(kind string, parts ...string) string {
	var room [256]byte
	text := append(room[:0], "sensor"...)
	for _, p := range parts {
		text = append(append(text, 0), p...)
	}
	sum := sha256.Sum256(text)
	out := append(room[:0], kind...)
	return string(hex.AppendEncode(append(out, '-'), sum[:8]))
}

// access begins an access of a connection.
func (s *Sensors) access(r *telemetry.Record, f *flow, what, channel string) *model.Access {
	a := &model.Access{Kind: "access", Time: r.Time, What: what, Source: f.client, Destination: f.server, Channel: channel,
		User: f.user, Domain: f.domain, Evidence: []model.Evidence{s.evidence(r, what)}}
	a.ID = id("a", r.Stream, r.First("uid", "uids", "fuid", "flow_id"), what, strconv.FormatInt(int64(r.Time), 10), strconv.Itoa(r.Line))
	return a
}

func (s *Sensors) report(a *model.Access) { s.out.Accessed(a) }
