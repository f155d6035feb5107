package judge

import "slices"

// goneMost is how many members of a cluster that goes on are kept when nothing can be
// added to them any more, beside those that its score and its name come from. Software
// that is handed out around the clock makes a cluster that never ends: its first and
// last members tell what it is, and all of them would be kept for as long as it lasts.
const goneMost = 1024

// thin lets go of most members that are gone, when they are too many. Of these, what was not
// learned by now never is.
func (c *cluster) thin() {
	if c.gone < c.thinAt+2*goneMost {
		return
	}
	c.score()
	first := slices.MinFunc(c.members, byStart)
	old, rest := c.members[:c.gone-goneMost], c.members[c.gone-goneMost:]
	kept := slices.DeleteFunc(old, func(m *member) bool {
		return m != first && m != c.top && !slices.ContainsFunc(m.marks, alone)
	})
	c.gone -= len(old) - len(kept)
	c.thinAt = len(kept)
	c.members = append(slices.Clone(kept), rest...)
}

// alone says whether a mark makes a finding whatever the score.
func alone(m Mark) bool { return m.Alone || m.Family == "known" }
