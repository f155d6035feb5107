// Package http decodes HTTP/1.0 and 1.1 (RFC 9110, RFC 9112) and WebDAV
// (RFC 4918) on any port. In come the bytes of connections; out goes one
// transfer for each answer that carries a file, each uploaded body or named
// part of a form, each set of ranges of one entity, and each copy that a WebDAV
// server made. Content is decoded (gzip, deflate, br, zstd, chunked) before it
// is hashed. The package never decodes HTTP/2, never opens TLS, and never keeps
// a password that it saw.
package http

import (
	"waybill/internal/model"
	"waybill/internal/wire"
	"waybill/internal/wire/ntlm"
)

// Times are of packets.
const (
	rangeIdle  = model.Time(300e9) // ranges of one entity join within 5 minutes of each other
	renameTime = model.Time(60e9)  // a rename within 60 s belongs to the upload (contract)
)

const (
	maxEntities = 1024 // entities whose ranges are being gathered
	maxUploads  = 4096 // uploads that may still be renamed or deleted
)

// Protocol makes decoders of HTTP connections and holds what they share: the
// entities whose ranges come over several connections, and the uploads that a
// WebDAV client may still rename.
type Protocol struct {
	env      wire.Env
	entities *recent[entityKey, *entity]
	uploads  *recent[resource, *stored]
	spare    spare
	servers  ntlm.Servers
	agents   map[string]bool // kinds of clients that were reported
}

// New makes the protocol.
func New(env wire.Env) wire.Protocol {
	p := &Protocol{env: env}
	p.entities = newRecent[entityKey](maxEntities, rangeIdle, p.emitEntity)
	p.uploads = newRecent[resource](maxUploads, renameTime, func(s *stored) { env.Transfer(s.t) })
	return p
}

// Name is "http"; transfers of WebDAV carry the channel "webdav".
func (p *Protocol) Name() string { return "http" }

// Open makes the decoder of one connection.
func (p *Protocol) Open(c *wire.Conn) wire.Decoder { return newConn(p, c) }

// Flush hands out what still waited for further ranges or a rename.
func (p *Protocol) Flush(wire.At) {
	p.entities.flush()
	p.uploads.flush()
}

// tick hands out what nothing can join any more.
func (p *Protocol) tick() {
	now := p.env.Now()
	p.entities.expire(now)
	p.uploads.expire(now)
}
