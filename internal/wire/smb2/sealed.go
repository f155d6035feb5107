package smb2

import (
	"waybill/internal/wire"
	"waybill/internal/wire/smbcrypt"
	"waybill/internal/wire/xca"
)

// sealHeaderLen is the length of the transform header of an encrypted message
// (MS-SMB2 2.2.41).
const sealHeaderLen = 52

// maxFailures is after how many messages that its keys do not open a session is
// taken to have other keys.
const maxFailures = 8

// keepScratch is how large a buffer for decrypted or decompressed messages may
// stay between messages.
const keepScratch = 2 << 20

// ciphers are keys that may open a session's messages; either may be nil.
type ciphers struct {
	toServer, toClient *smbcrypt.Cipher
}

// sessionKeys is what is known of a session's keys.
type sessionKeys struct {
	hash     smbcrypt.Preauth // over its set-up, for 3.1.1
	hashed   bool
	session  []byte    // by the Kerberos ticket, where it could be opened
	asked    bool      // the user's keys were asked for
	tries    []ciphers // only one once a message was opened
	proven   bool
	failures int
}

// sealed is an encrypted message. Without a key only its size is of use.
func (h *half) sealed(v []byte, size int, at wire.At) (int, step) {
	if size < sealHeaderLen {
		return h.pass(v, size)
	}
	m := fields(v[frameLen:])
	s := h.c.session(m.u64(44))
	s.sealed = true
	if s.canOpen() && size <= maxMessage {
		return h.whole(v, size, at)
	}
	s.sawSealed(h.c, h.side, int64(size-sealHeaderLen), h.place(at))
	used, done := h.pass(v, size)
	h.c.p.env.Blind(encryptedSMB3, int64(used-frameLen-sealHeaderLen))
	h.dark, h.why = h.left, encryptedSMB3
	return used, done
}

// encryptedSMB3 is why the bytes of an encrypted message cannot be read.
const encryptedSMB3 = "encrypted-smb3"

// canOpen says that there are keys that may open the session's messages.
func (s *session) canOpen() bool {
	k := &s.keys
	if !k.asked {
		k.asked = true
		if known, ok := s.p.env.Keys(s.id); ok {
			k.tries = s.candidates(known)
		}
		k.tries = append(k.tries, s.candidates(wire.SessionKeys{Session: k.session})...)
	}
	return len(k.tries) > 0
}

// candidates are the keys that may fit: one set when the negotiation was seen,
// one for each cipher when it was not.
func (s *session) candidates(known wire.SessionKeys) []ciphers {
	ids := []uint16{s.neg.cipher}
	if s.neg.cipher == 0 {
		ids = []uint16{smbcrypt.AES128GCM, smbcrypt.AES128CCM, smbcrypt.AES256GCM, smbcrypt.AES256CCM}
	}
	var list []ciphers
	for _, id := range ids {
		list = appendCiphers(list, id, known.ToServer, known.ToClient)
		if toServer, toClient := s.derived(known.Session, id); toServer != nil {
			list = appendCiphers(list, id, toServer, toClient)
		}
	}
	return list
}

// derived gives the cipher keys of a session key. Those of 3.1.1 need the
// session's set-up; where the dialect was not seen, it may be an older one.
func (s *session) derived(key []byte, cipher uint16) (toServer, toClient []byte) {
	dialect := s.neg.dialect
	if dialect == 0 {
		dialect = smbcrypt.Dialect302
	}
	if len(key) == 0 || dialect == smbcrypt.Dialect311 && !s.keys.hashed {
		return nil, nil
	}
	return smbcrypt.DeriveKeys(dialect, key, s.keys.hash.Sum(), cipher)
}

func appendCiphers(list []ciphers, id uint16, toServer, toClient []byte) []ciphers {
	var c ciphers
	c.toServer, _ = smbcrypt.NewCipher(id, toServer)
	c.toClient, _ = smbcrypt.NewCipher(id, toClient)
	if c.toServer == nil && c.toClient == nil {
		return list
	}
	return append(list, c)
}

// unseal decrypts a message and deals with what is in it.
func (c *conn) unseal(m fields, at place) {
	if !m.has(sealHeaderLen) {
		return
	}
	s := c.session(m.u64(44))
	plain, ok := s.decrypt(c, m, at.from)
	if !ok {
		c.p.env.Blind(encryptedSMB3, int64(len(m)-sealHeaderLen))
		s.sawSealed(c, at.from, int64(len(m)-sealHeaderLen), at)
		return
	}
	switch {
	case len(plain) < 4:
	case string(plain[:4]) == "\xfcSMB":
		c.compressed(plain, at)
	default:
		c.chain(plain, at)
	}
	if cap(c.p.opened) > keepScratch {
		c.p.opened = nil
	}
}

// decrypt tries the session's keys.
func (s *session) decrypt(c *conn, m []byte, from wire.Side) ([]byte, bool) {
	for i, k := range s.keys.tries {
		key := k.toClient
		if from == c.clientSide() {
			key = k.toServer
		}
		if key == nil {
			continue
		}
		plain, err := key.Open(c.p.opened[:0], m)
		if err != nil {
			continue
		}
		c.p.opened = plain
		if !s.keys.proven {
			s.keys.proven, s.keys.tries = true, s.keys.tries[i:i+1]
		}
		return plain, true
	}
	if s.keys.failures++; s.keys.failures >= maxFailures && !s.keys.proven {
		s.keys.tries = nil
	}
	return nil, false
}

// compressed decompresses a message and deals with what is in it.
func (c *conn) compressed(m []byte, at place) {
	plain, err := xca.Message(c.p.packed[:0], m, maxMessage)
	if err != nil {
		c.p.env.Blind("compressed-unknown", int64(len(m)))
		c.lostMessages(at.from)
		return
	}
	c.p.packed = plain
	if h, ok := parseHeader(plain); ok && h.session != 0 && h.session != ^uint64(0) {
		c.session(h.session).compressed = true
	}
	c.unpacked = true
	c.chain(plain, at)
	c.unpacked = false
	if cap(c.p.packed) > keepScratch {
		c.p.packed = nil
	}
}
