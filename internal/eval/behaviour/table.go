package behaviour

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Table prints rows, one a line, and under each what is not as the row wants. What is shown
// by itself stands before what is shown after an everyday week.
func Table(w io.Writer, rows []Row) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%-9s %-8s %-44s %-44s %-44s %s\n", "row", "wanted", "alone (twin)", "after a week (twin)", "policy of the week", "what is played")
	for _, r := range rows {
		fmt.Fprintf(&out, "%-9s %-8s %-44s %-44s %-44s %s\n", r.ID, r.Expect, r.Alone.cell(r.Scenario), r.After.cell(r.Scenario), r.After.Main.Prevented.cell(r.Expect), r.What)
		r.Alone.wrong(&out, "alone")
		r.After.wrong(&out, "after a week")
	}
	out.WriteString("\n")
	for _, s := range Sums(rows) {
		fmt.Fprintf(&out, "%s: of %d rows %d are as wanted alone (%d with their twins), %d after a week (%d)\n", s.Expect, s.Rows, s.Alone[0], s.Alone[1], s.After[0], s.After[1])
	}
	preventedSums(&out, rows)
	_, err := w.Write(out.Bytes())
	return err
}

// cell is "found high 16.5 (quiet low 5.0)".
func (p *Played) cell(s *Scenario) string {
	main, twin := "found", "quiet"
	if s.Expect != Detect {
		main, twin = "quiet", "rises"
	}
	text := p.Main.word(main)
	if s.Expect == Detect || s.Expect == Benign {
		text += " (" + p.Twin.word(twin) + ")"
	}
	return text
}

func (o *Outcome) word(held string) string {
	if !o.Held() {
		held = "NOT " + held
	}
	if o.Title == "" {
		return held
	}
	return fmt.Sprintf("%s %v %.1f", held, o.Severity, o.Score)
}

// wrong prints the problems of a playing.
func (p *Played) wrong(w io.Writer, when string) {
	for _, part := range []struct {
		name string
		o    *Outcome
	}{{"", &p.Main}, {"the twin: ", &p.Twin}} {
		for _, problem := range part.o.Problems {
			fmt.Fprintf(w, "%-18s %s: %s%s\n", "", when, part.name, problem)
		}
		if len(part.o.Lacks) > 0 {
			fmt.Fprintf(w, "%-18s %s: %sdoes not say %s\n", "", when, part.name, strings.Join(part.o.Lacks, ", "))
		}
	}
}

// NDJSON prints rows, each as one line of JSON.
func NDJSON(w io.Writer, rows []Row) error {
	e := json.NewEncoder(w)
	for _, r := range rows {
		err := e.Encode(map[string]any{"row": r.ID, "wanted": r.Expect, "what": r.What,
			"alone": r.Alone.record(r.Expect), "after_week": r.After.record(r.Expect), "prevented": r.After.Main.Prevented.record()})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Played) record(expect string) map[string]any {
	out := map[string]any{"row": p.Main.record()}
	if expect == Detect || expect == Benign {
		out["twin"] = p.Twin.record()
	}
	return out
}

func (o *Outcome) record() map[string]any {
	out := map[string]any{"as_wanted": o.Held()}
	if o.Title != "" {
		out["severity"], out["score"], out["title"], out["analytics"] = o.Severity, o.Score, o.Title, o.Analytics
	}
	if len(o.Problems) > 0 {
		out["problems"] = o.Problems
	}
	if len(o.Lacks) > 0 {
		out["techniques_not_said"] = o.Lacks
	}
	return out
}

// Sum says how many rows of an expectation are as wanted: the row, and the row with its twin.
type Sum struct {
	Expect       string
	Rows         int
	Alone, After [2]int
}

// Sums counts rows by what is wanted of them.
func Sums(rows []Row) (out []Sum) {
	for _, expect := range []string{Detect, Context, Negative, Benign} {
		s := Sum{Expect: expect}
		for _, r := range rows {
			if r.Expect == expect {
				s.Rows++
				r.Alone.count(&s.Alone)
				r.After.count(&s.After)
			}
		}
		if s.Rows > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (p *Played) count(held *[2]int) {
	if p.Main.Held() {
		held[0]++
	}
	if p.Held() {
		held[1]++
	}
}

// Against says where the scenarios differ from the rows of a table: CSV with the column
// row_id, and expect where not all of its rows are everyday work.
func (set *Set) Against(table []byte) (differences []string, err error) {
	cells, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil || len(cells) == 0 {
		return nil, err
	}
	id, expect := column(cells[0], "row_id"), column(cells[0], "expect")
	if id < 0 {
		return nil, fmt.Errorf("it has no column row_id")
	}
	for _, row := range cells[1:] {
		want := Benign
		if expect >= 0 {
			want = strings.TrimSuffix(row[expect], "_only")
		}
		switch s := set.row(row[id]); {
		case s == nil:
			differences = append(differences, row[id]+" has no scenario")
		case s.Expect != want:
			differences = append(differences, fmt.Sprintf("%s is played as %s, the table says %s", row[id], s.Expect, want))
		}
	}
	return differences, nil
}

func column(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func (set *Set) row(id string) *Scenario {
	for _, s := range set.Rows {
		if s.ID == id {
			return s
		}
	}
	return nil
}
