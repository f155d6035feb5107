package smbcrypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
)

// The dialects that encrypt (MS-SMB2 2.2.4).
const (
	Dialect300 = 0x0300
	Dialect302 = 0x0302
	Dialect311 = 0x0311
)

// DeriveKeys gives the cipher keys of a session (MS-SMB2 3.1.4.2): for what the
// client sends, and for what the server sends. preauth is the preauthentication
// hash after the last SESSION_SETUP request, used by 3.1.1 only. cipherID is
// what was negotiated; 3.0 and 3.0.2 have one cipher and take 0 too. Both keys
// are nil for dialects without encryption.
//
// sessionKey is the whole key that the logon gave: 16 bytes with NTLM, 16 or 32
// with Kerberos. AES-256 uses all of it, AES-128 its first 16 bytes.
func DeriveKeys(dialect uint16, sessionKey, preauth []byte, cipherID uint16) (toServer, toClient []byte) {
	size := keySize(cipherID)
	switch dialect {
	case Dialect300, Dialect302:
		key := first16(sessionKey)
		return derive(key, "SMB2AESCCM\x00", []byte("ServerIn \x00"), 16),
			derive(key, "SMB2AESCCM\x00", []byte("ServerOut\x00"), 16)
	case Dialect311:
		key := sessionKey
		if size == 16 {
			key = first16(sessionKey)
		}
		return derive(key, "SMBC2SCipherKey\x00", preauth, size),
			derive(key, "SMBS2CCipherKey\x00", preauth, size)
	}
	return nil, nil
}

// first16 is Session.SessionKey: the first 16 bytes, zeros added (MS-SMB2
// 3.2.5.3).
func first16(key []byte) []byte {
	var k [16]byte
	copy(k[:], key)
	return k[:]
}

// derive is the key derivation function of NIST SP 800-108 in counter mode with
// HMAC-SHA256 and counters of 32 bits; one round gives up to 32 bytes.
func derive(key []byte, label string, context []byte, size int) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte{0, 0, 0, 1})
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(context)
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(size)*8))
	return h.Sum(nil)[:size]
}

// Preauth is the preauthentication integrity hash (MS-SMB2 3.1.4.4.1): a chain
// of SHA-512 over whole messages, from their SMB2 header on. The zero value is
// its start. It is a value: a session's chain is a copy of its connection's,
// which has NEGOTIATE request and response in it, and goes on with the session's
// SESSION_SETUP messages but for the last response.
type Preauth struct {
	sum [sha512.Size]byte
}

// Update adds a message.
func (p *Preauth) Update(message []byte) {
	h := sha512.New()
	h.Write(p.sum[:])
	h.Write(message)
	h.Sum(p.sum[:0])
}

// Sum is the hash so far, 64 bytes.
func (p Preauth) Sum() []byte { return p.sum[:] }
