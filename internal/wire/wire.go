// Package wire is the contract between the streams and the decoders of file
// protocols under it. In come the bytes of connections, in order, each chunk
// with its packet number and sequence number, and word of every byte that was
// not seen; out go transfers and accesses. It holds no protocol of its own and
// never reads the clock, the file system or a network.
//
// Everything here runs on one goroutine, in packet order over all connections:
// a decoder needs no locks, and may keep state that spans connections (SMB
// sessions, FTP data channels, HTTP ranges) in its Protocol value.
package wire

import (
	"waybill/internal/content"
	"waybill/internal/model"
)

// Side is one of the two ends of a connection. Where the opening of a TCP
// connection was seen, side 0 opened it; else side 0 sent the first packet
// seen, and which one is the client is for the protocol to tell.
type Side uint8

// Other is the opposite side.
func (s Side) Other() Side { return s ^ 1 }

// At is the packet in which a thing was seen.
type At struct {
	Time   model.Time
	Packet uint64 // from 1, within the input
	Input  int32  // index of the input
}

// AddrPort is an address with its port.
type AddrPort struct {
	Addr model.Addr
	Port uint16
}

// Endpoint turns the address into the end of a record.
func (a AddrPort) Endpoint() model.Endpoint {
	return model.Endpoint{IP: a.Addr, Port: a.Port}
}

// Chunk is a run of bytes of one side of a connection, or one datagram.
type Chunk struct {
	// Data is valid until the call that brought it returns. Content goes to a
	// content.File together with Block, which keeps it without a copy; all else
	// that must outlive the call is copied.
	Data []byte
	// Seq is the TCP sequence number of Data[0] as on the wire, for ids.
	Seq uint32
	At
	// Cut is how many bytes of a datagram the snap length cut off. What is missing
	// of a TCP segment is a Gap.
	Cut int
	// Block is the memory that holds Data; nil when it cannot be retained.
	Block content.Block
}

// After is the chunk without its first n bytes.
func (c Chunk) After(n int) Chunk {
	c.Data = c.Data[n:]
	c.Seq += uint32(n)
	return c
}

// First is the first n bytes of the chunk.
func (c Chunk) First(n int) Chunk {
	c.Data = c.Data[:n]
	return c
}

// Conn is a TCP connection or a UDP flow.
type Conn struct {
	Ends [2]AddrPort
	UDP  bool
	// FromStart says of each side whether its first byte is known to be the
	// first that it sent (its SYN was seen).
	FromStart [2]bool
	// Opened says that side 0 is known to have opened the connection.
	Opened bool
	// Conflicts counts the bytes that were seen in differing copies, a side each,
	// so far. A decoder that sees it rise notes "conflicting bytes at N".
	Conflicts  [2]int64
	ConflictAt At // the last of them
	// Corrupt says that of two differing copies the one delivered first had a
	// wrong checksum and the later one a right one: what was delivered is wrong.
	Corrupt bool
}

// Ending says why a side of a connection has no more bytes.
type Ending uint8

// The endings of a side.
const (
	FIN          Ending = iota // closed in order
	RST                        // either end broke the connection off
	Reused                     // the ports were taken for a new connection
	Dropped                    // the flow was forgotten to stay within the memory budget
	EndOfCapture               // the input ended
)

func (e Ending) String() string {
	return [...]string{"closed", "reset", "ports reused", "over budget", "end of capture"}[e]
}

// Decoder decodes one connection.
//
// For each side, Data and Gap come in the order of the bytes; End comes once a
// side, last, and both sides always end. A decoder must stand any bytes: it
// trusts no length, keeps no more than a bounded amount, and finds the next
// message after a gap by its framing. It must not panic; one that does is cut
// off from its connection and reported as a fault of the program.
type Decoder interface {
	Data(from Side, c Chunk)
	// Gap says that n bytes of a side were not seen; what follows is at is.
	Gap(from Side, n int64, at At)
	End(from Side, how Ending, at At)
}

// Verdict is what a probe thinks of a connection.
type Verdict uint8

// The verdicts of a probe.
const (
	No    Verdict = iota // certainly another protocol
	Maybe                // more bytes may tell
	Yes
)

// Protocol makes the decoders of one file protocol and holds what they share.
type Protocol interface {
	// Name is the channel family, as coverage names it: "smb2", "ftp", ...
	Name() string
	// Probe tells by the first bytes of each side, never by the port, whether a
	// connection speaks the protocol. head[s] holds up to 64 KiB of side s
	// without a gap; it may start in the middle of a connection (FromStart).
	// For UDP it is the first datagram of each side.
	Probe(c *Conn, head [2][]byte) Verdict
	// Open makes the decoder of a connection that Probe said Yes to; the bytes
	// that Probe saw are given to it again.
	Open(c *Conn) Decoder
	// Flush ends what outlives connections: the input is at its end.
	Flush(at At)
}

// Expectation announces a connection that another one agreed on: an FTP data
// channel, a TFTP answer port.
type Expectation struct {
	UDP  bool
	At   AddrPort   // the end that listens
	Peer model.Addr // the other end; zero is anyone
	// Open makes the decoder; listener is the side that listens. Called once.
	Open func(c *Conn, listener Side) Decoder
	// Protocol is the name under which coverage counts its bytes.
	Protocol string
}

// Env is what a protocol may ask of the pipeline.
type Env interface {
	// Transfer takes a finished transfer. The caller has closed its content and
	// touches neither afterwards.
	Transfer(t *Transfer)
	Access(a *Access)
	// File starts a new content.
	File(mode content.Mode) *content.File
	// Expect claims the next connection that fits, or one already there that
	// nobody claimed. A later expectation of the same end replaces an earlier one.
	Expect(e Expectation)
	// Inner gives the decoder of what a connection goes on with, by its next bytes,
	// after two ends agreed to use it for something else; nil where nobody knows it.
	// Its bytes stay counted as those of the protocol that asks.
	Inner(c *Conn, next []byte) Decoder
	// Blind counts n bytes that were seen and could not be read, by reason, for
	// coverage, each byte once. Bytes that were not seen are counted by the streams.
	Blind(reason string, n int64)
	// Unverified notes, for coverage, that something was read in a way that was checked
	// against no real sample (docs/formats.md): "smb1/copy". It is one of few constants.
	Unverified(what string)
	// Now is the highest packet time seen.
	Now() model.Time
	// Budget is the memory that all state shares.
	Budget() *content.Budget
	// Keys gives the keys that the user knows of an SMB session, by session id.
	Keys(sessionID uint64) (SessionKeys, bool)
	// Ticket gives what is known of the ticket in a Kerberos AP-REQ: whose it is, by
	// the exchange that it was given in or with the user's keytab, and with that the
	// key of the session. It keeps nothing of apReq.
	Ticket(apReq []byte) Ticket
	// Issued says whom a ticket was given to: the inside of its application tag, as
	// the reply that brought it holds it (RFC 4120 5.3).
	Issued(ticket []byte, user, domain string)
}

// Ticket is what is known of a Kerberos ticket that a client logs on with. The zero
// value knows nothing.
type Ticket struct {
	User, Domain string
	// Key gives the key that both ends agreed on, by the AP-REP that answered, nil
	// where none was seen; Key is nil where the ticket could not be opened.
	Key func(apRep []byte) []byte
}

// SessionKey is Key, nil where the ticket could not be opened.
func (t *Ticket) SessionKey(apRep []byte) []byte {
	if t.Key == nil {
		return nil
	}
	return t.Key(apRep)
}

// AroundLoss is the reason of blindness for bytes that were seen, where what they
// belong to was not: behind a hole, a late start or damage.
const AroundLoss = "around-loss"

// SessionKeys are keys of an SMB3 session that the user gave (--smb-keys).
type SessionKeys struct {
	Session  []byte // the session key; empty when only derived keys are known
	ToClient []byte // derived server-to-client cipher key
	ToServer []byte // derived client-to-server cipher key
}
