package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"waybill/internal/history"
	"waybill/internal/identity"
	"waybill/internal/judge"
	"waybill/internal/model"
	"waybill/internal/report"
	"waybill/internal/scan"
)

// historyCommand looks at what is normal here, and changes it.
type historyCommand struct {
	Show   historyShow   `cmd:"" help:"Say what is normal here."`
	Merge  historyMerge  `cmd:"" help:"Add other histories to one."`
	Forget historyForget `cmd:"" help:"Forget a host, an account, a pair, a file, or what ended long ago."`
	Mark   historyMark   `cmd:"" help:"Say that a finding, an artifact or a transfer is benign or malicious."`
}

// historyFile names the file.
type historyFile struct {
	History string `required:"" placeholder:"FILE" help:"What is normal here: the file that scan --history keeps."`
}

// change opens the history, changes it and saves it.
func (h *historyFile) change(change func(m *history.Memory) error) error {
	f, err := history.Open(h.History)
	if err != nil {
		return err
	}
	defer f.Close()
	m, err := f.Load()
	if err != nil {
		return err
	}
	if err := change(m); err != nil {
		return err
	}
	return f.Save(m)
}

// book is the history that a scan reads and adds to; its zero value is none.
type book struct {
	file   *history.File
	memory *history.Memory
}

// openHistory opens the history of a scan; where there is none, one is made. It is held
// until it is saved or closed.
func openHistory(path string, o *scan.Options) (book, error) {
	if path == "" {
		return book{}, nil
	}
	f, err := history.Open(path)
	if err != nil {
		return book{}, err
	}
	if o.History, err = f.Load(); err != nil {
		f.Close()
		return book{}, err
	}
	return book{f, o.History}, nil
}

func (b book) close() {
	if b.file != nil {
		b.file.Close()
	}
}

// save keeps what the scan learned, when it came to its end.
func (b book) save(p *program, interrupted error) error {
	if b.file == nil {
		return nil
	}
	if interrupted != nil {
		fmt.Fprintf(p.stderr, "waybill: interrupted: the history is left as it was\n")
		return nil
	}
	return b.file.Save(b.memory)
}

func readHistory(path string) (*history.Memory, error) {
	f, err := history.OpenToRead(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Load()
}

type historyMerge struct {
	historyFile
	Others []string `arg:"" name:"other" help:"Histories to add; they are only read."`
}

// Run adds the others.
func (c *historyMerge) Run(p *program) error {
	var others []*history.Memory
	for _, path := range c.Others {
		m, err := readHistory(path)
		if err != nil {
			return err
		}
		others = append(others, m)
	}
	return c.change(func(m *history.Memory) error {
		for i, o := range others {
			twice, err := m.Merge(o)
			if err != nil {
				return fmt.Errorf("history %s: %w", c.Others[i], err)
			}
			if twice > 0 {
				fmt.Fprintf(p.stderr, "waybill: %s: %s learned from are in both: their days count once, their counts twice\n", report.Plain(c.Others[i]), plural(twice, "input"))
			}
		}
		fmt.Fprintf(p.stdout, "%s now\n", plural(m.Normal.Len(), "use"))
		return nil
	})
}

type historyForget struct {
	historyFile
	Host    string   `placeholder:"NAME" help:"What a host takes part in; a name without domain is any host of that name."`
	Account string   `placeholder:"NAME" help:"What an account does, as DOMAIN\\NAME or NAME."`
	Pair    []string `placeholder:"A,B" help:"What two hosts exchange, in either direction."`
	File    string   `placeholder:"GLOB" help:"A kind of file, by its name or path, or an artifact by its id."`
	Mark    string   `placeholder:"ID" help:"A mark, by the id that was marked: alone."`
	Before  string   `placeholder:"DATE" help:"Only what was last seen before DATE."`
}

// Run forgets what fits all that is given.
func (c *historyForget) Run(p *program) error {
	fits, err := c.fits()
	if err != nil {
		return err
	}
	return c.change(func(m *history.Memory) error {
		if c.Mark != "" {
			return c.unmark(p, m)
		}
		n := m.Forget(func(e *history.Entry) bool { return fits(e) }, c.host)
		fmt.Fprintf(p.stdout, "forgotten: %s, what %s did, %s held back, %s, %s\n", plural(n.Uses, "use"), plural(n.Hosts, "host"), plural(n.Held, "transfer"), plural(n.Homes, "address"), plural(n.Marks, "mark"))
		return nil
	})
}

// unmark forgets one mark. What was learned when it was marked stays.
func (c *historyForget) unmark(p *program, m *history.Memory) error {
	if !m.Unmark(c.Mark) {
		return usagef("--mark %s: there is no such mark (history show says which there are)", c.Mark)
	}
	fmt.Fprintf(p.stdout, "forgotten: the mark of %s\n", report.Plain(c.Mark))
	return nil
}

// fits says which uses are forgotten.
func (c *historyForget) fits() (func(e *history.Entry) bool, error) {
	before, err := dateOf("--before", c.Before, 0)
	switch {
	case err != nil:
		return nil, err
	case c.Mark != "" && (c.Host+c.Account+c.File+c.Before != "" || len(c.Pair) != 0):
		return nil, usagef("--mark %s: give it alone", c.Mark)
	case c.Host+c.Account+c.File+c.Before+c.Mark == "" && len(c.Pair) == 0:
		return nil, usagef("forget what? Give --host, --account, --pair, --file, --before or --mark")
	case len(c.Pair) != 0 && len(c.Pair) != 2:
		return nil, usagef("--pair %s: give two hosts, as WS-1,FS-1", strings.Join(c.Pair, ","))
	case judge.CheckGlob(c.File) != nil:
		return nil, usagef("--file %s: use *, ? and [a-z]", c.File)
	}
	return func(e *history.Entry) bool {
		hosts, account, file := e.Names()
		return (before == 0 || e.Last < before) && (c.Host == "" || isOne(hosts, c.Host)) && (c.Account == "" || isAccount(account, c.Account)) &&
			(c.File == "" || isFile(file, c.File)) && (len(c.Pair) == 0 || hosts[1] != "" && isOne(hosts, c.Pair[0]) && isOne(hosts, c.Pair[1]))
	}, nil
}

// host says which hosts' doings are forgotten.
func (c *historyForget) host(key string, last model.Time) bool {
	before, _ := dateOf("--before", c.Before, 0)
	return c.Account+c.File == "" && len(c.Pair) == 0 && (c.Host == "" || identity.SameName(key, c.Host)) && (before == 0 || last < before)
}

func isOne(hosts [2]string, name string) bool {
	return hosts[0] != "" && identity.SameName(hosts[0], name) || hosts[1] != "" && identity.SameName(hosts[1], name)
}

func isAccount(account, name string) bool {
	return account != "" && (strings.EqualFold(account, name) || strings.EqualFold(account[strings.LastIndexByte(account, '\\')+1:], name))
}

func isFile(file, glob string) bool {
	return file != "" && (judge.Glob(glob, file) || judge.Glob(glob, file[strings.LastIndexByte(file, '\\')+1:]))
}

type historyMark struct {
	historyFile
	ID      string `arg:"" help:"Of a finding (f-...), an artifact (a-...) or a transfer (t-...), as printed."`
	Verdict string `arg:"" help:"benign or malicious."`
	Reason  string `required:"" placeholder:"TEXT" help:"Why: it is printed with what the mark is about."`
	Until   string `required:"" placeholder:"DATE" help:"The last day, by the time of events, on which it holds."`
}

var markable = regexp.MustCompile(`^[fat]-[0-9a-f]{16}$`)

// Run marks.
func (c *historyMark) Run(p *program) error {
	until, err := dateOf("--until", c.Until, 24*time.Hour-1)
	switch {
	case err != nil:
		return err
	case !markable.MatchString(c.ID):
		return usagef("%s: give the id of a finding, an artifact or a transfer, as f-0123456789abcdef", c.ID)
	case c.Verdict != history.Benign && c.Verdict != history.Malicious:
		return usagef("%s: say benign or malicious", c.Verdict)
	case strings.TrimSpace(c.Reason) == "":
		return usagef("--reason: say why")
	}
	return c.change(func(m *history.Memory) error {
		n := m.Mark(history.Mark{ID: c.ID, Verdict: c.Verdict, Reason: strings.TrimSpace(c.Reason), Until: until})
		fmt.Fprintf(p.stdout, "%s is %s until %s\n", c.ID, c.Verdict, c.Until)
		if c.Verdict == history.Benign {
			fmt.Fprintf(p.stdout, "learned what was held back of it: %s\n", plural(n, "transfer"))
		}
		if mark, _ := m.MarkOf(c.ID); len(mark.Covers) > 0 {
			fmt.Fprintf(p.stdout, "covers what is alike, with any hosts:\n%s", strings.Join(coverLines(&mark), ""))
		}
		return nil
	})
}

// dateOf reads a day, of which the moment after its midnight counts, or a time.
func dateOf(flag, s string, after time.Duration) (model.Time, error) {
	if s == "" {
		return 0, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return model.Time(t.Add(after).UnixNano()), nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() > 2200 || t.Year() < 1970 {
		return 0, usagef("%s %s: give a day as 2027-01-31, or a time as 2027-01-31T09:00:00Z", flag, s)
	}
	return model.Time(t.UnixNano()), nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "s") {
		what += "e"
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}
