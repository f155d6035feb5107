package telemetry

import (
	"fmt"
	"testing"

	"waybill/internal/model"
)

// TestRoom: what there is no room for is counted, and documents never take the last
// quarter from programs.
func TestRoom(t *testing.T) {
	room := &Room{Limit: 40 * (bytesOfTransfer + 8)}
	a, b := Result{Room: room}, Result{Room: room} // two followers share it
	for i := range 50 {
		a.Moved(&model.Transfer{Name: fmt.Sprintf("plan%02d.docx", i), Path: "Docs\\pla"})
	}
	for i := range 50 {
		b.Moved(&model.Transfer{Name: fmt.Sprintf("tool%02d.exe", i), Path: "Temp\\too"})
	}
	read, asked := &model.Access{What: "share-read", Object: "a.pdf"}, &model.Access{What: "pipe-open", Object: "svcctl"}
	if len(a.Transfers) != 30 || len(b.Transfers) != 10 || room.Transfers != 60 {
		t.Errorf("%d documents and %d programs were kept, %d movements counted", len(a.Transfers), len(b.Transfers), room.Transfers)
	}
	if a.Opened(read) || b.Accessed(asked) || room.Accesses != 2 || len(a.Reads)+len(b.Accesses) != 0 {
		t.Errorf("%d accesses counted, %d kept", room.Accesses, len(a.Reads)+len(b.Accesses))
	}
	if all := (&Result{}); !all.Moved(&model.Transfer{}) || !all.Opened(read) || !all.Accessed(asked) {
		t.Error("without a bound something was not kept")
	}
}
