package nfs

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"waybill/internal/wire/framed"
)

// xdr reads external data representation (RFC 4506). A read past the end, or of
// bytes that were not seen, gives zeros and makes bad true.
type xdr struct {
	b     []byte
	at    int
	bad   bool
	bulk  framed.Bulk   // content that was left out of b
	holes []framed.Hole // in b
}

func (x *xdr) fixed(n int) []byte {
	for _, h := range x.holes {
		x.bad = x.bad || h.From < x.at+n && h.To > x.at
	}
	return x.run(n)
}

// run is n bytes, of which not all may have been seen.
func (x *xdr) run(n int) []byte {
	padded := (n + 3) &^ 3
	if x.bad || n < 0 || n > len(x.b)-x.at {
		x.bad = true
		return nil
	}
	b := x.b[x.at : x.at+n]
	x.at = min(x.at+padded, len(x.b))
	return b
}

func (x *xdr) u32() uint32 {
	if b := x.fixed(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (x *xdr) u64() uint64 {
	high := x.u32()
	return uint64(high)<<32 | uint64(x.u32())
}

// opaque reads bytes of a stated length of at most most.
func (x *xdr) opaque(most int) []byte {
	n := x.u32()
	if n > uint32(most) {
		x.bad = true
		return nil
	}
	return x.fixed(int(n))
}

// payload is content in a message.
type payload struct {
	data []byte
	at   int // of data in the message
	size int64
	put  bool // it went to its file as it came
}

// payload reads content of a stated length, which may have been left out.
func (x *xdr) payload() payload {
	n := int(x.u32())
	at := x.at
	if x.bulk.Size == 0 || at != x.bulk.At {
		data := x.run(n)
		return payload{data: data, at: at, size: int64(len(data))}
	}
	x.at = min(at+-x.bulk.Size&3, len(x.b))
	return payload{at: at, size: int64(x.bulk.Size), put: true}
}

// accepted passes the head of a reply and says whether the call was accepted and
// succeeded (RFC 5531 9).
func (x *xdr) accepted(c *call) bool {
	if x.u32() != 0 {
		return false
	}
	x.u32() // verifier
	x.opaque(400)
	if x.u32() != 0 || x.bad {
		return false
	}
	if c.who.wrapped {
		x.skip(2)
	}
	return true
}

// maxName bounds a name or path.
const maxName = 4096

// text reads a name; bytes that are no UTF-8 are taken for Latin 1.
func (x *xdr) text() string {
	b := x.opaque(maxName)
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// skip passes n words.
func (x *xdr) skip(words int) { x.fixed(4 * words) }

// credential reads whom a call is made as: AUTH_SYS gives machine, uid and gid
// (RFC 5531 appendix A).
func (x *xdr) credential() credential {
	flavor := x.u32()
	body := xdr{b: x.opaque(400)}
	switch flavor {
	case 1:
		body.u32() // stamp
		c := credential{machine: body.text()}
		c.uid, c.gid = body.u32(), body.u32()
		c.known = !body.bad
		return c
	case 6:
		return body.gss()
	}
	return credential{}
}

// user is how records name it.
func (c credential) user() string {
	if !c.known {
		return c.account.user
	}
	return fmt.Sprintf("uid %d gid %d", c.uid, c.gid)
}

func (c credential) auth() string {
	switch {
	case c.known:
		return "sys"
	case c.gss:
		return "kerberos"
	}
	return ""
}

// statusNames are the failures that opens, reads and writes meet (RFC 1813 2.6,
// RFC 7530 13.1).
var statusNames = map[uint32]string{1: "NFSERR_PERM", 2: "NFSERR_NOENT", 5: "NFSERR_IO", 13: "NFSERR_ACCES", 17: "NFSERR_EXIST",
	21: "NFSERR_ISDIR", 27: "NFSERR_FBIG", 28: "NFSERR_NOSPC", 30: "NFSERR_ROFS", 69: "NFSERR_DQUOT", 70: "NFSERR_STALE",
	10001: "NFSERR_BADHANDLE", 10016: "NFS4ERR_WRONGSEC"}

func statusName(code uint32) string {
	if n := statusNames[code]; n != "" {
		return n
	}
	return fmt.Sprintf("status %d", code)
}

// refuses says that a status denies access.
func refuses(code uint32) bool { return code == 1 || code == 13 || code == 30 }
