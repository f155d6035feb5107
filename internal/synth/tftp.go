package synth

import (
	"fmt"
	"strconv"
)

// TFTPOptions are what client and server agree on (RFC 2347 to 2349).
type TFTPOptions struct {
	Block int  // bytes a block; 0 is 512 without the option
	Size  bool // tsize is asked for, or told
}

// The opcodes of TFTP (RFC 1350).
const (
	tftpRead  = 1
	tftpWrite = 2
	tftpData  = 3
	tftpAck   = 4
	tftpOACK  = 6
)

// TFTPGet fetches a file, TFTPPut sends one.
func (n *Net) TFTPGet(client, server *Host, name string, content []byte, o TFTPOptions) {
	n.tftp(tftpRead, client, server, name, content, o)
	n.Truth.Moved = append(n.Truth.Moved, pulled(client, server, "tftp", name, content))
}

// TFTPPut sends a file.
func (n *Net) TFTPPut(client, server *Host, name string, content []byte, o TFTPOptions) {
	n.tftp(tftpWrite, client, server, name, content, o)
	n.Truth.Moved = append(n.Truth.Moved, pushed(client, server, "tftp", name, content))
}

// tftp is a whole exchange: the request goes to port 69, the answers come from
// another.
func (n *Net) tftp(op uint16, client, server *Host, name string, content []byte, o TFTPOptions) {
	sender, told := Server, 0
	if op == tftpWrite {
		sender, told = Client, len(content)
	}
	u := n.UDP(client, server, 69)
	u.Client(fmt.Appendf(be16(nil, op), "%s\x00octet\x00%s", name, o.text(told)))
	u.ports[Server] = server.ephemeral()
	answer := o.text(len(content))
	switch {
	case answer != "":
		u.Server(append(be16(nil, tftpOACK), answer...))
		if op == tftpRead {
			u.Client(be16(nil, tftpAck, 0))
		}
	case op == tftpWrite:
		u.Server(be16(nil, tftpAck, 0))
	}
	size := o.blockSize()
	for at, block := 0, uint16(1); at <= len(content); at, block = at+size, block+1 {
		u.send(sender, append(be16(nil, tftpData, block), content[at:min(at+size, len(content))]...))
		u.send(sender.other(), be16(nil, tftpAck, block))
	}
}

func (o TFTPOptions) blockSize() int {
	if o.Block == 0 {
		return 512
	}
	return o.Block
}

// text are the options with their values, each ended by a zero.
func (o TFTPOptions) text(size int) string {
	s := ""
	if o.Block != 0 {
		s += "blksize\x00" + strconv.Itoa(o.Block) + "\x00"
	}
	if o.Size {
		s += "tsize\x00" + strconv.Itoa(size) + "\x00"
	}
	return s
}
