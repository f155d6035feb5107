package http

import (
	"mime"
	"net/url"
	"strings"

	"waybill/internal/webmedia"
)

// splitURL splits an absolute URL into what precedes the authority, the
// authority, and the rest. ok is false for any other target.
func splitURL(target string) (scheme, authority, rest string, ok bool) {
	i := strings.Index(target, "://")
	if i < 1 || i > maxMethod || strings.ContainsAny(target[:i], "/?#") {
		return "", "", target, false
	}
	scheme, rest = target[:i+3], target[i+3:]
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		return scheme, rest[:end], rest[end:], true
	}
	return scheme, rest, "", true
}

// maskUser replaces the password in an absolute URL by ***, and gives the user
// that stands before it.
func maskUser(target string) (masked, user string) {
	scheme, authority, rest, ok := splitURL(target)
	if !ok {
		return target, ""
	}
	i := strings.LastIndexByte(authority, '@')
	if i < 0 {
		return target, ""
	}
	user, _, secret := strings.Cut(authority[:i], ":")
	if !secret {
		return target, unescape(user)
	}
	return scheme + user + ":***" + authority[i:] + rest, unescape(user)
}

// hostOf is the host, with its port, of an absolute URL.
func hostOf(target string) string {
	_, authority, _, ok := splitURL(target)
	if !ok {
		return ""
	}
	return authority[strings.LastIndexByte(authority, '@')+1:]
}

// pathOf is the path and query of a target.
func pathOf(target string) string {
	_, _, rest, _ := splitURL(target)
	return rest
}

// nameOf is the last segment of a target's path, percent-decoded; of a target
// with a trailing slash it is "".
func nameOf(target string) string {
	path, _, _ := strings.Cut(webmedia.Path(pathOf(target)), "#")
	return unescape(path[strings.LastIndexByte(path, '/')+1:])
}

// unescape decodes percent escapes; text with a broken one stays as it is.
func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// disposition reads a Content-Disposition field (RFC 6266, RFC 7578): its type
// in lower case, its name parameter, and the file name, which is there (ok) or not.
func disposition(value string) (kind, name, file string, ok bool) {
	kind, params, err := mime.ParseMediaType(value)
	if err == nil {
		file, ok = params["filename"]
		return kind, params["name"], file, ok
	}
	kind, rest, _ := strings.Cut(value, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	file = quoted(rest, "filename")
	if file == "" {
		file = unquoted(rest, "filename=")
	}
	return kind, quoted(rest, "name"), file, file != ""
}

// unquoted is the value of a parameter that some software sends without quotes.
func unquoted(text, name string) string {
	i := indexFold(text, name)
	if i < 0 {
		return ""
	}
	value, _, _ := strings.Cut(text[i+len(name):], ";")
	return strings.Trim(value, `" `)
}

// indexFold is strings.Index without regard to case.
func indexFold(text, word string) int {
	for i := 0; i+len(word) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

// lastElement is what follows the last slash or backslash: some browsers send
// the whole path of an uploaded file.
func lastElement(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// mediaType is the type/subtype of a Content-Type field in lower case.
func mediaType(value string) string {
	value, _, _ = strings.Cut(value, ";")
	return strings.ToLower(strings.TrimSpace(value))
}

// boundary is the boundary of a multipart type with the given subtype.
func boundary(contentType, subtype string) string {
	if mediaType(contentType) != "multipart/"+subtype {
		return ""
	}
	_, params, err := mime.ParseMediaType(contentType)
	b := params["boundary"]
	if err != nil {
		if b = quoted(contentType, "boundary"); b == "" {
			b = unquoted(contentType, "boundary=")
		}
	}
	if len(b) > maxText {
		return ""
	}
	return strings.Clone(b)
}
