package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// JA4 is the TLS client fingerprint that FoxIO published (technical_details/JA4.md,
// BSD licence).

// ja4Versions are the words for versions.
var ja4Versions = map[uint16]string{0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2",
	0xfeff: "d1", 0xfefd: "d2", 0xfefc: "d3"}

// ja4 is the fingerprint of the hello; "" where not all of it was seen.
func (h *hello) ja4(dialect string) string {
	if h.cut {
		return ""
	}
	ciphers, extensions := plain(h.ciphers), plain(h.extensions)
	first := h.ja4Head(dialect, len(ciphers), len(extensions))
	slices.Sort(ciphers)
	rest := slices.DeleteFunc(extensions, func(e uint16) bool { return e == extServerName || e == extALPN })
	slices.Sort(rest)
	list := words(rest)
	if s := plain(h.signatures); len(s) > 0 {
		list += "_" + words(s)
	}
	return first + "_" + short(words(ciphers)) + "_" + short(list)
}

// ja4Head is the part that people can read.
func (h *hello) ja4Head(dialect string, ciphers, extensions int) string {
	transport := map[string]string{"QUIC": "q", "DTLS": "d"}[dialect]
	if transport == "" {
		transport = "t"
	}
	version := ja4Versions[h.version]
	if version == "" {
		version = "00"
	}
	name := "i"
	if h.named {
		name = "d"
	}
	return fmt.Sprintf("%s%s%s%02d%02d%s", transport, version, name, min(ciphers, 99), min(extensions, 99), ends(h.alpn))
}

func plain(all []uint16) []uint16 { return slices.DeleteFunc(slices.Clone(all), grease) }

// ends is the first and last character of the first protocol offered, or of its hex
// digits where one of them is neither letter nor digit.
func ends(alpn string) string {
	if alpn == "" {
		return "00"
	}
	a, z := alpn[0], alpn[len(alpn)-1]
	if !alphanumeric(a) || !alphanumeric(z) {
		s := hex.EncodeToString([]byte(alpn))
		return s[:1] + s[len(s)-1:]
	}
	return string([]byte{a, z})
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func words(all []uint16) string {
	s := make([]string, len(all))
	for i, v := range all {
		s[i] = fmt.Sprintf("%04x", v)
	}
	return strings.Join(s, ",")
}

// short is the start of a digest, zeros for nothing.
func short(s string) string {
	if s == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
