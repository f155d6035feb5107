package content

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// TypeOf tells the type of a content from its first bytes, of which 4,096 are
// enough: one of pe, elf, macho, java, script, archive, office, pdf, image,
// audio, video, font, shortcut, database, registry, eventlog, dump, disk, text
// and data; "" when there are none.
func TypeOf(head []byte) string {
	if len(head) == 0 {
		return ""
	}
	for _, m := range signatures {
		if m.matches(head) {
			if m.tell != nil {
				return m.tell(head)
			}
			return m.typ
		}
	}
	text, ok := asText(head)
	switch {
	case !ok:
		return "data"
	case isScript(text):
		return "script"
	}
	return "text"
}

// signature is bytes at a place. With tell, more of the head decides.
type signature struct {
	at    int
	magic string
	typ   string
	tell  func([]byte) string
}

func (m *signature) matches(head []byte) bool {
	return len(head) >= m.at+len(m.magic) && string(head[m.at:m.at+len(m.magic)]) == m.magic
}

// signatures come from the formats' specifications; where one is the beginning
// of another, the longer comes first.
var signatures = []signature{
	{magic: "MZ", tell: tellMZ},
	{magic: "\x7fELF", typ: "elf"},
	{magic: "\xfe\xed\xfa\xce", typ: "macho"},
	{magic: "\xfe\xed\xfa\xcf", typ: "macho"},
	{magic: "\xce\xfa\xed\xfe", typ: "macho"},
	{magic: "\xcf\xfa\xed\xfe", typ: "macho"},
	{magic: "\xca\xfe\xba\xbe", tell: tellCafe},
	{magic: "dex\n03", typ: "java"},
	{magic: "#!", typ: "script"},
	{magic: "PK\x03\x04", tell: tellZip},
	{magic: "PK\x05\x06", typ: "archive"},
	{magic: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", typ: "office"},
	{magic: "{\\rtf", typ: "office"},
	{magic: "%PDF-", typ: "pdf"},
	{magic: "Rar!\x1a\x07", typ: "archive"},
	{magic: "7z\xbc\xaf\x27\x1c", typ: "archive"},
	{magic: "MSCF\x00\x00\x00\x00", typ: "archive"},
	{magic: "MSWIM\x00\x00\x00", typ: "archive"},
	{magic: "\x1f\x8b\x08", typ: "archive"},
	{magic: "\xfd7zXZ\x00", typ: "archive"},
	{magic: "\x28\xb5\x2f\xfd", typ: "archive"},
	{magic: "\x04\x22\x4d\x18", typ: "archive"},
	{magic: "BZh", tell: tellBzip},
	{magic: "!<arch>\n", typ: "archive"},
	{magic: "\xed\xab\xee\xdb", typ: "archive"},
	{magic: "xar!", typ: "archive"},
	{at: 257, magic: "ustar", typ: "archive"},
	{magic: "\x89PNG\r\n\x1a\n", typ: "image"},
	{magic: "GIF87a", typ: "image"},
	{magic: "GIF89a", typ: "image"},
	{magic: "\xff\xd8\xff", typ: "image"},
	{magic: "II*\x00", typ: "image"},
	{magic: "MM\x00*", typ: "image"},
	{magic: "8BPS\x00\x01", typ: "image"},
	{magic: "BM", tell: tellBitmap},
	{magic: "\x00\x00\x01\x00", tell: tellIcon},
	{magic: "RIFF", tell: tellRIFF},
	{at: 4, magic: "ftyp", tell: tellISOMedia},
	{magic: "\x1a\x45\xdf\xa3", typ: "video"},
	{magic: "FLV\x01", typ: "video"},
	{magic: "\x00\x00\x01\xba", typ: "video"},
	{magic: "0&\xb2u\x8ef\xcf\x11", typ: "video"},
	{magic: "ID3", typ: "audio"},
	{magic: "OggS\x00", typ: "audio"},
	{magic: "fLaC", typ: "audio"},
	{magic: "\x00\x01\x00\x00\x00", typ: "font"},
	{magic: "OTTO\x00", typ: "font"},
	{magic: "wOFF", typ: "font"},
	{magic: "wOF2", typ: "font"},
	{magic: "L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F", typ: "shortcut"}, // MS-SHLLINK 2.1
	{magic: "SQLite format 3\x00", typ: "database"},
	{at: 4, magic: "\xef\xcd\xab\x89", typ: "database"}, // ESE: ntds.dit
	{at: 4, magic: "Standard Jet DB", typ: "database"},
	{magic: "regf", typ: "registry"},
	{magic: "ElfFile\x00", typ: "eventlog"},
	{magic: "MDMP\x93\xa7", typ: "dump"},
	{magic: "PAGEDUMP", typ: "dump"},
	{magic: "PAGEDU64", typ: "dump"},
	{magic: "KDMV", typ: "disk"},
	{magic: "vhdxfile", typ: "disk"},
	{magic: "conectix", typ: "disk"},
	{magic: "QFI\xfb", typ: "disk"},
}

// tellMZ is pe for the header's own form, and data for text that begins with MZ:
// e_cblp, the bytes of the last 512-byte page, is at most 512 in programs.
func tellMZ(b []byte) string {
	if len(b) < 64 {
		if text, ok := asText(b); ok && len(text) > 2 {
			return "text"
		}
		return "pe"
	}
	if text, ok := asText(b); ok && !isScript(text) {
		return "text"
	}
	return "pe"
}

// tellCafe parts Java classes, whose format version is 45 or more, from fat
// Mach-O files, which hold a handful of architectures.
func tellCafe(b []byte) string {
	if len(b) >= 8 && binary.BigEndian.Uint32(b[4:]) < 45 {
		return "macho"
	}
	return "java"
}

// tellZip looks at the entries that tell what a ZIP file is (ECMA-376 part 2,
// OpenDocument 1.2 part 3, JAR File Specification).
func tellZip(b []byte) string {
	for _, name := range []string{"[Content_Types].xml", "word/", "xl/", "ppt/", "mimetypeapplication/vnd.oasis"} {
		if bytes.Contains(b, []byte(name)) {
			return "office"
		}
	}
	if bytes.Contains(b, []byte("META-INF/MANIFEST.MF")) {
		return "java"
	}
	return "archive"
}

func tellBzip(b []byte) string {
	if len(b) >= 10 && b[3] >= '1' && b[3] <= '9' && string(b[4:10]) == "1AY&SY" {
		return "archive"
	}
	return elseText(b)
}

func tellBitmap(b []byte) string {
	if len(b) >= 18 && binary.LittleEndian.Uint32(b[6:]) == 0 && binary.LittleEndian.Uint32(b[14:]) <= 124 {
		return "image"
	}
	return elseText(b)
}

func tellIcon(b []byte) string {
	if len(b) >= 22 && b[4] != 0 && b[5] == 0 && b[9] == 0 {
		return "image"
	}
	return "data"
}

func tellRIFF(b []byte) string {
	if len(b) < 12 {
		return "data"
	}
	switch string(b[8:12]) {
	case "WEBP":
		return "image"
	case "WAVE":
		return "audio"
	case "AVI ":
		return "video"
	}
	return "data"
}

func tellISOMedia(b []byte) string {
	if len(b) < 12 {
		return "data"
	}
	switch string(b[8:12]) {
	case "heic", "heix", "mif1", "avif":
		return "image"
	case "M4A ":
		return "audio"
	}
	return "video"
}

func elseText(b []byte) string {
	if text, ok := asText(b); ok {
		if isScript(text) {
			return "script"
		}
		return "text"
	}
	return "data"
}

// asText gives the head as UTF-8 when it is text: UTF-8, or UTF-16 with a byte
// order mark, without control characters but those of text.
func asText(b []byte) ([]byte, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		b = fromUTF16(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		b = fromUTF16(b[2:], binary.BigEndian)
	default:
		b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	}
	b = wholeRunes(b)
	latin := 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if b[i] < 0xa0 {
				return nil, false
			}
			latin++ // ISO 8859-1 and its kin
		case r < 0x20 && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1b || r == 0x7f:
			return nil, false
		}
		i += n
	}
	return b, latin*8 <= len(b)
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// wholeRunes cuts off a character that the end of the head cut in two.
func wholeRunes(b []byte) []byte {
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; c >= 0xc0 {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

// isScript says whether a text is a program. Words that people write too do not
// count; what counts is how scripts begin, and calls that stand only in them.
func isScript(text []byte) bool {
	low := bytes.ToLower(bytes.TrimLeft(text, " \t\r\n"))
	for _, p := range scriptStarts {
		if bytes.HasPrefix(low, []byte(p)) {
			return true
		}
	}
	for _, p := range scriptCalls {
		if bytes.Contains(low, []byte(p)) {
			return true
		}
	}
	return false
}

var scriptStarts = []string{"@echo ", "@echo\r", "<?php", "<job", "<package>\r\n<job", "<hta:", "rem ", "setlocal", "<scriptlet", "#requires -",
	"import-module ", "param(", "param (", "option explicit", "on error resume next", "function invoke-"}

var scriptCalls = []string{"createobject(\"wscript.", "wscript.shell", "new activexobject(", "activexobject('", "invoke-expression", "iex (", "iex(",
	"new-object ", "[convert]::frombase64string", "[system.convert]::", "set-strictmode", "write-host ", "%~dp0", "<hta:application", "get-wmiobject ",
	"server.createobject(", "eval(base64_decode("}

// Executable says whether content of a type runs.
func Executable(typ string) bool {
	switch typ {
	case "pe", "elf", "macho", "java", "script":
		return true
	}
	return false
}
