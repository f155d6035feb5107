package synth

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Contents of files, as far as their type can be told from their bytes. All are
// made from the Net's random numbers.

var words = strings.Fields(`the quarter report shows stable demand in all regions while delivery times grew
	by two days plans for the new site are with the council and the order of pumps was confirmed please check
	figures before Thursday budget meeting room north customers asked about spare parts stock and prices`)

// Text is plain text of about a size in bytes.
func (n *Net) Text(size int) []byte {
	var b bytes.Buffer
	for line := 0; b.Len() < size; {
		w := words[n.Intn(len(words))]
		b.WriteString(w)
		if line += len(w) + 1; line > 70 {
			b.WriteString("\r\n")
			line = 0
			continue
		}
		b.WriteByte(' ')
	}
	return b.Bytes()[:size]
}

// CSV is a table of about a size in bytes.
func (n *Net) CSV(size int) []byte {
	b := bytes.NewBufferString("day;article;pieces;price\r\n")
	for i := 1; b.Len() < size; i++ {
		fmt.Fprintf(b, "2026-03-%02d;P-%04d;%d;%d.%02d\r\n", 1+i%28, n.Intn(10000), 1+n.Intn(90), n.Intn(400), n.Intn(100))
	}
	return b.Bytes()
}

// PDF begins and ends like a PDF; the middle is a stream of random bytes.
func (n *Net) PDF(size int) []byte {
	b := bytes.NewBufferString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")
	fmt.Fprintf(b, "<< /Length %d >>\nstream\n", size)
	b.Write(n.Bytes(size))
	b.WriteString("\nendstream\nendobj\ntrailer\n<< /Size 2 >>\n%%EOF\n")
	return b.Bytes()
}

// PNG has the chunks of a picture; its pixels are random bytes.
func (n *Net) PNG(size int) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	b = pngChunk(b, "IHDR", []byte{0, 0, 0, 64, 0, 0, 0, 64, 8, 2, 0, 0, 0})
	b = pngChunk(b, "IDAT", n.Bytes(max(size-57, 0)))
	return pngChunk(b, "IEND", nil)
}

func pngChunk(b []byte, kind string, data []byte) []byte {
	b = be32(b, uint32(len(data)))
	at := len(b)
	b = append(append(b, kind...), data...)
	return be32(b, crc32.ChecksumIEEE(b[at:]))
}

// Zip is an archive of one stored file of a size in bytes.
func (n *Net) Zip(name string, size int) []byte {
	return zipOf([]zipEntry{{name, n.Bytes(size)}})
}

// DOCX is an archive with the members by which an office document is known.
func (n *Net) DOCX(size int) []byte {
	types := `<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`
	return zipOf([]zipEntry{{"[Content_Types].xml", []byte(types)}, {"word/document.xml", n.Text(size)}})
}

type zipEntry struct {
	name string
	data []byte
}

// zipOf stores members without compression, whose result no release of a
// compressor changes.
func zipOf(entries []zipEntry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Store})
		if err == nil {
			_, err = io.Copy(f, bytes.NewReader(e.data))
		}
		if err != nil {
			panic(err) // memory does not fail
		}
	}
	w.Close()
	return b.Bytes()
}

// PE is a Windows program of a size in bytes, at least 2 KiB: well-formed
// headers, a section of code that only returns 0, and a section of random
// bytes. It does nothing when it is run.
func (n *Net) PE(size int) []byte {
	const aligned = 0x200
	data := (max(size, 4*aligned) - 2*aligned) / aligned * aligned
	var p pack
	p.bytes([]byte("MZ"))
	p.zero(58)
	p.u32(64) // where the PE header is
	p.bytes([]byte("PE\x00\x00"))
	p.u16(0x8664, 2)
	p.u32(0x69B80000, 0, 0)
	p.u16(240, 0x0022)
	p.peOptional(data)
	p.peSection(".text", aligned, 0x1000, aligned, 0x60000020)
	p.peSection(".rdata", data, 0x2000, 2*aligned, 0x40000040)
	p.align(aligned)
	p.bytes([]byte{0x31, 0xC0, 0xC3}) // xor eax, eax; ret
	p.align(aligned)
	p.bytes(n.Bytes(data))
	return p
}

// peOptional is the optional header of a 64-bit console program.
func (p *pack) peOptional(data int) {
	image := uint32(0x2000 + (data+0xFFF)&^0xFFF)
	p.u16(0x020B, 14)
	p.u32(0x200, uint32(data), 0, 0x1000, 0x1000) // sizes, entry point, base of code
	p.u64(0x140000000)
	p.u32(0x1000, 0x200)
	p.u16(6, 0, 0, 0, 6, 0)
	p.u32(0, image, 0x200, 0)
	p.u16(3, 0x8160)
	p.u64(0x100000, 0x1000, 0x100000, 0x1000)
	p.u32(0, 16)
	p.zero(16 * 8)
}

func (p *pack) peSection(name string, size, address, at int, flags uint32) {
	var n [8]byte
	copy(n[:], name)
	p.bytes(n[:])
	p.u32(uint32(size), uint32(address), uint32(size), uint32(at), 0, 0, 0, flags)
}

// ELF begins like a 64-bit Linux program.
func (n *Net) ELF(size int) []byte {
	b := []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00")
	b = binary.LittleEndian.AppendUint32(b, 1)
	return append(b, n.Bytes(max(size-len(b), 0))...)
}
