package zeekscript

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf16"

	"waybill/internal/prevent/plan"
)

// quoted is text as a string of Zeek: letters, digits and few signs as they are, every other
// byte as \xNN.
func quoted(text string) string { return `"` + escaped(text) + `"` }

func escaped(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(" .-_$()/>,:", c) >= 0
}

// wide is text in UTF-16, little endian, as RPC sends it.
func wide(text string) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

// column is text for a column of the intelligence file: the reader takes \xNN for a byte. What
// it would take for no value gives none.
func column(text string) string {
	if text == "" || text == "-" || text == "(empty)" {
		return ""
	}
	out := escaped(text)
	if out[0] == ' ' { // and "#", which begins a comment, is not plain
		out = `\x20` + out[1:]
	}
	return out
}

// word is text that names something: few letters, digits and ".-_", and nothing else.
func word(text string) string {
	const longest = 64
	kept := strings.Map(func(r rune) rune {
		if r < 0x80 && (plain(byte(r)) && !strings.ContainsRune(" $()/>,:", r)) {
			return r
		}
		return -1
	}, text[:min(len(text), 4*longest)])
	return kept[:min(len(kept), longest)]
}

// comment is text as lines of a comment, indented.
func comment(indent, text string) string {
	const width = 100
	var b strings.Builder
	line := ""
	for _, w := range strings.Fields(plan.Printable(text)) {
		if line != "" && len(line)+len(w) >= width {
			b.WriteString(indent + "#" + line + "\n")
			line = ""
		}
		line += " " + w
	}
	if line != "" {
		b.WriteString(indent + "#" + line + "\n")
	}
	return b.String()
}

// subnet is a network as Zeek writes it: IPv6 in brackets.
func subnet(n netip.Prefix) string {
	if n.Addr().Is6() {
		return fmt.Sprintf("[%s]/%d", n.Addr(), n.Bits())
	}
	return n.String()
}

func subnets(networks []netip.Prefix) string {
	if len(networks) == 0 {
		return "set()"
	}
	parts := make([]string, len(networks))
	for i, n := range networks {
		parts[i] = subnet(n)
	}
	return "set(" + strings.Join(parts, ", ") + ")"
}
