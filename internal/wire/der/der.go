// Package der reads the distinguished encoding rules of ASN.1 (X.690) as far as
// security tokens and Kerberos messages need it. In come bytes; out come values.
// It trusts no length, keeps nothing, and never fails: what a message that was
// cut short still holds is given.
package der

// generalString is the tag of names in Kerberos (X.690 8.1.2, RFC 4120 5.2.1).
const generalString = 0x1b

// Run is a run of DER values. A value that reaches past the end of the bytes
// ends with them, so that a token cut short still gives its names; only a name
// that is itself cut is left out, for it would be another name.
type Run []byte

// Value is one value: its tag and what is in it.
type Value struct {
	Tag  byte
	Body Run
}

// Next cuts the first value off.
func (d Run) Next() (v Value, rest Run, ok bool) {
	if len(d) < 2 || d[0]&0x1f == 0x1f {
		return Value{}, nil, false
	}
	head, n := 2, int(d[1])
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(d) < 2+size {
			return Value{}, nil, false
		}
		head, n = 2+size, 0
		for _, c := range d[2:head] {
			n = n<<8 | int(c)
		}
	}
	body := d[head:]
	if n > len(body) && d[0] == generalString {
		return Value{}, nil, false
	}
	n = min(n, len(body))
	return Value{d[0], body[:n]}, body[n:], true
}

// Child is the body of the first value, which must have the tag.
func (d Run) Child(tag byte) (Run, bool) {
	v, _, ok := d.Next()
	if !ok || v.Tag != tag {
		return nil, false
	}
	return v.Body, true
}

// Field finds the value with the context tag and gives the body of the value of
// the given tag inside it; nil if there is none.
func (d Run) Field(context, tag byte) Run {
	for range 16 {
		v, rest, ok := d.Next()
		if !ok {
			return nil
		}
		if v.Tag == context {
			body, _ := v.Body.Child(tag)
			return body
		}
		d = rest
	}
	return nil
}
