package ntlm

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxName bounds a name in bytes; real ones have at most 256 characters.
const maxName = 512

// utf16String reads UTF-16LE, an odd last byte left out.
func utf16String(b []byte) string {
	b = b[:min(len(b), 2*maxName)]
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
	}
	return clip(string(utf16.Decode(units)))
}

// octetString reads bytes of an unknown code page: UTF-8 where they are that,
// else each byte as the character of its number.
func octetString(b []byte) string {
	b = b[:min(len(b), maxName)]
	if utf8.Valid(b) {
		return clip(string(b))
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return clip(string(runes))
}

// clip cuts trailing NULs off and s to maxName bytes of whole characters.
func clip(s string) string {
	for i := maxName; len(s) > maxName; i-- {
		if utf8.RuneStart(s[i]) {
			s = s[:i]
		}
	}
	return strings.TrimRight(s, "\x00")
}
