package synth

// SMB1Pipe is a named pipe on the session's server.
type SMB1Pipe struct{ o *SMB1Open }

// Pipe opens a named pipe; the tree must be IPC$.
func (t *SMB1Tree) Pipe(name string) *SMB1Pipe {
	o := t.newOpen(name, 0)
	t.s.call(t.id, 0, t.creating(o.Path, 0x0002019F, OpenExisting), t.created(o, 1, 2))
	return &SMB1Pipe{o}
}

// RPC calls procedures through the pipe.
func (p *SMB1Pipe) RPC(o RPCOptions) *RPC {
	s := p.o.t.s
	return &RPC{RPCOptions: o, net: s.net, client: s.Client, server: s.Server, carrier: p}
}

// messageStart is the write mode of a message to a pipe (MS-CIFS 2.2.4.43.1).
const messageStart = 8

// bound sends with a WRITE_ANDX and asks with a READ_ANDX, as Windows does for binds.
func (p *SMB1Pipe) bound(request, response []byte) {
	o, s := p.o, p.o.t.s
	block := o.write(0, request)
	block.words[14] = messageStart
	done := andX()
	done.u16(uint16(len(request)), 0xFFFF, 0, 0)
	s.call(o.t.id, 0, block, smb1Block{command: smb1WriteAndX, words: done})
	if response == nil {
		return
	}
	o.content = response
	s.call(o.t.id, 0, o.asking(0, 1024), o.giving(0, int64(len(response))))
}

// transactPipe is TRANS_TRANSACT_NMPIPE (MS-CIFS 2.2.5.6).
const transactPipe = 0x26

// called is one call in one transaction on the pipe.
func (p *SMB1Pipe) called(request, response []byte) {
	p.o.t.s.transact(p.o.t.id, smb1Transaction{command: smb1Trans, name: `\PIPE\`, setup: []uint16{transactPipe, p.o.id}, data: request},
		smb1Transaction{command: smb1Trans, data: response})
}

func (p *SMB1Pipe) end() { p.o.shut() }

// StartService creates a service with a command on the session's server and starts
// it.
func (s *SMB1) StartService(name, display, command string) {
	ipc := s.Tree("IPC$")
	c := ipc.Pipe("svcctl").RPC(RPCOptions{})
	c.startService(name, display, command)
	c.Close()
	ipc.Disconnect()
	s.net.serviceStarted(s.Client, s.Server, s.User, name, command)
}
