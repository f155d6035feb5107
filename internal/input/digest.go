package input

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Digest is a fast one: XXH64 over the size and up to 64 KiB each of the
// start, the middle and the end, as far as the input can be read there without
// reading all of it. It names an input; it proves nothing.
func (in *Input) Digest() string {
	h := xxhash.New()
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(in.Size))
	h.Write(size[:])
	if !in.sample(h) {
		h.Write(in.Head)
	}
	return fmt.Sprintf("xxh64:%016x", h.Sum64())
}

// sample writes the start, middle and end of the stored input to h.
func (in *Input) sample(h io.Writer) bool {
	if in.stored == nil || in.Size < 0 {
		return false
	}
	r, err := in.stored()
	if err != nil {
		return false
	}
	defer r.Close()
	at, ok := r.(io.ReaderAt)
	if !ok {
		return false
	}
	for _, off := range []int64{0, in.Size / 2, max(0, in.Size-headSize)} {
		if _, err := io.Copy(h, io.NewSectionReader(at, off, headSize)); err != nil {
			return false
		}
	}
	return true
}

// SHA256 is the digest of the stored input, "" when it can be read only once.
func (in *Input) SHA256() (string, error) {
	if in.stored == nil {
		return "", nil
	}
	r, err := in.stored()
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Dedupe leaves out inputs that are the same as an earlier one, of the same owner as
// whose says. Only inputs of equal size and fast digest are read to compare them.
func Dedupe(inputs []*Input, whose func(*Input) string) (unique, twins []*Input) {
	type key struct {
		size   int64
		digest string
		owner  string
	}
	sizes := map[int64]int{}
	for _, in := range inputs {
		sizes[in.Size]++
	}
	groups := map[key][]string{} // SHA-256 of those kept; filled when a second comes
	first := map[key]*Input{}
	for _, in := range inputs {
		if in.Size < 0 || in.stored == nil || sizes[in.Size] < 2 {
			unique = append(unique, in)
			continue
		}
		k := key{in.Size, in.Digest(), whose(in)}
		if first[k] == nil {
			first[k] = in
			unique = append(unique, in)
			continue
		}
		if groups[k] == nil {
			groups[k] = []string{sumOf(first[k])}
		}
		if sum := sumOf(in); slices.Contains(groups[k], sum) {
			twins = append(twins, in)
		} else {
			groups[k] = append(groups[k], sum)
			unique = append(unique, in)
		}
	}
	return unique, twins
}

// sumOf is the SHA-256 of an input; one that cannot be read equals no other.
func sumOf(in *Input) string {
	sum, err := in.SHA256()
	if err != nil {
		return "unreadable " + in.Name
	}
	return sum
}
