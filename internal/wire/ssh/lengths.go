package ssh

import "encoding/binary"

// lengths follows the packets of a side by their lengths, where these are not
// encrypted: with AES-GCM (RFC 5647 7.1), and with MACs over what is encrypted
// (OpenSSH's PROTOCOL). What segments they came in does not matter then.
type lengths struct {
	known bool // both ends agreed on such a cipher
	block int64
	tail  int64 // bytes of a packet that its length does not count
	left  int64 // of the packet under way
	head  [4]byte
	have  int   // bytes of head
	large int64 // content of messages that are longer than requests and keys typed
	small int64 // what the others may carry
	slack int64 // how much more content may be where less is padding
}

// maxSealed bounds the length of a packet: OpenSSH takes 256 KiB.
const maxSealed = 256 << 10

// agree begins where a side's NEWKEYS ends.
func (l *lengths) agree(cipher, mac string) {
	if !clearLength(cipher, mac) {
		return
	}
	l.known, l.block, l.tail = true, blockOf(cipher), macSize(mac)
	if aead(cipher) {
		l.tail = 16
	}
}

func (l *lengths) feed(b []byte) {
	for l.known && len(b) > 0 {
		if n := min(l.left, int64(len(b))); n > 0 {
			l.left, b = l.left-n, b[n:]
			continue
		}
		n := copy(l.head[l.have:], b)
		l.have, b = l.have+n, b[n:]
		if l.have == len(l.head) {
			l.packet(int64(binary.BigEndian.Uint32(l.head[:])))
		}
	}
}

// packet takes the length of a packet: of padding length, message and padding.
func (l *lengths) packet(n int64) {
	if n < l.block || n > maxSealed || n%l.block != 0 {
		l.known = false // not what was agreed on, or bytes were lost
		return
	}
	l.left, l.have = n+l.tail, 0
	padding := 4 + (l.block-1)/2 // 4 bytes and up to a block, on average
	content := max(0, n-1-padding-dataHead)
	if n >= largeChunk {
		l.large += content
		l.slack += l.block
	} else {
		l.small += content
	}
}
