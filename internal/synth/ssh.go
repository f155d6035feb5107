package synth

import (
	"encoding/binary"

	"waybill/internal/model"
)

// SSHOptions say who speaks. The zero value is OpenSSH 9.2 at both ends, the first
// cipher that it offers, no compression.
type SSHOptions struct {
	Client, Server string     // software, as in the banner
	Cipher         *SSHCipher // the only one offered
	Compressed     bool       // the client asks for compression
	Packet         int        // content of a packet of data; 32 KiB when 0
	User           string
}

// SSHCipher is a cipher with what it does to sizes: what padding fills up, and the
// authentication behind it. All of them leave the length field out of the padding.
type SSHCipher struct {
	name, mac  string
	block, tag int
}

// Ciphers of OpenSSH (its PROTOCOL and PROTOCOL.chacha20poly1305).
var (
	SSHChaCha = SSHCipher{"chacha20-poly1305@openssh.com", "", 8, 16}
	SSHGCM    = SSHCipher{"aes256-gcm@openssh.com", "", 16, 16}
	SSHCTR    = SSHCipher{"aes256-ctr", "hmac-sha2-256-etm@openssh.com", 16, 32}
)

// The messages of SSH that are sent in clear (RFC 4253 12, RFC 5656 7.1).
const (
	sshKexInit   = 20
	sshNewKeys   = 21
	sshECDHInit  = 30
	sshECDHReply = 31
)

// sshPacket is the most content of a packet that OpenSSH takes (its CHAN_SES_PACKET_DEFAULT).
const sshPacket = 32 << 10

// SSH is a session of the secure shell. What is encrypted is random bytes of the
// size that OpenSSH's packets have.
type SSH struct {
	SSHOptions
	net            *Net
	client, server *Host
	conn           *Conn
	unread         [2]int // content of a side that its receiver has not made room for again
}

// SSH opens a connection and exchanges keys.
func (n *Net) SSH(client, server *Host, o SSHOptions) *SSH {
	if o.Client == "" {
		o.Client = "OpenSSH_9.2p1 Debian-2+deb12u3"
	}
	if o.Server == "" {
		o.Server = "OpenSSH_9.2p1 Debian-2+deb12u3"
	}
	if o.Packet == 0 {
		o.Packet = sshPacket
	}
	s := &SSH{SSHOptions: o, net: n, client: client, server: server, conn: n.Dial(client, server, 22)}
	s.conn.Client([]byte("SSH-2.0-" + o.Client + "\r\n"))
	s.conn.Server([]byte("SSH-2.0-" + o.Server + "\r\n"))
	s.exchange()
	return s
}

// exchange is the key exchange with sntrup761 and curve 25519, whose messages are
// the longest that OpenSSH has.
func (s *SSH) exchange() {
	n := s.net
	s.conn.Client(n.sshPlain(n.kexInit(s.offer(), ",ext-info-c")))
	s.conn.Server(n.sshPlain(n.kexInit(sshOffer{ciphers: sshCiphers, macs: sshMACs, compression: "none,zlib@openssh.com"}, "")))
	s.conn.Client(n.sshPlain(sshString([]byte{sshECDHInit}, n.Bytes(1158+32))))
	hostKey := sshString(sshString(nil, []byte("ssh-ed25519")), n.Bytes(32))
	signature := sshString(sshString(nil, []byte("ssh-ed25519")), n.Bytes(64))
	reply := sshString(sshString(sshString([]byte{sshECDHReply}, hostKey), n.Bytes(1039+32)), signature)
	extensions := 1 + 4 + 4 + 15 + 4 + 330 // server-sig-algs (RFC 8308 3.1)
	s.conn.Server(n.sshPlain(reply), n.sshPlain([]byte{sshNewKeys}), s.sealed(extensions))
	s.conn.Client(n.sshPlain([]byte{sshNewKeys}))
}

// sshOffer is what a side offers beside the key exchange, as lists.
type sshOffer struct{ ciphers, macs, compression string }

// What OpenSSH 9.2 offers (its myproposal.h).
const (
	sshExchanges = "sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org," +
		"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256," +
		"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256"
	sshHostKeys = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"
	sshCiphers  = "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com"
	sshMACs     = "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com," +
		"hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com," +
		"hmac-sha2-256,hmac-sha2-512,hmac-sha1"
)

// offer is what the client offers.
func (s *SSH) offer() sshOffer {
	o := sshOffer{ciphers: sshCiphers, macs: sshMACs, compression: "none,zlib@openssh.com,zlib"}
	if s.Cipher != nil {
		o.ciphers = s.Cipher.name
	}
	if s.Cipher != nil && s.Cipher.mac != "" {
		o.macs = s.Cipher.mac
	}
	if s.Compressed {
		o.compression = "zlib@openssh.com,zlib,none"
	}
	return o
}

// kexInit is the offer (RFC 4253 7.1).
func (n *Net) kexInit(o sshOffer, extension string) []byte {
	b := append([]byte{sshKexInit}, n.Bytes(16)...)
	for _, list := range [10]string{sshExchanges + extension, sshHostKeys, o.ciphers, o.ciphers, o.macs, o.macs, o.compression, o.compression} {
		b = sshString(b, []byte(list))
	}
	return append(b, 0, 0, 0, 0, 0)
}

// sshPlain is a packet before keys are in use (RFC 4253 6).
func (n *Net) sshPlain(payload []byte) []byte {
	padding := sshPadding(4+1+len(payload), 8)
	b := append(be32(nil, uint32(1+len(payload)+padding)), uint8(padding))
	return append(append(b, payload...), n.Bytes(padding)...)
}

// sshPadding fills a size up to whole blocks with at least 4 bytes (RFC 4253 6).
func sshPadding(size, block int) int {
	padding := block - size%block
	if padding < 4 {
		padding += block
	}
	return padding
}

// sshString adds a string with its length (RFC 4251 5).
func sshString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// sealed is an encrypted packet with a payload of a size.
func (s *SSH) sealed(payload int) []byte {
	c := SSHChaCha
	if s.Cipher != nil {
		c = *s.Cipher
	}
	return s.net.Bytes(4 + 1 + payload + sshPadding(1+payload, c.block) + c.tag)
}

// say sends packets with payloads of these sizes.
func (s *SSH) say(from Side, payloads ...int) {
	for _, n := range payloads {
		s.conn.Send(from, s.sealed(n))
	}
}

// service asks for user authentication and for the methods that there are (RFC
// 4253 10, RFC 4252 5.2).
func (s *SSH) service() {
	s.say(Client, 17)
	s.say(Server, 17)
	s.say(Client, 1+4+len(s.User)+18+8)
	s.say(Server, 1+4+len("publickey,password")+1)
}

// Refused tries passwords that are wrong, until the server gives up.
func (s *SSH) Refused(tries int) {
	s.service()
	for range tries {
		s.password()
		s.net.Sleep(2e9)
		s.say(Server, 1+4+len("publickey,password")+1)
	}
	s.conn.CloseBy(Server)
	s.note("no login")
}

// password tries one; OpenSSH fills the message up, so that its length does not show.
func (s *SSH) password() { s.say(Client, 1+4+len(s.User)+18+12+1+4+64+80) }

// Login logs the user in by a key: offered, wanted, signed with (RFC 4252 7).
func (s *SSH) Login() {
	s.service()
	offered := 1 + 4 + len(s.User) + 18 + 13 + 1 + 15 + 55
	s.say(Client, offered)
	s.say(Server, 1+15+55)
	s.say(Client, offered+4+83)
	s.say(Server, 1)
	// no-more-sessions, hostkeys-00 and a channel (OpenSSH's PROTOCOL 2.2, 2.5; RFC 4254 6.1)
	s.say(Client, 24, 28+1)
	s.say(Server, 1+4+24+1+55+411+108, 17)
}

// LoginByPassword logs the user in.
func (s *SSH) LoginByPassword() {
	s.service()
	s.password()
	s.say(Server, 1)
	s.say(Client, 24, 28+1)
	s.say(Server, 1+4+24+1+55+411+108, 17)
}

// exec begins a command or subsystem of a length (RFC 4254 6.5), with the variables
// of the locale before it.
func (s *SSH) exec(command int) {
	s.say(Client, 1+4+7+1+8+15, 1+4+8+1+4+command)
	s.say(Server, 9, 5) // more window, success
}

// data sends content through the channel: packets of up to Packet bytes, for every
// three of which the receiver makes room (OpenSSH's channel_check_window).
func (s *SSH) data(from Side, size int) {
	for ; size > 0; size -= s.Packet {
		n := min(size, s.Packet)
		s.say(from, 1+4+4+n)
		if s.unread[from] += n; s.unread[from] > 3*sshPacket {
			s.say(from.other(), 1+4+4)
			s.unread[from] = 0
		}
	}
}

// SCPPut sends a file by scp as it was before OpenSSH 9 (scp -O).
func (s *SSH) SCPPut(name string, size int) { s.scp(Client, name, size) }

// SCPGet fetches a file by scp as it was before OpenSSH 9.
func (s *SSH) SCPGet(name string, size int) { s.scp(Server, name, size) }

func (s *SSH) scp(from Side, name string, size int) {
	s.exec(len("scp -t ") + len(name))
	s.data(from.other(), 1)
	s.data(from, len("C0644 1000000 \n")+len(name))
	s.data(from.other(), 1)
	s.data(from, size+1)
	s.data(from.other(), 1)
	s.copied(from, size)
}

// SFTPPut sends a file by sftp, or by scp since OpenSSH 9.
func (s *SSH) SFTPPut(name string, size int) {
	s.sftp(name, size, s.sftpWrite)
	s.copied(Client, size)
}

// SFTPGet fetches a file by sftp.
func (s *SSH) SFTPGet(name string, size int) {
	s.sftp(name, size, s.sftpRead)
	s.copied(Server, size)
}

// Sizes of SFTP (draft-ietf-secsh-filexfer-02): a request with handle and offset,
// an answer of status, the head of an answer of data.
const (
	sftpRequest = 4 + 1 + 4 + 4 + 4 + 8 + 4
	sftpStatus  = 4 + 1 + 4 + 4 + 4 + 7 + 4
	sftpData    = 4 + 1 + 4 + 4
)

// sftp opens the subsystem and a file, lets chunks of 32 KiB pass in both directions
// by a function, and closes the file.
func (s *SSH) sftp(name string, size int, chunk func(n int)) {
	s.exec(len("sftp"))
	s.data(Client, 9)                     // version
	s.data(Server, 9+250)                 // version and extensions
	s.data(Client, 4+1+4+4+len(name)+4+4) // open
	s.data(Server, sftpData+4)            // its handle
	for left := size; left > 0; left -= sshPacket {
		chunk(min(left, sshPacket))
	}
	s.data(Client, 4+1+4+4+4)
	s.data(Server, sftpStatus)
}

func (s *SSH) sftpWrite(n int) {
	s.data(Client, sftpRequest+n)
	s.data(Server, sftpStatus)
}

func (s *SSH) sftpRead(n int) {
	s.data(Client, sftpRequest)
	s.data(Server, sftpData+n)
}

// copied adds a file to the truth.
func (s *SSH) copied(from Side, size int) {
	m := sealed(s.client, s.server, model.Push, "ssh", size)
	if from == Server {
		m = sealed(s.server, s.client, model.Pull, "ssh", size)
	}
	s.net.Truth.Moved = append(s.net.Truth.Moved, m)
	s.note(m.Operation)
}

// Shell is a terminal at which keys are typed; some lines have an answer.
func (s *SSH) Shell(keys int) {
	s.say(Client, 1+4+4+8+1+4+14+16+260, 1+4+4+6) // pty-req with its modes, shell
	s.say(Server, 5, 9, 5)
	for i := range keys {
		s.net.Sleep(80e6)
		s.data(Client, 1)
		s.data(Server, 1)
		if i%20 == 19 {
			s.data(Server, 40+s.net.Intn(600))
		}
	}
	s.note("interactive")
}

// Tunnel forwards a connection (RFC 4254 7.2) that carries requests and answers of
// these sizes both ways.
func (s *SSH) Tunnel(rounds, sent, received int) {
	s.say(Client, 1+4+12+12+4+9+4+4+9+4)
	s.say(Server, 17)
	for range rounds {
		s.data(Client, sent)
		s.data(Server, received)
	}
	s.note("tunnel")
}

// Close ends channel and connection (RFC 4254 5.3, 6.10).
func (s *SSH) Close() {
	s.say(Client, 5)
	s.say(Server, 1+4+4+11+1+4, 5, 5)
	s.say(Client, 5, 1+4+4+4+20+4)
	s.conn.Close()
}

// note adds the session to the truth.
func (s *SSH) note(class string) {
	s.net.seen(s.client, s.server, Seen{What: "ssh-session", Channel: "ssh", Object: class, Detail: s.Client})
}
