package prevent

// Outcome is what becomes of a move.
type Outcome uint8

// The outcomes.
const (
	Allowed  Outcome = iota
	Denied           // by a rule
	Unseen           // a candidate: passes unless the policy is strict
	Unjudged         // no filter sees it, or nobody knows whose it is
)

var outcomes = [...]string{"allowed", "denied", "candidate", "not judged"}

func (o Outcome) String() string { return outcomes[o] }

// Decision is what a policy says of a move, and by what.
type Decision struct {
	Outcome   Outcome
	Rule      *Rule      // that fits; nil for none
	Exception *Exception // that fits; nil for none
	Why       string     // where neither does
	// Client and Server are the groups of the two ends, "" for a host that is in none.
	Client, Server string
	// ByRole says that an end is in its group by its role only: the policy does not name it,
	// and a filter by address that was made of it does not know it.
	ByRole bool
}

// Passes says whether the move goes through.
func (d Decision) Passes(strict bool) bool {
	return d.Outcome == Allowed || d.Outcome == Unjudged || d.Outcome == Unseen && !strict
}
