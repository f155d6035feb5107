package spread

import (
	"fmt"
	"strings"
	"testing"

	"waybill/internal/model"
)

// TestParents draws small spreads and compares their edges and roots.
func TestParents(t *testing.T) {
	const pe = " sha256=aa size=9000 name=run.exe"
	cases := []struct {
		name string
		// events in the order of time: "A>B words" is a transfer, "A~B what at=n" an access,
		// "@B at=n" a file that a listing shows; one a minute where at is not given.
		events []string
		want   string
	}{
		{"over a file server", []string{"A>S" + pe, "S>B" + pe, "S>C" + pe}, "A>S high, S>B high, S>C high; A"},
		{"passed on", []string{"A>B" + pe, "B>C" + pe, "C>D" + pe}, "A>B high, B>C high, C>D high; A"},
		{"two origins", []string{"A>B" + pe, "X>Y" + pe}, "A>B high, X>Y high; A X"},
		{"back again", []string{"A>B" + pe, "B>A" + pe, "A>B" + pe}, "A>B high; A"},
		{"renamed and by another hash", []string{"A>B md5=m sha256=aa size=9000 name=run.exe", "B>C md5=m size=9000 name=svc.exe"}, "A>B high, B>C high; A"},
		{"by name and size", []string{"A>B" + pe, "B>C size=9000 name=run.exe"}, "A>B high, B>C low; A"},
		{"by the name of a program alone", []string{"A>B name=run.exe", "A>C name=RUN.exe", "B>D name=run.exe"}, "A>B low, A>C low, B>D low; A"},
		{"the name alone, then more", []string{"A>B name=run.exe", "A>C" + pe, "B>D name=run.exe"}, "A>B low, A>C high, B>D low; A"},
		{"the name alone, then the size", []string{"A>B name=run.exe", "A>C size=9 name=run.exe"}, "A>B low, A>C low; A"},
		{"the name alone, from a holder", []string{"A>B" + pe, "B>C name=run.exe"}, "A>B high, B>C low; A"},
		{"the name alone, from nobody that has it", []string{"A>B" + pe, "X>Y name=run.exe"}, "A>B high; A"},
		{"the name alone, weeks later", []string{"A>B" + pe, "B>C name=run.exe at=2000000"}, "A>B high; A"},
		{"the name of a document alone", []string{"A>B" + pe, "A>C name=a.docx", "A>D name=a.docx"}, "A>B high; A"},
		{"an everyday name alone", []string{"A>B" + pe, "A>C name=setup.exe", "A>D name=setup.exe"}, "A>B high; A"},
		{"padded", []string{"A>B sha256=aa size=70000 4096=p 65536=q type=pe", "B>C sha256=bb size=99000 4096=p 65536=q type=pe"}, "A>B high, B>C medium; A"},
		{"had before it came", []string{"A>B" + pe, "C>A" + pe}, "A>B high; A C"},
		{"from nowhere", []string{"A>B" + pe, ">C" + pe}, "A>B high, unknown>C high; A unknown"},
		{"from nowhere, a holder was in contact", []string{"A>B" + pe, "B~C share-connect at=118", ">C" + pe}, "A>B high, B>C medium; A"},
		{"from nowhere, whom it called", []string{"A>B" + pe, "C~B share-connect at=118", ">C" + pe}, "A>B high, B>C medium; A"},
		{"from nowhere, the latest of two", []string{"A>B" + pe, "A~C share-connect at=90", "B~C logon at=110", ">C" + pe}, "A>B high, B>C low; A"},
		{"from nowhere, a logon", []string{"A>B" + pe, "B~C logon at=118", ">C" + pe}, "A>B high, B>C low; A"},
		{"from nowhere, who has none", []string{"A>B" + pe, "Z~C share-connect at=118", ">C" + pe}, "A>B high, unknown>C high; A unknown"},
		{"from nowhere, a contact hours ago", []string{"A>B" + pe, "B~C share-connect at=70", ">C at=9000" + pe}, "A>B high, unknown>C high; A unknown"},
		{"from nowhere, a holder later", []string{"A>B" + pe, "Z~C share-connect at=118", ">C at=120" + pe, "B>Z at=4000" + pe}, "A>B high, unknown>C high, B>Z high; A unknown"},
		{"listed alone", []string{"A>B" + pe, "@C at=900"}, "A>B high, unknown>C high; A unknown"},
		{"listed, in contact", []string{"A>B" + pe, "B~C network-write at=899", "@C at=900"}, "A>B high, B>C medium; A"},
		{"listed where it came", []string{"A>B at=60" + pe, "@B at=61"}, "A>B high; A"},
		{"listed long before it came", []string{"A>C at=10" + pe, "@B at=60", "C>B at=9000" + pe}, "A>C high, unknown>B high; A unknown"},
		{"listed without a time", []string{"A>B" + pe, "@C"}, "A>B high, unknown>C high; A unknown"},
		{"on the server itself", []string{"A>S" + pe, "S>S" + pe}, "A>S high; A"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := New(Settings{})
			var of *model.Transfer
			for i, e := range c.events {
				head, rest, _ := strings.Cut(e, " ")
				if !strings.Contains(rest, "at=") && head[0] != '@' {
					rest += fmt.Sprint(" at=", 60*(i+1)+1e6)
				} else {
					rest = atLater(rest)
				}
				switch {
				case head[0] == '@':
					x := file("", "", "", rest)
					b.List(model.Listed{Of: of, Host: model.Endpoint{Host: head[1:]}, Time: x.End, Evidence: []model.Evidence{{Computer: head[1:]}}})
				case strings.Contains(head, "~"):
					x := file("", "", "", rest)
					from, to, _ := strings.Cut(head, "~")
					b.Contact(&model.Access{What: strings.Fields(rest)[0], Time: x.End, Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to}})
				default:
					from, to, _ := strings.Cut(head, ">")
					of = file(fmt.Sprintf("t-%016x", i), from, to, rest)
					b.Add(of)
				}
			}
			if all := b.Artifacts(none); len(all) != 1 {
				t.Errorf("%d artifacts", len(all))
			} else if got := inWords(all[0].Spread); got != c.want {
				t.Errorf("%s\ninstead of\n%s", got, c.want)
			}
		})
	}
}

// atLater moves at=n to where the times of the others are.
func atLater(rest string) string {
	words := strings.Fields(rest)
	for i, w := range words {
		var n int
		if _, err := fmt.Sscanf(w, "at=%d", &n); err == nil {
			words[i] = fmt.Sprint("at=", n+1e6)
		}
	}
	return strings.Join(words, " ")
}

func inWords(s *model.Spread) string {
	var edges []string
	for _, e := range s.Edges {
		edges = append(edges, e.Parent+">"+e.Child+" "+e.Confidence)
	}
	return strings.Join(edges, ", ") + "; " + strings.Join(s.Roots, " ")
}

// TestStartsAreSightings: where a file was started, it was.
func TestStartsAreSightings(t *testing.T) {
	x := file("t-0000000000000001", "A", "B", "sha256=aa at=100")
	x.Executed = []model.Execution{{Time: 150e9, How: "service", Evidence: []model.Evidence{{Input: "b.evtx"}}}}
	b := New(Settings{})
	b.Add(x)
	s := b.Artifacts(func(string) *model.Transfer { return x })[0].Sightings
	if len(s) != 3 || s[2].How != "started" || s[2].Host != "B" || s[2].Time != 150e9 || s[2].Evidence[0].Input != "b.evtx" {
		t.Errorf("%+v", s)
	}
}

// TestSpreadRecord compares what else a spread says.
func TestSpreadRecord(t *testing.T) {
	b := New(Settings{})
	for i, e := range []string{"A B", "B C", "A D"} {
		from, to, _ := strings.Cut(e, " ")
		b.Add(file(fmt.Sprintf("t-%016x", i), from, to, fmt.Sprint("sha256=aa at=", 100+i)))
	}
	s := b.Artifacts(none)[0].Spread
	if s.Depth != 2 || s.Hosts != 4 || s.EarliestVisible != "A" || s.First != 100e9 || s.Last != 102e9 {
		t.Errorf("%+v", s)
	}
	if e := s.Edges[1]; e.Transfer != "t-0000000000000001" || e.Time != 101e9 {
		t.Errorf("%+v", e)
	}
}
