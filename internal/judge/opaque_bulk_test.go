package judge

import (
	"testing"

	"waybill/internal/model"
)

func TestOpaqueBulk(t *testing.T) {
	for _, c := range []struct {
		name     string
		held     []int64
		after    model.Time // of the bulk, behind the last file
		estimate model.Estimate
		nats     float64
	}{
		{"fits", []int64{500_000}, 60e9, model.Estimate{Size: 503_000, Low: 490_000, High: 520_000}, 1},
		{"fits two", []int64{500_000, 501_000}, 60e9, model.Estimate{Size: 503_000, Low: 490_000, High: 520_000}, 0.5},
		{"other size", []int64{300_000}, 60e9, model.Estimate{Size: 503_000, Low: 490_000, High: 520_000}, 0},
		{"wide estimate", []int64{500_000}, 60e9, model.Estimate{Size: 503_000, Low: 0, High: 520_000}, 0},
		{"long ago", []int64{500_000}, 2 * Window, model.Estimate{Size: 503_000, Low: 490_000, High: 520_000}, 0},
		{"small", []int64{20_000}, 60e9, model.Estimate{Size: 20_000, Low: 19_000, High: 21_000}, 0},
	} {
		rule := opaqueBulk()
		at := begin
		for _, size := range c.held {
			at += 1e9
			rule.Step(Event{Transfer: &model.Transfer{ID: "file", Start: at, End: at, Type: "pe", Size: &size, Status: model.Done, Operation: model.Push,
				Completeness: model.Whole, Source: model.Endpoint{IP: addr("10.0.0.1")}, Destination: model.Endpoint{IP: addr("10.0.0.2")}}})
		}
		at += c.after
		marks := rule.Step(Event{Transfer: &model.Transfer{ID: "bulk", Start: at, End: at, Status: model.Done, Operation: model.Push, Completeness: model.Opaque,
			Estimate: &c.estimate, Scope: model.ScopeInternal, Source: model.Endpoint{IP: addr("10.0.0.2")}, Destination: model.Endpoint{IP: addr("10.0.0.3")}}})
		if c.nats == 0 != (len(marks) == 0) || len(marks) > 0 && marks[0].Nats != c.nats {
			t.Errorf("%s: %+v", c.name, marks)
		}
	}
}
