package synth

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// SMB1Options say how a session of SMB 1 is set up. The zero value is NT LM 0.12
// with extended security over port 445, in UTF-16, an anonymous user.
type SMB1Options struct {
	User, Domain     string
	Workstation      string // the client's name when empty
	Plain            bool   // log on by responses to the server's challenge, without SPNEGO
	OEM              bool   // names in bytes
	DOSErrors        bool   // errors by class and code
	NetBIOS          bool   // over port 139, with a session request
	MultiProtocol    bool   // the client offers SMB 2 as well
	Signed           bool   // messages carry the flag and a made-up signature
	Chained          bool   // log on and connect to IPC$ in one message
	Pad              int    // bytes before the data of a WRITE_ANDX
	Part             int    // bytes of a transaction in one message; 0 is all of them
	IOSize, InFlight int
	Shuffle          bool // the server answers in any order
}

func (o SMB1Options) withDefaults(client *Host) SMB1Options {
	if o.Workstation == "" {
		o.Workstation = client.Name
	}
	if o.IOSize == 0 {
		o.IOSize = 60 << 10
	}
	if o.InFlight == 0 {
		o.InFlight = 4
	}
	if o.Pad == 0 {
		o.Pad = 1
	}
	return o
}

// SMB1 is a session of SMB 1: one connection.
type SMB1 struct {
	SMB1Options
	Client, Server *Host

	net      *Net
	conn     *Conn
	mid      uint16
	uid      uint16
	tid, fid uint16 // the last ones
}

// The commands that are used (MS-CIFS 2.2.2.1).
const (
	smb1Create       = 0x03
	smb1Close        = 0x04
	smb1Delete       = 0x06
	smb1Rename       = 0x07
	smb1Read         = 0x0A
	smb1Write        = 0x0B
	smb1ReadRaw      = 0x1A
	smb1WriteRaw     = 0x1D
	smb1WriteDone    = 0x20
	smb1Trans        = 0x25
	smb1OpenAndX     = 0x2D
	smb1ReadAndX     = 0x2E
	smb1WriteAndX    = 0x2F
	smb1Trans2       = 0x32
	smb1TreeLeave    = 0x71
	smb1Negotiate    = 0x72
	smb1SessionSetup = 0x73
	smb1Logoff       = 0x74
	smb1TreeConnect  = 0x75
	smb1NTCreate     = 0xA2
	smb1NTRename     = 0xA5
	smb1None         = 0xFF

	smb1HeaderLen = 32
)

// smb1Block is the parameters and data of one command of a message.
type smb1Block struct {
	command uint8
	words   pack
	head    []byte   // data before the texts
	texts   []string // with their final zeros, UTF-16 ones aligned
	tail    []byte   // data after them
	format  bool     // a byte 4 before each text (MS-CIFS 2.2.1.1)
	bulk    []byte   // content at the end of the last block
}

// chained says that a command's parameters begin with the next one of a chain.
func (b *smb1Block) chained() bool {
	switch b.command {
	case smb1OpenAndX, smb1ReadAndX, smb1WriteAndX, smb1SessionSetup, smb1Logoff, smb1TreeConnect, smb1NTCreate:
		return len(b.words) >= 4
	}
	return false
}

// andX begins the parameters of a command that may be chained.
func andX() pack { return pack{smb1None, 0, 0, 0} }

// SMB1 opens a connection and a session on it.
func (n *Net) SMB1(client, server *Host, o SMB1Options) *SMB1 {
	s := &SMB1{SMB1Options: o.withDefaults(client), Client: client, Server: server, net: n}
	s.tid, s.fid = uint16(n.Intn(2000)), 0x4000+uint16(n.Intn(2000))
	port := uint16(445)
	if s.NetBIOS {
		port = 139
	}
	s.conn = n.Dial(client, server, port)
	if s.NetBIOS {
		s.sessionRequest()
	}
	s.negotiate()
	s.logOn()
	return s
}

// sessionRequest names both ends (RFC 1002 4.3.2), and is granted.
func (s *SMB1) sessionRequest() {
	names := append(netbiosName(s.Server.Name, 0x20), netbiosName(s.Client.Name, 0)...)
	s.conn.Client(be16([]byte{0x81, 0}, uint16(len(names))), names)
	s.conn.Server([]byte{0x82, 0, 0, 0})
}

// netbiosName is a name in first-level encoding (RFC 1001 14.1) with its suffix.
func netbiosName(name string, suffix byte) []byte {
	text := append(fmt.Appendf(nil, "%-15.15s", strings.ToUpper(name)), suffix)
	b := []byte{32}
	for _, c := range text {
		b = append(b, 'A'+c>>4, 'A'+c&0xF)
	}
	return append(b, 0)
}

// negotiate agrees on NT LM 0.12 (MS-CIFS 2.2.4.52, MS-SMB 2.2.4.5).
func (s *SMB1) negotiate() {
	dialects := []string{"PC NETWORK PROGRAM 1.0", "LANMAN1.0", "Windows for Workgroups 3.1a", "LM1.2X002", "LANMAN2.1", "NT LM 0.12"}
	chosen := uint16(len(dialects) - 1)
	if s.MultiProtocol {
		dialects = append(dialects, "SMB 2.002", "SMB 2.???")
	}
	var ask pack
	for _, d := range dialects {
		ask.u8(2)
		ask.bytes([]byte(d), []byte{0})
	}
	const raw, security = 0x1, 0x80000000
	capabilities := uint32(0xF3F8 | raw | 0x4)
	if s.Plain {
		s.call(0, 0, smb1Block{command: smb1Negotiate, head: ask}, smb1Block{command: smb1Negotiate,
			words: s.chosen(chosen, capabilities, 8), head: s.net.Bytes(8), tail: s.texts(s.domain(), s.Server.Name)})
		return
	}
	token := negTokenInit(nil)
	s.call(0, 0, smb1Block{command: smb1Negotiate, head: ask}, smb1Block{command: smb1Negotiate,
		words: s.chosen(chosen, capabilities|security, 0), head: join(s.net.guid(), token)})
}

// chosen is the parameters of the server's choice.
func (s *SMB1) chosen(dialect uint16, capabilities uint32, challenge uint8) pack {
	var p pack
	p.u16(dialect)
	p.u8(3) // users, challenge and response
	p.u16(50, 1)
	p.u32(16644, 65536, 0, capabilities)
	p.u64(filetime(s.net.Now))
	p.u16(0)
	p.u8(challenge)
	return p
}

// texts are names in the form of the session, not aligned.
func (s *SMB1) texts(names ...string) []byte {
	var p pack
	for _, name := range names {
		p.bytes(s.text(name))
	}
	return p
}

func (s *SMB1) text(name string) []byte {
	if s.OEM {
		return append([]byte(name), 0)
	}
	return append(utf16le(name), 0, 0)
}

// textLen is the length of a name without its zero.
func (s *SMB1) textLen(name string) uint16 {
	if s.OEM {
		return uint16(len(name))
	}
	return uint16(len(utf16le(name)))
}

func (s *SMB1) domain() string {
	if s.Domain != "" {
		return s.Domain
	}
	return "WORKGROUP"
}

// logOn sets the session up (MS-CIFS 2.2.4.53, MS-SMB 2.2.4.6).
func (s *SMB1) logOn() {
	software := []string{"Windows 2002 2600 Service Pack 3", "Windows 2002 5.1"}
	server := []string{"Windows Server 2003 3790 Service Pack 2", "Windows Server 2003 5.2"}
	uid := uint16(2048 + s.net.Intn(1000))
	if s.Plain {
		s.logOnPlain(uid, software, server)
		return
	}
	for i, token := range [][]byte{negTokenInit(ntlmNegotiate()), negTokenResp(1, s.net.ntlmAuthenticate(s.User, s.Domain, s.Workstation))} {
		ask, answer := andX(), andX()
		ask.u16(61440, 50, 0)
		ask.u32(0)
		ask.u16(uint16(len(token)))
		ask.u32(0, 0x8000D0DC)
		reply, status := negTokenResp(1, s.net.ntlmChallenge(s.Server.Name, s.domain())), uint32(StatusMoreProcessingRequired)
		if i == 1 {
			reply, status = negTokenResp(0, nil), 0
		}
		answer.u16(0, uint16(len(reply)))
		mid := s.ask(0, smb1Block{command: smb1SessionSetup, words: ask, head: token, texts: software})
		s.uid = uid
		s.answer(mid, 0, status, smb1Block{command: smb1SessionSetup, words: answer, head: reply, texts: server})
	}
}

// logOnPlain answers the server's challenge; with Chained the same message
// connects to IPC$.
func (s *SMB1) logOnPlain(uid uint16, software, server []string) {
	ask, answer := andX(), andX()
	ask.u16(61440, 50, 0)
	ask.u32(0)
	ask.u16(24, 24)
	ask.u32(0, 0xD4)
	answer.u16(0)
	asks := []smb1Block{{command: smb1SessionSetup, words: ask, head: s.net.Bytes(48), texts: append([]string{s.User, s.Domain}, software...)}}
	answers := []smb1Block{{command: smb1SessionSetup, words: answer, texts: append(server, s.domain())}}
	tid := uint16(0)
	if s.Chained {
		s.tid++
		tid = s.tid
		a, b := s.connecting(`\\` + s.Server.Name + `\IPC$`)
		asks, answers = append(asks, a), append(answers, b)
	}
	mid := s.ask(0, asks...)
	s.uid = uid
	s.answer(mid, tid, 0, answers...)
}

// connecting is TREE_CONNECT_ANDX and its answer (MS-CIFS 2.2.4.55).
func (s *SMB1) connecting(share string) (ask, answer smb1Block) {
	ask = smb1Block{command: smb1TreeConnect, words: andX(), head: []byte{0}, texts: []string{share}, tail: []byte("?????\x00")}
	ask.words.u16(0, 1)
	answer = smb1Block{command: smb1TreeConnect, words: andX(), head: []byte("A:\x00"), texts: []string{"NTFS"}}
	if strings.HasSuffix(share, `\IPC$`) {
		answer.head, answer.texts = []byte("IPC\x00"), []string{""}
	}
	answer.words.u16(1)
	return ask, answer
}

// Logoff ends the session and closes its connection.
func (s *SMB1) Logoff() {
	s.call(0, 0, smb1Block{command: smb1Logoff, words: andX()}, smb1Block{command: smb1Logoff, words: andX()})
	s.Hangup()
}

// Hangup closes the connection without a word.
func (s *SMB1) Hangup() { s.conn.Close() }

// call sends a request and its answer.
func (s *SMB1) call(tree uint16, status uint32, ask, answer smb1Block) {
	s.answer(s.ask(tree, ask), tree, status, answer)
}

// refuse sends a request and its answer with an error.
func (s *SMB1) refuse(tree uint16, status uint32, ask smb1Block) {
	s.call(tree, status, ask, smb1Block{command: ask.command})
}

// ask sends a request, a chain of several commands, and gives its multiplex id.
func (s *SMB1) ask(tree uint16, blocks ...smb1Block) uint16 {
	s.mid += 64
	s.send(Client, s.mid, tree, 0, blocks)
	return s.mid
}

func (s *SMB1) answer(mid, tree uint16, status uint32, blocks ...smb1Block) {
	s.send(Server, mid, tree, status, blocks)
}

// send frames a message. The content of the last block is not copied.
func (s *SMB1) send(from Side, mid, tree uint16, status uint32, blocks []smb1Block) {
	p := make(pack, 4, 256)
	s.header(&p, from, mid, tree, status, blocks[0].command)
	for i := range blocks {
		s.block(&p, blocks, i)
	}
	bulk := blocks[len(blocks)-1].bulk
	binary.BigEndian.PutUint32(p, uint32(len(p)-4+len(bulk)))
	s.conn.Send(from, p, bulk)
}

// header adds the header of a message (MS-CIFS 2.2.3.1).
func (s *SMB1) header(p *pack, from Side, mid, tree uint16, status uint32, command uint8) {
	flags, flags2 := uint8(0x18), uint16(0xC801) // no case, canonical; UTF-16, NT status, extended security, long names
	if from == Server {
		flags |= 0x80
	}
	if s.OEM {
		flags2 &^= 0x8000
	}
	if s.DOSErrors {
		flags2 &^= 0x4000
		status = dosError(status)
	}
	if s.Plain {
		flags2 &^= 0x0800
	}
	signature := make([]byte, 8)
	if s.Signed && command != smb1Negotiate && command != smb1SessionSetup {
		flags2 |= 4
		signature = s.net.Bytes(8)
	}
	p.bytes([]byte("\xffSMB"), []byte{command})
	p.u32(status)
	p.u8(flags)
	p.u16(flags2, 0)
	p.bytes(signature)
	p.u16(0, tree, 0xFEFF, s.uid, mid)
}

// dosErrors are class and code of the statuses that are used (MS-CIFS 2.2.2.4).
var dosErrors = map[uint32]uint32{StatusAccessDenied: 5<<16 | 1, StatusObjectNameNotFound: 2<<16 | 1, StatusSharingViolation: 32<<16 | 1}

func dosError(status uint32) uint32 {
	if status == 0 || dosErrors[status] != 0 {
		return dosErrors[status]
	}
	return status // that more is to come has no other form
}

// block adds one command of a message, with where the next one begins.
func (s *SMB1) block(p *pack, blocks []smb1Block, i int) {
	b := &blocks[i]
	at := len(*p)
	p.u8(uint8(len(b.words) / 2))
	p.bytes(b.words)
	count := len(*p)
	p.u16(0)
	p.bytes(b.head)
	for _, t := range b.texts {
		if b.format {
			p.u8(4)
		}
		if !s.OEM && (len(*p)-4)%2 == 1 {
			p.u8(0)
		}
		p.bytes(s.text(t))
	}
	p.bytes(b.tail)
	binary.LittleEndian.PutUint16((*p)[count:], uint16(len(*p)-count-2+len(b.bulk)))
	if b.chained() && i+1 < len(blocks) {
		(*p)[at+1] = blocks[i+1].command
		binary.LittleEndian.PutUint16((*p)[at+3:], uint16(len(*p)-4))
	}
}

// SMB1Tree is a share that a session is connected to.
type SMB1Tree struct {
	s     *SMB1
	id    uint16
	Share string // \\server\share, as sent
}

// Tree connects to a share of the server, by its name.
func (s *SMB1) Tree(share string) *SMB1Tree {
	s.tid++
	t := &SMB1Tree{s: s, id: s.tid, Share: `\\` + s.Server.Name + `\` + share}
	ask, answer := s.connecting(t.Share)
	s.answer(s.ask(0, ask), t.id, 0, answer)
	return t
}

// Disconnect leaves the share.
func (t *SMB1Tree) Disconnect() {
	t.s.call(t.id, 0, smb1Block{command: smb1TreeLeave}, smb1Block{command: smb1TreeLeave})
}
