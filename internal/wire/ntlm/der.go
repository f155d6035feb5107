package ntlm

// The tags of the structures read here (X.690 8.1.2, RFC 4120 5).
const (
	tagOctets        = 0x04
	tagOID           = 0x06
	tagGeneralString = 0x1b
	tagSequence      = 0x30
	tagGSS           = 0x60 // APPLICATION 0, constructed
	tagTicket        = 0x61 // APPLICATION 1
	tagAPReq         = 0x6e // APPLICATION 14
	context0         = 0xa0
	context1         = 0xa1
	context2         = 0xa2
	context3         = 0xa3
)

// der is a run of DER values. A value that reaches past the end of the bytes
// ends with them, so that a token cut short still gives its names; only a name
// that is itself cut is left out, for it would be another name.
type der []byte

type value struct {
	tag  byte
	body der
}

// next cuts the first value off.
func (d der) next() (v value, rest der, ok bool) {
	if len(d) < 2 || d[0]&0x1f == 0x1f {
		return value{}, nil, false
	}
	head, n := 2, int(d[1])
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(d) < 2+size {
			return value{}, nil, false
		}
		head, n = 2+size, 0
		for _, c := range d[2:head] {
			n = n<<8 | int(c)
		}
	}
	body := d[head:]
	if n > len(body) && d[0] == tagGeneralString {
		return value{}, nil, false
	}
	n = min(n, len(body))
	return value{d[0], body[:n]}, body[n:], true
}

// child is the body of the first value, which must have the tag.
func (d der) child(tag byte) (der, bool) {
	v, _, ok := d.next()
	if !ok || v.tag != tag {
		return nil, false
	}
	return v.body, true
}

// field finds the value with the context tag and gives the body of the value of
// the given tag inside it; nil if there is none.
func (d der) field(context, tag byte) der {
	for range 16 {
		v, rest, ok := d.next()
		if !ok {
			return nil
		}
		if v.tag == context {
			body, _ := v.body.child(tag)
			return body
		}
		d = rest
	}
	return nil
}
