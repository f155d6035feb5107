package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"waybill/internal/telemetry/stored"
	"waybill/internal/telemetry/winlog"
)

// cachePath is where the events of a log are kept: by its name, size, time and
// digest, and by what else decides what is read of it. "" says that it is not kept: only events of
// Windows are.
func (s *logSource) cachePath(o *Options) string {
	if o.Cache == "" || s.in.Name == "-" || formatOf(s.in.Kind) != nil {
		return ""
	}
	info := statOuter(s.in.Name)
	if info == nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d\x00%d\x00%s\x00%v", stored.Magic, o.Version, s.in.Name, s.in.Size, info.ModTime().UnixNano(), s.in.Digest(), s.zone))
	return filepath.Join(o.Cache, hex.EncodeToString(sum[:16])+".events")
}

// statOuter is the file that an input lies in: itself, or the archive before a "!".
func statOuter(name string) os.FileInfo {
	for {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			return info
		}
		i := strings.LastIndexByte(name, '!')
		if i < 0 {
			return nil
		}
		name = name[:i]
	}
}

// kept opens the events that an earlier scan kept.
func kept(path string) (winlog.Log, *os.File) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	log, err := stored.Open(f)
	if err != nil { // of another version: it is written anew
		f.Close()
		return nil, nil
	}
	return log, f
}

// keeper writes the events of a log while they are read, under a name of its own
// until all are there.
type keeper struct {
	path  string
	file  *os.File
	w     *stored.Writer
	bytes int64
	err   error
}

func newKeeper(path string) *keeper {
	if path == "" {
		return nil
	}
	k := &keeper{path: path}
	if k.err = os.MkdirAll(filepath.Dir(path), 0o700); k.err != nil {
		return k
	}
	if k.file, k.err = os.CreateTemp(filepath.Dir(path), ".waybill-*"); k.err == nil {
		k.w, k.err = stored.NewWriter(k.file)
	}
	return k
}

func (k *keeper) batch(b batch) {
	if w, ok := b.(*windowsBatch); ok && k != nil && k.err == nil {
		k.bytes += w.Bytes
		k.err = k.w.Batch(&w.Batch)
	}
}

// done ends the file, or drops it when the log was not read to its end.
func (k *keeper) done(whole bool, damage []string, rest int64) error {
	if k == nil {
		return nil
	}
	if k.file != nil {
		defer os.Remove(k.file.Name()) // what was renamed is not there any more
		defer k.file.Close()
	}
	if k.err == nil && whole {
		k.err = errors.Join(k.w.Close(damage, k.bytes+rest), k.file.Close())
		if k.err == nil {
			k.err = os.Rename(k.file.Name(), k.path)
		}
	}
	if k.err != nil {
		return fmt.Errorf("nothing was kept of it in --cache: %w", k.err)
	}
	return nil
}
