// Package smbcrypt opens encrypted SMB 3 messages with keys that the user has.
// In come a session key, or the cipher keys derived from it, and messages with a
// transform header (MS-SMB2 2.2.41); out go the plain messages, authenticated:
// a message under another key, or a changed one, is an error and gives no byte.
// It also reads the file of keys that --smb-keys names. It never searches for a
// key, and no key is ever in an error.
package smbcrypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"
)

// The cipher ids of MS-SMB2 2.2.3.1.2.
const (
	AES128CCM = 1
	AES128GCM = 2
	AES256CCM = 3
	AES256GCM = 4
)

// ProtocolID is how a message with a transform header starts.
const ProtocolID = "\xfdSMB"

// The transform header (MS-SMB2 2.2.41). All after the signature is
// authenticated with the message.
const (
	HeaderSize  = 52
	signatureAt = 4
	nonceAt     = 20
	sizeAt      = 36
	flagsAt     = 42
	sessionAt   = 44
	tagSize     = 16
	ccmNonce    = 11
	gcmNonce    = 12
)

// SessionID is the session whose key a transform message is encrypted with;
// false where it is no transform header.
func SessionID(transform []byte) (uint64, bool) {
	if len(transform) < HeaderSize || !bytes.HasPrefix(transform, []byte(ProtocolID)) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(transform[sessionAt:]), true
}

// Cipher opens and seals the messages of one direction of a session.
type Cipher struct {
	aead cipher.AEAD
	name string
}

// NewCipher prepares a key: 16 bytes for the AES-128 ciphers, 32 for AES-256.
func NewCipher(cipherID uint16, key []byte) (*Cipher, error) {
	if int(cipherID) >= len(names) || cipherID == 0 {
		return nil, fmt.Errorf("SMB cipher %d is unknown; 1 to %d are defined", cipherID, len(names)-1)
	}
	c := &Cipher{name: names[cipherID]}
	if want := keySize(cipherID); len(key) != want {
		return nil, fmt.Errorf("%s: the key has %d bytes, it must have %d", c.name, len(key), want)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if cipherID == AES128CCM || cipherID == AES256CCM {
		c.aead = &ccm{block: block, nonce: ccmNonce, tag: tagSize}
		return c, nil
	}
	if c.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return c, nil
}

var names = [...]string{"", "AES-128-CCM", "AES-128-GCM", "AES-256-CCM", "AES-256-GCM"}

func keySize(cipherID uint16) int {
	if cipherID == AES256CCM || cipherID == AES256GCM {
		return 32
	}
	return 16
}

// Open appends the plain message in transform, a transform header with what it
// encrypts, to dst. After an error dst is given back as it was.
func (c *Cipher) Open(dst, transform []byte) ([]byte, error) {
	if _, ok := SessionID(transform); !ok {
		return dst, fmt.Errorf("%s: %d bytes that start with % x are no transform header of %d",
			c.name, len(transform), transform[:min(len(transform), 4)], HeaderSize)
	}
	size := int64(binary.LittleEndian.Uint32(transform[sizeAt:]))
	if size > int64(len(transform)-HeaderSize) {
		return dst, fmt.Errorf("%s: the message says %d bytes, but %d follow its header", c.name, size, len(transform)-HeaderSize)
	}
	// The tag lies in the header; the ciphers want it behind the message.
	out := append(dst, transform[HeaderSize:HeaderSize+size]...)
	out = append(out, transform[signatureAt:signatureAt+tagSize]...)
	sealed := out[len(dst):]
	nonce := transform[nonceAt : nonceAt+c.aead.NonceSize()]
	plain, err := c.aead.Open(sealed[:0], nonce, sealed, transform[nonceAt:HeaderSize])
	if err != nil {
		return dst, fmt.Errorf("%s: the message does not fit the key: another session's key, or changed bytes", c.name)
	}
	return out[:len(dst)+len(plain)], nil
}

// Seal appends message with its transform header to dst. nonce has at least as
// many bytes as the cipher uses (CCM 11, GCM 12); what more it has, up to 16,
// goes into the header too. It serves tests and makers of test data.
func (c *Cipher) Seal(dst []byte, sessionID uint64, nonce, message []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	h := dst[start:]
	copy(h, ProtocolID)
	copy(h[nonceAt:sizeAt], nonce)
	binary.LittleEndian.PutUint32(h[sizeAt:], uint32(len(message)))
	binary.LittleEndian.PutUint16(h[flagsAt:], 1) // encrypted; in 3.0: AES-CCM
	binary.LittleEndian.PutUint64(h[sessionAt:], sessionID)
	aad := slices.Clone(h[nonceAt:])
	dst = c.aead.Seal(dst, nonce[:c.aead.NonceSize()], message, aad)
	tag := dst[len(dst)-tagSize:]
	copy(dst[start+signatureAt:], tag)
	return dst[:len(dst)-tagSize]
}

// Open is NewCipher and Cipher.Open in one, for a single message.
func Open(cipherID uint16, key, transform, dst []byte) ([]byte, error) {
	c, err := NewCipher(cipherID, key)
	if err != nil {
		return dst, err
	}
	return c.Open(dst, transform)
}

// Seal is NewCipher and Cipher.Seal in one.
func Seal(cipherID uint16, key []byte, sessionID uint64, nonce, message []byte) ([]byte, error) {
	c, err := NewCipher(cipherID, key)
	if err != nil {
		return nil, err
	}
	return c.Seal(nil, sessionID, nonce, message), nil
}
