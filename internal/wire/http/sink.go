package http

import "waybill/internal/wire"

// sink takes the bytes of one body, in order.
type sink interface {
	write(c wire.Chunk)
	// lose says that the next n bytes were not seen.
	lose(n int64)
	// close says that the body is over.
	close(e closing)
}

// closing says how a body ended.
type closing struct {
	size int64  // its length, -1 when unknown
	why  string // why it cannot be whole, "" when it can
	cut  bool   // the connection ended before the body did
}
