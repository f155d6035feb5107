package ssh

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// phase is how far a side is.
type phase uint8

const (
	greeting  phase = iota // lines up to the banner (RFC 4253 4.2)
	plain                  // packets in clear up to NEWKEYS
	encrypted              // all that follows
)

// Messages of the key exchange (RFC 4253 12).
const (
	msgKexInit = 20
	msgNewKeys = 21
)

// maxPacket bounds a packet in clear (RFC 4253 6.1 asks for 35,000).
const maxPacket = 64 << 10

// half is one side of a connection.
type half struct {
	phase    phase
	buf      []byte
	software string // the banner as sent
	kex      kexInit

	packets int64 // chunks after NEWKEYS
	total   int64 // bytes of the side
	sealed  int64 // bytes after NEWKEYS
	bulk    int64 // of these, in large chunks and in what follows them at once
	run     int64 // since the other side spoke
	waits   int64 // of the run, in small chunks that may be bulk yet
	inBulk  bool
	lengths lengths
	lost    int64
}

// kexInit is what a KEXINIT offers (RFC 4253 7.1): ten lists.
type kexInit struct{ lists [10]string }

// The lists of a KEXINIT.
const (
	kexAlgorithms = 0
	cipherToSrv   = 2
	cipherToCli   = 3
	macToSrv      = 4
	macToCli      = 5
	packToSrv     = 6
	packToCli     = 7
)

// hassh is the fingerprint of the offer of a client or server (HASSH, Salesforce).
func (k *kexInit) hassh(client bool) string {
	if k.lists[kexAlgorithms] == "" {
		return ""
	}
	all := []string{k.lists[kexAlgorithms], k.lists[cipherToSrv], k.lists[macToSrv], k.lists[packToSrv]}
	if !client {
		all = []string{k.lists[kexAlgorithms], k.lists[cipherToCli], k.lists[macToCli], k.lists[packToCli]}
	}
	sum := md5.Sum([]byte(strings.Join(all, ";")))
	return hex.EncodeToString(sum[:])
}

// feed takes bytes before NEWKEYS and gives what follows it.
func (h *half) feed(b []byte) []byte {
	h.buf = append(h.buf, b...)
	for h.phase != encrypted {
		n, ok := h.step()
		if !ok {
			break
		}
		h.buf = h.buf[n:]
	}
	if h.phase != encrypted {
		return nil
	}
	rest := h.buf
	h.buf = nil
	return rest
}

// step takes one line or packet and gives its length.
func (h *half) step() (int, bool) {
	if h.phase == greeting {
		i := bytes.IndexByte(h.buf, '\n')
		if i < 0 {
			if len(h.buf) > maxPreamble {
				h.phase = encrypted
			}
			return 0, false
		}
		if line := h.buf[:i]; bytes.HasPrefix(line, banner) {
			h.software = strings.TrimRight(string(line[:min(len(line), 255)]), "\r\n")
			h.phase = plain
		}
		return i + 1, true
	}
	if len(h.buf) < 6 {
		return 0, false
	}
	size := int64(binary.BigEndian.Uint32(h.buf)) + 4
	if size > maxPacket || size < 6 {
		h.phase = encrypted // not as RFC 4253 6 has it: version 1, or damage
		return 0, false
	}
	if int64(len(h.buf)) < size {
		return 0, false
	}
	h.packet(h.buf[5:size])
	return int(size), true
}

func (h *half) packet(b []byte) {
	switch b[0] {
	case msgNewKeys:
		h.phase = encrypted
	case msgKexInit:
		h.kex = parseKexInit(b)
	}
}

func parseKexInit(b []byte) (k kexInit) {
	const cookie = 17
	at := cookie
	for i := range k.lists {
		if at+4 > len(b) {
			return kexInit{}
		}
		n := int(binary.BigEndian.Uint32(b[at:]))
		at += 4
		if n < 0 || n > len(b)-at {
			return kexInit{}
		}
		k.lists[i] = string(b[at : at+n])
		at += n
	}
	return k
}

// agreed is the first of the client's list that the server has too (RFC 4253 7.1).
func agreed(client, server string) string {
	all := strings.Split(server, ",")
	for _, c := range strings.Split(client, ",") {
		for _, s := range all {
			if c == s && c != "" {
				return c
			}
		}
	}
	return ""
}
