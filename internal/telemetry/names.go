package telemetry

import "strings"

// ShellMetadata says whether shells keep files of such a name beside those of others
// (contract, "No transfer").
func ShellMetadata(name string) bool {
	lower := strings.ToLower(name)
	base, stream, _ := strings.Cut(lower, ":")
	return base == "desktop.ini" || base == "thumbs.db" || base == ".ds_store" || strings.HasPrefix(base, "._") ||
		strings.Contains(stream, "zone.identifier") || strings.HasPrefix(stream, "afp_") || strings.HasPrefix(stream, "com.apple.")
}
