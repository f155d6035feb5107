package winlog

import (
	"bytes"

	"waybill/internal/model"
	"waybill/internal/telemetry/evtx"
)

// FirstTime is the time of the first event of a log as far as its first bytes tell
// it. It is only a hint of when the log begins to matter.
func FirstTime(kind string, head []byte) (model.Time, bool) {
	switch kind {
	case EVTX:
		return evtx.FirstTime(head)
	case JSON:
		log := newJSONLog(bytes.NewReader(head))
		var b Batch
		if log.Next(&b) != nil || len(b.Events) == 0 {
			return 0, false
		}
		first := b.Events[0].Time
		for i := range b.Events {
			first = min(first, b.Events[i].Time)
		}
		return first, first != 0
	}
	return 0, false
}
