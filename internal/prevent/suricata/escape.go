package suricata

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"waybill/internal/prevent/plan"
)

// content is a pattern of a content keyword: letters, digits and few signs as they are, every
// other byte in hexadecimal form ("Payload Keywords", content), so that none can end the
// option, the rule or the line.
func content(pattern []byte) string {
	var b strings.Builder
	hex := false
	for _, c := range pattern {
		switch {
		case !plain(c) && hex:
			fmt.Fprintf(&b, " %02X", c)
		case !plain(c):
			fmt.Fprintf(&b, "|%02X", c)
			hex = true
		default:
			if hex {
				b.WriteByte('|')
				hex = false
			}
			b.WriteByte(c)
		}
	}
	if hex {
		b.WriteByte('|')
	}
	return `content:"` + b.String() + `";`
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
}

// expression is text as a regular expression that matches it alone.
func expression(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

// wide is text in UTF-16, little endian, as SMB and RPC send it.
func wide(text string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// said is text for the message of a rule: what is neither letter, digit nor harmless sign
// becomes a question mark.
func said(text string) string {
	const longest = 120
	out := []byte(text)
	if len(out) > longest {
		out = append(out[:longest-3], "..."...)
	}
	for i, c := range out {
		if !plain(c) && !strings.ContainsRune(" ()/>+,", rune(c)) {
			out[i] = '?'
		}
	}
	return string(out)
}

// word is text for metadata and the names of files: few letters, digits and ".-_", and nothing else.
func word(text string) string {
	const longest = 64
	kept := strings.Map(func(r rune) rune {
		if r < 0x80 && plain(byte(r)) {
			return r
		}
		return -1
	}, text[:min(len(text), 4*longest)])
	return kept[:min(len(kept), longest)]
}

// comment is text as lines that Suricata skips, none long: it reads lines of 8,192 bytes, and
// what is over is the next line.
func comment(text string) string {
	const width = 110
	var b, line strings.Builder
	flush := func() {
		if line.Len() > 0 {
			b.WriteString("#" + line.String() + "\n")
			line.Reset()
		}
	}
	for _, w := range strings.Fields(plan.Printable(text)) {
		for len(w) > width {
			flush()
			b.WriteString("# " + w[:width] + "\n")
			w = w[width:]
		}
		if line.Len()+len(w) >= width {
			flush()
		}
		line.WriteString(" " + w)
	}
	flush()
	return b.String()
}
