package telemetry

import (
	"strings"

	"waybill/internal/model"
)

// Room bounds what the logs of a run show, for all followers together. What comes when it
// is used up is not kept, and counted. The last quarter is not for documents: who floods
// the logs with them hides no program.
type Room struct {
	Limit int64 // bytes; 0 is no bound
	held  int64
	// Transfers and Accesses are what there was no room for.
	Transfers, Accesses int64
}

const (
	// bytesOfTransfer is what a movement takes from its record to the report, beside its
	// texts, and bytesOfAccess an access: 126,000 transfers of two weeks of 400 hosts, with their
	// accesses, take 450 MiB.
	bytesOfTransfer = 3 << 10
	bytesOfAccess   = 1 << 10
)

// takes says whether there is room for a record, and counts it.
func (r *Room) takes(size int64, limit int64) bool {
	if r == nil || r.Limit == 0 {
		return true
	}
	if r.held+size > limit {
		return false
	}
	r.held += size
	return true
}

func (r *Room) limit(document bool) int64 {
	if document {
		return r.Limit - r.Limit/4
	}
	return r.Limit
}

// Moved keeps a movement, if there is room.
func (r *Result) Moved(t *model.Transfer) bool {
	if x := r.Room; x != nil && !x.takes(bytesOfTransfer+int64(len(t.Path)+len(t.Command)), x.limit(document(t.Name))) {
		x.Transfers++
		return false
	}
	r.Transfers = append(r.Transfers, t)
	return true
}

// Accessed keeps an access, if there is room.
func (r *Result) Accessed(a *model.Access) bool { return r.accessed(&r.Accesses, a) }

// Opened keeps an access to read a file of a share, if there is room.
func (r *Result) Opened(a *model.Access) bool { return r.accessed(&r.Reads, a) }

func (r *Result) accessed(to *[]*model.Access, a *model.Access) bool {
	if x := r.Room; x != nil && !x.takes(bytesOfAccess+int64(len(a.Object)+len(a.Command)), x.limit(a.What == "share-read" && document(a.Object))) {
		x.Accesses++
		return false
	}
	*to = append(*to, a)
	return true
}

// document says whether a name is that of what people write and look at.
func document(name string) bool {
	switch strings.ToLower(name[strings.LastIndexByte(name, '.')+1:]) {
	case "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "csv", "ppt", "pptx", "odp", "pdf", "txt", "log", "md", "jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "ico", "svg", "mp3", "mp4", "eml", "msg":
		return true
	}
	return false
}
