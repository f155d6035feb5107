package synth

// Pipe is a named pipe on the session's server.
type Pipe struct{ o *Open }

// Pipe opens a named pipe; the tree must be IPC$.
func (t *Tree) Pipe(name string) *Pipe {
	o := t.newOpen(name, 0)
	o.pipe = true
	t.s.channels[0].call(smbCreate, t.id, createRequest(name, 0x0012019F, OpenExisting), createResponse(o, 1))
	return &Pipe{o: o}
}

// Close closes the pipe.
func (p *Pipe) Close() { p.o.call(smbClose, closeRequest(p.o.id, false), closeResponse(p.o, false)) }

// RPC calls procedures through the pipe.
func (p *Pipe) RPC(o RPCOptions) *RPC {
	s := p.o.t.s
	return &RPC{RPCOptions: o, net: s.net, client: s.Client, server: s.Server, carrier: p}
}

// bound sends with a WRITE and asks with a READ, as Windows does for binds.
func (p *Pipe) bound(request, response []byte) {
	o, ch := p.o, p.o.t.s.channels[0]
	o.call(smbWrite, append(writeRequest(o.id, 0, len(request)), request...), writeResponse(len(request)))
	if response == nil {
		return
	}
	id := ch.ask(smbMessage{command: smbRead, tree: o.t.id, body: readRequest(o.id, 0, 1024)})
	ch.answer(smbMessage{command: smbRead, tree: o.t.id, id: id, body: readResponse(len(response)), data: response})
}

// called is one call in one FSCTL_PIPE_TRANSCEIVE.
func (p *Pipe) called(request, response []byte) {
	o := p.o
	o.call(smbIoctl, ioctlRequest(o.id, fsctlPipeTransceive, request), ioctlResponse(o.id, fsctlPipeTransceive, response))
}

func (p *Pipe) end() { p.Close() }
