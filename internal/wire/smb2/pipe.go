package smb2

import (
	"waybill/internal/wire"
	"waybill/internal/wire/rpc"
)

// pipe is an open of a named pipe: no transfer, but what is called through it
// is evidence.
type pipe struct {
	open    *open
	conn    *conn // of the last message
	at      place // the last message
	calls   *rpc.Calls
	losses  int
	ordinal int
}

func newPipe(o *open) *pipe {
	x := &pipe{open: o, losses: o.session.losses}
	x.calls = rpc.New(o.p.env, &o.session.services, x.access)
	x.calls.Pipe(o.path)
	return x
}

// unclear says that it is not known yet whether the open is a pipe: its CREATE
// was not seen and no data either.
func (o *open) unclear() bool {
	return !o.known && o.tree.kind != shareDisk && o.tree.kind != sharePrint && o.read == nil && o.write == nil
}

// isPipe looks at the first data of an open of which it is not known what it is:
// a DCE-RPC message of version 5 (C706 12.6.3.1) makes it a pipe.
func (o *open) isPipe(b []byte) bool {
	if o.pipe == nil && o.unclear() && len(b) >= 16 && b[0] == 5 && b[1] <= 1 && b[2] <= 19 && b[3] != 0 {
		o.pipe = newPipe(o)
	}
	return o.pipe != nil
}

// opened reports the open.
func (x *pipe) opened(o *open, at place) {
	a := o.session.access(o.conn, "pipe-open", o.at, 0)
	a.Share, a.Object = o.tree.share, o.path
	a.Seen.Add(at.last)
	o.p.env.Access(a)
}

// written takes what the client wrote, by WRITE or as the input of a transceive.
func (x *pipe) written(b []byte, r *request) {
	at := r.at
	at.last = r.at.first
	x.feed(true, b, r.c, at)
}

// read takes what the client read.
func (x *pipe) read(b []byte, r *request, at place) {
	x.feed(false, b, r.c, at)
}

func (x *pipe) feed(fromClient bool, b []byte, c *conn, at place) {
	if x.losses != x.open.session.losses {
		x.losses = x.open.session.losses
		x.calls.Lost(true)
		x.calls.Lost(false)
	}
	x.conn, x.at, x.ordinal = c, at, 0
	x.calls.Feed(fromClient, b)
}

// close hands out the calls without an answer.
func (x *pipe) close() { x.calls.Close() }

// access starts an access record of the message under way.
func (x *pipe) access(what string) *wire.Access {
	c := x.conn
	if c == nil {
		c = x.open.conn
	}
	x.ordinal++
	a := x.open.session.access(c, what, x.at, x.ordinal)
	a.Share = x.open.tree.share
	if a.Object == "" {
		a.Object = x.open.path
	}
	return a
}
