package ssh

import (
	"strings"

	"waybill/internal/wire"
)

// What a session was used for.
const (
	unused      = "no login"
	interactive = "interactive"
	push        = "push"
	pull        = "pull"
	tunnel      = "tunnel"
)

// What tells a terminal from a file, by sizes alone.
const (
	classFrom  = 4 << 10 // less than this in large segments is no file: a command's answer
	leastKeys  = 8       // echoes before a session can be a terminal
	bytesAKey  = 2 << 10 // what a terminal may show for each key
	longestKey = 4       // bytes of a key typed: a letter, or an arrow's sequence
	longEcho   = 256     // an echo is shorter than this
	blindKey   = 100     // a key on a connection whose start was not captured
)

// class tells what the session was used for by its sizes and directions.
func (d *conn) class() string {
	up, down := &d.halves[d.client], &d.halves[d.client.Other()]
	heavy, light := max(up.bulk, down.bulk), min(up.bulk, down.bulk)
	switch {
	case !d.loggedIn():
		return unused
	case heavy < classFrom, d.echoes >= leastKeys && d.echoes*bytesAKey > heavy:
		return interactive
	case light >= opaqueFrom && light*8 > heavy:
		return tunnel
	case up.bulk > down.bulk:
		return push
	}
	return pull
}

// echo counts the keys that were typed and shown: a packet as long as one with a key
// in it, and a short answer. When they were typed is not looked at.
func (d *conn) echo(from wire.Side, n int64) {
	if from != d.client {
		if d.typed && n < longEcho {
			d.echoes++
		}
		d.typed = false
		return
	}
	if d.keys == ([2]int64{}) {
		d.keys = d.keySizes()
	}
	d.typed = n >= d.keys[0] && n <= d.keys[1]
}

// keySizes are the least and greatest length of packets that carry a key: they follow from cipher and
// MAC (RFC 4253 6).
func (d *conn) keySizes() [2]int64 {
	cipher, mac := d.agreed(d.client)
	if cipher == "" {
		return [2]int64{0, blindKey}
	}
	return [2]int64{sealedSize(cipher, mac, dataHead+1), sealedSize(cipher, mac, dataHead+longestKey)}
}

// dataHead is what SSH_MSG_CHANNEL_DATA has before its data: type, channel, length
// (RFC 4254 5.2).
const dataHead = 9

// sealedSize is the length of the packet that carries a message of n bytes: length,
// padding length, message, 4 and more bytes of padding up to a block, MAC (RFC 4253
// 6). Where the length is not encrypted with the rest it is no part of the blocks
// (RFC 5647 7.1, and OpenSSH's PROTOCOL).
func sealedSize(cipher, mac string, n int64) int64 {
	block, tag := blockOf(cipher), macSize(mac)
	if aead(cipher) {
		tag = 16
	}
	head := int64(5)
	if clearLength(cipher, mac) || aead(cipher) {
		head = 1
	}
	body := head + n + 4
	return 5 - head + (body+block-1)/block*block + tag
}

func aead(cipher string) bool {
	return strings.HasPrefix(cipher, "chacha20-poly1305") || strings.Contains(cipher, "-gcm")
}

// clearLength says that the length of packets is not encrypted.
func clearLength(cipher, mac string) bool {
	return strings.Contains(cipher, "-gcm") || !aead(cipher) && strings.Contains(mac, "-etm@")
}

func blockOf(cipher string) int64 {
	if strings.HasPrefix(cipher, "aes") || strings.HasPrefix(cipher, "twofish") || strings.HasPrefix(cipher, "rijndael") {
		return 16
	}
	return 8
}

// macSize is the length of a MAC (RFC 4253 6.4, RFC 6668, OpenSSH's PROTOCOL).
func macSize(mac string) int64 {
	for _, m := range [...]struct {
		name string
		size int64
	}{
		{"hmac-sha2-256", 32}, {"hmac-sha2-512", 64}, {"hmac-sha1-96", 12}, {"hmac-sha1", 20}, {"hmac-md5-96", 12},
		{"hmac-md5", 16}, {"umac-64", 8}, {"umac-128", 16}, {"hmac-ripemd160", 20},
	} {
		if strings.HasPrefix(mac, m.name) {
			return m.size
		}
	}
	return 0
}
