package http

import "strings"

// bigContent is how much content that is no page part counts as a file.
const bigContent = 64 << 10

// pagePart says whether the default print rules leave a movement out. Printed
// are attachments, uploads, executables, archives, scripts and documents, and
// more than 64 KiB of what is no part of a page (issue "Captures", 7).
func (m *movement) pagePart() bool {
	kind := typeOf(m.file.Head())
	switch {
	case m.attachment || m.c.dav:
		return false
	case kind == "pe" || kind == "elf" || kind == "macho" || kind == "archive" || kind == "office" || kind == "pdf":
		return false
	case m.upload:
		return m.chatter()
	case kind == "script" && !pageMedia(m.media):
		return false
	case scriptNames[extension(m.t.Name)] || scriptNames[extension(m.t.DispositionName)]:
		return false
	}
	return m.file.Seen() <= bigContent || m.ofPage(kind)
}

// chatter says whether an upload is a form, or a call of an API: a body of POST
// or PATCH that does not claim to be a file, and is not large.
func (m *movement) chatter() bool {
	if strings.HasPrefix(m.t.What, "HTTP PUT") || m.part || fileMedia(m.media) {
		return false
	}
	return m.file.Seen() <= bigContent || m.media == "" || m.media == "application/x-www-form-urlencoded" || pageMedia(m.media)
}

// fileMedia says whether a media type is one of files.
func fileMedia(media string) bool {
	kind, sub, _ := strings.Cut(media, "/")
	if kind == "image" || kind == "audio" || kind == "video" || sub == "octet-stream" {
		return true
	}
	for _, word := range [...]string{"zip", "tar", "rar", "7z", "compress", "pdf", "msword", "office", "ms-excel", "powerpoint",
		"msdownload", "executable", "dosexec", "java-archive", "diskimage", "iso9660"} {
		if strings.Contains(sub, word) {
			return true
		}
	}
	return false
}

// ofPage says whether content is a part of a page, by its stated type and where
// there is none by its name and bytes.
func (m *movement) ofPage(kind string) bool {
	if m.media != "" && m.media != "application/octet-stream" {
		return pageMedia(m.media)
	}
	return kind == "image" || pageNames[extension(m.t.Name)]
}

// pageMedia says whether a media type is that of a page, of its parts, or of
// what programs say to each other (WS-Management talks in multipart/encrypted).
func pageMedia(media string) bool {
	kind, sub, _ := strings.Cut(media, "/")
	if kind == "image" || kind == "font" || kind == "multipart" {
		return true
	}
	if strings.Contains(sub, "officedocument") {
		return false
	}
	for _, word := range [...]string{"html", "css", "javascript", "ecmascript", "json", "font", "xml", "soap", "wasm", "protobuf", "grpc", "thrift", "msgpack", "cbor"} {
		if strings.Contains(sub, word) {
			return true
		}
	}
	return false
}

// extension is what follows the last dot of a name, in lower case.
func extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || len(name)-i > 8 {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

var (
	// scriptNames are of files that an interpreter starts, whatever their content looks like.
	scriptNames = words("ps1 psm1 bat cmd vbs vbe jse wsf wsh hta sct sh py pl rb lua reg inf lnk")
	// pageNames are of parts of pages.
	pageNames = words("html htm css js mjs json map svg png jpg jpeg gif webp avif ico bmp woff woff2 ttf otf eot wasm")
)
