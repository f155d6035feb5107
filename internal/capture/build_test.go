package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
)

// variant is one way to write a capture.
type variant struct {
	name  string
	order binary.AppendByteOrder
	magic uint32
	pad   int // bytes of a record header beyond the usual 16
}

var variants = []variant{
	{"us little", binary.LittleEndian, 0xA1B2C3D4, 0},
	{"us big", binary.BigEndian, 0xA1B2C3D4, 0},
	{"ns little", binary.LittleEndian, 0xA1B23C4D, 0},
	{"ns big", binary.BigEndian, 0xA1B23C4D, 0},
	{"modified little", binary.LittleEndian, 0xA1B2CD34, 8},
	{"modified big", binary.BigEndian, 0xA1B2CD34, 8},
}

// sample is a packet to write.
type sample struct {
	sec, frac uint32
	data      []byte
	length    uint32
}

// samples makes n packets of growing length, a microsecond apart.
func samples(n int) []sample {
	out := make([]sample, n)
	for i := range out {
		data := make([]byte, 40+i%50)
		for j := range data {
			data[j] = byte(i*7 + j)
		}
		out[i] = sample{1_700_000_000, uint32(i), data, uint32(len(data) + i%3)}
	}
	return out
}

func (v variant) fileHeader(link uint32) []byte {
	b := v.order.AppendUint32(nil, v.magic)
	b = v.order.AppendUint16(b, 2)
	b = v.order.AppendUint16(b, 4)
	for _, field := range []uint32{0, 0, MaxFrame, link} {
		b = v.order.AppendUint32(b, field)
	}
	return b
}

func (v variant) record(s sample) []byte {
	var b []byte
	for _, field := range []uint32{s.sec, s.frac, uint32(len(s.data)), s.length} {
		b = v.order.AppendUint32(b, field)
	}
	b = append(b, make([]byte, v.pad)...)
	return append(b, s.data...)
}

// pcapFile writes a capture and gives the offset of each record, and of the end.
func (v variant) pcapFile(list []sample) (file []byte, at []int) {
	file = v.fileHeader(1)
	for _, s := range list {
		at = append(at, len(file))
		file = append(file, v.record(s)...)
	}
	return file, append(at, len(file))
}

// ngOrder writes pcapng blocks.
type ngOrder struct{ binary.AppendByteOrder }

var (
	ngLittle = ngOrder{binary.LittleEndian}
	ngBig    = ngOrder{binary.BigEndian}
)

func (o ngOrder) block(kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b := o.AppendUint32(nil, kind)
	b = o.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return o.AppendUint32(b, uint32(len(body)+12))
}

func (o ngOrder) section() []byte {
	b := o.AppendUint32(nil, byteOrderMagic)
	b = o.AppendUint32(b, 1<<16) // version
	return o.block(sectionHeader, o.AppendUint64(b, ^uint64(0)))
}

func (o ngOrder) option(code uint16, value []byte) []byte {
	b := o.AppendUint16(nil, code)
	b = o.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func (o ngOrder) netInterface(link uint16, snaplen uint32, options ...byte) []byte {
	b := o.AppendUint16(nil, link)
	b = o.AppendUint16(b, 0)
	b = o.AppendUint32(b, snaplen)
	return o.block(interfaceDescription, append(b, options...))
}

func (o ngOrder) enhanced(id uint32, ticks uint64, data []byte, length uint32, options ...byte) []byte {
	b := o.AppendUint32(nil, id)
	return o.block(enhancedPacket, append(o.packet(b, ticks, data, length), options...))
}

func (o ngOrder) packet(b []byte, ticks uint64, data []byte, length uint32) []byte {
	b = o.AppendUint32(b, uint32(ticks>>32))
	b = o.AppendUint32(b, uint32(ticks))
	b = o.AppendUint32(b, uint32(len(data)))
	b = o.AppendUint32(b, length)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// ngFile writes a section of one interface and gives the offset of each packet, and of the end.
func (o ngOrder) ngFile(list []sample) (file []byte, at []int) {
	file = append(o.section(), o.netInterface(1, 0)...)
	for _, s := range list {
		at = append(at, len(file))
		file = append(file, o.enhanced(0, uint64(s.sec)*1e6+uint64(s.frac), s.data, s.length)...)
	}
	return file, append(at, len(file))
}

// result is all that a reader gave, copied.
type result struct {
	frames  []string
	damages []Damage
	bytes   int64
}

// readAll reads a capture to its end. It fails the test when a block is not given back.
func readAll(t testing.TB, src io.Reader, blockSize int) result {
	t.Helper()
	pool := NewBlockPool(blockSize, 2)
	r := NewReader(src, pool)
	var res result
	var b Batch
	for {
		err := r.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range b.Frames {
			if f.Len < len(f.Data) {
				t.Fatalf("packet %d: %d bytes captured of %d", f.Number, len(f.Data), f.Len)
			}
			res.frames = append(res.frames, fmt.Sprintf("%d %d %d %v %x", f.Number, f.Time, f.Len, f.Link, f.Data))
		}
		b.Release()
	}
	if err := r.Next(&b); err != io.EOF {
		t.Fatalf("after the end: %v", err)
	}
	if len(pool.free) != pool.made {
		t.Fatalf("%d of %d blocks came back", len(pool.free), pool.made)
	}
	if n := r.Packets(); n != uint64(len(res.frames)) {
		t.Fatalf("Packets says %d, %d came", n, len(res.frames))
	}
	res.damages, res.bytes = r.Damage(), r.Bytes()
	return res
}

func bytewise(r io.Reader) io.Reader { return iotest.OneByteReader(r) }
