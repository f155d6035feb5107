package eval

import (
	"math"
	"time"
)

// Variation multiplies all parameters together, each by a factor of its own.
type Variation struct {
	Seed uint64
	Most float64 // 5: a fifth to five times
}

// factor is that of a parameter, uniform in its logarithm; 1 without variation.
func (v *Variation) factor(name string) float64 {
	if v == nil {
		return 1
	}
	return math.Exp((2*seeded(v.Seed, text(name)).Float64() - 1) * math.Log(v.Most))
}

// varied gives the parameters of one draw. Chances stay below one.
func (p *Parameters) varied(v *Variation) *Parameters {
	if v == nil {
		return p
	}
	out := &Parameters{Network: map[string]Parameter{}}
	for name, x := range p.Network {
		x.Value *= v.factor("network " + name)
		if chances[name] {
			x.Value = min(x.Value, 0.95)
		}
		out.Network[name] = x
	}
	for _, r := range p.Benign {
		out.Benign = append(out.Benign, r.varied(v))
	}
	return out
}

// varied is a routine with all of its numbers changed, each by a factor of its own.
func (r *Routine) varied(v *Variation) *Routine {
	out := *r
	for i := range out.Jobs {
		out.Jobs[i] = max(min(out.Jobs[i], 1), out.Jobs[i]*v.factor("jobs "+r.What))
	}
	out.Content.Life *= v.factor("life " + r.What)
	if out.Content.Pool > 0 {
		out.Content.Pool = max(1, int(float64(out.Content.Pool)*v.factor("pool "+r.What)))
	}
	out.Content.Size = out.Content.Size.times(v.factor("size " + r.What))
	out.Over = time.Duration(float64(out.Over) * v.factor("over "+r.What))
	if out.ShareOf > 0 {
		out.ShareOf = min(1, out.ShareOf*v.factor("share "+r.What))
	}
	out.Start = out.Start.varied(v, r.What)
	if r.Then != nil {
		then := *r.Then
		then.Chance = chanceTimes(then.Chance, v.factor("then "+r.What))
		then.Times, then.After = then.Times.times(v.factor("times "+r.What)), then.After.times(v.factor("later "+r.What))
		then.Start = then.Start.varied(v, "then "+r.What)
		out.Then = &then
	}
	return &out
}

// varied is a start with its chance and its delay changed.
func (s *StartSpec) varied(v *Variation, what string) *StartSpec {
	if s == nil {
		return nil
	}
	out := *s
	out.Chance, out.After = chanceTimes(s.Chance, v.factor("start "+what)), s.After.times(v.factor("after "+what))
	return &out
}

// varied is a campaign with its numbers changed. It reaches no more hosts than it says, so
// that there is room for it in small worlds.
func (c *Campaign) varied(v *Variation) *Campaign {
	if v == nil {
		return c
	}
	out := *c
	for i := range out.Pace {
		out.Pace[i] = time.Duration(float64(out.Pace[i]) * v.factor("pace "+c.Name))
	}
	out.Relay = min(1, out.Relay*v.factor("relay "+c.Name))
	out.Content.Size = out.Content.Size.times(v.factor("size " + c.Name))
	out.Steps = nil
	for i := range c.Steps {
		s := c.Steps[i]
		what := "size " + c.Name // of what all steps move
		if s.Content.Per != "campaign" {
			what += s.Path
		}
		s.Content.Size = s.Content.Size.times(v.factor(what))
		s.Start = s.Start.varied(v, c.Name+s.Path)
		out.Steps = append(out.Steps, s)
	}
	return &out
}

// chanceTimes changes a chance; 0 is none or always, and stays so.
func chanceTimes(chance, factor float64) float64 { return min(chance*factor, max(chance, 0.95)) }

func (r Range) times(factor float64) Range { return Range{r[0] * factor, r[1] * factor} }

var chances = map[string]bool{"smb_sealed": true, "sysmon_share": true, "absent": true, "weekend": true, "capture_loss": true}
