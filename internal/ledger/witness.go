package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// sight is the way in which a witness saw a movement.
type sight uint8

const (
	nothing   sight = iota
	order           // a command asked for it
	effect          // only what came of it was seen
	telemetry       // a log of processes and files on a host
	service         // the log of the service that moved it, the audit of its share
	sensor          // a log of a network sensor
	capture         // packets
)

func sightOf(t *model.Transfer) sight {
	switch {
	case t.Completeness == model.Inferred:
		return effect
	case t.Completeness != model.Logged:
		return capture
	case passedBy(t):
		return sensor
	case t.Tool != "":
		return order
	case len(t.Evidence) > 0 && processLog(t.Evidence[0].Channel) > 0:
		return telemetry
	}
	return service
}

// processLog grades the logs that hold processes: those of sensors that were put there
// for it, then Windows' own audit.
func processLog(channel string) uint8 {
	switch {
	case channel == "auditd", channel == "eslogger", channel == "DeviceProcessEvents", strings.Contains(channel, "Sysmon"), strings.Contains(channel, "sysmon"):
		return 2
	case channel == "Security":
		return 1
	}
	return 0
}

// field is a part of a transfer that is taken from one witness, the best of it.
type field struct {
	name string
	// weigh says how good a witness is; 0 says nothing of it. The better one wins, of
	// equals the one that is first by rank and time.
	weigh func(t *model.Transfer, s sight) uint8
	take  func(o, t *model.Transfer)
	// differ gives what two witnesses say where they contradict each other; nil never.
	differ func(o, t *model.Transfer) (a, b string)
}

// fields is which witness is believed. Times are not among them: they are those of the
// best rank.
var fields = [...]field{
	// Packets that show all of it, a network sensor that saw all, the service's own word,
	// others; what was not seen whole has at best a size so far.
	{"size", weighSize, takeSize, sizesDiffer},
	// The hash is packets' alone; what others say of the content stands in hashes.
	{"sha256", weighContent, takeContent, contentsDiffer},
	// By the content: packets, then a sensor.
	{"type", weighType, func(o, t *model.Transfer) { o.Type = t.Type }, nil},
	// The account at the server: Kerberos proves it, then NTLM, then the server's record
	// of the logon or of what was asked for; a command only names one.
	{"user", weighUser, takeUser, usersDiffer},
	// The process that asked: Sysmon and its like, then 4688, then the text of a command.
	{"process", weighProcess, takeProcess, nil},
	// Who opened the exchange: packets, sensors, services.
	{"operation", weighOperation, takeOperation, operationsDiffer},
	// The dialect: who knows it.
	{"channel", weighChannel, func(o, t *model.Transfer) { o.Channel = t.Channel }, nil},
	// What a host calls itself in its own records, then what is known of its address.
	{"source", weighSource, func(o, t *model.Transfer) { takeEnd(&o.Source, t.Source) }, nil},
	{"destination", weighDestination, func(o, t *model.Transfer) { takeEnd(&o.Destination, t.Destination) }, nil},
}

// sources are the witnesses that the fields of a movement are taken from.
type sources struct {
	weight [len(fields)]uint8
	by     [len(fields)]*model.Evidence
}

// weigh says that all fields are those of the first witness.
func weigh(t *model.Transfer) *sources {
	s, how := &sources{}, sightOf(t)
	for i := range fields {
		s.weight[i], s.by[i] = fields[i].weigh(t, how), firstEvidence(t)
	}
	return s
}

func firstEvidence(t *model.Transfer) *model.Evidence {
	if len(t.Evidence) == 0 {
		return nil
	}
	return &t.Evidence[0]
}

// maxContradictions bounds what is told of one movement.
const maxContradictions = 8

// merge adds what another observation says to a movement: of each field what the
// better witness says. It gives the fields in which they contradict each other.
func (e *entry) merge(x *entry) (contradicted []string) {
	o, t := e.t, x.t
	if e.sources == nil {
		e.sources = weigh(o)
	}
	if x.sources == nil {
		x.sources = weigh(t)
	}
	for i := range fields {
		f := &fields[i]
		if x.weight[i] == 0 {
			continue
		}
		if f.differ != nil && e.weight[i] > 0 {
			if a, b := f.differ(o, t); a != "" {
				contradicted = append(contradicted, f.name)
				e.contradicts(fmt.Sprintf("%s: %s says %s, %s says %s", f.name, called(e.by[i]), a, called(x.by[i]), b))
			}
		}
		if x.weight[i] > e.weight[i] {
			f.take(o, t)
			e.weight[i], e.by[i] = x.weight[i], x.by[i]
		}
	}
	fill(o, t)
	for _, w := range x.who {
		e.vouches(w)
	}
	return contradicted
}

func (e *entry) contradicts(text string) {
	if all := &e.t.Contradictions; len(*all) < maxContradictions && !slices.Contains(*all, text) {
		*all = append(*all, text)
	}
}

// called is how a witness is called.
func called(e *model.Evidence) string {
	switch {
	case e == nil:
		return "one witness"
	case e.Kind == "packets":
		return "the packets of " + e.Input
	case e.Computer == "":
		return e.Channel
	}
	return e.Channel + " of " + e.Computer
}

// fill adds what no two witnesses can say differently, and what o does not know.
func fill(o, t *model.Transfer) {
	if len(o.Observations) == 0 {
		o.Observations = []string{o.ID}
	}
	o.SensorComplete = seenBy(o, t)
	o.Observations = union(o.Observations, t.ID)
	for _, id := range t.Observations {
		o.Observations = union(o.Observations, id)
	}
	if o.Status == model.Claimed && t.Status == model.Done {
		o.Status, o.Reason = model.Done, t.Reason
	}
	if t.Confidence == "" && t.Status == model.Done {
		o.Confidence = "" // the estimate of one is what the other knows
	}
	for _, p := range [...][2]*string{{&o.Share, &t.Share}, {&o.Path, &t.Path}, {&o.OrderedBy, &t.OrderedBy}, {&o.InitiatorUser, &t.InitiatorUser}, {&o.Tool, &t.Tool},
		{&o.CommandBy, &t.CommandBy}, {&o.OriginalName, &t.OriginalName}, {&o.Company, &t.Company}, {&o.Mode, &t.Mode}, {&o.DispositionName, &t.DispositionName}} {
		*p[0] = cmp.Or(*p[0], *p[1])
	}
	o.Logon, o.Receiver, o.Session = cmp.Or(o.Logon, t.Logon), cmp.Or(o.Receiver, t.Receiver), cmp.Or(o.Session, t.Session)
	for _, h := range t.Hashes {
		o.Hashes = union(o.Hashes, h)
	}
	name(o, t)
	for _, id := range t.CommunityID {
		o.CommunityID = union(o.CommunityID, id)
	}
	for _, n := range t.Notes {
		o.Notes = union(o.Notes, n)
	}
	address(&o.Source, t.Source)
	address(&o.Destination, t.Destination)
	o.Executed = append(o.Executed, t.Executed...)
	o.Evidence = append(o.Evidence, t.Evidence...)
}

func union[T comparable](all []T, x T) []T {
	if slices.Contains(all, x) {
		return all
	}
	return append(all, x)
}

// name takes the name that t has: as the file's own where o has none, else as one that
// it had before. A name of another script is one that a sensor could not write.
func name(o, t *model.Transfer) {
	switch {
	case o.Name == "":
		o.Name = t.Name
	case t.Name == "" || strings.EqualFold(o.Name, t.Name) || slices.Contains(o.EarlierNames, t.Name):
	case o.Channel == "ftp" && model.GarbledFTP(o.Name) == model.GarbledFTP(t.Name):
	case ascii(o.Name) || !passedBy(t):
		o.EarlierNames = append(o.EarlierNames, t.Name)
	}
}

// seenBy says whether a sensor saw all of what is only logged: one that did is enough.
func seenBy(o, t *model.Transfer) *bool {
	if o.Completeness != model.Logged || t.SensorComplete == nil || o.SensorComplete != nil && *o.SensorComplete {
		return o.SensorComplete
	}
	return t.SensorComplete
}

func weighSize(t *model.Transfer, s sight) uint8 {
	switch {
	case t.Size == nil:
		return 0
	case !sized(t):
		return 1
	}
	return 1 + uint8(s)
}

func takeSize(o, t *model.Transfer) { o.Size, o.Estimate = t.Size, nil }

// sizesDiffer compares what is known exactly. Over FTP in ASCII mode the two ends have
// line ends of their own (RFC 959 3.1.1.1).
func sizesDiffer(o, t *model.Transfer) (a, b string) {
	inASCII := func(n string) bool { return strings.HasPrefix(n, "ASCII mode") }
	if !sized(o) || !sized(t) || sameSize(o, t) || slices.ContainsFunc(o.Notes, inASCII) || slices.ContainsFunc(t.Notes, inASCII) {
		return "", ""
	}
	return strconv.FormatInt(*o.Size, 10), strconv.FormatInt(*t.Size, 10)
}

func weighContent(t *model.Transfer, s sight) uint8 {
	if t.SHA256 == "" && len(t.Hashes) == 0 && len(t.Prefix) == 0 {
		return 0
	}
	return uint8(s)
}

func takeContent(o, t *model.Transfer) {
	if t.SHA256 != "" {
		o.SHA256 = t.SHA256
	}
	if t.Prefix != nil {
		o.Prefix = t.Prefix
	}
}

func contentsDiffer(o, t *model.Transfer) (a, b string) {
	if known, equal := compareSums(o, t); !known || equal {
		return "", ""
	}
	return sumOf(o), sumOf(t)
}

func sumOf(t *model.Transfer) string {
	if t.SHA256 != "" || len(t.Hashes) == 0 {
		return t.SHA256
	}
	return t.Hashes[0].Alg + " " + t.Hashes[0].Value
}

func weighType(t *model.Transfer, s sight) uint8 {
	if t.Type == "" {
		return 0
	}
	return uint8(s)
}

func weighUser(t *model.Transfer, s sight) uint8 {
	switch {
	case t.User == "":
		return 0
	case t.Auth == "kerberos":
		return 4
	case t.Auth == "ntlm":
		return 3
	case s > effect:
		return 2
	}
	return 1
}

func takeUser(o, t *model.Transfer) {
	domain, sid := t.Domain, t.UserSID
	if sameUser(o.User, t.User) {
		domain, sid = cmp.Or(domain, o.Domain), cmp.Or(sid, o.UserSID)
	}
	o.User, o.Domain, o.UserSID, o.Auth = t.User, domain, sid, t.Auth
}

// usersDiffer compares what servers and packets say; a command may name an alias.
func usersDiffer(o, t *model.Transfer) (a, b string) {
	if sameUser(o.User, t.User) {
		o.Domain, o.UserSID = cmp.Or(o.Domain, t.Domain), cmp.Or(o.UserSID, t.UserSID)
		return "", ""
	}
	if o.Tool != "" && o.Completeness == model.Logged || t.Tool != "" || nobody(o.User) || nobody(t.User) {
		return "", ""
	}
	return o.User, t.User
}

func sameUser(a, b string) bool { return strings.EqualFold(bareUser(a), bareUser(b)) }

// bareUser is an account without its domain.
func bareUser(user string) string {
	user = user[strings.LastIndexByte(user, '\\')+1:]
	user, _, _ = strings.Cut(user, "@")
	return user
}

// nobody says whether an account is none, or one that stands for any.
func nobody(user string) bool {
	switch strings.ToLower(bareUser(user)) {
	case "", "-", "anonymous", "anonymous logon", "guest", "nobody", "system":
		return true
	}
	return strings.Trim(user, "0123456789") == "" // a number, as AUTH_SYS has it (RFC 5531)
}

func weighProcess(t *model.Transfer, _ sight) uint8 {
	if t.Process == "" && t.Command == "" {
		return 0
	}
	best := uint8(0)
	for i := range t.Evidence {
		best = max(best, processLog(t.Evidence[i].Channel))
	}
	return 1 + best
}

func takeProcess(o, t *model.Transfer) {
	if o.Process != "" && !sameProgram(o.Process, t.Process) {
		o.PID, o.Command, o.InitiatorUser = 0, "", ""
	}
	o.Process, o.PID, o.Command = cmp.Or(t.Process, o.Process), cmp.Or(t.PID, o.PID), cmp.Or(t.Command, o.Command)
	o.InitiatorUser = cmp.Or(t.InitiatorUser, o.InitiatorUser)
}

// sameProgram compares images of which one may be a bare name.
func sameProgram(a, b string) bool {
	last := func(s string) string { return s[strings.LastIndexAny(s, `/\`)+1:] }
	return strings.EqualFold(last(a), last(b))
}

func weighOperation(t *model.Transfer, s sight) uint8 {
	if t.Operation == "" {
		return 0
	}
	return uint8(s)
}

func takeOperation(o, t *model.Transfer) {
	o.Operation, o.Initiator = t.Operation, t.Initiator
}

func operationsDiffer(o, t *model.Transfer) (a, b string) {
	if o.Operation == t.Operation || o.Operation == "" {
		return "", ""
	}
	return o.Operation, t.Operation
}

func weighChannel(t *model.Transfer, s sight) uint8 {
	switch {
	case t.Channel == "" || t.Channel == "unknown":
		return 0
	case supposed(t):
		return 1
	case t.Channel == "smb":
		return 2
	}
	return 2 + uint8(s)
}

func weighSource(t *model.Transfer, _ sight) uint8      { return weighEnd(t, &t.Source) }
func weighDestination(t *model.Transfer, _ sight) uint8 { return weighEnd(t, &t.Destination) }

// weighEnd: the host's own record, a name, an address.
func weighEnd(t *model.Transfer, e *model.Endpoint) uint8 {
	switch {
	case e.Host == "" && !e.IP.Known():
		return 0
	case e.Host == "":
		return 1
	}
	for i := range t.Evidence {
		if c := t.Evidence[i].Computer; c != "" && identity.SameName(c, e.Host) {
			return 3
		}
	}
	return 2
}

// takeEnd takes the name; addresses stay where they are known, since packets and
// sensors saw them.
func takeEnd(o *model.Endpoint, t model.Endpoint) {
	o.Host = cmp.Or(t.Host, o.Host)
	o.MAC, o.Role = cmp.Or(o.MAC, t.MAC), cmp.Or(o.Role, t.Role)
	address(o, t)
}

func address(o *model.Endpoint, t model.Endpoint) {
	if !o.IP.Known() {
		o.IP, o.Port = t.IP, t.Port
	}
	if o.Port == 0 && o.IP == t.IP {
		o.Port = t.Port
	}
}
