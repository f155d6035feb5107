package ticket

import (
	"fmt"
	"slices"

	"github.com/jcmturner/gokrb5/v8/crypto"

	"waybill/internal/wire/der"
)

// Key is a key of an encryption type (RFC 4120 5.2.9).
type Key struct {
	etype int32
	value []byte
}

func (k Key) known() bool { return len(k.value) > 0 }

// encryption is what an encryption type needs (RFC 3961, RFC 3962, RFC 8009, RFC 4757):
// the length of its keys, and what a message has besides its text.
type encryption struct {
	name     string
	key      int
	overhead int // confounder and checksum
	block    int // of which messages without the checksum are multiples
	checksum int
}

// encryptions are the types that the library can do. It does not check the length
// of what it is given.
var encryptions = map[int32]encryption{
	16: {"des3-cbc-sha1", 24, 8 + 20, 8, 20},
	17: {"aes128-cts-hmac-sha1-96", 16, 16 + 12, 1, 12},
	18: {"aes256-cts-hmac-sha1-96", 32, 16 + 12, 1, 12},
	19: {"aes128-cts-hmac-sha256-128", 16, 16 + 16, 1, 16},
	20: {"aes256-cts-hmac-sha384-192", 32, 16 + 24, 1, 24},
	23: {"rc4-hmac", 16, 8 + 16, 1, 16},
}

// typeName names an encryption type, with its number where it is unknown.
func typeName(etype int32) string {
	if e, ok := encryptions[etype]; ok {
		return e.name
	}
	return fmt.Sprintf("%d (unknown)", etype)
}

// open decrypts a message. It is false where the key does not fit.
func (k Key) open(s sealed, usage uint32) ([]byte, bool) {
	e, ok := encryptions[k.etype]
	if !ok || k.etype != s.etype || len(k.value) != e.key ||
		len(s.cipher) < e.overhead || (len(s.cipher)-e.checksum)%e.block != 0 {
		return nil, false
	}
	suite, err := crypto.GetEtype(k.etype)
	if err != nil {
		return nil, false
	}
	plain, err := suite.DecryptMessage(k.value, s.cipher, usage)
	return plain, err == nil
}

// readKey reads an EncryptionKey (RFC 4120 5.2.9).
func readKey(d der.Run) Key {
	return Key{int32(integer(d.Field(context(0), tagInteger))), slices.Clone(d.Field(context(1), tagOctets))}
}
