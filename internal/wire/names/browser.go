package names

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"waybill/internal/model"
	"waybill/internal/wire"
)

// Datagrams of the NetBIOS datagram service (RFC 1002 4.4.1): to one name, a group,
// everybody.
const (
	datagramUnique    = 0x10
	datagramBroadcast = 0x12
	datagramHeader    = 14
)

// Commands of the browser protocol by which hosts announce themselves (MS-BRWS 2.2).
const (
	hostAnnouncement        = 1
	localMasterAnnouncement = 15
)

// What an announcing host is, of its server type (MS-BRWS 2.2.1): the first that fits.
var browserRoles = []struct {
	bit  uint32
	name string
}{
	{0x8, "domain controller"}, {0x10, "backup domain controller"}, {0x4, "SQL server"}, {0x8000, "server"}, {0x800, "Unix server"}, {0x1, "workstation"},
}

// datagram takes one datagram of port 138. The address and name in it are the sender's
// own, also where a gateway sent it on (RFC 1002 4.4.1).
func (f *flow) datagram(b []byte, who model.Addr, at wire.At) {
	if len(b) < datagramHeader || b[0] < datagramUnique || b[0] > datagramBroadcast {
		return
	}
	ip, _ := netip.AddrFromSlice(b[4:8])
	name, _, rest, ok := netbiosName(b[datagramHeader:])
	if !ok {
		return
	}
	_, _, rest, ok = netbiosName(rest)
	if !ok {
		return
	}
	host, object := strings.TrimSuffix(strings.TrimSuffix(name, suffixWorkstation), suffixServer), name
	if host == name { // a group's, or a service's
		return
	}
	if says, ok := announcement(rest); ok {
		object += " " + says
	}
	f.bind("nbns", host, object, "", model.AddrOf(ip), who, at)
}

// announcement reads what a host says of itself to browsers: an SMB transaction to
// the mailslot \MAILSLOT\BROWSE (MS-CIFS 2.2.4.33, MS-MAIL 2.2.1, MS-BRWS 2.2.1).
func announcement(smb []byte) (string, bool) {
	const dataOffset = 32 + 1 + 24 // header, word count, DataOffset among the words
	if len(smb) < dataOffset+2 || !bytes.HasPrefix(smb, []byte("\xffSMB\x25")) {
		return "", false
	}
	at := int(binary.LittleEndian.Uint16(smb[dataOffset:]))
	if at > len(smb) || !bytes.Contains(smb[:at], []byte(`\MAILSLOT\BROWSE`)) {
		return "", false
	}
	m := smb[at:]
	if len(m) < 28 || m[0] != hostAnnouncement && m[0] != localMasterAnnouncement {
		return "", false
	}
	kind := binary.LittleEndian.Uint32(m[24:])
	for _, r := range browserRoles {
		if kind&r.bit != 0 {
			return fmt.Sprintf("%s, version %d.%d", r.name, m[22], m[23]), true
		}
	}
	return fmt.Sprintf("version %d.%d", m[22], m[23]), true
}
