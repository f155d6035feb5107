package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"waybill/internal/model"
)

// Table prints results for people, with some findings of each benign row and of what was
// missed.
func Table(out io.Writer, results []*Result, explain int) error {
	w := &printer{Writer: tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.StripEscape)}
	if len(results) > 0 {
		c := results[0].World.Config
		w.line("%d hosts, %d days of which the first %d are only learned from, seed %d, bulk %g, %d movements", c.Hosts, c.Days, c.Learn, c.Seed, c.Bulk, results[0].Moves)
	}
	w.summary(results)
	w.incidents(results)
	w.prevented(results)
	for _, r := range results {
		w.tier(r)
		w.explain(r, explain)
	}
	if w.err != nil {
		return w.err
	}
	return w.Flush()
}

type printer struct {
	*tabwriter.Writer
	err error
}

func (w *printer) line(format string, args ...any) {
	if _, err := fmt.Fprintf(w.Writer, format+"\n", args...); err != nil && w.err == nil {
		w.err = err
	}
}

// summary is a line for each tier: what is tuned on, then what is held out.
func (w *printer) summary(results []*Result) {
	w.line("\ntier\tcampaigns\trecall at 1\t5\t10 a day\tparents\thosts before\tprecision\tmedium+ a day\thigh+ a day\tbaselines")
	for _, held := range []bool{false, true} {
		for _, r := range results {
			k := r.All(held)
			if k.Campaigns == 0 {
				continue
			}
			name := r.Tier.Name
			if held {
				name += " held out"
			}
			easy := "-"
			if b := r.TooEasy(); b != "" {
				easy = "too easy: " + b
			}
			w.line("%s\t%d\t%.2f\t%.2f\t%.2f\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%s", name, k.Campaigns, k.Recall(1), k.Recall(5), k.Recall(10), parents(k), median(k.Reached),
				r.Precision(), r.PerDay(r.Benign, model.Medium), r.PerDay(r.Benign, model.High), easy)
		}
	}
}

// incidents is the same by incident, and what is together in one.
func (w *printer) incidents(results []*Result) {
	w.line("\nincidents\tcampaigns\trecall at 1\t5\t10 a day\tin one\tincidents a campaign\teveryday findings in them\tof other campaigns\thosts to act on\tthe first\tearliest holder\tof no campaign a day\thigh+")
	for _, held := range []bool{false, true} {
		for _, r := range results {
			x, name := &r.Incidents, r.Tier.Name
			t := &x.Tuned
			if held {
				t, name = &x.HeldOut, name+" held out"
			}
			if t.Campaigns == 0 {
				continue
			}
			w.line("%s\t%d\t%.2f\t%.2f\t%.2f\t%s\t%s\t%d of %d\t%d\t%s\t%s\t%s\t%.2f\t%.2f", name, t.Campaigns, t.Recall(1), t.Recall(5), t.Recall(10), share([2]int{t.Whole, t.Told}), spreadOver(t.Pieces),
				x.Foreign, x.Own, x.Others, share(x.Targets), share(x.First), share(x.Leads), r.PerDay(x.Benign, model.Medium), r.PerDay(x.Benign, model.High))
		}
	}
}

// share is a part of a whole.
func share(of [2]int) string { return fmt.Sprintf("%.2f of %d", ratio(of[0], of[1]), of[1]) }

// spreadOver is the mean and the most of how many incidents a campaign is.
func spreadOver(pieces []float64) string {
	sum := 0.0
	for _, n := range pieces {
		sum += n
	}
	return fmt.Sprintf("%.1f, at most %.0f", sum/float64(max(1, len(pieces))), quantile(pieces, 1))
}

func parents(k *Kind) string {
	if k.Parents[1] == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f of %d", ratio(k.Parents[0], k.Parents[1]), k.Parents[1])
}

func (w *printer) tier(r *Result) {
	w.line("\n%s: campaigns\tnumber\tno sensor\trecall at 1\t5\t10 a day\tparents\thosts before", r.Tier.Name)
	for _, k := range r.Kinds {
		name := k.Name
		if k.HeldOut {
			name += " (held out)"
		}
		if k.Irreducible {
			name += " (irreducible)"
		}
		if k.Primed[0] < k.Primed[1] {
			name += fmt.Sprintf(" (on %d of %d days: the world is too short)", k.Primed[0], k.Primed[1])
		}
		w.line("%s\t%d\t%d\t%.2f\t%.2f\t%.2f\t%s\t%.0f", name, k.Campaigns, k.Blind, k.Recall(1), k.Recall(5), k.Recall(10), parents(k), median(k.Reached))
	}
	w.line("\n%s: findings of no campaign a day\tlow+\tmedium+\thigh+\tcritical", r.Tier.Name)
	for _, x := range []struct {
		name   string
		counts [5]int
	}{{"benign", r.Benign}, {"rows that may show", r.Boundary}, {"irreducible: in-house tools pushed by hand", r.Irreducible}} {
		w.line("%s\t%.2f\t%.2f\t%.2f\t%.2f", x.name, r.PerDay(x.counts, model.Low), r.PerDay(x.counts, model.Medium), r.PerDay(x.counts, model.High), r.PerDay(x.counts, model.Critical))
	}
	w.loud(r)
	w.line("\n%s: score\thostile\tbenign\tmean score\tworth (nats)", r.Tier.Name)
	for _, b := range r.Bins {
		w.line("from %g\t%d\t%d\t%.1f\t%.1f", b.From, b.Hostile, b.Benign, b.Score, b.Nats)
	}
	w.line("\n%s: recall at 5 without the family", r.Tier.Name)
	for _, a := range r.Without {
		w.line("%s\t%.2f", a.Family, a.Recall)
	}
	w.line("\n%s: baselines\trecall at 1\t5\t10 a day\tother alerts a day", r.Tier.Name)
	for _, b := range r.Baselines {
		w.line("%s\t%.2f\t%.2f\t%.2f\t%.1f", b.Name, b.Recall[1], b.Recall[5], b.Recall[10], b.PerDay)
	}
}

func (w *printer) loud(r *Result) {
	var rows []string
	for _, l := range r.Loudest[:min(len(r.Loudest), 8)] {
		rows = append(rows, fmt.Sprintf("%s %d (%d)", l.Row, l.Medium, l.High))
	}
	if len(rows) > 0 {
		w.line("rows with findings of medium+ (high+): %s", strings.Join(rows, ", "))
	}
}

// NDJSON prints a record for each tier.
func NDJSON(out io.Writer, results []*Result) error {
	e := json.NewEncoder(out)
	for _, r := range results {
		c := r.World.Config
		record := map[string]any{"kind": "evaluation", "tier": r.Tier.Name, "hosts": c.Hosts, "days": c.Days, "seed": c.Seed, "moves": r.Moves, "transfers": r.Transfers,
			"tuned": figures(r.All(false)), "held_out": figures(r.All(true)), "precision": r.Precision(),
			"medium_a_day": r.PerDay(r.Benign, model.Medium), "high_a_day": r.PerDay(r.Benign, model.High), "too_easy": r.TooEasy()}
		kinds := map[string]any{}
		for _, k := range r.Kinds {
			kinds[k.Name] = figures(k)
		}
		record["kinds"] = kinds
		record["incidents"] = r.Incidents.figures(r)
		if err := e.Encode(record); err != nil {
			return err
		}
	}
	return nil
}

func figures(k *Kind) map[string]any {
	out := map[string]any{"campaigns": k.Campaigns, "blind": k.Blind, "recall_1": k.Recall(1), "recall_5": k.Recall(5), "recall_10": k.Recall(10), "hosts_before": median(k.Reached)}
	if k.Parents[1] > 0 {
		out["parent_accuracy"] = ratio(k.Parents[0], k.Parents[1])
	}
	return out
}
