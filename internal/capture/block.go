package capture

import (
	"sync"
	"sync/atomic"
)

// DefaultBlockSize is large enough to read at memory speed and small enough to
// stay in a second-level cache while it is decoded.
const DefaultBlockSize = 1 << 20

// Block is memory that holds frames. It goes back to its pool when all that
// retained it released it.
type Block struct {
	pool *BlockPool
	refs atomic.Int32
	own  []byte // of the pool's block size
	data []byte // own, or larger memory for one long record
}

// Retain keeps the block's memory until a matching Release.
func (b *Block) Retain() { b.refs.Add(1) }

// Release undoes one Retain, or the reference that came with a batch.
func (b *Block) Release() {
	n := b.refs.Add(-1)
	if n == 0 {
		b.pool.put(b)
	}
	if n < 0 {
		panic("capture: block released more often than retained")
	}
}

// BlockPool bounds the memory that readers fill: it makes up to a limit of blocks and
// then lets readers wait for one that comes back. Readers may share a pool.
type BlockPool struct {
	size  int
	limit int

	mu     sync.Mutex
	back   sync.Cond
	free   []*Block // last in, first out: the warmest memory is used first
	made   int
	closed bool
}

// NewBlockPool makes a pool of at most limit blocks of size bytes (0: the default
// size). A reader holds one block and takes a second while it moves on, so limit
// is at least 2 for each reader, and what the consumers retain comes on top.
func NewBlockPool(size, limit int) *BlockPool {
	if size <= 0 {
		size = DefaultBlockSize
	}
	p := &BlockPool{size: size, limit: max(limit, 2)}
	p.back.L = &p.mu
	return p
}

// get waits for a block that holds at least n bytes; nil when the pool was closed.
func (p *BlockPool) get(n int) *Block {
	b := p.take()
	if b == nil {
		return nil
	}
	if b.own == nil {
		b.own = make([]byte, p.size)
	}
	b.data = b.own
	if n > p.size {
		b.data = make([]byte, n)
	}
	b.refs.Store(1)
	return b
}

func (p *BlockPool) take() *Block {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) == 0 && p.made == p.limit && !p.closed {
		p.back.Wait()
	}
	if p.closed {
		return nil
	}
	if len(p.free) == 0 {
		p.made++
		return &Block{pool: p}
	}
	b := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	return b
}

func (p *BlockPool) put(b *Block) {
	b.data = nil // a long record's memory is not kept
	p.mu.Lock()
	p.free = append(p.free, b)
	p.mu.Unlock()
	p.back.Signal()
}

// Close wakes the readers that wait for a block; they and all later ones end
// with ErrPoolClosed. Blocks that are held stay valid.
func (p *BlockPool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.back.Broadcast()
}
