package eval

import "math"

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
		r := *r
		for i := range r.Jobs {
			r.Jobs[i] = max(min(r.Jobs[i], 1), r.Jobs[i]*v.factor("jobs "+r.What))
		}
		r.Content.Life *= v.factor("life " + r.What)
		if r.Content.Pool > 0 {
			r.Content.Pool = max(1, int(float64(r.Content.Pool)*v.factor("pool "+r.What)))
		}
		for i := range r.Content.Size {
			r.Content.Size[i] *= v.factor("size " + r.What)
		}
		out.Benign = append(out.Benign, &r)
	}
	return out
}

var chances = map[string]bool{"smb_sealed": true, "sysmon_share": true, "absent": true, "weekend": true, "capture_loss": true}
