package scan

import (
	"fmt"

	"waybill/internal/history"
	"waybill/internal/identity"
	"waybill/internal/input"
	"waybill/internal/judge"
	"waybill/internal/model"
)

// recall is how a run uses and extends what is remembered.
type recall struct {
	memory *history.Memory
	before map[string]bool // inputs that were learned from before, by name
	inputs map[string]string
	held   []history.Held
	homes  []identity.Home // who this run showed where

	recalled map[model.Addr]bool // that have their hosts from the history
}

// recallOf looks which inputs were learned from before. A digest is of the whole input:
// of a part of the time it is another one.
func recallOf(o *Options, inputs []*input.Input) *recall {
	if o.History == nil {
		return nil
	}
	c := &recall{memory: o.History, before: map[string]bool{}, inputs: map[string]string{}}
	for _, in := range inputs {
		digest := in.Digest()
		if o.From != 0 || o.To != 0 {
			digest = fmt.Sprintf("%s %s %s", digest, o.From, o.To)
		}
		c.inputs[in.Name] = digest
		if _, ok := c.memory.Inputs[digest]; ok {
			c.before[in.Name] = true
		}
	}
	return c
}

// learned says whether what this evidence is of was learned before.
func (c *recall) learned(all []model.Evidence) bool {
	for i := range all {
		if c.before[all[i].Input] {
			return true
		}
	}
	return false
}

// prepare tells the judge what is remembered.
func (c *recall) prepare(set *judge.Settings) {
	if c == nil {
		return
	}
	set.Usual, set.Marks = c.memory.Normal, c.memory.Marks
	set.Learned = func(t *model.Transfer) bool { return c.learned(t.Evidence) }
	set.Withheld, set.Held = c.withheld, c.memory.Held
}

// withheld keeps what the judge did not learn.
func (c *recall) withheld(t *model.Transfer, h history.Held) {
	if !c.learned(t.Evidence) {
		c.held = append(c.held, h)
	}
}

// roles are those that hosts were seen in before.
func (c *recall) roles() (*identity.Roles, error) {
	out := &identity.Roles{}
	if c == nil {
		return out, nil
	}
	for host, seen := range c.memory.Roles.Kept() {
		if err := out.Restore(host, seen); err != nil {
			return nil, fmt.Errorf("history: role of %q: %w", host, err)
		}
	}
	return out, nil
}

// remember takes what the run showed of hosts. What took part in a finding of medium or
// above is left out.
func (c *recall) remember(r *Records) {
	if c == nil {
		return
	}
	accused := map[string]bool{}
	for _, f := range r.Findings {
		for _, id := range f.Transfers {
			accused[id] = accused[id] || f.Severity >= model.Medium
		}
	}
	c.memory.Roles.Inside = r.inside
	for _, m := range r.moments {
		if m.transfer != nil && (accused[m.transfer.ID] || c.learned(m.transfer.Evidence)) || m.access != nil && c.learned(m.access.Evidence) {
			continue
		}
		m.show(c.memory.Roles)
	}
	c.memory.Hold(c.held...)
	c.memory.Locate(c.homes)
	c.named(r)
	c.notices(r)
}

// noteInputs notes what was learned from.
func (c *recall) noteInputs(r *Records) {
	if c == nil {
		return
	}
	for _, x := range r.Coverage {
		if digest := c.inputs[x.Input]; digest != "" {
			c.memory.Inputs[digest] = history.Input{Name: x.Input, Last: x.End}
		}
	}
}

// notices say what of the inputs is not new, and which marks have ended.
func (c *recall) notices(r *Records) {
	if n := len(c.before); n > 0 {
		r.Notices = append(r.Notices, fmt.Sprintf("history: %d of %d inputs were learned from before and count once: what they showed is known now, and may score lower than it did", n, len(c.inputs)))
	}
	now := newest(r.Transfers, r.Accesses)
	for _, x := range c.memory.Marks {
		if x.Until < now {
			r.Notices = append(r.Notices, fmt.Sprintf("history: the mark %s of %s ended on %s (%s)", x.Verdict, x.ID, x.Until, x.Reason))
		}
	}
	if len(c.held) > 0 {
		r.Notices = append(r.Notices, fmt.Sprintf("history: %d transfers of findings of medium or above are not learned as normal (waybill history mark ID benign ... does)", len(c.held)))
	}
}
