package synth

// smb1Transaction is a request or answer of TRANSACTION or TRANSACTION2.
type smb1Transaction struct {
	command      uint8
	name         string // of TRANSACTION
	setup        []uint16
	params, data []byte
}

// transact sends a transaction and its answer. Where Part is set, what is longer
// goes in several messages, after the server asked for the rest (MS-CIFS
// 3.2.4.1.5).
func (s *SMB1) transact(tree uint16, ask, answer smb1Transaction) {
	parts := ask.parts(s.part())
	mid := s.ask(tree, s.asking(ask, parts[0]))
	if len(parts) > 1 {
		s.answer(mid, tree, 0, smb1Block{command: ask.command})
	}
	for _, p := range parts[1:] {
		s.send(Client, mid, tree, 0, []smb1Block{s.secondary(ask, p)})
	}
	for _, p := range answer.parts(s.part()) {
		s.answer(mid, tree, 0, s.answering(answer, p))
	}
}

// part is how many bytes of a transaction one message holds.
func (s *SMB1) part() int {
	if s.Part == 0 {
		return 1 << 20
	}
	return s.Part
}

// transPart is the stretches of parameters and data that one message holds.
type transPart struct{ params, data span }

// parts cuts parameters and data, in this order, into messages.
func (t smb1Transaction) parts(size int) []transPart {
	var out []transPart
	p, d := int64(len(t.params)), int64(len(t.data))
	for at := int64(0); at < p+d || at == 0; at += int64(size) {
		end := min(at+int64(size), p+d)
		out = append(out, transPart{span{min(at, p), min(end, p)}, span{max(at, p) - p, max(end, p) - p}})
	}
	return out
}

func (x span) of(b []byte) []byte { return b[x.from:x.to] }

func (x span) len() uint16 { return uint16(x.to - x.from) }

// laid lays a part's bytes out behind n words and a name: each at a multiple of 4
// from the header.
func (t smb1Transaction) laid(p transPart, words int, name []byte) (data []byte, paramsAt, dataAt uint16) {
	base := smb1HeaderLen + 1 + 2*words + 2
	align := func() {
		for (base+len(data))%4 != 0 {
			data = append(data, 0)
		}
	}
	data = append(data, name...)
	align()
	paramsAt = uint16(base + len(data))
	data = append(data, p.params.of(t.params)...)
	align()
	dataAt = uint16(base + len(data))
	return append(data, p.data.of(t.data)...), paramsAt, dataAt
}

// asking is the first request of a transaction (MS-CIFS 2.2.4.33.1, 2.2.4.46.1).
func (s *SMB1) asking(t smb1Transaction, p transPart) smb1Block {
	words := 14 + len(t.setup)
	name := []byte{0}
	if t.name != "" {
		name = s.text(t.name)
		if !s.OEM { // the data begin at an odd offset
			name = append([]byte{0}, name...)
		}
	}
	data, paramsAt, dataAt := t.laid(p, words, name)
	var w pack
	w.u16(uint16(len(t.params)), uint16(len(t.data)), 64, 16644)
	w.u8(0, 0)
	w.u16(0)
	w.u32(0)
	w.u16(0, p.params.len(), paramsAt, p.data.len(), dataAt)
	w.u8(uint8(len(t.setup)), 0)
	w.u16(t.setup...)
	return smb1Block{command: t.command, words: w, head: data}
}

// secondary is a later request (MS-CIFS 2.2.4.34.1, 2.2.4.47.1).
func (s *SMB1) secondary(t smb1Transaction, p transPart) smb1Block {
	words := 8
	if t.command == smb1Trans2 {
		words++
	}
	data, paramsAt, dataAt := t.laid(p, words, nil)
	var w pack
	w.u16(uint16(len(t.params)), uint16(len(t.data)), p.params.len(), paramsAt, uint16(p.params.from), p.data.len(), dataAt, uint16(p.data.from))
	if t.command == smb1Trans2 {
		w.u16(0xFFFF)
	}
	return smb1Block{command: t.command + 1, words: w, head: data}
}

// answering is one answer (MS-CIFS 2.2.4.33.2).
func (s *SMB1) answering(t smb1Transaction, p transPart) smb1Block {
	data, paramsAt, dataAt := t.laid(p, 10, nil)
	var w pack
	w.u16(uint16(len(t.params)), uint16(len(t.data)), 0, p.params.len(), paramsAt, uint16(p.params.from), p.data.len(), dataAt, uint16(p.data.from))
	w.u8(0, 0)
	return smb1Block{command: t.command, words: w, head: data}
}

// The subcommands of TRANSACTION2 and the levels that are used (MS-CIFS 2.2.6,
// MS-SMB 2.2.2.3.5).
const (
	trans2Open        = 0x00
	trans2QueryFile   = 0x07
	trans2SetFile     = 0x08
	levelEnd          = 0x0104
	levelRename       = 1010
	levelStandardInfo = 0x0102
)

// setInfo is TRANS2_SET_FILE_INFORMATION (MS-CIFS 2.2.6.9).
func (o *SMB1Open) setInfo(level uint16, data []byte) {
	var params pack
	params.u16(o.id, level, 0)
	o.t.s.transact(o.t.id, smb1Transaction{command: smb1Trans2, setup: []uint16{trans2SetFile}, params: params, data: data},
		smb1Transaction{command: smb1Trans2, params: []byte{0, 0}})
}

// SetEnd sets the end of the file.
func (o *SMB1Open) SetEnd(size int64) {
	var info pack
	info.u64(uint64(size))
	o.setInfo(levelEnd, info)
	o.setEnd(size)
}

// Rename gives the file another name in its folder (MS-SMB 2.2.8.4).
func (o *SMB1Open) Rename(name string) {
	text := utf16le(name)
	var info pack
	info.u32(0, 0, uint32(len(text)))
	info.bytes(text)
	o.setInfo(levelRename, info)
	in := o.Path[:len(o.Path)-len(lastElement(o.Path))]
	o.Path = in + name
}

// QuerySize asks for the file's standard information (MS-CIFS 2.2.8.3.7).
func (o *SMB1Open) QuerySize() {
	var params, info pack
	params.u16(o.id, levelStandardInfo)
	info.u64(uint64(o.size+4095)&^4095, uint64(o.size))
	info.u32(1)
	info.u8(0, 0)
	o.t.s.transact(o.t.id, smb1Transaction{command: smb1Trans2, setup: []uint16{trans2QueryFile}, params: params},
		smb1Transaction{command: smb1Trans2, params: []byte{0, 0}, data: info})
}

// Open2 opens a file that is there by TRANS2_OPEN2 (MS-CIFS 2.2.6.1).
func (t *SMB1Tree) Open2(path string, content []byte) *SMB1Open {
	o := t.newOpen(path, int64(len(content)))
	o.content = content
	var ask, answer pack
	ask.u16(1, 0x40, 0x16, 0)
	ask.u32(0)
	ask.u16(1)
	ask.u32(0)
	ask.zero(10)
	ask.bytes(t.s.text(o.Path))
	answer.u16(o.id, 0x20)
	answer.u32(0, uint32(o.size))
	answer.u16(0, 0, 0, 1)
	answer.u32(0)
	answer.u16(0)
	answer.u32(0)
	t.s.transact(t.id, smb1Transaction{command: smb1Trans2, setup: []uint16{trans2Open}, params: ask},
		smb1Transaction{command: smb1Trans2, params: answer})
	return o
}
