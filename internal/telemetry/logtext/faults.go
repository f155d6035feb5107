package logtext

import "fmt"

// Faults gathers what of a log could not be read: the first few places in words, the
// rest counted.
type Faults struct {
	list []string
	more int
}

const maxDamage = 16

// Note adds a place and what is wrong there.
func (d *Faults) Note(format string, args ...any) {
	if len(d.list) >= maxDamage {
		d.more++
		return
	}
	d.list = append(d.list, fmt.Sprintf(format, args...))
}

// Damage is what was noted.
func (d *Faults) Damage() []string {
	if d.more == 0 {
		return d.list
	}
	return append(d.list[:len(d.list):len(d.list)], fmt.Sprintf("%d more places", d.more))
}
