package main

// coverageCommand says what the inputs can and cannot show.
type coverageCommand struct {
	scanCommand
}

// Run scans, and prints what was seen and what was not.
func (c *coverageCommand) Run(p *program) error {
	if c.Only == "" {
		c.Only = "coverage,summary"
	}
	return c.scanCommand.Run(p)
}
