package content

import (
	"crypto/sha256"
	"encoding/hex"
)

func (f *File) result() Result {
	size := f.end.Size
	if size < 0 {
		size = f.High()
	}
	for f.end.ZeroFill && int64(len(f.buf)) < size {
		f.buf = append(f.buf, 0)
		f.have = append(f.have, true)
	}
	if f.end.ZeroFill {
		for i := range f.have {
			f.have[i] = true
		}
	}
	r := Result{Size: size, Seen: f.Seen(), Prefix: map[string]string{}}
	r.Whole = f.end.Incomplete == "" && f.Covers(0, size) && (f.mode == Write || f.High() <= size)
	r.Reason = f.end.Incomplete
	if r.Whole {
		s := sha256.Sum256(f.buf[:size])
		r.SHA256 = hex.EncodeToString(s[:])
	} else if r.Reason == "" {
		r.Reason = "bytes missing"
	}
	return r
}
