package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"
	"text/tabwriter"

	"waybill/internal/model"
)

// Most is how far the draws vary parameters: a fifth to five times.
const Most = 5

// Draw is what one variation of all parameters gave at one tier.
type Draw struct {
	Seed                    uint64
	Tier                    string
	Recall, HeldOut         float64 // at five a day
	Parents                 float64 // -1 where no tree shows
	Medium, High, Precision float64
	TooEasy                 string
}

// Draws runs n worlds, each with parameters, hosts and campaigns of its own, at each
// tier. What it gives does not depend on how many run at once.
func Draws(ctx context.Context, c Config, tiers []Tier, n int) []Draw {
	out := make([]Draw, n*len(tiers))
	jobs := make(chan int)
	var workers sync.WaitGroup
	for range max(1, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for i := range jobs {
				out[i] = draw(ctx, c, tiers[i%len(tiers)], i/len(tiers))
			}
		})
	}
	for i := range out {
		if ctx.Err() != nil {
			break
		}
		jobs <- i
	}
	close(jobs)
	workers.Wait()
	return out
}

func draw(ctx context.Context, c Config, t Tier, i int) Draw {
	c.Seed = mix(c.Seed, uint64(i), 101)
	c.Varied = &Variation{Seed: c.Seed, Most: Most}
	r := Run(ctx, c, t)
	k := r.All(false)
	d := Draw{Seed: c.Seed, Tier: t.Name, Recall: k.Recall(5), HeldOut: r.All(true).Recall(5), Parents: -1, Precision: r.Precision(),
		Medium: r.PerDay(r.Benign, model.Medium), High: r.PerDay(r.Benign, model.High), TooEasy: r.TooEasy()}
	if k.Parents[1] > 0 {
		d.Parents = ratio(k.Parents[0], k.Parents[1])
	}
	return d
}

// DrawTable prints median, 5th percentile and worst of the draws, of all and of those
// whose world is not too easy.
func DrawTable(out io.Writer, draws []Draw, tiers []Tier) error {
	w := &printer{Writer: tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)}
	w.line("all parameters varied together, each by a factor of a %dth to %d\n", Most, Most)
	w.line("tier\tdraws\trecall at 5: median\t5 %%\tworst\tparents: median\t5 %%\tworst\tmedium+ a day: median\t95 %%\tworst\thigh+ a day: median\t95 %%\tworst")
	for _, hard := range []bool{false, true} {
		for _, t := range tiers {
			var recall, parents, medium, high []float64
			for _, d := range draws {
				if d.Tier != t.Name || hard && d.TooEasy != "" {
					continue
				}
				recall, medium, high = append(recall, d.Recall), append(medium, d.Medium), append(high, d.High)
				if d.Parents >= 0 {
					parents = append(parents, d.Parents)
				}
			}
			if len(recall) == 0 {
				continue
			}
			name := t.Name
			if hard {
				name += " not too easy"
			}
			w.line("%s\t%d\t%s\t%s\t%s\t%s", name, len(recall), low(recall), low(parents), highest(medium), highest(high))
		}
	}
	if w.err != nil {
		return w.err
	}
	return w.Flush()
}

// low is median, 5th percentile and worst of what should be high.
func low(v []float64) string {
	if len(v) == 0 {
		return "-\t-\t-"
	}
	return fmt.Sprintf("%.2f\t%.2f\t%.2f", median(v), quantile(v, 0.05), quantile(v, 0))
}

// highest is median, 95th percentile and worst of what should be low.
func highest(v []float64) string {
	return fmt.Sprintf("%.1f\t%.1f\t%.1f", median(v), quantile(v, 0.95), quantile(v, 1))
}

// DrawNDJSON prints a record for each draw.
func DrawNDJSON(out io.Writer, draws []Draw) error {
	e := json.NewEncoder(out)
	for _, d := range draws {
		record := map[string]any{"kind": "draw", "seed": d.Seed, "tier": d.Tier, "recall_5": d.Recall, "held_out_recall_5": d.HeldOut,
			"precision": d.Precision, "medium_a_day": d.Medium, "high_a_day": d.High, "too_easy": d.TooEasy}
		if d.Parents >= 0 {
			record["parent_accuracy"] = d.Parents
		}
		if err := e.Encode(record); err != nil {
			return err
		}
	}
	return nil
}
