package ledger

import "waybill/internal/model"

// Clocks are the errors of the clocks of hosts and sensors.
type Clocks struct{ off map[maker]model.Time }

// shift is what is added to the times of an observation.
func (c *Clocks) shift(t *model.Transfer) model.Time {
	if c == nil || len(t.Evidence) == 0 {
		return 0
	}
	return -c.off[makerOf(&t.Evidence[0])]
}
