package ledger

import (
	"testing"

	"waybill/internal/model"
)

// TestSealed: what a server noted of an encrypted session is what it carried, where
// the size fits and nothing else does.
func TestSealed(t *testing.T) {
	session := func(id string, low, high int64) *model.Transfer {
		return with(packets(), func(t *model.Transfer) {
			t.ID, t.Name, t.Path, t.SHA256, t.Channel, t.Destination.Port, t.Completeness = id, "", "", "", "ssh", 22, model.Opaque
			t.Estimate = &model.Estimate{Size: (low + high) / 2, Low: low, High: high}
		})
	}
	stored := func(id string, size int64) *model.Transfer {
		return with(noted(), func(t *model.Transfer) { t.ID, t.Channel, t.Size = id, "ssh", &size })
	}
	unsized := func(id string, at model.Time) *model.Transfer {
		return with(noted(), func(t *model.Transfer) { t.ID, t.Channel, t.Start, t.End = id, "ssh", at*second, at*second })
	}
	for name, c := range map[string]struct {
		all  []*model.Transfer
		want string
	}{
		"fits":                  {[]*model.Transfer{session("t-p", 900, 1100), stored("t-s", 1000)}, "t-p+t-s"},
		"too large":             {[]*model.Transfer{session("t-p", 900, 1100), stored("t-s", 1200)}, "t-p t-s"},
		"one file of two":       {[]*model.Transfer{session("t-p", 1900, 2100), stored("t-s", 1000), stored("t-u", 1000)}, "t-p t-s t-u"},
		"two sessions":          {[]*model.Transfer{session("t-p", 900, 1100), session("t-q", 900, 1200), stored("t-s", 1000)}, "t-p t-q t-s"},
		"two, one of that size": {[]*model.Transfer{session("t-p", 900, 1100), session("t-q", 100, 200), stored("t-s", 1000)}, "t-p+t-s t-q"},
		"of no size":            {[]*model.Transfer{session("t-p", 900, 1100), unsized("t-s", 100)}, "t-p+t-s"},
		"asked for before":      {[]*model.Transfer{session("t-p", 900, 1100), with(unsized("t-s", 99), func(t *model.Transfer) { t.Status, t.Tool = model.Claimed, "scp" })}, "t-p+t-s"},
		"long before":           {[]*model.Transfer{session("t-p", 900, 1100), unsized("t-s", 80)}, "t-p t-s"},
		"of no size, two":       {[]*model.Transfer{session("t-p", 900, 1100), unsized("t-s", 100), with(unsized("t-u", 101), func(t *model.Transfer) { t.Name = "B" })}, "t-p t-s t-u"},
		"of no size, of two":    {[]*model.Transfer{session("t-p", 900, 1100), session("t-q", 900, 1100), unsized("t-s", 100)}, "t-p t-q t-s"},
		"another channel":       {[]*model.Transfer{session("t-p", 900, 1100), with(stored("t-s", 1000), func(t *model.Transfer) { t.Channel = "ftp" })}, "t-p t-s"},
	} {
		got := Join(c.all, hosts())
		if s := joined(got); s != c.want {
			t.Errorf("%s: %s instead of %s", name, s, c.want)
		}
		if x := got[0]; name == "fits" && (x.Name != "A.EXE" || x.Estimate != nil || *x.Size != 1000 || x.Completeness != model.Opaque) {
			t.Errorf("%+v", x)
		}
	}
}
