package leases

import (
	"io"
	"net/netip"
	"slices"
	"strings"

	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
	"waybill/internal/telemetry/logtext"
)

// Neighbours are tables of who is at which hardware: arp -a of Windows, Linux, macOS
// and BSD, /proc/net/arp, ip neigh. They have no time: that of other inputs is taken.
var Neighbours = telemetry.Format{Kind: "neighbours", Family: Family, Looks: looksNeighbours, Open: openNeighbours}

func looksNeighbours(head []byte) bool {
	rows := 0
	return linelog.Looks(head, func(line string) bool {
		_, mac, ok := near(line)
		if ok && hardware(mac) != "" {
			rows++
		}
		return ok || strings.HasPrefix(line, "Interface: ") && strings.Contains(line, " --- 0x")
	}) && rows > 0
}

func openNeighbours(r io.Reader, o telemetry.OpenOptions) telemetry.Log {
	return linelog.Open(logtext.NewReader(r), "a table of neighbours", func(line string, rec *telemetry.Record) linelog.Taken {
		rec.Stream, rec.Time, rec.Assumed = "arp/table", o.Near, true
		ip, mac, _ := near(line)
		if a, err := netip.ParseAddr(ip); err != nil || a.IsMulticast() || !event(rec, neighbour, ip, mac, "", 0) {
			return linelog.Nothing
		}
		return linelog.Record
	})
}

// near takes a line of any of the forms. Names in them are a resolver's, and not taken.
func near(line string) (ip, mac string, ok bool) {
	w := strings.Fields(line)
	switch {
	case len(w) >= 4 && w[2] == "at" && strings.HasPrefix(w[1], "("): // NAME (IP) at MAC ...
		return strings.Trim(w[1], "()"), w[3], true
	case len(w) >= 3 && w[1] == "dev" && strings.ToUpper(w[len(w)-1]) == w[len(w)-1]: // IP dev IF lladdr MAC STATE
		if i := slices.Index(w, "lladdr"); i > 0 && w[len(w)-1] != "FAILED" {
			mac = w[i+1]
		}
		return w[0], mac, true
	case len(w) >= 4 && w[1] == "ether": // IP ether MAC C IF
		return w[0], w[2], true
	case len(w) == 6 && strings.HasPrefix(w[1], "0x") && strings.HasPrefix(w[2], "0x"): // /proc/net/arp: IP type flags MAC mask device
		return w[0], w[3], true
	case len(w) == 3 && strings.Count(w[1], "-") == 5: // IP MAC type, in the language of the host
		return w[0], w[1], true
	}
	return "", "", false
}
