package xca

// The shape of LZ77+Huffman (MS-XCA 2.1.4, 2.2.4).
const (
	huffmanTable = 256     // bytes: the code lengths of 512 symbols, 4 bits each
	huffmanBlock = 1 << 16 // plain bytes under one table
	maxCode      = 15      // bits
	fastCode     = 10      // bits that one look-up decodes
)

// lz77huffman reads blocks: a table, then symbols, until the block or the output
// is full.
func (w *window) lz77huffman(src []byte) (int, fault) {
	var c codes
	r := bitReader{src: src}
	for !w.full() {
		if len(src)-r.at < huffmanTable {
			return r.at, cut
		}
		if !c.build(src[r.at : r.at+huffmanTable]) {
			return r.at, badTable
		}
		r.at += huffmanTable
		if f := w.huffmanBlock(&r, &c); f != "" {
			return r.at, f
		}
	}
	return r.at, ""
}

func (w *window) huffmanBlock(r *bitReader, c *codes) fault {
	r.start()
	end := len(w.buf) + huffmanBlock
	for len(w.buf) < end && !w.full() {
		symbol, n := c.symbol(r.bits >> (32 - maxCode))
		r.skip(n)
		if r.past > 2 {
			return cut
		}
		if symbol < 256 {
			w.literal(byte(symbol))
			continue
		}
		length, f := r.length(int64(symbol & 15))
		if f != "" {
			return f
		}
		width := int(symbol-256) >> 4
		distance := int(r.bits>>(32-width)) | 1<<width
		r.skip(width)
		if f := w.match(distance, length); f != "" {
			return f
		}
	}
	return ""
}

// codes is a canonical Huffman code of 512 symbols.
type codes struct {
	fast    [1 << fastCode]uint16 // symbol<<4 | length of the code that the bits start with; 0: a longer one
	count   [maxCode + 1]uint32   // codes of each length
	symbols [512]uint16           // by length of code, then by number
}

// build makes the code from its lengths. It is false unless the codes are
// exactly all that fit (MS-XCA 2.2.4).
func (c *codes) build(table []byte) bool {
	c.count = [maxCode + 1]uint32{}
	for _, b := range table {
		c.count[b&15]++
		c.count[b>>4]++
	}
	c.count[0] = 0
	var next [maxCode + 1]uint32 // index of the next symbol of a length
	var used, index uint32
	for n := 1; n <= maxCode; n++ {
		next[n] = index
		index += c.count[n]
		used += c.count[n] << (maxCode - n)
	}
	if used != 1<<maxCode {
		return false
	}
	for i, b := range table {
		c.place(&next, uint16(2*i), b&15)
		c.place(&next, uint16(2*i+1), b>>4)
	}
	c.fill()
	return true
}

func (c *codes) place(next *[maxCode + 1]uint32, symbol uint16, n byte) {
	if n > 0 {
		c.symbols[next[n]] = symbol
		next[n]++
	}
}

// fill makes the fast table: its entries ascend as the codes do.
func (c *codes) fill() {
	at, index := 0, uint32(0)
	for n := 1; n <= fastCode; n++ {
		for range c.count[n] {
			entry := c.symbols[index]<<4 | uint16(n)
			for range 1 << (fastCode - n) {
				c.fast[at] = entry
				at++
			}
			index++
		}
	}
	clear(c.fast[at:])
}

// symbol decodes the code at the front of 15 bits and gives its length.
func (c *codes) symbol(bits uint32) (symbol uint16, n int) {
	if e := c.fast[bits>>(maxCode-fastCode)]; e != 0 {
		return e >> 4, int(e & 15)
	}
	var first, index uint32 // of the codes of n bits
	for n = 1; n < maxCode; n++ {
		first <<= 1
		if code := bits >> (maxCode - n); code-first < c.count[n] {
			return c.symbols[index+code-first], n
		}
		index += c.count[n]
		first += c.count[n]
	}
	return c.symbols[index+bits-first<<1], maxCode
}

// bitReader reads 16-bit words, highest bit first. The bytes of long lengths lie
// between the words, at the place where the next word would be read: so the
// reader must be as many words ahead as every other implementation is.
type bitReader struct {
	src   []byte
	at    int
	bits  uint32 // the next bits, at least 16
	extra int    // how many more than 16 there are
	past  int    // words read past the end
}

func (r *bitReader) start() {
	r.bits = r.word() << 16
	r.bits |= r.word()
	r.extra = 16
}

func (r *bitReader) word() uint32 {
	if len(r.src)-r.at < 2 {
		r.past++
		return 0
	}
	v := uint32(r.src[r.at]) | uint32(r.src[r.at+1])<<8
	r.at += 2
	return v
}

// skip takes n bits, at most 15.
func (r *bitReader) skip(n int) {
	r.bits <<= n
	r.extra -= n
	if r.extra < 0 {
		r.bits |= r.word() << -r.extra
		r.extra += 16
	}
}

// length is the length of a match whose symbol holds n: 15 means that it goes on
// in a byte; 255 there, in two bytes; 0 there, in four.
func (r *bitReader) length(n int64) (int64, fault) {
	if n < 15 {
		return n + 3, ""
	}
	b := lz77Reader{src: r.src, at: r.at}
	defer func() { r.at = b.at }()
	more, ok := b.read(1)
	if !ok {
		return 0, cut
	}
	if more < 255 {
		return int64(more) + 15 + 3, ""
	}
	long, ok := b.read(2)
	if ok && long == 0 {
		long, ok = b.read(4)
	}
	if !ok {
		return 0, cut
	}
	if long < 15 {
		return 0, badLength
	}
	return int64(long) + 3, ""
}
