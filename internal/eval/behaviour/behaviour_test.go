package behaviour

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func loaded(t *testing.T) *Set {
	t.Helper()
	set, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// atLeast is how many rows hold with their twins, alone and after a week, with seed 1. It
// is raised when more do.
var atLeast = map[string][2]int{Detect: {124, 124}, Context: {19, 19}, Negative: {9, 9}, Benign: {70, 73}}

// TestRows plays all rows in a small office.
func TestRows(t *testing.T) {
	rows, err := Run(context.Background(), &Runner{Seed: 1, Set: loaded(t), Volume: 0.2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Sums(rows) {
		if least := atLeast[s.Expect]; s.Alone[1] < least[0] || s.After[1] < least[1] {
			var table bytes.Buffer
			if err := Table(&table, rows); err != nil {
				t.Fatal(err)
			}
			t.Fatalf("of %s rows %d hold alone and %d after a week, of %v before:\n%s", s.Expect, s.Alone[1], s.After[1], least, table.String())
		}
	}
	wantPrevented(t, rows)
}

// wantPrevented looks at what the policy of the week does to some rows: of all of them most
// intruders must not pass the strict one, and hardly any everyday work may break.
func wantPrevented(t *testing.T, rows []Row) {
	count := map[string]int{}
	for _, r := range rows {
		p := &r.After.Main.Prevented
		count[r.Expect+" "+p.Outcome]++
		if want := map[string]string{"SX-01": "stopped at ", "S0154-02": "strict at ", "T1570-06": "not judged", "B-037": "passes", "B-010": "nothing moved"}[r.ID]; !strings.HasPrefix(p.cell(r.Expect), want) {
			t.Errorf("%s: %s, not %s", r.ID, p.cell(r.Expect), want)
		}
		if r.ID == "SX-01" && p.Shown == "" {
			t.Errorf("%s: programs on an administrative share are not shown", r.ID)
		}
	}
	if count["detect stopped"]+count["detect strict"] < 80 || count["benign stopped"] > 5 {
		t.Errorf("%v", count)
	}
}

// TestSameAgain: a seed gives the same logs and the same table, and another one others.
func TestSameAgain(t *testing.T) {
	table := func(seed uint64) string {
		var out bytes.Buffer
		rows, err := Run(context.Background(), &Runner{Seed: seed, Set: loaded(t), Volume: 0.01}, []string{"G0050", "T1570-0", "B-00"})
		if err != nil {
			t.Fatal(err)
		}
		if err := Table(&out, rows); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	first := table(3)
	if again := table(3); again != first {
		t.Error("the same seed gives another table")
	}
	if table(4) == first {
		t.Error("seeds make no difference")
	}
}

// TestTables: every row of the tables of behaviours has its scenario. The tables are no
// part of the program.
func TestTables(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "behaviours")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the tables of behaviours are not here: ../shared/behaviours")
	}
	set := loaded(t)
	for _, name := range []string{"groups.csv", "software.csv", "benign.csv"} {
		table, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		differences, err := set.Against(table)
		if err != nil || len(differences) > 0 {
			t.Errorf("%s: %v %v", name, err, differences)
		}
	}
}

func TestAgainst(t *testing.T) {
	differences, err := loaded(t).Against([]byte("row_id,expect\nG0050-01,detect\nG0050-02,context_only\nX-99,detect\n"))
	if want := "G0050-02 is played as detect, the table says context; X-99 has no scenario"; err != nil || strings.Join(differences, "; ") != want {
		t.Errorf("%v %v", err, differences)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"X detect A row\n\tpush a b C$ x\n":   "",
		"X detect\n":                          "x.txt:1: no headline",
		"\tpush a b\n":                        "x.txt:1: a step before any headline",
		"X detect A row\n\tfly a b\n":         `x.txt:2: no verb "fly"`,
		"X detect A row\n\tbind a\n":          `x.txt:2: what is "a"`,
		"X detect A row\n\tallow terrible\n":  "x.txt:2:",
		"X detect A row\n\thours 9\n":         `x.txt:2: what is "9"`,
		"X detect A row\n\tfile a\n":          `x.txt:2: what is "a"`,
		"X benign A row\n\tworse fly over\n":  `x.txt:2: no verb "fly"`,
		"X detect A row\n\tin the open air\n": `x.txt:2: what is "the open air"`,
	} {
		_, err := parse("x.txt", text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
}

func TestCall(t *testing.T) {
	b := newStage(newOffice(1), "x")
	b.words["tool"] = "t1"
	c, err := b.call(Verbs["push"], `a b C$ 'Admin Arsenal\{tool}.exe' by=CORP\x`)
	if err != nil || len(c.words) != 4 || c.words[3] != `Admin Arsenal\t1.exe` || c.options["by"] != `CORP\x` {
		t.Errorf("%v %v", err, c)
	}
	if c, err = b.call(Verbs["run"], `a as=x cmd.exe /c copy a=b {tool}`); err != nil || c.rest != "cmd.exe /c copy a=b t1" {
		t.Errorf("%v %v", err, c)
	}
	if _, err = b.call(Verbs["push"], "a b C$"); err == nil || !strings.HasPrefix(err.Error(), "wanted: FROM TO SHARE PATH") {
		t.Error(err)
	}
	if _, err = b.call(Verbs["push"], "a b C$ p q"); err == nil || err.Error() != `too much: "q"` {
		t.Error(err)
	}
}
