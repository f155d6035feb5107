package fileshare

import "fmt"

// Conflict is what copies of a file's bytes that differ say of it. The zero value is
// that there were none.
type Conflict struct {
	Notes []string // for the record
	Flaw  string   // why the content cannot be whole
}

// Saw notes that a connection counts so many conflicting bytes, at an offset of the
// file. before is what it counted when it was asked last. corrupt says that of two
// copies the wrong one was taken.
func (c *Conflict) Saw(before, now, at int64, corrupt bool) {
	if now == before {
		return
	}
	if corrupt {
		c.Flaw = "a damaged copy of a packet was taken for it"
	}
	if len(c.Notes) == 0 {
		c.Notes = []string{fmt.Sprintf("conflicting bytes at %d", at)}
	}
}
