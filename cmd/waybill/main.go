// Command waybill finds every file that moved between the hosts of a network,
// from packet captures, and says which of those movements are an intruder's.
// Flags come in and records go out; all else happens in internal/scan.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"waybill/internal/triage"
)

// version is set when a release is linked: -ldflags "-X main.version=...".
var version = "dev"

// The exit codes of the contract.
const (
	exitDone        = 0
	exitBadInput    = 1
	exitUsage       = 2
	exitFailOn      = 3
	exitInterrupted = 130
)

// commands is the command line.
type commands struct {
	Scan       scanCommand               `cmd:"" help:"Find the files that moved between hosts."`
	Trace      traceCommand              `cmd:"" help:"Show along which hosts one file went (--format also dot, graphml)."`
	Coverage   coverageCommand           `cmd:"" help:"Say what the inputs can and cannot show."`
	Prevent    preventCommand            `cmd:"" help:"Make filters from what moved, and replay it through them."`
	Eval       evalCommand               `cmd:"" help:"Measure detection on simulated networks."`
	History    historyCommand            `cmd:"" help:"Look at what is normal here, and change it."`
	Version    versionCommand            `cmd:"" help:"Print the version."`
	Help       helpCommand               `cmd:"" help:"Explain a command."`
	Completion kongcompletion.Completion `cmd:"" help:"Print what makes a shell complete waybill's words (bash, zsh, fish)."`
}

// program is what a command may touch of the world.
type program struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	parser *kong.Kong
	exit   int
	// suppress is what the configuration hides.
	suppress []triage.Suppression
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	p := &program{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(os.Args[1:]))
}

// exited is what kong's exit becomes, so that run returns.
type exited int

// run is the program. It gives the exit code.
func (p *program) run(args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	var cli commands
	parser, err := kong.New(&cli, kong.Name("waybill"),
		kong.Description("Finds every file that moved between the hosts of a network, and says which of those movements are an intruder's, with the evidence. It only reads."),
		kong.Writers(p.stdout, p.stderr), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"config": configName, "targets": targetNames()},
		kong.Configuration(p.readConfig, defaultConfig()...))
	if err != nil {
		return p.fail(exitUsage, err)
	}
	p.parser = parser
	kongcompletion.Register(parser)
	if len(args) == 0 {
		args = []string{"help"}
	}
	words, err := parser.Parse(args)
	if err != nil {
		return p.fail(exitUsage, usage(err, args))
	}
	if err := words.Run(p); err != nil {
		var u usageError
		if errors.As(err, &u) {
			return p.fail(exitUsage, err)
		}
		return p.fail(exitBadInput, err)
	}
	return p.exit
}

// fail prints one line on standard error.
func (p *program) fail(code int, err error) int {
	fmt.Fprintf(p.stderr, "waybill: %v\n", err)
	return code
}

// usageError is a wrong use of the program.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// usage says what to type instead.
func usage(err error, args []string) error {
	name := "waybill help"
	known := []string{"scan", "trace", "coverage", "prevent", "eval", "history", "version", "help", "completion"}
	if slices.Contains(known, args[0]) {
		name += " " + args[0]
	}
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	if strings.HasPrefix(text, "unexpected argument") && !slices.Contains(known, args[0]) {
		return fmt.Errorf("%s: to read captures type waybill scan PATH", text)
	}
	return fmt.Errorf("%s: see %s", text, name)
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, "waybill", version)
	return err
}

type helpCommand struct {
	Command string `arg:"" optional:"" help:"The command to explain."`
}

// Run prints the help of the program or of one command.
func (h helpCommand) Run(p *program) error {
	args := []string{"--help"}
	if h.Command != "" {
		args = []string{h.Command, "--help"}
	}
	_, err := p.parser.Parse(args)
	if err != nil {
		return usagef("no command %q: see waybill help", h.Command)
	}
	return nil
}
