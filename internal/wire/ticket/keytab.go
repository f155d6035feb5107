package ticket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxTries bounds the keys that are tried on one ticket.
const maxTries = 16

// MaxKeytab bounds what a keytab may hold, in bytes.
const MaxKeytab = 64 << 20

// Keytab is the keys of services.
type Keytab struct {
	all     map[int32][]*entry  // by encryption type
	byOwner map[owner][]*entry  // by whole principal, and by host
	keys    map[string]struct{} // those that are in already
}

// owner is whose keys are looked for: a principal, or a host.
type owner struct {
	name  string
	etype int32
}

type entry struct {
	principal string // service@REALM
	kvno      uint32
	Key
}

// ParseKeytab reads a keytab of version 2, as MIT and Heimdal programs, Samba and
// ktpass write it ("The Kerberos keytab file format" in MIT's documentation). Its own
// reader, for that of the library puts what it cannot read into its errors: keys.
func ParseKeytab(b []byte) (*Keytab, error) {
	if len(b) > MaxKeytab {
		return nil, errors.New("it is larger than any keytab: name another file")
	}
	if len(b) < 2 || b[0] != 5 {
		return nil, errors.New("this is no keytab: make one with ktutil, kadmin's ktadd, samba-tool domain exportkeytab, or ktpass")
	}
	if b[1] != 2 {
		return nil, fmt.Errorf("a keytab of version %d is not read: write it again with ktutil", b[1])
	}
	k := &Keytab{all: map[int32][]*entry{}, byOwner: map[owner][]*entry{}, keys: map[string]struct{}{}}
	for at, n := 2, 1; at+4 <= len(b); n++ {
		size := int64(int32(binary.BigEndian.Uint32(b[at:])))
		if size == 0 {
			break
		}
		start := int64(at) + 4
		end := start + max(size, -size)
		if end > int64(len(b)) {
			return nil, fmt.Errorf("entry %d, at byte %d: it is to have %d bytes, %d are left: copy the file again", n, at, max(size, -size), len(b)-at-4)
		}
		if size > 0 { // else a hole that a deleted entry left
			e, ok := readEntry(b[start:end])
			if !ok {
				return nil, fmt.Errorf("entry %d, at byte %d: it ends in the middle: write the keytab again with ktutil", n, at)
			}
			k.add(e)
		}
		at = int(end)
	}
	if len(k.all) == 0 {
		return nil, errors.New("it holds no key of a known encryption type (AES, RC4 or triple DES)")
	}
	return k, nil
}

// add keeps a usable key, once for each principal.
func (k *Keytab) add(e *entry) {
	known, ok := encryptions[e.etype]
	id := fmt.Sprintf("%s\x00%d\x00%s", strings.ToLower(e.principal), e.etype, e.value)
	if _, again := k.keys[id]; again || !ok || len(e.value) != known.key {
		return
	}
	k.keys[id] = struct{}{}
	k.all[e.etype] = append(k.all[e.etype], e)
	for _, name := range owners(e.principal) {
		o := owner{name, e.etype}
		k.byOwner[o] = append(k.byOwner[o], e)
	}
}

// owners are the names under which the keys of a principal are looked for: its own,
// and its host's, for all services of a host have one key in a Windows
// domain, often under the name of its account, HOST$.
func owners(principal string) []string {
	principal = strings.ToLower(principal)
	name, _, _ := strings.Cut(principal, "@")
	parts := strings.Split(name, "/")
	host := parts[min(1, len(parts)-1)]
	host, _, _ = strings.Cut(host, ".")
	return []string{principal, strings.TrimSuffix(host, "$")}
}

// candidates are the keys to try on a request's ticket, the likely ones first: those
// of the service, then of its host, then any; in each the stated version first.
func (k *Keytab) candidates(r *Request) []*entry {
	var list []*entry
	add := func(more []*entry) {
		for _, right := range [2]bool{true, false} {
			for _, e := range more {
				if len(list) < maxTries && right == (e.kvno == r.ticket.kvno) && !slices.ContainsFunc(list, e.same) {
					list = append(list, e)
				}
			}
		}
	}
	for _, name := range owners(r.principal()) {
		add(k.byOwner[owner{name, r.ticket.etype}])
	}
	rest := k.all[r.ticket.etype]
	add(rest[:min(len(rest), 4*maxTries)])
	return list
}

func (e *entry) same(other *entry) bool { return string(e.value) == string(other.value) }

// readEntry reads what an entry says. All numbers are big-endian.
func readEntry(b []byte) (*entry, bool) {
	r := reader{b: b, ok: true}
	n := r.u16()
	realm := string(r.counted())
	var parts []string
	for ; n > 0 && r.ok; n-- {
		parts = append(parts, string(r.counted()))
	}
	r.bytes(4 + 4) // name type, time
	e := &entry{principal: strings.Join(parts, "/") + "@" + realm}
	e.kvno = uint32(r.number(1))
	e.etype = int32(int16(r.u16()))
	e.value = slices.Clone(r.counted())
	ok := r.ok
	// A later version number has 32 bits; 0 is none.
	if n := uint32(r.number(4)); r.ok && n != 0 {
		e.kvno = n
	}
	return e, ok
}

// reader takes fields off; past the end all are empty.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.b, r.ok = nil, false
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) number(size int) (n uint64) {
	for _, c := range r.bytes(size) {
		n = n<<8 | uint64(c)
	}
	return n
}

func (r *reader) u16() int { return int(r.number(2)) }

func (r *reader) counted() []byte { return r.bytes(r.u16()) }
