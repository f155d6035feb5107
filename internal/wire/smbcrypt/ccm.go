package smbcrypt

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ccm is counter mode with CBC-MAC (RFC 3610, NIST SP 800-38C), which the
// standard library lacks. It takes additional data of less than 0xff00 bytes
// and no message that overflows its counter: an SMB message does neither.
type ccm struct {
	block cipher.Block
	nonce int // bytes of a nonce, 7 to 13
	tag   int // bytes of a tag, 4 to 16, even
}

const blockSize = 16

var errOpen = errors.New("message authentication failed")

func (c *ccm) NonceSize() int { return c.nonce }
func (c *ccm) Overhead() int  { return c.tag }

// Seal appends the encrypted plaintext and its tag to dst.
func (c *ccm) Seal(dst, nonce, plaintext, aad []byte) []byte {
	tag := c.mac(nonce, plaintext, aad)
	start := len(dst)
	dst = append(dst, plaintext...)
	c.crypt(nonce, dst[start:], &tag)
	return append(dst, tag[:c.tag]...)
}

// Open appends the plaintext of ciphertext to dst, which may be the same memory.
func (c *ccm) Open(dst, nonce, ciphertext, aad []byte) ([]byte, error) {
	n := len(ciphertext) - c.tag
	if n < 0 {
		return dst, errOpen
	}
	var tag [blockSize]byte
	copy(tag[:], ciphertext[n:])
	start := len(dst)
	dst = append(dst, ciphertext[:n]...)
	c.crypt(nonce, dst[start:], &tag)
	want := c.mac(nonce, dst[start:], aad)
	if subtle.ConstantTimeCompare(want[:c.tag], tag[:c.tag]) == 0 {
		clear(dst[start:])
		return dst[:start], errOpen
	}
	return dst, nil
}

// crypt encrypts or decrypts the tag with counter 0 and the message from counter
// 1 on (RFC 3610 2.3).
func (c *ccm) crypt(nonce, message []byte, tag *[blockSize]byte) {
	var counter [blockSize]byte
	counter[0] = byte(blockSize - 2 - c.nonce) // L-1, L the bytes of the counter
	copy(counter[1:], nonce)
	stream := cipher.NewCTR(c.block, counter[:])
	stream.XORKeyStream(tag[:], tag[:])
	stream.XORKeyStream(message, message)
}

// mac is the CBC-MAC of the message with its additional data (RFC 3610 2.2).
func (c *ccm) mac(nonce, message, aad []byte) (sum [blockSize]byte) {
	length := blockSize - 1 - c.nonce
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(message)))
	sum[0] = byte((c.tag-2)/2<<3 | (length - 1))
	if len(aad) > 0 {
		sum[0] |= 1 << 6
	}
	copy(sum[1:], nonce)
	copy(sum[blockSize-length:], size[8-min(length, 8):])
	c.block.Encrypt(sum[:], sum[:])
	if len(aad) > 0 {
		var first [blockSize]byte
		binary.BigEndian.PutUint16(first[:], uint16(len(aad)))
		n := copy(first[2:], aad)
		c.absorb(&sum, first[:])
		c.absorb(&sum, aad[n:])
	}
	c.absorb(&sum, message)
	return sum
}

// absorb adds b, with zeros up to a whole block, to the sum.
func (c *ccm) absorb(sum *[blockSize]byte, b []byte) {
	for len(b) > 0 {
		n := subtle.XORBytes(sum[:], sum[:], b)
		c.block.Encrypt(sum[:], sum[:])
		b = b[n:]
	}
}
