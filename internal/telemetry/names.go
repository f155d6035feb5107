package telemetry

import (
	"net/netip"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// ShellMetadata says whether shells keep files of such a name beside those of others, or
// streams in them (contract, "No transfer"). Another stream of such a file is none.
func ShellMetadata(name string) bool {
	base, stream, named := strings.Cut(strings.ToLower(name), ":")
	if named {
		stream = strings.TrimSuffix(stream, ":$data")
		return stream == "zone.identifier" || stream == "afp_afpinfo" || strings.HasPrefix(stream, "com.apple.")
	}
	return base == "desktop.ini" || base == "thumbs.db" || base == ".ds_store" || strings.HasPrefix(base, "._")
}

// Address reads an address as logs write it: IPv4, IPv6, IPv4 in IPv6, with a zone or
// without. The zero value is none; Windows writes LOCAL for its own console.
func Address(text string) model.Addr {
	if text == "" || text == "LOCAL" {
		return model.Addr{}
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return model.Addr{}
	}
	return model.AddrOf(a.WithZone(""))
}

// Count reads a count; -1 when there is none.
func Count(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
