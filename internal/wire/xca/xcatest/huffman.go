package xcatest

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	block      = 1 << 16
	endSymbol  = 256
	maxCodeLen = 15
)

// LZ77Huffman compresses as MS-XCA 2.1.4 does: blocks of 64 KiB, each with its
// table; the last one ends with the end symbol.
func LZ77Huffman(src []byte) []byte {
	var out []byte
	all := steps(src, limits{distance: 65535, least: 3, most: 1 << 30})
	for i := 0; ; {
		group, rest := splitBlock(all)
		last := len(rest) == 0
		out = append(out, huffmanBlock(src[i:], group, last)...)
		if last {
			return out
		}
		for _, s := range group {
			i += s.n
		}
		all = rest
	}
}

// splitBlock takes the steps of one block off; the last one may reach beyond it.
func splitBlock(all []step) (group, rest []step) {
	n := 0
	for i, s := range all {
		if n >= block {
			return all[:i], all[i:]
		}
		n += s.n
	}
	return all, nil
}

func (s step) symbol(literal byte) int {
	if s.distance == 0 {
		return int(literal)
	}
	return 256 + min(s.n-3, 15) + 16*(bits.Len(uint(s.distance))-1)
}

func huffmanBlock(src []byte, group []step, last bool) []byte {
	var counts [512]int
	i := 0
	for _, s := range group {
		counts[s.symbol(src[i])]++
		i += s.n
	}
	if last {
		counts[endSymbol]++
	}
	lengths := codeLengths(counts)
	codes := canonical(lengths)
	w := newBitWriter(lengths)
	i = 0
	for _, s := range group {
		symbol := s.symbol(src[i])
		w.bits(lengths[symbol], codes[symbol])
		if s.distance > 0 {
			w.match(s)
		}
		i += s.n
	}
	if last {
		w.bits(lengths[endSymbol], codes[endSymbol])
	}
	return w.flush()
}

// codeLengths makes a Huffman code of at most 15 bits: where it gets longer, the
// counts are flattened and it is made again. One symbol alone gets a partner,
// since a code must be complete.
func codeLengths(counts [512]int) [512]int {
	used := 0
	for _, n := range counts {
		if n > 0 {
			used++
		}
	}
	for s := 0; used < 2; s++ {
		if counts[s] == 0 {
			counts[s] = 1
			used++
		}
	}
	for {
		lengths := huffman(counts)
		if slices.Max(lengths[:]) <= maxCodeLen {
			return lengths
		}
		for s := range counts {
			counts[s] = (counts[s] + 1) / 2
		}
	}
}

// huffman joins the two rarest groups of symbols until one is left; each join
// makes the codes of its symbols a bit longer.
func huffman(counts [512]int) (lengths [512]int) {
	type group struct {
		count   int
		symbols []int
	}
	var groups []group
	for s, n := range counts {
		if n > 0 {
			groups = append(groups, group{n, []int{s}})
		}
	}
	for len(groups) > 1 {
		slices.SortStableFunc(groups, func(a, b group) int { return a.count - b.count })
		joined := group{groups[0].count + groups[1].count, slices.Concat(groups[0].symbols, groups[1].symbols)}
		for _, s := range joined.symbols {
			lengths[s]++
		}
		groups = append(groups[2:], joined)
	}
	return lengths
}

// canonical numbers the codes by length, then by symbol.
func canonical(lengths [512]int) (codes [512]int) {
	code := 0
	for n := 1; n <= maxCodeLen; n++ {
		for s, length := range lengths {
			if length == n {
				codes[s] = code
				code++
			}
		}
		code <<= 1
	}
	return codes
}

// bitWriter is the writer of MS-XCA 2.1.4.3: the places of the next two words
// are kept free while bytes go behind them.
type bitWriter struct {
	out        []byte
	word, free int
	at1, at2   int
}

func newBitWriter(lengths [512]int) *bitWriter {
	w := &bitWriter{out: make([]byte, 260), free: 16, at1: 256, at2: 258}
	for s, n := range lengths {
		w.out[s/2] |= byte(n << (4 * (s % 2)))
	}
	return w
}

func (w *bitWriter) bits(n, v int) {
	if w.free >= n {
		w.free -= n
		w.word = w.word<<n | v
		return
	}
	over := n - w.free
	w.put(w.word<<w.free | v>>over)
	w.at1, w.at2 = w.at2, len(w.out)
	w.out = append(w.out, 0, 0)
	w.free = 16 - over
	w.word = v
}

func (w *bitWriter) put(word int) {
	binary.LittleEndian.PutUint16(w.out[w.at1:], uint16(word))
}

func (w *bitWriter) match(s step) {
	if n := s.n - 3; n >= 15 {
		w.out = appendLength(w.out, n-15, n)
	}
	high := bits.Len(uint(s.distance)) - 1
	w.bits(high, s.distance-1<<high)
}

func (w *bitWriter) flush() []byte {
	w.put(w.word << w.free)
	return w.out
}
