package rdp

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"waybill/internal/wire"
)

// Devices that a client announces (MS-RDPEFS 2.2.1.3).
const (
	fileSystem    = 8
	announceHead  = 20
	deviceNameLen = 8

	maxDevices = 256
)

// announced takes the client's list of devices (MS-RDPEFS 2.2.2.9): of each its
// type, id, short name, and the long one of a drive or what else belongs to it.
func (x *drives) announced(b []byte) {
	le := binary.LittleEndian
	for n := le.Uint32(b); n > 0 && len(b) >= 4+announceHead && len(x.devices) < maxDevices; n-- {
		d := b[4:]
		more := int(min(le.Uint32(d[16:]), uint32(len(d)-announceHead)))
		name, _, _ := bytes.Cut(d[8:8+deviceNameLen], []byte{0})
		x.devices[le.Uint32(d[4:])] = &device{kind: le.Uint32(d), name: wire.Printable(strings.TrimSuffix(string(name), ":"))}
		b = b[announceHead+more:]
	}
}

// removed takes the devices that the client takes back (MS-RDPEFS 2.2.3.2).
func (x *drives) removed(b []byte) {
	for n := binary.LittleEndian.Uint32(b); n > 0 && len(b) >= 8; n-- {
		b = b[4:]
		delete(x.devices, binary.LittleEndian.Uint32(b))
	}
}

// device is one device of the client.
type device struct {
	kind uint32
	name string
}

// holdsFiles says whether a device is a drive; one that was never announced can be.
func (x *drives) holdsFiles(id uint32) bool {
	d := x.devices[id]
	return d == nil || d.kind == fileSystem
}

// share is the name of a drive, as in \\tsclient\NAME.
func (x *drives) share(id uint32) string {
	if d := x.devices[id]; d != nil {
		return d.name
	}
	return ""
}

// deviceKinds are the types of devices (MS-RDPEFS 2.2.1.3).
var deviceKinds = map[uint32]string{1: "serial port", 2: "parallel port", 4: "printer", fileSystem: "drive", 32: "smart card"}

// names tells the devices of a session in one order.
func (x *drives) names() string {
	var out []string
	for _, d := range x.devices {
		if kind := deviceKinds[d.kind]; kind != "" {
			out = append(out, strings.TrimSpace(kind+" "+d.name))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
