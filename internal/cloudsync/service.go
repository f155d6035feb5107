// Package cloudsync knows the services that keep folders the same on many hosts, and
// finds files that may have gone from host to host through one. In come names of
// servers, and what hosts sent to and got from services, by volumes and times; out
// go the service of a name, and transfers that the volumes suggest. Volumes are
// context and no proof: what fits by chance or fits many is left out. It reads no
// packets and asks no network.
package cloudsync

import "strings"

// Services, as they are named in records.
const (
	Dropbox     = "Dropbox"
	OneDrive    = "OneDrive or SharePoint"
	GoogleDrive = "Google Drive"
	Box         = "Box"
	ICloud      = "iCloud"
)

// suffixes are the names under which the services move content, each with all names
// below it. Hosts that serve pages, updates and telemetry of the same companies are
// none of them. Sources: Dropbox, "Official Dropbox domains" (help.dropbox.com);
// Microsoft, "Microsoft 365 URLs and IP address ranges", SharePoint Online and OneDrive,
// and "Required URLs and ports for OneDrive"; Google, "Drive and Sites firewall and
// proxy settings"; Box, "Configuring a firewall for Box applications"; Apple, "Use
// Apple products on enterprise networks", iCloud.
var suffixes = map[string]string{
	"dropbox.com":            Dropbox,
	"dropboxapi.com":         Dropbox,
	"dropboxusercontent.com": Dropbox,
	"dropbox-dns.com":        Dropbox,

	"sharepoint.com":    OneDrive,
	"onedrive.com":      OneDrive,
	"onedrive.live.com": OneDrive,
	"storage.live.com":  OneDrive,
	"docs.live.net":     OneDrive,
	"livefilestore.com": OneDrive,
	"1drv.com":          OneDrive,

	"drive.google.com":             GoogleDrive,
	"drive.usercontent.google.com": GoogleDrive,
	"docs.google.com":              GoogleDrive,
	"googledrive.com":              GoogleDrive,

	"box.com":      Box,
	"box.net":      Box,
	"boxcloud.com": Box,

	"icloud.com":         ICloud,
	"icloud-content.com": ICloud,
	"apple-cloudkit.com": ICloud,
}

// others lie below a suffix and carry other things: Private Relay is all of a
// browser's traffic (Apple, "Prepare your network for iCloud Private Relay").
var others = map[string]bool{
	"mask.icloud.com": true, "mask-h2.icloud.com": true, "mask-api.icloud.com": true,
}

// Of gives the service of a server's name, "" where it belongs to none. The name of
// a certificate may begin with "*.".
func Of(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	name = strings.TrimPrefix(name, "*.")
	if others[name] {
		return ""
	}
	for {
		if s := suffixes[name]; s != "" {
			return s
		}
		_, above, ok := strings.Cut(name, ".")
		if !ok {
			return ""
		}
		name = above
	}
}
