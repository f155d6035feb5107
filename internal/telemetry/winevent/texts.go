package winevent

import (
	"strings"
	"unsafe"
)

// Texts gives strings of their own to values that stand in a buffer which is used
// again. Those of many events lie in one block, which lives as long as any of them.
type Texts struct {
	block  []byte
	shared map[string]string
}

// blockSize is the size of a block of strings.
const blockSize = 32 << 10

// maxShared bounds the strings that are kept because they come again and again.
const maxShared = 4096

// Own copies s.
func (t *Texts) Own(s string) string {
	if len(s) > blockSize/4 {
		return strings.Clone(s)
	}
	if s == "" {
		return ""
	}
	if len(s) > cap(t.block)-len(t.block) {
		t.block = make([]byte, 0, blockSize)
	}
	at := len(t.block)
	t.block = append(t.block, s...)
	return unsafe.String(&t.block[at], len(s))
}

// Shared gives the same string for equal values, for those that nearly all events
// of a log have in common.
func (t *Texts) Shared(s string) string {
	if known, ok := t.shared[s]; ok {
		return known
	}
	own := strings.Clone(s)
	if t.shared == nil {
		t.shared = map[string]string{}
	}
	if len(t.shared) < maxShared {
		t.shared[own] = own
	}
	return own
}

// OwnBytes is Own of bytes.
func (t *Texts) OwnBytes(b []byte) string { return t.Own(bytesString(b)) }

// SharedBytes is Shared of bytes.
func (t *Texts) SharedBytes(b []byte) string { return t.Shared(bytesString(b)) }
