package xcatest

import "encoding/binary"

// step is a literal (n is 1, distance 0) or a match.
type step struct {
	distance, n int
}

// limits are what matches a format can write.
type limits struct {
	distance, least, most int
	tail                  int // bytes at the end that are literals
}

// steps cuts src into literals and matches, greedily, with the last place where
// the same three bytes stood as the only candidate.
func steps(src []byte, l limits) []step {
	var out []step
	last := map[uint32]int{}
	end := len(src) - l.tail
	for i := 0; i < len(src); {
		distance, n := 0, 1
		if i+3 <= end {
			key := binary.LittleEndian.Uint32(append(src[i:i+3:i+3], 0))
			if at, ok := last[key]; ok && i-at <= l.distance {
				if m := common(src[:end], at, i, l.most); m >= l.least {
					distance, n = i-at, m
				}
			}
			last[key] = i
		}
		out = append(out, step{distance, n})
		i += n
	}
	return out
}

// common is how many bytes from a and b on are the same.
func common(src []byte, a, b, most int) int {
	n := 0
	for b+n < len(src) && n < most && src[a+n] == src[b+n] {
		n++
	}
	return n
}
