package synth

import (
	"unicode/utf16"
)

// rpcInterface is an interface's UUID in wire order and its version.
type rpcInterface struct {
	uuid    [16]byte
	version uint32
}

// The interfaces of service control (MS-SCMR 1.9) and of NDR (C706).
var (
	svcctl = rpcInterface{[16]byte{0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03}, 2}
	ndr    = rpcInterface{[16]byte{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}, 2}
)

// The DCE-RPC packet types (C706 12.6.4.1).
const (
	rpcRequest  = 0
	rpcResponse = 2
	rpcBind     = 11
	rpcBindAck  = 12
)

// Pipe is a named pipe that carries DCE-RPC.
type Pipe struct {
	o     *Open
	calls uint32
}

// Pipe opens a named pipe; the tree must be IPC$.
func (t *Tree) Pipe(name string) *Pipe {
	o := t.newOpen(name, 0)
	o.pipe = true
	t.s.channels[0].call(smbCreate, t.id, createRequest(name, 0x0012019F, OpenExisting), createResponse(o, 1))
	return &Pipe{o: o}
}

// Close closes the pipe.
func (p *Pipe) Close() { p.o.call(smbClose, closeRequest(p.o.id, false), closeResponse(p.o, false)) }

// bind agrees on an interface, with a WRITE and a READ as Windows does.
func (p *Pipe) bind(i rpcInterface) {
	p.calls++
	var ask, answer pack
	ask.u16(4280, 4280)
	ask.u32(0)
	ask.u8(1, 0, 0, 0)
	ask.u16(0, 1)
	ask.bytes(i.uuid[:])
	ask.u32(i.version)
	ask.bytes(ndr.uuid[:])
	ask.u32(ndr.version)

	address := []byte("\\PIPE\\ntsvcs\x00")
	answer.u16(4280, 4280)
	answer.u32(0x5C71)
	answer.u16(uint16(len(address)))
	answer.bytes(address)
	for (len(answer)+16)%4 != 0 {
		answer.u8(0)
	}
	answer.u8(1, 0, 0, 0)
	answer.u16(0, 0)
	answer.bytes(ndr.uuid[:])
	answer.u32(ndr.version)

	o, ch := p.o, p.o.t.s.channels[0]
	request, response := rpcPDU(rpcBind, p.calls, ask), rpcPDU(rpcBindAck, p.calls, answer)
	o.call(smbWrite, append(writeRequest(o.id, 0, len(request)), request...), writeResponse(len(request)))
	id := ch.ask(smbMessage{command: smbRead, tree: o.t.id, body: readRequest(o.id, 0, 1024)})
	ch.answer(smbMessage{command: smbRead, tree: o.t.id, id: id, body: readResponse(len(response)), data: response})
}

// call is one RPC in one FSCTL_PIPE_TRANSCEIVE.
func (p *Pipe) call(opnum uint16, arguments, results []byte) {
	p.calls++
	var ask, answer pack
	ask.u32(uint32(len(arguments)))
	ask.u16(0, opnum)
	ask.bytes(arguments)
	answer.u32(uint32(len(results)), 0)
	answer.bytes(results)
	o := p.o
	o.call(smbIoctl,
		ioctlRequest(o.id, fsctlPipeTransceive, rpcPDU(rpcRequest, p.calls, ask)),
		ioctlResponse(o.id, fsctlPipeTransceive, rpcPDU(rpcResponse, p.calls, answer)))
}

// rpcPDU adds the common header (C706 12.6.3.1).
func rpcPDU(kind uint8, call uint32, body []byte) []byte {
	p := pack{5, 0, kind, 3, 0x10, 0, 0, 0}
	p.u16(uint16(16+len(body)), 0)
	p.u32(call)
	p.bytes(body)
	return p
}

// ndrString is a conformant and varying string with its final zero.
func (p *pack) ndrString(s string) {
	u := append(utf16.Encode([]rune(s)), 0)
	p.u32(uint32(len(u)), 0, uint32(len(u)))
	p.u16(u...)
	p.align(4)
}

// ndrPointer is a unique pointer to such a string.
func (p *pack) ndrPointer(s string) {
	p.u32(0x00020000)
	p.ndrString(s)
}
