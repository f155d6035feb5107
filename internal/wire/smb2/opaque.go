package smb2

import (
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// What an encrypted session moved is estimated from the sizes of its messages,
// which encryption leaves as they are. Messages of at least bulkMessage hold
// file data behind the headers of a READ response or WRITE request; smaller ones
// are what every session has, or the last part of a file.
const (
	bulkMessage = 2048
	readHead    = headerLen + readResponseLen
	writeHead   = headerLen + writeRequestLen

	// sessionOverhead is what a session that moves nothing may take: opens,
	// queries and listings, measured at 4.2 to 4.8 kB.
	sessionOverhead = 5000
)

// opaque is the encrypted messages of one session, over all its channels.
type opaque struct {
	conn  *conn // of the first message
	at    place // of the first message
	start model.Time
	end   model.Time
	seen  wire.Packets
	conns []*wire.Conn
	sent  [2]tally // by the client, by the server
}

// tally sums the messages of one direction.
type tally struct {
	bytes int64 // of all messages without the transform header
	bulk  int64 // of content in messages that are large
	small int64 // of what may be content in the others
}

func (t *tally) add(size, head int64) {
	t.bytes += size
	if size >= bulkMessage {
		t.bulk += size - head
	} else {
		t.small += max(0, size-head)
	}
}

// estimate bounds the content: the point is what lay in large messages; the
// low end takes all that a session needs anyway off it, the high end adds what
// may lie in small messages.
func (t *tally) estimate(compression bool) *model.Estimate {
	e := &model.Estimate{Size: t.bulk, Low: t.bulk - t.bulk/100 - sessionOverhead, High: t.bulk + t.small + t.bulk/100}
	if compression {
		e.High *= 4 // unverified: how well what people copy compresses
	}
	e.Low = max(e.Low, 0)
	return e
}

// sawSealed counts a message that cannot be opened, of size bytes without its
// transform header.
func (s *session) sawSealed(c *conn, from wire.Side, size int64, at place) {
	q := s.opaque
	if q == nil {
		q = &opaque{conn: c, at: at}
		s.opaque = q
	}
	if from == c.clientSide() {
		q.sent[0].add(size, writeHead)
	} else {
		q.sent[1].add(size, readHead)
	}
	wire.Stretch(&q.start, &q.end, at.first.Time)
	wire.Stretch(&q.start, &q.end, at.last.Time)
	q.seen.Add(at.first)
	q.seen.Add(at.last)
	if !slices.Contains(q.conns, c.wire) {
		q.conns = append(q.conns, c.wire)
	}
}

// emit reports the session's one opaque transfer, in its heavier direction.
func (q *opaque) emit(s *session) {
	client, server := q.conn.ends()
	t := &wire.Transfer{Conns: q.conns, Seen: q.seen, What: "SMB3 encrypted"}
	t.Start, t.End = q.start, q.end
	t.Channel = channel
	t.Status, t.Completeness = model.Done, model.Opaque
	t.Reason = "encrypted"
	t.User, t.Domain, t.Auth, t.Session = s.user, s.domain, s.auth, s.record()
	t.Confidence = "medium"
	if s.neg.compression {
		t.Confidence = "low"
		t.Notes = append(t.Notes, "compression was negotiated, the content may be larger")
	}
	d := reading
	if q.sent[0].bytes > q.sent[1].bytes {
		d = writing
	}
	t.ID = wire.ID("t", "smb2", q.conn.wire, q.at.from, q.at.seq, int(d))
	if d == writing {
		t.Source, t.Destination = client.Endpoint(), server.Endpoint()
		t.Initiator, t.Operation = model.BySource, model.Push
		t.Estimate = q.sent[0].estimate(s.neg.compression)
	} else {
		t.Source, t.Destination = server.Endpoint(), client.Endpoint()
		t.Initiator, t.Operation = model.ByDestination, model.Pull
		t.Estimate = q.sent[1].estimate(s.neg.compression)
	}
	s.p.env.Transfer(t)
}
