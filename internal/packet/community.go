package packet

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"

	"waybill/internal/model"
)

// CommunityID is the Community ID v1 of a TCP or UDP flow, with seed 0: the
// same for both directions (github.com/corelight/community-id-spec).
func CommunityID(proto uint8, src, dst model.Addr, srcPort, dstPort uint16) string {
	a, b := src[:], dst[:]
	if isV4(a) && isV4(b) {
		a, b = a[12:], b[12:]
	}
	if c := bytes.Compare(a, b); c > 0 || c == 0 && srcPort > dstPort {
		a, b, srcPort, dstPort = b, a, dstPort, srcPort
	}
	text := append([]byte{0, 0}, a...)
	text = append(text, b...)
	text = append(text, proto, 0)
	text = binary.BigEndian.AppendUint16(text, srcPort)
	text = binary.BigEndian.AppendUint16(text, dstPort)
	sum := sha1.Sum(text)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}
