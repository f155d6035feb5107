package model

import "strings"

// The words of a transfer's fields that programs compare.
const (
	Push = "push"
	Pull = "pull"
	Copy = "copy"

	Whole    = "whole"
	Partial  = "partial"
	Opaque   = "opaque"
	Logged   = "logged"
	Inferred = "inferred"

	Done        = "done"
	Denied      = "denied"
	Failed      = "failed"
	Interrupted = "interrupted"
	Claimed     = "claimed"

	// ReasonLogged is the reason of what is logged and done.
	ReasonLogged = "a log shows the movement, no bytes were seen"

	BySource      = "source"
	ByDestination = "destination"
	ByOther       = "other"

	ScopeInternal = "internal"
	ScopeInbound  = "inbound"
	ScopeOutbound = "outbound"
	ScopeExternal = "external"
)

// Endpoint is one end of a transfer.
type Endpoint struct {
	IP   Addr   `json:"ip,omitzero"`
	Port uint16 `json:"port,omitempty"`
	MAC  string `json:"mac,omitempty"`
	Host string `json:"host,omitempty"`
	Role string `json:"role,omitempty"`
}

// Name is how people call the endpoint: its host name, else its address.
func (e Endpoint) Name() string {
	if e.Host != "" || !e.IP.Known() {
		return e.Host
	}
	return e.IP.String()
}

// Transfer is one movement of one file between two hosts, or one opaque bulk.
type Transfer struct {
	Kind string `json:"kind"` // "transfer"
	ID   string `json:"id"`

	Start Time `json:"start,omitzero"`
	End   Time `json:"end,omitzero"`

	Source      Endpoint  `json:"source"`
	Destination Endpoint  `json:"destination"`
	Initiator   string    `json:"initiator,omitempty"`
	Client      *Endpoint `json:"client,omitempty"` // only with initiator "other"
	Operation   string    `json:"operation"`
	Channel     string    `json:"channel"`

	Share           string   `json:"share,omitempty"`
	Path            string   `json:"path,omitempty"`
	Name            string   `json:"name,omitempty"`
	Cwd             string   `json:"cwd,omitempty"`
	DispositionName string   `json:"disposition_name,omitempty"`
	EarlierNames    []string `json:"earlier_names,omitempty"`
	OriginalName    string   `json:"original_name,omitempty"` // by the program's own version resource
	Company         string   `json:"company,omitempty"`       // who made it, by that resource; "-" where a log says that it names nobody
	Mode            string   `json:"mode,omitempty"`          // permission bits that a log says it was made with, octal
	Deleted         *Deleted `json:"deleted,omitempty"`

	Size      *int64            `json:"size,omitempty"`
	BytesSeen *int64            `json:"bytes_seen,omitempty"`
	Estimate  *Estimate         `json:"estimate,omitempty"`
	SHA256    string            `json:"sha256,omitempty"`
	MD5       string            `json:"md5,omitempty"`    // with --hash md5
	SHA1      string            `json:"sha1,omitempty"`   // with --hash sha1
	Hashes    []Hash            `json:"hashes,omitempty"` // others' word
	Prefix    map[string]string `json:"prefix,omitempty"`
	Type      string            `json:"type,omitempty"`

	Completeness   string   `json:"completeness"`
	SensorComplete *bool    `json:"sensor_complete,omitempty"` // of what a network sensor logged: whether it saw all bytes
	Scope          string   `json:"scope,omitempty"`
	Status         string   `json:"status"`
	Reason         string   `json:"reason,omitempty"`
	Notes          []string `json:"notes,omitempty"`
	// Contradictions are what witnesses say differently of the movement.
	Contradictions []string `json:"contradictions,omitempty"`
	Confidence     string   `json:"confidence,omitempty"`

	ContentEncoding string `json:"content_encoding,omitempty"`
	WireSize        *int64 `json:"wire_size,omitempty"`

	User          string   `json:"user,omitempty"`
	Domain        string   `json:"domain,omitempty"`
	UserSID       string   `json:"user_sid,omitempty"`
	Auth          string   `json:"auth,omitempty"`
	InitiatorUser string   `json:"initiator_user,omitempty"`
	Logon         *Logon   `json:"logon,omitempty"`
	Session       *Session `json:"session,omitempty"`

	Process   string    `json:"process,omitempty"` // on the initiator
	Tool      string    `json:"tool,omitempty"`    // that the command names
	Command   string    `json:"command,omitempty"`
	CommandBy string    `json:"command_by,omitempty"` // what started the command, as an execution's By
	PID       uint64    `json:"pid,omitempty"`
	Receiver  *Receiver `json:"receiver,omitempty"` // the writer on the destination
	OrderedBy string    `json:"ordered_by,omitempty"`

	CommunityID []string    `json:"community_id,omitempty"`
	Executed    []Execution `json:"executed,omitempty"`
	Evidence    []Evidence  `json:"evidence"`
	// Observations are the ids of all that vouch for the movement; absent when ID is the only one.
	Observations []string `json:"observations,omitempty"`
	TimeAssumed  bool     `json:"time_assumed,omitempty"`
	Techniques   []string `json:"techniques,omitempty"`
}

// Actor is the host that opened the exchange.
func (t *Transfer) Actor() Endpoint {
	switch {
	case t.Initiator == BySource:
		return t.Source
	case t.Initiator == ByOther && t.Client != nil:
		return *t.Client
	}
	return t.Destination
}

// Account is the account at the server with its domain, "" where none is known.
func (t *Transfer) Account() string {
	if t.Domain == "" || t.User == "" {
		return t.User
	}
	return t.Domain + `\` + t.User
}

// ChannelFamily takes channels that sensors tell apart in different ways for one: logs
// seldom tell the dialect of SMB, and a download by BITS or by WebDAV is HTTP on the wire.
func ChannelFamily(channel string) string {
	switch channel {
	case "smb1", "smb2", "smb":
		return "smb"
	case "http", "webdav", "bits":
		return "http"
	}
	return channel
}

// PolicyShare says whether a share, by its last element, is one of those that hosts ask
// their domain's controllers for: SYSVOL and NETLOGON hold group policies and logon scripts.
func PolicyShare(name string) bool {
	return strings.EqualFold(name, "SYSVOL") || strings.EqualFold(name, "NETLOGON")
}

// GarbledFTP is a name as logs of FTP servers may have it, lower case: lines for blanks
// (xferlog(5)), question marks for bytes outside ASCII (vsftpd).
func GarbledFTP(name string) string {
	out := []byte(strings.ToLower(name))
	for i, c := range out {
		switch {
		case c == ' ':
			out[i] = '_'
		case c >= 0x80:
			out[i] = '?'
		}
	}
	return string(out)
}

// Hash is somebody else's word about a content: From is file-create,
// process-start, module-load, delete, sensor or bytes.
type Hash struct {
	Alg   string `json:"alg"`
	Value string `json:"value"`
	From  string `json:"from"`
	Time  Time   `json:"time,omitzero"`
}

// Logon is the session of the account at the server; its id is unique for a host and boot only.
type Logon struct {
	Host   string `json:"host,omitempty"`
	ID     string `json:"id"`
	Type   int    `json:"type,omitempty"`
	Source Addr   `json:"source,omitzero"`
}

// Receiver is the process that wrote the file on the destination.
type Receiver struct {
	Process string `json:"process,omitempty"`
	PID     uint64 `json:"pid,omitempty"`
}

// Deleted says when the moved file was removed again.
type Deleted struct {
	Time Time `json:"time"`
}

// Estimate bounds the content size of an opaque transfer: 95 % lie in [Low, High].
type Estimate struct {
	Size int64 `json:"size"`
	Low  int64 `json:"low"`
	High int64 `json:"high"`
}

// Session says what is known of the exchange that carried a transfer.
type Session struct {
	ID             string `json:"id,omitempty"`
	Dialect        string `json:"dialect,omitempty"`
	Encrypted      bool   `json:"encrypted,omitempty"`
	Signed         bool   `json:"signed,omitempty"`
	Compressed     bool   `json:"compressed,omitempty"`
	Channels       int    `json:"channels,omitempty"`
	ClientSoftware string `json:"client_software,omitempty"`
	ServerSoftware string `json:"server_software,omitempty"`
	Workstation    string `json:"workstation,omitempty"` // name that an NTLM client gave itself
	HASSH          string `json:"hassh,omitempty"`       // of an SSH client's key exchange
	JA4            string `json:"ja4,omitempty"`         // of a TLS or QUIC client's hello
	SNI            string `json:"sni,omitempty"`         // server name that the hello asks for
	Certificate    string `json:"certificate,omitempty"` // name on the server's, where the hello asks for none
}

// Execution is one start of a transferred file on its destination.
type Execution struct {
	Time     Time       `json:"time"`
	How      string     `json:"how"` // service, process, module-load, ...
	Process  string     `json:"process,omitempty"`
	Command  string     `json:"command,omitempty"`
	User     string     `json:"user,omitempty"`
	PID      uint64     `json:"pid,omitempty"`
	Parent   string     `json:"parent,omitempty"` // the program that started it, lower case
	By       string     `json:"by,omitempty"`     // what started a process, where its parent tells: service, task, wmi, winrm, dcom
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence names what one sensor saw: a packet range of one capture, counted
// from 1 in the innermost capture as Wireshark does, or a record of a log.
type Evidence struct {
	Input    string     `json:"input"`
	Kind     string     `json:"kind"` // "packets" or "event"
	Computer string     `json:"computer,omitempty"`
	Channel  string     `json:"channel,omitempty"`
	Packets  *[2]uint64 `json:"packets,omitempty"`
	Record   uint64     `json:"record,omitempty"`
	Line     int        `json:"line,omitempty"`
	Offset   int64      `json:"offset,omitempty"`
	What     string     `json:"what,omitempty"`
}

// Access is something on the way that is no transfer but is evidence.
type Access struct {
	Kind        string     `json:"kind"` // "access"
	ID          string     `json:"id"`
	Time        Time       `json:"time"`
	Until       Time       `json:"until,omitzero"` // address-binding: how long it is known to have held
	What        string     `json:"what"`
	Source      Endpoint   `json:"source"`
	Destination Endpoint   `json:"destination"`
	User        string     `json:"user,omitempty"`
	Domain      string     `json:"domain,omitempty"`
	Channel     string     `json:"channel,omitempty"`
	Share       string     `json:"share,omitempty"`
	Object      string     `json:"object,omitempty"` // path, pipe, service, ...
	Command     string     `json:"command,omitempty"`
	Interface   string     `json:"interface,omitempty"` // rpc-call: interface UUID
	Opnum       *int       `json:"opnum,omitempty"`
	Status      string     `json:"status,omitempty"`
	Detail      string     `json:"detail,omitempty"`
	Prefix      string     `json:"prefix_4096,omitempty"` // peek: SHA-256 of the first 4,096 bytes
	Evidence    []Evidence `json:"evidence"`
}
