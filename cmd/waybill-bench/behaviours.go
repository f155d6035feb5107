package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"waybill/internal/model"
	"waybill/internal/scan"
	"waybill/internal/synth"
)

// outcome is what became of one row.
type outcome struct {
	channel, result string
	shown           bool
}

// behaviours plays each behaviour of some tables (CSV with the columns row_id,
// channel and expect) as made-up event logs, scans them, and says row by row
// whether the movement is shown, and beside it the everyday twin, of which no finding may
// speak (of that on Windows: none of medium severity or more).
func behaviours(tables []string) error {
	played := map[string]outcome{}
	shown, missing, failed := 0, 0, 0
	for _, table := range tables {
		rows, err := readRows(table)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r["expect"] != "detect" {
				continue
			}
			o, ok := played[r["channel"]]
			if !ok {
				o = play(r["channel"])
				played[r["channel"]] = o
			}
			switch {
			case o.shown:
				shown++
			case strings.HasPrefix(o.result, "needs "):
				missing++
			default:
				failed++
			}
			fmt.Printf("%-10s %-32s %s\n", r["row_id"], r["channel"], o.result)
		}
	}
	fmt.Printf("%d rows shown, %d need another source, %d not shown\n", shown, missing, failed)
	if failed > 0 {
		return fmt.Errorf("%d rows are not shown", failed)
	}
	return nil
}

func readRows(path string) ([]map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	columns, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var out []map[string]string
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		row := map[string]string{}
		for i, name := range columns {
			row[name] = cells[i]
		}
		out = append(out, row)
	}
}

// play makes the logs of a behaviour and its twin, and scans them.
func play(channel string) outcome {
	b, ok := synth.BehaviourOf(channel)
	if !ok {
		return outcome{channel: channel, result: "NOT SHOWN: no script for this channel"}
	}
	if b.Script == nil {
		return outcome{channel: channel, result: "needs " + b.Missing}
	}
	return playScript(b)
}

func playScript(b synth.Behaviour) outcome {
	stage := synth.NewStage(1)
	// An installer on an administrative share is a low finding, whoever puts it there.
	twin, least := (*synth.Stage).Twin, model.Medium
	if b.Twin != nil {
		twin, least = b.Twin, model.Info
	}
	want := append(b.Script(stage), twin(stage))
	dir, err := os.MkdirTemp("", "waybill-behaviour-")
	if err != nil {
		return outcome{result: "NOT SHOWN: " + err.Error()}
	}
	defer os.RemoveAll(dir)
	if err := write(dir, stage.Files()); err != nil {
		return outcome{result: "NOT SHOWN: " + err.Error()}
	}
	found, err := scan.Run(context.Background(), scan.Options{Paths: []string{dir}})
	if err != nil {
		return outcome{result: "NOT SHOWN: " + err.Error()}
	}
	o := judge(want, found.Transfers)
	if twins := raised(want[len(want)-1], found, least); o.shown && twins != "" {
		return outcome{result: "NOT SHOWN as played, the twin raises: " + twins}
	}
	return o
}

func write(dir string, files map[string][]byte) error {
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// raised gives the first finding of some severity that speaks of a movement, "" when
// none does.
func raised(w synth.Shown, found *scan.Records, least model.Severity) string {
	for _, t := range found.Transfers {
		for _, f := range found.Findings {
			if f.Severity >= least && is(w, t) && slices.Contains(f.Transfers, t.ID) {
				return fmt.Sprintf("%s (%v)", f.Title, f.Severity)
			}
		}
	}
	return ""
}

// judge compares what is shown with what was played: each movement once, and nothing else.
func judge(want []synth.Shown, got []*model.Transfer) outcome {
	free := slices.Clone(got)
	var said []string
	for _, w := range want {
		i := slices.IndexFunc(free, func(t *model.Transfer) bool { return is(w, t) })
		if i < 0 {
			return outcome{result: fmt.Sprintf("NOT SHOWN: %s over %s; shown: %s", w.Name, w.Channel, list(got))}
		}
		said = append(said, describe(free[i]))
		free = slices.Delete(free, i, i+1)
	}
	if len(free) > 0 {
		return outcome{result: "NOT SHOWN as played, also: " + list(free)}
	}
	return outcome{shown: true, result: "shown: " + strings.Join(said[:len(said)-1], "; ")}
}

func is(w synth.Shown, t *model.Transfer) bool {
	return end(w.Source, t.Source) && end(w.Destination, t.Destination) && t.Channel == w.Channel && strings.EqualFold(t.Name, w.Name) &&
		how(t) == w.How && (w.User == "" || strings.EqualFold(account(t), w.User))
}

// how is a movement's status, else its completeness, where they are others than done
// and logged.
func how(t *model.Transfer) string {
	switch {
	case t.Status != model.Done:
		return t.Status
	case t.Completeness != model.Logged:
		return t.Completeness
	}
	return ""
}

// account is whose the movement is: the one that it was allowed to, else the one that
// asked for it.
func account(t *model.Transfer) string { return cmp.Or(t.User, t.InitiatorUser) }

func end(h *synth.Host, e model.Endpoint) bool {
	if h == nil {
		return e.Host == "" && !e.IP.Known()
	}
	return e.Host == h.FQDN() && e.IP == h.Model()
}

func describe(t *model.Transfer) string {
	s := fmt.Sprintf("%s %s %s > %s", t.Channel, t.Name, t.Source.Name(), t.Destination.Name())
	if who := account(t); who != "" {
		s += " by " + who
	}
	if how(t) != "" {
		s += ", " + how(t)
	}
	if len(t.Executed) > 0 {
		s += ", started"
	}
	return s
}

func list(all []*model.Transfer) string {
	var out []string
	for _, t := range all {
		out = append(out, describe(t)+" ("+t.Completeness+" "+t.Status+")")
	}
	return strings.Join(out, "; ")
}
