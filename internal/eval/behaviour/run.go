package behaviour

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"waybill/internal/history"
	"waybill/internal/judge"
	"waybill/internal/model"
	"waybill/internal/scan"
	"waybill/internal/synth"
)

// Runner plays rows on one office.
type Runner struct {
	Seed uint64
	// Volume scales how much of the everyday week there is; 1 is that of the rows for an
	// office of this size, 0 is 1.
	Volume float64
	Set    *Set

	office *office
	usual  []history.Entry // what an everyday week taught
	guard  *guard          // and the policy of it
}

// Outcome is what one playing gave.
type Outcome struct {
	Severity  model.Severity
	Score     float64
	Title     string
	Analytics []string
	Problems  []string // why it is not as expected; none: it is
	Lacks     []string // techniques that the row names and the finding does not
	Prevented Prevented
}

// Held says whether it was as expected.
func (o *Outcome) Held() bool { return len(o.Problems) == 0 }

// Row is what the playings of a scenario gave: by itself, with nothing known of what is
// usual but, of everyday work, that it happened for a week before; and after a week of all
// everyday work.
type Row struct {
	*Scenario
	Alone, After Played
}

// Played is a scenario and its twin.
type Played struct{ Main, Twin Outcome }

// Held says whether all was as expected.
func (p *Played) Held() bool { return p.Main.Held() && p.Twin.Held() }

// Prepare plays the everyday week and learns from it.
func (r *Runner) Prepare(ctx context.Context) error {
	r.office = newOffice(r.Seed)
	if r.Volume == 0 {
		r.Volume = 1
	}
	usual, week, err := r.learn(ctx, r.Set.benign())
	if err != nil {
		return err
	}
	r.usual = usual
	r.guard, err = newGuard(week)
	return err
}

// Run plays the rows whose ids begin as said, or all.
func Run(ctx context.Context, r *Runner, begin []string) ([]Row, error) {
	if err := r.Prepare(ctx); err != nil {
		return nil, err
	}
	var rows []Row
	for _, s := range r.Set.Rows {
		if len(begin) > 0 && !slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(s.ID, b) }) {
			continue
		}
		row, err := r.Row(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.ID, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Row plays a scenario: alone, and after the everyday week.
func (r *Runner) Row(ctx context.Context, s *Scenario) (row Row, err error) {
	row.Scenario = s
	var own []history.Entry
	if s.Expect == Benign && !s.rare() {
		if own, _, err = r.learn(ctx, []*Scenario{s}); err != nil {
			return row, err
		}
	}
	if row.Alone, err = r.played(ctx, s, own); err != nil {
		return row, err
	}
	row.After, err = r.played(ctx, s, r.usual)
	return row, err
}

// played plays a scenario and its twin, each by itself, with what is usual.
func (r *Runner) played(ctx context.Context, s *Scenario, usual []history.Entry) (p Played, err error) {
	main, twin := r.nightOf(s), r.twinOf(s)
	if s.Expect == Benign {
		main = r.dayOf(s, nil)
	}
	if err = r.judged(ctx, &p.Main, main, usual, s.judge); err != nil || twin == nil {
		return p, err
	}
	err = r.judged(ctx, &p.Twin, twin, usual, s.judgeTwin)
	return p, err
}

// judged scans what a stage logged, and lets a function look at what was found.
func (r *Runner) judged(ctx context.Context, o *Outcome, b *stage, usual []history.Entry, look func(*Outcome, *stage, *scan.Records)) error {
	folder, err := os.MkdirTemp("", "waybill-behaviour-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := writeFiles(folder, b.files(1_000_000)); err != nil {
		return err
	}
	options := scan.Options{Paths: []string{folder}}
	if len(usual) > 0 {
		options.Settings.Usual = remembered(usual)
	}
	found, err := scan.Run(ctx, options)
	if err != nil {
		return err
	}
	look(o, b, found)
	o.Prevented = r.guard.try(b, found)
	return nil
}

// learn plays a week of everyday rows and gives what it teaches, and what was seen of it.
func (r *Runner) learn(ctx context.Context, rows []*Scenario) ([]history.Entry, *scan.Records, error) {
	folder, err := os.MkdirTemp("", "waybill-week-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(folder)
	if err := writeFiles(folder, r.everyday(rows).files(0)); err != nil {
		return nil, nil, err
	}
	usual := history.New()
	week, err := scan.Run(ctx, scan.Options{Paths: []string{folder}, Settings: judge.Settings{Usual: usual}})
	if err != nil {
		return nil, nil, err
	}
	return usual.Entries(), week, nil
}

// remembered gives what a week taught, to be added to.
func remembered(entries []history.Entry) *history.Normal {
	usual := history.New()
	for _, e := range entries {
		usual.Restore(e)
	}
	return usual
}

func writeFiles(folder string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// nightOf plays a scenario when nobody works.
func (r *Runner) nightOf(s *Scenario) *stage {
	b := newStage(r.office, s.ID)
	b.Now = synth.Begin - 8*3600*second + model.Time(b.rng.IntN(4*3600))*second
	b.draw(s, nil)
	b.play(s.steps)
	return b
}

// twinOf plays the twin of a scenario in the day: an everyday one of an intruder's doing, and
// an intruder's of everyday work.
func (r *Runner) twinOf(s *Scenario) *stage {
	switch s.Expect {
	case Detect:
		return r.dayOf(r.Set.twins[s.twin], nil)
	case Benign:
		return r.dayOf(s, s)
	}
	return nil
}

// dayOf plays a scenario at its hours of the last day, with the changes of another one.
func (r *Runner) dayOf(s, change *Scenario) *stage {
	salt, steps := s.ID+" by day", s.steps
	if change != nil {
		salt, steps = salt+" changed", append(steps[:len(steps):len(steps)], change.worse...)
	}
	b := newStage(r.office, salt)
	b.Now = synth.Begin - 9*3600*second + s.moment(b.rng)
	if change != nil {
		b.draw(s, change.change)
	} else {
		b.draw(s, nil)
	}
	b.play(steps)
	return b
}
