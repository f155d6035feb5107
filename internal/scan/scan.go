// Package scan is the pipeline: inputs in, records out. It opens the inputs,
// merges their packets by time, runs them through packet, stream and the
// decoders under wire and waits for the hashes; then it merges the events of all
// logs by time and follows their hosts. The ledger makes one transfer of what
// several sensors saw, judge looks at what moved, incident puts findings together, and all records are put in
// their order. It prints nothing and knows no output format.
//
// A reader goroutine for each open input fills blocks and cuts frames; one
// goroutine decodes, in packet order over all inputs; hash workers follow. So
// the result depends on the inputs alone.
package scan

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"waybill/internal/capture"
	"waybill/internal/content"
	"waybill/internal/history"
	"waybill/internal/input"
	"waybill/internal/judge"
	"waybill/internal/model"
	"waybill/internal/triage"
	"waybill/internal/wire"
	"waybill/internal/wire/ticket"
)

// Options say what to scan and how. The zero value of a field is its default.
type Options struct {
	Paths      []string
	Stdin      io.Reader
	Internal   []netip.Prefix // what counts as inside; nil is DefaultInternal
	From, To   model.Time     // 0 is unbounded
	Workers    int            // goroutines that hash beside the one that decodes; 0 is 1
	Memory     int64          // bytes of buffered content and state; 0 is 1 GiB
	SMBKeys    map[uint64]wire.SessionKeys
	Keytab     *ticket.Keytab // keys of the user's own services; may be nil
	Extract    string         // folder for whole content
	All        bool           // web traffic with the outside, page parts and API chatter too
	NoCarve    bool           // do not look for programs and archives in protocols that nobody knows
	Entropy    float64        // bits a byte from which bytes of an unknown protocol look random; 0 is sealed.Threshold
	MD5, SHA1  bool
	HashInputs bool
	Narrow     Narrow
	Settings   judge.Settings
	// Suppress are findings that the site hides; ShowSuppressed keeps them, marked.
	Suppress       []triage.Suppression
	ShowSuppressed bool
	Assets         []Asset  // known hosts
	SyncApps       []string // programs that sync folders, beside those that are known
	Cache          string   // folder that keeps what was read of each log
	// History is what is normal here; nil is nothing known. A run that is not cancelled
	// leaves in it what is to be kept.
	History *history.Memory
	// HostOf names the host of the logs under a path, where the logs do not say.
	HostOf map[string]string
	// Zones are those of stamps without zone, by the path of the input; "" is all others.
	Zones map[string]*time.Location
	// Clocks are corrections that are added to the times of a host, by its name.
	Clocks   map[string]time.Duration
	Version  string
	Progress func(Progress) // called now and then; may be nil
}

// Progress says how far a scan is.
type Progress struct {
	Read, Total int64 // bytes of the inputs; Total is 0 when unknown
}

// Records is what a scan found.
type Records struct {
	model.Records
	// Problems are the inputs that could not be read or were damaged, for
	// standard error. Failed says that one of them was named on the command line
	// or damaged.
	Problems []string
	Failed   bool
	// Notices say what is worth knowing and wrong with nothing.
	Notices []string
	// Ignored are files in folders and archives that are neither captures nor logs.
	Ignored []string

	moments []moment // in the order of time, for the history
	inside  func(model.Endpoint) bool
}

// DefaultInternal is RFC 1918, RFC 4193, link-local, loopback and RFC 6598.
var DefaultInternal = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("100.64.0.0/10"),
}

// Run scans. An error means that nothing could be done; bad inputs are no
// error but stand in Records. When ctx is cancelled, what was read until then
// is completed and returned together with the error of ctx.
func Run(ctx context.Context, o Options) (*Records, error) {
	o = o.withDefaults()
	found, problems := input.Walk(o.Paths, o.Stdin, input.Options{Kind: kind})
	input.Sort(found)
	unique, twins := input.Dedupe(found, o.ownerOf)

	budget := &content.Budget{Limit: o.Memory / 4 * 3} // the rest is what else a scan holds
	pool, err := content.NewPool(content.Options{Workers: o.Workers, Budget: budget, Extract: o.Extract, MD5: o.MD5, SHA1: o.SHA1})
	if err != nil {
		return nil, err
	}
	captures, logs := split(unique)
	p := newPipeline(o, budget, pool, captures)
	cancelled := p.run(ctx)
	if err := pool.Close(); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}

	r := p.records()
	r.addProblems(problems, twins)
	l := newLogs(o, logs, fileNames(r.Transfers), p.begins(), p.total)
	if cancelled == nil {
		cancelled = l.run(ctx)
	}
	recall := recallOf(&o, unique)
	roles, err := recall.roles()
	if err != nil {
		return nil, err
	}
	l.join(r, roles, recall)
	recall.prepare(&o.Settings)
	o.Settings.StartsLogged = l.startsLogged
	o.Settings.Assets = hardware(o.Assets)
	verdict := judge.Look(r.Transfers, r.Accesses, l.listed, o.Settings)
	r.Findings, r.Artifacts = verdict.Findings, verdict.Artifacts
	recall.remember(r)
	r.chain(&o, l.startsLogged)
	r.narrow(&o)
	triage.Rank(r.Findings, r.Incidents)
	p.summarize(r, l, len(unique), verdict)
	recall.noteInputs(r)
	return r, cancelled
}

// split parts captures from logs.
func split(all []*input.Input) (captures, logs []*input.Input) {
	for _, in := range all {
		if in.Kind == capture.PCAP || in.Kind == capture.PCAPNG {
			captures = append(captures, in)
			continue
		}
		logs = append(logs, in)
	}
	return captures, logs
}

func (o Options) withDefaults() Options {
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	if o.Internal == nil {
		o.Internal = DefaultInternal
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	return o
}

// addProblems notes inputs that gave nothing.
func (r *Records) addProblems(problems []input.Problem, twins []*input.Input) {
	for _, p := range problems {
		if p.Named {
			r.Problems = append(r.Problems, p.Error())
			r.Failed = true
			r.Summary.Errors++
			continue
		}
		r.Ignored = append(r.Ignored, p.Error())
		r.Summary.Skipped++
	}
	for _, t := range twins {
		r.Problems = append(r.Problems, t.Name+": the same as another input, read once")
		r.Summary.Skipped++
	}
}
