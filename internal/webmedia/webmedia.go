// Package webmedia tells files from what pages and programs are made of, by media
// types and names as HTTP states them. In goes what a message or a log says of a
// body; out comes whether it is a part of a page, a file, or neither. It looks at no
// content.
package webmedia

import "strings"

// BigContent is how much content that is no part of a page counts as a file.
const BigContent = 64 << 10

// File says whether a media type is one of files.
func File(media string) bool {
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

// Page says whether a media type is that of a page, of its parts, or of what
// programs say to each other (WS-Management talks in multipart/encrypted).
func Page(media string) bool {
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

// Path is the part of a target that names the file: what stands before the query. Distribution
// points of Configuration Manager are asked for ".../sccm?/setup.exe".
func Path(target string) string {
	path, query, _ := strings.Cut(target, "?")
	if strings.HasPrefix(query, "/") && strings.HasSuffix(path, "/sccm") {
		path, _, _ = strings.Cut(query, "?")
	}
	return path
}

// Extension is what follows the last dot of a name, in lower case.
func Extension(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || len(name)-i > 8 {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

// ScriptName says whether an interpreter starts files of a name, whatever their
// content looks like.
func ScriptName(name string) bool { return scriptNames[Extension(name)] }

// PageName says whether parts of pages have such names.
func PageName(name string) bool { return pageNames[Extension(name)] }

// FileName says whether files that people pass on have such names, and parts of pages
// do not: programs, archives, images of disks, documents.
func FileName(name string) bool { return fileNames[Extension(name)] || ScriptName(name) }

func words(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

var (
	scriptNames = words("ps1 psm1 bat cmd vbs vbe jse wsf wsh hta sct sh py pl rb lua reg inf lnk")
	fileNames   = words("exe dll sys msi msix cab com scr cpl ocx bin elf so ko o deb rpm apk jar war class dmg pkg iso img vhd vhdx vmdk ova qcow2 " +
		"zip 7z rar gz tgz bz2 xz zst tar lz4 lzh arj pdf doc docx docm xls xlsx xlsm xlsb ppt pptx rtf odt ods one pst ost kdbx db sqlite sql bak dmp pcap pcapng evtx")
	pageNames = words("html htm css js mjs json map svg png jpg jpeg gif webp avif ico bmp woff woff2 ttf otf eot wasm")
)
