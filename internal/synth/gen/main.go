// Command gen writes the captures of examples/. It is run by `go generate
// ./examples`, with the folder of the example as its argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"waybill/internal/synth"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, the example's folder; got %d", len(args))
	}
	files, ok := synth.Examples()[args[0]]
	if !ok {
		return fmt.Errorf("no example %q", args[0])
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(args[0], name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
