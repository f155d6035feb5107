package nfs

import (
	"slices"

	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/framed"
)

// opaqueSize is from how many bytes on encrypted calls are a transfer (contract,
// "What is one transfer").
const opaqueSize = 16 << 10

// A message of sealedHead bytes and less carries no content; of a longer one,
// sealedCost bytes are the heads of RPC and NFS, attributes and what the encryption
// adds (RFC 2203 5.3.3.4.3, RFC 4121 4.2.4).
const (
	sealedHead = 1 << 10
	sealedCost = 240
)

// sealed is the calls of one client to one server that RPCSEC_GSS encrypts, with
// their answers.
type sealed struct {
	first      framed.Message
	who        credential
	version    uint32
	conns      []*wire.Conn
	start, end model.Time
	seen       wire.Packets
	total      [2]int64 // by writing: bytes of what clients sent, and of what they got
	content    [2]int64
}

// sawSealed counts an encrypted call, or an answer to one.
func (d *conn) sawSealed(c *call, m *framed.Message) {
	d.p.env.Blind("encrypted-nfs", int64(len(m.Data)))
	if c != nil {
		d.secret = d.mounted(c)
	}
	x := d.secret.sealed
	if x == nil {
		x = &sealed{first: *m, who: c.who, version: c.version}
		x.first.Data = append([]byte(nil), m.Data[:4]...)
		d.secret.sealed = x
	}
	way := 0
	if m.From != x.first.From {
		way = 1
	}
	x.total[way] += int64(len(m.Data))
	if len(m.Data) > sealedHead {
		x.content[way] += int64(len(m.Data) - sealedCost)
	}
	wire.Stretch(&x.start, &x.end, m.First.Time)
	x.seen.Merge(m.Seen)
	if !slices.Contains(x.conns, d.wire) && len(x.conns) < 16 {
		x.conns = append(x.conns, d.wire)
	}
}

// emit reports one opaque transfer in the heavier direction.
func (x *sealed) emit(m *mounted) {
	way := 0
	if x.content[1] > x.content[0] {
		way = 1
	}
	if x.total[way] < opaqueSize {
		return
	}
	f := &flow{m: m, key: flowKey{"", way == 0}, who: x.who, version: x.version, conns: x.conns, start: x.start, end: x.end, seen: x.seen,
		from: x.first.From, id: idOf(&x.first)}
	t := f.record()
	t.What, t.Completeness, t.Reason, t.Confidence = "NFS encrypted", model.Opaque, "encrypted", "low"
	n := x.content[way]
	t.Estimate = &model.Estimate{Size: n, Low: max(0, n-n/20-sealedHead), High: x.total[way]}
	t.Session.Encrypted = true
	m.p.env.Unverified("nfs/encrypted")
	m.p.env.Transfer(t)
}
