package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
	"github.com/fatih/color"

	"waybill/internal/model"
	"waybill/internal/report"
	"waybill/internal/scan"
)

// scanCommand finds transfers.
type scanCommand struct {
	Paths []string `arg:"" name:"path" help:"Captures, event logs and folders of them, in any order; - is standard input."`

	Format      string `default:"table" placeholder:"FORMAT" help:"table, ndjson or csv (${default})."`
	Output      string `short:"o" placeholder:"FILE" help:"Write to FILE, all or nothing, instead of standard output."`
	Only        string `placeholder:"KINDS" help:"Kinds of records to print: transfer, access, artifact, finding, incident, coverage, summary."`
	MinSeverity string `default:"info" placeholder:"S" help:"Leave out findings and incidents below S: info, low, medium, high, critical (${default})."`
	FailOn      string `placeholder:"S" help:"Exit with 3 when a finding or incident of severity S or above is printed."`
	Budget      string `placeholder:"N/day" help:"Print at most the N most important findings of each day, the strongest of each incident first."`
	Case        bool   `help:"For an incident that is known: rank and cut nothing, whatever --min-severity and --budget say."`

	ShowSuppressed bool `help:"Also what the configuration suppresses, marked."`

	Internal []string `placeholder:"CIDR" help:"Networks that are inside (private, link-local, loopback and 100.64.0.0/10 ones)."`
	From     string   `placeholder:"T" help:"Leave out records before T (RFC 3339)."`
	To       string   `placeholder:"T" help:"Leave out records after T (RFC 3339)."`
	Host     []string `placeholder:"GLOB" help:"Only records of these hosts, by name or address."`
	User     []string `placeholder:"GLOB" help:"Only records of these accounts."`
	Name     []string `placeholder:"GLOB" help:"Only files of these names."`
	Exclude  []string `placeholder:"GLOB" help:"Leave out these hosts, accounts and names."`
	All      bool     `help:"Also web traffic with the outside, page parts and API chatter."`

	HostOf   []string `placeholder:"NAME=PATH" help:"Whose logs lie under PATH, where they do not say (the collection's folder)."`
	Timezone []string `placeholder:"[PATH=]ZONE" help:"Zone of stamps that name none, such as Europe/Vienna or +02:00 (UTC)."`
	Clock    []string `placeholder:"HOST=+3h" help:"Correct a host's clock by this much."`
	Assets   string   `placeholder:"FILE" help:"CSV ip,mac,name,role,os of the hosts you know; any column may be empty."`
	Known    string   `placeholder:"FILE" help:"CSV what,value,note of a hash, name, host, account or address: a match is shown first."`

	Window         time.Duration `default:"24h" placeholder:"D" help:"How far back analytics look (${default})."`
	TrustedAccount []string      `placeholder:"GLOB" help:"Accounts whose transfers are held against nobody: deployment, backup."`
	TrustedPath    []string      `placeholder:"GLOB" help:"Paths whose files are held against nobody, such as ADMIN$\\ccmsetup\\*."`
	TrustedChannel []string      `placeholder:"GLOB" help:"Channels that may carry anything here, such as rsync."`
	AllowedTool    []string      `placeholder:"GLOB" help:"Tools that commands may move files with here, such as scp or robocopy."`
	SyncApp        []string      `placeholder:"NAME" help:"Programs that sync folders here, beside those that are known."`

	EntropyThreshold float64 `default:"7.95" placeholder:"BITS" help:"Entropy in bits a byte from which flows of unknown protocols count as encrypted (${default})."`

	History string `placeholder:"FILE" help:"What is normal here: read, and added to (waybill history shows it)."`

	Cache string `placeholder:"DIR" help:"Keep what was read of each log: a repeated or broken-off scan reads only what is new."`

	Carve      bool     `default:"true" negatable:"" help:"Look for programs and archives in protocols that nobody knows (on)."`
	SMBKeys    string   `name:"smb-keys" placeholder:"FILE" help:"SMB3 session keys: lines of SESSION_ID SESSION_KEY [SERVER_TO_CLIENT_KEY CLIENT_TO_SERVER_KEY] in hex."`
	Keytab     string   `placeholder:"FILE" help:"Kerberos keytab of your own services: names who logged on, and opens encrypted SMB3 sessions."`
	Extract    string   `placeholder:"DIR" help:"Keep whole content as DIR/<sha256>, never executable."`
	Hash       []string `placeholder:"LIST" help:"Further hashes: md5, sha1. They halve the speed."`
	HashInputs bool     `help:"SHA-256 of each input, for custody."`

	Workers int    `placeholder:"N" help:"Goroutines that hash beside the one that decodes (the number of processors)."`
	Memory  string `default:"1GiB" placeholder:"SIZE" help:"Ceiling for buffered content and state (${default})."`

	Config  kong.ConfigFlag `placeholder:"FILE" help:"YAML with the names of these flags as keys (${config} if present)."`
	Quiet   bool            `help:"No progress and no notices on standard error."`
	Verbose bool            `help:"More notices on standard error."`
}

// Run scans and prints.
func (c *scanCommand) Run(p *program) error {
	return c.run(p, func(out io.Writer, found *scan.Records, s report.Selection, _ error) error {
		if err := report.Formats[c.Format](out, found.Records, s); err != nil {
			return fmt.Errorf("writing the records: %w", err)
		}
		return nil
	})
}

// run scans and has what was found written. Write is told whether the scan was broken off;
// when it fails, nothing is written and nothing learned.
func (c *scanCommand) run(p *program, write func(out io.Writer, found *scan.Records, s report.Selection, scanErr error) error) error {
	o, err := c.options(p)
	if err != nil {
		return err
	}
	selection, failOn, err := c.selection()
	if err != nil {
		return err
	}
	out, err := newOutput(p.stdout, c.Output)
	if err != nil {
		return err
	}
	defer out.discard()
	book, err := openHistory(c.History, &o)
	if err != nil {
		return err
	}
	defer book.close()
	found, scanErr := c.read(p, o)
	if found == nil {
		return scanErr
	}
	if c.Output != "" {
		color.NoColor = true
	}
	if err := write(out, found, selection, scanErr); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return err
	}
	p.exit = exitCode(found, scanErr, selection, failOn)
	return book.save(p, scanErr)
}

// read scans the inputs, with progress and notices on standard error.
func (c *scanCommand) read(p *program, o scan.Options) (*scan.Records, error) {
	limitMemory(o.Memory)
	bar := newProgress(p.stderr, c.Quiet)
	o.Progress = bar.update
	began := time.Now()
	found, err := scan.Run(p.ctx, o)
	bar.done()
	if found != nil {
		c.notices(p, found, began)
	}
	return found, err
}

// limitMemory tells the runtime the ceiling that the user set, less what it does not count:
// the program itself. Below it garbage is collected half as often: on mixed traffic that saves
// a tenth of the time for a tenth more memory (docs/benchmarks.md). Any capture is read in 115
// MiB: a lower ceiling would but collect garbage all the time.
func limitMemory(budget int64) {
	debug.SetMemoryLimit(max(budget-32<<20, 115<<20))
	debug.SetGCPercent(200)
}

// exitCode is the strongest of what happened.
func exitCode(found *scan.Records, err error, s report.Selection, failOn *model.Severity) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case failOn != nil && reaches(s.Select(found.Records), *failOn):
		return exitFailOn
	case found.Failed:
		return exitBadInput
	}
	return exitDone
}

// reaches says whether a finding or incident of a severity or above is printed.
func reaches(r model.Records, s model.Severity) bool {
	return slices.ContainsFunc(r.Findings, func(f *model.Finding) bool { return f.Severity >= s && f.Suppressed == nil }) ||
		slices.ContainsFunc(r.Incidents, func(i *model.Incident) bool { return i.Severity >= s })
}

// notices prints what went wrong with inputs, and the time taken.
func (c *scanCommand) notices(p *program, found *scan.Records, began time.Time) {
	if c.Quiet && !found.Failed {
		return
	}
	for _, line := range found.Problems {
		fmt.Fprintf(p.stderr, "waybill: %s\n", report.Plain(line))
	}
	for _, line := range found.Notices {
		if !c.Quiet {
			fmt.Fprintf(p.stderr, "waybill: %s\n", report.Plain(line))
		}
	}
	for i, line := range found.Ignored {
		if i == maxIgnored && !c.Verbose {
			fmt.Fprintf(p.stderr, "waybill: ... and %d more files that are neither captures nor logs (--verbose names all)\n", len(found.Ignored)-i)
			break
		}
		fmt.Fprintf(p.stderr, "waybill: %s\n", report.Plain(line))
	}
	if c.Verbose {
		c.ticketNotices(p, found)
		took := time.Since(began)
		fmt.Fprintf(p.stderr, "waybill: %s packets, %s in %s (%s/s)\n", humanize.Comma(found.Summary.Packets),
			humanize.IBytes(uint64(found.Summary.Bytes)), took.Round(time.Millisecond),
			humanize.IBytes(uint64(float64(found.Summary.Bytes)/max(took.Seconds(), 1e-9))))
	}
}

// maxIgnored bounds the files that are named although nothing is wrong with them:
// a collection of a host has thousands.
const maxIgnored = 20

// options turns flags into what a scan needs.
func (c *scanCommand) options(p *program) (o scan.Options, err error) {
	o = scan.Options{Paths: c.Paths, Stdin: p.stdin, Workers: c.Workers, NoCarve: !c.Carve, Extract: c.Extract, Cache: c.Cache, All: c.All,
		HashInputs: c.HashInputs, Version: version, Suppress: p.suppress, ShowSuppressed: c.ShowSuppressed}
	if c.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Workers < 0 {
		return o, usagef("--workers %d: give 1 or more", c.Workers)
	}
	if o.Memory, err = memory(c.Memory); err != nil {
		return o, err
	}
	if o.From, err = moment("--from", c.From); err != nil {
		return o, err
	}
	if o.To, err = moment("--to", c.To); err != nil {
		return o, err
	}
	if o.From != 0 && o.To != 0 && o.From > o.To {
		return o, usagef("--from %s is after --to %s", c.From, c.To)
	}
	for _, cidr := range c.Internal {
		n, err := network(cidr)
		if err != nil {
			return o, err
		}
		o.Internal = append(o.Internal, n)
	}
	for _, h := range c.Hash {
		switch strings.ToLower(strings.TrimSpace(h)) {
		case "md5":
			o.MD5 = true
		case "sha1":
			o.SHA1 = true
		case "sha256":
		default:
			return o, usagef("--hash %s: give md5, sha1 or both", h)
		}
	}
	o.Narrow = scan.Narrow{Hosts: c.Host, Users: c.User, Names: c.Name, Exclude: c.Exclude}
	if err := c.whose(&o); err != nil {
		return o, err
	}
	if o.SMBKeys, err = sessionKeys(c.SMBKeys); err != nil {
		return o, err
	}
	o.Keytab, err = keytab(c.Keytab)
	return o, err
}

// minMemory is the least that a scan works with.
const minMemory = 4 << 20

func memory(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n < minMemory || n > 1<<50 {
		return 0, usagef("--memory %s: give a size of 4MiB or more, such as 512MiB or 2GiB", s)
	}
	return int64(n), nil
}

func moment(flag, s string) (model.Time, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, usagef("%s %s: give a time as 2026-03-17T09:00:00Z", flag, s)
	}
	return model.Time(t.UnixNano()), nil
}

func network(s string) (netip.Prefix, error) {
	if n, err := netip.ParsePrefix(s); err == nil {
		return n.Masked(), nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.Prefix{}, usagef("--internal %s: give networks as 10.0.0.0/8,2001:db8::/32", s)
}

// budget reads how many findings a day are printed, 0 for all.
func budget(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, "/day"))
	if err != nil || n < 1 {
		return 0, usagef("--budget %s: give findings a day, as 5/day", s)
	}
	return n, nil
}

// selection says which records are printed and which findings make exit 3.
func (c *scanCommand) selection() (s report.Selection, failOn *model.Severity, err error) {
	if report.Formats[c.Format] == nil {
		return s, nil, usagef("--format %s: give table, ndjson or csv", c.Format)
	}
	if s.Kinds, err = report.ParseKinds(c.Only); err != nil {
		return s, nil, usagef("--only: %w", err)
	}
	if c.Format == "csv" && len(s.Kinds) > 1 {
		return s, nil, usagef("--format csv holds one kind of record: name one with --only")
	}
	if s.MinSeverity, err = model.ParseSeverity(c.MinSeverity); err != nil {
		return s, nil, usagef("--min-severity: %w", err)
	}
	if s.Budget, err = budget(c.Budget); err != nil {
		return s, nil, err
	}
	if c.Case {
		s.MinSeverity, s.Budget = model.Info, 0
	}
	if c.FailOn == "" {
		return s, nil, nil
	}
	f, err := model.ParseSeverity(c.FailOn)
	if err != nil {
		return s, nil, usagef("--fail-on: %w", err)
	}
	return s, &f, nil
}
