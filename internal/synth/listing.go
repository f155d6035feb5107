package synth

import (
	"fmt"
	"strings"
	"time"

	"waybill/internal/model"
)

// Laid is a file that lies on a host.
type Laid struct {
	Host, Path string
	Size       int64
	SHA256     string
	Since      model.Time
}

// Laid gives what of the truth lies on the hosts that it moved to, under a folder,
// since a time.
func (t Truth) Laid(folder string, since model.Time, names map[model.Addr]string) []Laid {
	var out []Laid
	for _, m := range t.Whole() {
		out = append(out, Laid{Host: names[m.Destination], Path: folder + m.Name, Size: m.Size, SHA256: m.SHA256, Since: since})
	}
	return out
}

// FileTable is files as the plain table that anybody can write.
func FileTable(files []Laid) []byte {
	var b strings.Builder
	b.WriteString("host,time,path,size,sha256\n")
	for _, f := range files {
		fmt.Fprintf(&b, "%s,%s,%q,%d,%s\n", f.Host, stamp(f.Since, time.RFC3339Nano), f.Path, f.Size, f.SHA256)
	}
	return []byte(b.String())
}

// MFT is files of one host as MFTECmd lists them: without host and hashes.
func MFT(files []Laid) []byte {
	var b strings.Builder
	b.WriteString("EntryNumber,SequenceNumber,InUse,ParentEntryNumber,ParentSequenceNumber,ParentPath,FileName,Extension,FileSize,IsDirectory,IsAds,Created0x10,Created0x30\n")
	for i, f := range files {
		name := lastElement(f.Path)
		folder := strings.TrimSuffix(strings.TrimPrefix(f.Path, "C:"), `\`+name)
		fmt.Fprintf(&b, "%d,1,True,5,5,.%s,%s,,%d,False,False,%s,\n", 1000+i, folder, name, f.Size, stamp(f.Since, "2006-01-02 15:04:05.0000000"))
	}
	return []byte(b.String())
}

// BodyFile is files of one host as mactime and UAC take them.
func BodyFile(files []Laid) []byte {
	var b strings.Builder
	for i, f := range files {
		fmt.Fprintf(&b, "0|%s|%d|-rwxr-xr-x|0|0|%d|%[4]d|%[4]d|%[4]d|%[4]d\n", f.Path, 100+i, f.Size, f.Since/1e9)
	}
	return []byte(b.String())
}

// Sums is files of one host as sha256sum lists them.
func Sums(files []Laid) []byte {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s\n", f.SHA256, f.Path)
	}
	return []byte(b.String())
}
