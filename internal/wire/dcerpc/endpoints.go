package dcerpc

import (
	"encoding/binary"
)

// Endpoint is where an interface is called over TCP.
type Endpoint struct {
	Interface string
	Port      uint16
}

// maxTowers bounds the answers that are read of one call.
const maxTowers = 64

// Endpoints tells what the endpoint mapper answers to ept_map (C706 appendix O): the
// ports of interfaces; nil for all other calls.
func Endpoints(call Call) []Endpoint {
	if call.Name != "epm" || call.Opnum != 3 || call.Sealed || !call.HaveResponse || call.Fault != 0 {
		return nil
	}
	r := newNDR(call.Response, call.ResponseBigEndian, call.NDR64)
	r.handle()
	r.u32()  // towers
	r.size() // of the array
	r.size() // offset
	count := min(r.size(), maxTowers)
	present := 0
	for range count {
		if r.size() != 0 {
			present++
		}
	}
	var out []Endpoint
	for range present {
		r.size()
		if e, ok := tower(r.take(uint64(r.u32()), 1)); ok {
			out = append(out, e)
		}
	}
	return out
}

// Protocols of the floors of a tower (C706 appendix I).
const (
	floorUUID = 0x0d
	floorTCP  = 0x07
)

// tower reads a stack of protocols (C706 appendix L), whose lengths are little-endian:
// the interface on the first floor, a port on the fourth.
func tower(b []byte) (e Endpoint, ok bool) {
	if len(b) < 2 {
		return e, false
	}
	floors, b := binary.LittleEndian.Uint16(b), b[2:]
	for i := range min(floors, 6) {
		left, rest, ok := counted(b)
		right, after, ok2 := counted(rest)
		if !ok || !ok2 || len(left) == 0 {
			return e, false
		}
		b = after
		switch {
		case i == 0 && left[0] == floorUUID && len(left) >= 17:
			e.Interface = pdu{b: left}.uuid(1)
		case left[0] == floorTCP && len(right) == 2:
			e.Port = binary.BigEndian.Uint16(right)
		}
	}
	return e, e.Interface != "" && e.Port != 0
}

// counted cuts off bytes behind their length.
func counted(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.LittleEndian.Uint16(b))
	if n > len(b)-2 {
		return nil, nil, false
	}
	return b[2 : 2+n], b[2+n:], true
}
