package synth

import (
	"encoding/binary"
	"fmt"
	"strings"

	"waybill/internal/model"
)

// SMBOptions say how a session is set up. The zero value is SMB 3.1.1, an
// anonymous user and a workstation of the client's name.
type SMBOptions struct {
	Dialect           uint16 // 0x0202, 0x0210, 0x0300, 0x0302, 0x0311
	Port              uint16 // 445 when 0
	User, Domain      string
	Workstation       string
	Signed            bool // messages carry the flag and a made-up signature
	IOSize, InFlight  int  // bytes of a READ or WRITE; how many wait for answers
	Shuffle           bool // the server answers those in any order
	AllowsCompression bool // both sides offer all algorithms
	Kerberos          *Kerberos
}

// Session is an SMB2 session of a client with a server.
type Session struct {
	SMBOptions
	Client, Server *Host

	net      *Net
	id       uint64
	channels []*channel
	shares   uint32 // id of the last tree
	files    uint64 // id of the last open
	turn     int    // channel of the next read or write
	guids    [2][]byte
	stamp    model.Time // of the files on the server
	seal     seal
}

// channel is one connection of a session.
type channel struct {
	*Conn
	s      *Session
	nextID uint64
	async  uint64
}

// The commands, flags and statuses that are used (MS-SMB2 2.2.1.2, MS-ERREF).
const (
	smbNegotiate      = 0
	smbSessionSetup   = 1
	smbLogoff         = 2
	smbTreeConnect    = 3
	smbTreeDisconnect = 4
	smbCreate         = 5
	smbClose          = 6
	smbRead           = 8
	smbWrite          = 9
	smbIoctl          = 11
	smbQueryDirectory = 14
	smbQueryInfo      = 16
	smbSetInfo        = 17

	smbResponse = 0x1
	smbAsync    = 0x2
	smbRelated  = 0x4
	smbSigned   = 0x8

	StatusOK                     = 0
	StatusPending                = 0x00000103
	StatusNoMoreFiles            = 0x80000006
	StatusAccessDenied           = 0xC0000022
	StatusObjectNameNotFound     = 0xC0000034
	StatusSharingViolation       = 0xC0000043
	StatusMoreProcessingRequired = 0xC0000016
	StatusEndOfFile              = 0xC0000011
)

// smbMessage is one message, or one of a compound.
type smbMessage struct {
	command uint16
	status  uint32
	flags   uint32
	id      uint64
	async   uint64 // of messages with the async flag, in the place of tree
	tree    uint32
	charge  uint16
	body    []byte // the fixed part and what follows it
	data    []byte // content after the body
}

// SMB opens a connection and a session on it.
func (n *Net) SMB(client, server *Host, o SMBOptions) *Session {
	s := &Session{SMBOptions: o.withDefaults(client), Client: client, Server: server, net: n}
	s.id = 0x0000_1400_0000_0001 + uint64(n.Intn(1<<20))<<4
	s.shares, s.files = uint32(n.Intn(1<<20)), uint64(n.Intn(1<<30))
	s.guids = [2][]byte{n.guid(), n.guid()}
	s.stamp = Begin - model.Time(1+n.Intn(1000))*3600_000_000_000
	s.connect(client, server, false)
	return s
}

func (o SMBOptions) withDefaults(client *Host) SMBOptions {
	if o.Dialect == 0 {
		o.Dialect = 0x0311
	}
	if o.Port == 0 {
		o.Port = 445
	}
	if o.Workstation == "" {
		o.Workstation = client.Name
	}
	if o.IOSize == 0 {
		o.IOSize = 64 << 10
	}
	if o.InFlight == 0 {
		o.InFlight = 4
	}
	return o
}

// AddChannel binds another connection to the session (multichannel). Reads and
// writes then take turns over all channels.
func (s *Session) AddChannel(client, server *Host) { s.connect(client, server, true) }

// Channel is the n-th connection of the session, to be broken or left behind.
func (s *Session) Channel(n int) *Conn { return s.channels[n].Conn }

// connect opens a connection and sets the session up on it, or binds it.
func (s *Session) connect(client, server *Host, binding bool) {
	ch := &channel{Conn: s.net.Dial(client, server, s.Port), s: s}
	s.channels = append(s.channels, ch)
	ch.call(smbNegotiate, 0, negotiateRequest(s), negotiateResponse(s))
	if s.Kerberos != nil && !binding {
		ch.present(s.Kerberos)
		return
	}
	ch.authenticate(binding)
}

// authenticate exchanges the NTLM messages in two SESSION_SETUPs.
func (ch *channel) authenticate(binding bool) {
	s, n := ch.s, ch.s.net
	challenge := n.ntlmChallenge(s.Server.Name, s.domain())
	proof := n.ntlmAuthenticate(s.User, s.Domain, s.Workstation)
	id := ch.ask(smbMessage{command: smbSessionSetup, body: setupRequest(binding, negTokenInit(ntlmNegotiate()))})
	ch.answer(smbMessage{command: smbSessionSetup, id: id, status: StatusMoreProcessingRequired,
		body: setupResponse(negTokenResp(1, challenge))})
	id = ch.ask(smbMessage{command: smbSessionSetup, body: setupRequest(binding, negTokenResp(1, proof))})
	ch.answer(smbMessage{command: smbSessionSetup, id: id, body: setupResponse(negTokenResp(0, nil))})
}

// domain is what a server calls its domain.
func (s *Session) domain() string {
	if s.Domain != "" {
		return s.Domain
	}
	return "WORKGROUP"
}

// Logoff ends the session and closes its connections.
func (s *Session) Logoff() {
	s.channels[0].call(smbLogoff, 0, []byte{4, 0, 0, 0}, []byte{4, 0, 0, 0})
	s.Hangup()
}

// Hangup closes the connections without a word.
func (s *Session) Hangup() {
	for _, ch := range s.channels {
		ch.Close()
	}
}

// next is the channel whose turn it is.
func (s *Session) next() *channel {
	s.turn++
	return s.channels[s.turn%len(s.channels)]
}

// call sends a request and its successful answer.
func (ch *channel) call(command uint16, tree uint32, request, response []byte) {
	id := ch.ask(smbMessage{command: command, tree: tree, body: request})
	ch.answer(smbMessage{command: command, tree: tree, id: id, body: response})
}

// refuse sends a request and its answer with an error.
func (ch *channel) refuse(command uint16, tree uint32, request []byte, status uint32) {
	id := ch.ask(smbMessage{command: command, tree: tree, body: request})
	ch.answer(smbMessage{command: command, tree: tree, id: id, status: status, body: errorBody()})
}

// ask sends a request and gives its message id.
func (ch *channel) ask(m smbMessage) uint64 { return ch.askAll(m)[0] }

// askAll sends requests as one compound and gives their message ids.
func (ch *channel) askAll(ms ...smbMessage) []uint64 {
	ids := make([]uint64, len(ms))
	for i := range ms {
		if ch.s.Dialect > 0x0202 && ms[i].command != smbNegotiate {
			ms[i].charge = max(ms[i].charge, 1)
		}
		ms[i].id = ch.nextID
		ids[i] = ch.nextID
		ch.nextID += uint64(max(ms[i].charge, 1))
	}
	ch.send(Client, ms)
	return ids
}

// answer sends responses, several as one compound.
func (ch *channel) answer(ms ...smbMessage) {
	for i := range ms {
		ms[i].flags |= smbResponse
	}
	ch.send(Server, ms)
}

// pending says that the answer to a request will come later, and gives the id
// under which it will.
func (ch *channel) pending(command uint16, id uint64) uint64 {
	ch.async++
	ch.answer(smbMessage{command: command, id: id, async: ch.async, flags: smbAsync, status: StatusPending, body: errorBody()})
	return ch.async
}

// send frames messages and sends them; only the last may have data.
func (ch *channel) send(from Side, ms []smbMessage) {
	frame := pack{0, 0, 0, 0}
	for i, m := range ms {
		at := len(frame)
		ch.header(&frame, from, m)
		frame.bytes(m.body)
		if i < len(ms)-1 {
			frame.bytes(m.data)
			for (len(frame)-at)%8 != 0 {
				frame.u8(0)
			}
			binary.LittleEndian.PutUint32(frame[at+20:], uint32(len(frame)-at))
		}
	}
	data := ms[len(ms)-1].data
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4+len(data)))
	if ch.s.Kerberos != nil {
		frame, data = ch.s.wrap(from, frame, data)
	}
	ch.Send(from, frame, data)
}

// header adds the header of a message (MS-SMB2 2.2.1).
func (ch *channel) header(p *pack, from Side, m smbMessage) {
	id := ch.s.id
	if m.command == smbNegotiate || m.command == smbSessionSetup && m.id == 1 && from == Client && ch == ch.s.channels[0] {
		id = 0
	}
	if ch.s.Signed && m.command > smbSessionSetup {
		m.flags |= smbSigned
	}
	p.bytes([]byte("\xfeSMB"))
	p.u16(64, m.charge)
	p.u32(m.status)
	p.u16(m.command, 32)
	p.u32(m.flags, 0)
	p.u64(m.id)
	if m.flags&smbAsync != 0 {
		p.u64(m.async)
	} else {
		p.u32(0xFEFF, m.tree)
	}
	p.u64(id)
	if m.flags&smbSigned != 0 {
		p.bytes(ch.s.net.Bytes(16))
	} else {
		p.zero(16)
	}
}

// Tree is a share that a session is connected to.
type Tree struct {
	s     *Session
	id    uint32
	Share string // \\server\share, as sent
}

// Tree connects to a share of the server, by its name.
func (s *Session) Tree(share string) *Tree {
	s.shares++
	t := &Tree{s: s, id: s.shares, Share: fmt.Sprintf(`\\%s\%s`, s.Server.Name, share)}
	kind := uint8(1)
	if strings.EqualFold(share, "IPC$") {
		kind = 2
	}
	s.channels[0].call(smbTreeConnect, t.id, treeRequest(t.Share), treeResponse(kind))
	return t
}

// Disconnect leaves the share.
func (t *Tree) Disconnect() {
	t.s.channels[0].call(smbTreeDisconnect, t.id, []byte{4, 0, 0, 0}, []byte{4, 0, 0, 0})
}
