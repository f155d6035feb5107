package xca

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// ProtocolID is how a message with a compression transform header starts.
const ProtocolID = "\xfcSMB"

const (
	headerSize  = 16 // SMB2_COMPRESSION_TRANSFORM_HEADER_UNCHAINED
	chainStart  = 8  // where the payload headers of a chain start
	flagChained = 1
)

// Message appends the plain SMB2 message in transform to dst. transform is the
// whole message from its ProtocolID on (MS-SMB2 2.2.42.1 or, chained,
// 2.2.42.2). A message that says that it is longer than max, or whose payloads
// do not give the size that it says, is an error; dst is then given back as it
// was.
func Message(dst, transform []byte, max int) ([]byte, error) {
	if len(transform) < headerSize || !bytes.HasPrefix(transform, []byte(ProtocolID)) {
		return dst, fmt.Errorf("compressed message: %d bytes that start with % x are no compression transform header of %d",
			len(transform), transform[:min(len(transform), 4)], headerSize)
	}
	size := int64(binary.LittleEndian.Uint32(transform[4:]))
	flags := binary.LittleEndian.Uint16(transform[10:])
	prefix := int64(0)
	if flags&flagChained == 0 {
		prefix = int64(binary.LittleEndian.Uint32(transform[12:]))
	}
	if prefix+size > int64(max) {
		return dst, fmt.Errorf("compressed message: it would be %d bytes long, the limit is %d", prefix+size, max)
	}
	var out []byte
	var err error
	if flags&flagChained == 0 {
		out, err = unchained(dst, transform, int(prefix), int(size))
	} else {
		out, err = chained(dst, transform, int(size))
	}
	if err != nil {
		return dst, fmt.Errorf("compressed message: %w", err)
	}
	if got := len(out) - len(dst); int64(got) != prefix+size {
		return dst, fmt.Errorf("compressed message: it says %d bytes, but holds %d", prefix+size, got)
	}
	return out, nil
}

// unchained is a plain prefix and one payload. None is no algorithm here.
func unchained(dst, transform []byte, prefix, size int) ([]byte, error) {
	alg := binary.LittleEndian.Uint16(transform[8:])
	if body := transform[headerSize:]; prefix > len(body) {
		return dst, fmt.Errorf("its payload would start %d bytes after the header, but %d follow", prefix, len(body))
	}
	if alg == None || alg == PatternV1 {
		return dst, fmt.Errorf("an unchained message with algorithm %d, which needs a chain", alg)
	}
	start := headerSize + prefix
	dst = append(dst, transform[headerSize:start]...)
	return Decompress(dst, alg, transform[start:], size)
}

// chained is payloads, each with a header (MS-SMB2 2.2.42.2.1), that together
// give size bytes.
func chained(dst, transform []byte, size int) ([]byte, error) {
	end := len(dst) + size
	for at := chainStart; at < len(transform); {
		h := transform[at:]
		if len(h) < 8 {
			return dst, fmt.Errorf("byte %d: the payload header is cut short", at)
		}
		alg, n := binary.LittleEndian.Uint16(h), int64(binary.LittleEndian.Uint32(h[4:]))
		if n > int64(len(h)-8) {
			return dst, fmt.Errorf("byte %d: a payload of %d bytes, but %d follow", at, n, len(h)-8)
		}
		var err error
		if dst, err = payload(dst, alg, h[8:8+n], end-len(dst)); err != nil {
			return dst, fmt.Errorf("byte %d: %w", at, err)
		}
		at += 8 + int(n)
	}
	return dst, nil
}

// payload is one payload of a chain, room the bytes that may still come. All
// algorithms but None and Pattern_V1 have the original size in front.
func payload(dst []byte, alg uint16, b []byte, room int) ([]byte, error) {
	if alg == None || alg == PatternV1 {
		return Decompress(dst, alg, b, room)
	}
	if len(b) < 4 {
		return dst, fmt.Errorf("a payload of %d bytes has no original size", len(b))
	}
	size := int64(binary.LittleEndian.Uint32(b))
	if size > int64(room) {
		return dst, fmt.Errorf("a payload of %d bytes, but the message has %d left", size, room)
	}
	return Decompress(dst, alg, b[4:], int(size))
}
