package prevent

// Target is something that can enforce a policy or look for its indicators.
type Target struct {
	Name string // as --to has it
	What string // one line
	// Write gives the files of the target, the same for the same policy. It refuses a policy
	// without management sources.
	Write func(p *Policy, c Choice) ([]File, error)
}

// Choice is what a user can say of an export.
type Choice struct {
	Strict bool // candidates are denied
	// Previous are the files of an export before, by name: what they number keeps its number.
	Previous map[string][]byte
}

// File is one file of an export.
type File struct {
	Name string
	Text []byte
}
