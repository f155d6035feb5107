package incident

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"waybill/internal/model"
)

const origin = model.Time(1_773_738_000e9) // 2026-03-17 09:00:00 UTC

// deed is one finding of one transfer, or of several when to names several hosts.
type deed struct {
	id       string
	at       time.Duration
	score    float64
	from, to string // from acts, unless pull
	pull     bool
	content  string // artifact
	name     string
	account  string
	started  bool
	status   string
}

// world makes the records of deeds.
func world(deeds ...deed) Input {
	in := Input{StartsLogged: map[string]bool{}}
	seen := map[string]*model.Artifact{}
	for _, d := range deeds {
		f := &model.Finding{Kind: "finding", ID: d.id, Score: d.score, Severity: model.SeverityOf(d.score), Title: d.id + " title",
			Start: origin + model.Time(d.at), Time: origin + model.Time(d.at), Techniques: []string{"T1570"},
			Reasons: []model.Reason{{Family: "channel", Analytic: "admin-share-write", Nats: d.score}}}
		if d.content != "" {
			f.Artifacts = []string{d.content}
		}
		for i, to := range strings.Fields(d.to) {
			t := transferOf(d, to)
			t.ID = fmt.Sprintf("t-%s-%d", d.id, i)
			t.Start += model.Time(i) * 60e9
			t.End += model.Time(i) * 60e9
			for k := range t.Executed {
				t.Executed[k].Time += model.Time(i) * 60e9
			}
			f.Transfers = append(f.Transfers, t.ID)
			f.Hosts = append(f.Hosts, t.Source.Host, t.Destination.Host)
			in.Transfers = append(in.Transfers, t)
			if d.content == "" {
				continue
			}
			if seen[d.content] == nil {
				seen[d.content] = &model.Artifact{ID: d.content}
				in.Artifacts = append(in.Artifacts, seen[d.content])
			}
			a := seen[d.content]
			a.Sightings = append(a.Sightings, model.Sighting{Host: t.Source.Host, Time: t.Start, How: "sent"}, model.Sighting{Host: t.Destination.Host, Time: t.Start, How: "received"})
		}
		if d.score > 0 {
			in.Findings = append(in.Findings, f)
		}
	}
	return in
}

func transferOf(d deed, to string) *model.Transfer {
	size := int64(18432)
	name := d.name
	if name == "" {
		name = "tool.exe"
	}
	t := &model.Transfer{Start: origin + model.Time(d.at), End: origin + model.Time(d.at) + 1e9, Channel: "smb2", Share: `\\` + to + `\ADMIN$`,
		Path: `Temp\` + name, Name: name, Type: "pe", Size: &size, Completeness: model.Whole, Status: model.Done,
		Source: model.Endpoint{Host: d.from}, Destination: model.Endpoint{Host: to}, Operation: model.Push, Initiator: model.BySource, Scope: model.ScopeInternal}
	t.Domain, t.User, _ = strings.Cut(d.account, `\`)
	if t.User == "" {
		t.Domain, t.User = "", d.account
	}
	if d.status != "" {
		t.Status = d.status
	}
	if d.pull {
		t.Operation, t.Initiator = model.Pull, model.ByDestination
	}
	if d.started {
		t.Executed = []model.Execution{{Time: t.End + 2e9, How: "service", Process: "Svc"}}
	}
	return t
}

// parts names the findings of each incident.
func parts(in Input) []string {
	var out []string
	for _, i := range Chain(in) {
		out = append(out, strings.Join(i.Findings, " "))
	}
	return out
}

// everyday are transfers outside of all findings: n clients that use a server.
func everydayUse(server string, n int, account string) (out []deed) {
	for i := range n {
		out = append(out, deed{id: fmt.Sprintf("e%d", i), from: fmt.Sprintf("CLIENT-%d", i), to: server, account: account})
	}
	return out
}

// crowdOf names so many hosts.
func crowdOf(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("C%d", i))
	}
	return strings.Join(out, " ")
}

// ids names so many findings.
func ids(prefix string, n int) (out string) {
	for i := range n {
		out += fmt.Sprintf("%s%03d ", prefix, i)
	}
	return out
}

// fetchers are hosts of a crowd that fetch the same file.
func fetchers(n int, score float64) (out []deed) {
	for i := range n {
		out = append(out, deed{id: fmt.Sprintf("P%03d", i), at: time.Duration(i), score: score, from: "SRC", to: fmt.Sprintf("C%d", i), pull: true, content: "a-7"})
	}
	return out
}

// everydayPush are transfers outside of all findings: a host brings something to many.
func everydayPush(from string, n int, at time.Duration) []deed {
	return []deed{{id: fmt.Sprintf("push%d", at), at: at, from: from, to: crowdOf(n)}}
}

func TestGroups(t *testing.T) {
	h := time.Hour
	cases := []struct {
		about string
		deeds []deed
		want  []string
	}{
		{"one finding of medium is an incident, one of low is none",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2"}, {id: "B", score: 6, from: "W8", to: "W9"}}, []string{"A"}},
		{"the same artifact by other hosts, within a week",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", content: "a-1"}, {id: "B", at: 70 * h, score: 12, from: "W3", to: "W4", content: "a-1"}}, []string{"A B"}},
		{"the same artifact after a month is another story",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", content: "a-1"}, {id: "B", at: 700 * h, score: 12, from: "W3", to: "W4", content: "a-1"}}, []string{"A", "B"}},
		{"a hop: what came to W2 explains what W2 does",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", content: "a-1"}, {id: "B", at: 20 * h, score: 12, from: "W2", to: "W3", content: "a-2"}}, []string{"A B"}},
		{"no hop backwards, or after the window",
			[]deed{{id: "B", score: 12, from: "W2", to: "W3"}, {id: "A", at: h, score: 11, from: "W1", to: "W2"}, {id: "C", at: 30 * h, score: 11, from: "W2", to: "W5"}},
			[]string{"B", "A", "C"}},
		{"no hop by what was refused",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", status: model.Denied}, {id: "B", at: h, score: 12, from: "W2", to: "W3"}}, []string{"A", "B"}},
		{"one host at work within hours",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2"}, {id: "B", at: 4 * h, score: 12, from: "W1", to: "W3"}, {id: "C", at: 20 * h, score: 12, from: "W1", to: "W4"}},
			[]string{"A B", "C"}},
		{"two victims of one file server are not one story",
			append(everydayUse("FS", 9, ""), deed{id: "A", score: 11, from: "W1", to: "FS"}, deed{id: "B", at: h, score: 12, from: "W5", to: "FS"}), []string{"A", "B"}},
		{"what a file server does is not explained by what anybody put there",
			append(everydayUse("FS", 9, ""), deed{id: "A", score: 11, from: "W1", to: "FS"}, deed{id: "B", at: h, score: 12, from: "FS", to: "W6"}), []string{"A", "B"}},
		{"it is when that was started there",
			append(everydayUse("FS", 9, ""), deed{id: "A", score: 11, from: "W1", to: "FS", started: true}, deed{id: "B", at: h, score: 12, from: "FS", to: "W6"}), []string{"A B"}},
		{"or when the account is the same",
			append(everydayUse("FS", 9, ""), deed{id: "A", score: 11, from: "W1", to: "FS", account: `C\x`}, deed{id: "B", at: h, score: 12, from: "FS", to: "W6", account: `C\X`}), []string{"A B"}},
		{"an account that does nothing else",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", account: `C\adm`}, {id: "B", at: h, score: 12, from: "W5", to: "W6", account: `C\adm`}}, []string{"A B"}},
		{"an everyday service account links nothing",
			append(everydayUse("X", 4, `C\svc`), deed{id: "A", score: 11, from: "W1", to: "W2", account: `C\svc`}, deed{id: "B", at: h, score: 12, from: "W5", to: "W2", account: `C\svc`}),
			[]string{"A", "B"}},
		{"an account of a person who also works, with the same victim",
			append(everydayUse("X", 1, `C\bob`), deed{id: "A", score: 11, from: "W1", to: "W2", account: `C\bob`}, deed{id: "B", at: h, score: 12, from: "W5", to: "W2", account: `C\bob`},
				deed{id: "C", at: h, score: 12, from: "W7", to: "W8", account: `C\bob`}), []string{"A B", "C"}},
		{"machines' accounts and root link nothing",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", account: `C\W1$`}, {id: "B", at: 1, score: 12, from: "W5", to: "W6", account: `C\W1$`},
				{id: "C", at: 2, score: 11, from: "W7", to: "W8", account: "root"}, {id: "D", at: 3, score: 11, from: "W9", to: "W10", account: "root"}}, []string{"A", "B", "C", "D"}},
		{"a weak finding of the same host joins as context, and links nothing further",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2"}, {id: "B", at: 5 * h, score: 6, from: "W1", to: "W3"}, {id: "C", at: 10 * h, score: 12, from: "W1", to: "W4"}},
			[]string{"A B", "C"}},
		{"a weak finding of the same artifact, and the hop that it is when it was started",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", content: "a-1"}, {id: "B", at: h, score: 6, from: "W4", to: "W5", content: "a-1", started: true}, {id: "C", at: 2 * h, score: 12, from: "W5", to: "W6"}},
			[]string{"A B C"}},
		{"the same file by the same host within a week, also where its content is not known",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", name: "x.exe"}, {id: "B", at: 50 * h, score: 12, from: "W1", to: "W3", name: "X.exe"}, {id: "C", at: 350 * h, score: 12, from: "W1", to: "W4", name: "x.exe"}}, []string{"A B", "C"}},
		{"the same file fetched from the same host by others within a day",
			[]deed{{id: "A", score: 11, from: "W1", to: "S2", pull: true, name: "x.exe"}, {id: "B", at: 20 * h, score: 12, from: "W1", to: "S3", pull: true, name: "X.exe"}, {id: "C", at: 20 * h, score: 12, from: "W1", to: "S4", pull: true, name: "y.exe"},
				{id: "D", at: 60 * h, score: 12, from: "W1", to: "S5", pull: true, name: "x.exe"}}, []string{"A B", "C", "D"}},
		{"two files from a server to one host within the hour, and not later or to another",
			append(everydayUse("APP", 9, ""), deed{id: "A", score: 11, from: "APP", to: "W1", name: "x.exe"}, deed{id: "B", at: h / 2, score: 12, from: "APP", to: "W1", name: "y.exe"}, deed{id: "C", at: h / 2, score: 12, from: "APP", to: "W2", name: "z.exe"},
				deed{id: "D", at: 3 * h, score: 12, from: "APP", to: "W1", name: "w.exe"}), []string{"A B", "C", "D"}},
		{"a tool of administration: at once under one account, and not within the hour or under another",
			append(slices.Concat(everydayPush("PDQ", 30, 0), everydayPush("PDQ", 30, 25*h), everydayUse("X", 4, `C\a`)), deed{id: "A", score: 11, from: "PDQ", to: "W1", name: "x.exe", account: `C\a`}, deed{id: "B", at: h / 10, score: 12, from: "PDQ", to: "W1", name: "y.exe", account: `C\a`},
				deed{id: "C", at: h / 8, score: 12, from: "PDQ", to: "W1", name: "z.exe", account: `C\b`}, deed{id: "D", at: h / 2, score: 12, from: "PDQ", to: "W1", name: "w.exe", account: `C\a`}), []string{"A B", "C", "D"}},
		{"nor what it brings to many, though at once",
			append(slices.Concat(everydayPush("PDQ", 30, 0), everydayPush("PDQ", 30, 25*h), everydayUse("X", 4, `C\a`)), deed{id: "A", score: 11, from: "PDQ", to: crowdOf(9), name: "x.exe", account: `C\a`},
				deed{id: "B", at: h / 10, score: 12, from: "PDQ", to: crowdOf(9), name: "y.exe", account: `C\a`}), []string{"A", "B"}},
		{"what is put on a server, though others fetch it there",
			append(everydayUse("DC", 9, ""), deed{id: "A", score: 11, from: "S1", to: "DC", name: "x.xml"}, deed{id: "B", at: h / 60, score: 12, from: "S1", to: "DC", name: "y.exe", content: "a-1"}, deed{id: "C", at: h / 2, score: 12, from: "DC", to: "W1 W2", pull: true, name: "y.exe", content: "a-1"}),
			[]string{"A B C"}},
		{"an artifact of weak findings alone links nothing",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2"}, {id: "B", at: h, score: 6, from: "W1", to: "W3", content: "a-1"}, {id: "C", at: h, score: 6, from: "W5", to: "W6", content: "a-1"}},
			[]string{"A B"}},
		{"what several hosts fetched together is nobody's work, and explains what each of them does when it is of worth",
			[]deed{{id: "A", score: 11, from: "SRC", to: "W1 W2", pull: true, content: "a-1"}, {id: "B", at: h, score: 12, from: "W2", to: "W3"}, {id: "C", at: h, score: 12, from: "SRC", to: "W9", content: "a-2"}},
			[]string{"A B", "C"}},
		{"and not when it is weak",
			[]deed{{id: "A", score: 4, from: "SRC", to: "W1 W2", pull: true, content: "a-1", started: true, account: `C\bob`}, {id: "B", at: h, score: 12, from: "W2", to: "W3", account: `C\bob`}},
			[]string{"B"}},
		{"a tool that people use from many hosts links only as it goes on",
			[]deed{{id: "A", score: 11, from: "P1", to: "W1", content: "a-1"}, {id: "B", at: 1, score: 11, from: "P2", to: "W2", content: "a-1"}, {id: "C", at: 2, score: 11, from: "P3", to: "W3", content: "a-1"},
				{id: "D", at: 3, score: 11, from: "P4", to: "W4", content: "a-1"}, {id: "E", at: 9 * h, score: 6, from: "W2", to: "W6", content: "a-1"}},
			[]string{"A", "B E", "C", "D"}},
		{"what a weak hop started explains no weak finding",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2", started: true}, {id: "B", at: h, score: 6, from: "W2", to: "W3"}}, []string{"A"}},
		{"what comes to a crowd explains nothing of any one of it",
			[]deed{{id: "A", score: 11, from: "D", to: crowdOf(30), started: true, account: `C\svc`}, {id: "B", at: 5 * h, score: 12, from: "C7", to: "W3", account: `C\svc`}}, []string{"A", "B"}},
		{"nor does what one of a crowd fetched",
			append(fetchers(30, 11), deed{id: "Z", at: 3 * h, score: 12, from: "C7", to: "W3"}), []string{strings.TrimSpace(ids("P", 30)), "Z"}},
		{"what a tool of administration does is linked by its files",
			append(append(everydayPush("D", 30, 0), everydayPush("D", 30, 24*h)...), deed{id: "A", at: 25 * h, score: 11, from: "D", to: "W1", content: "a-1"},
				deed{id: "B", at: 26 * h, score: 12, from: "D", to: "W2", content: "a-2"}, deed{id: "C", at: 27 * h, score: 12, from: "D", to: "W3", content: "a-1"}),
			[]string{"A C", "B"}},
		{"also one that turns to fewer hosts, on more days",
			append(append(append(everydayPush("D", 9, 0), everydayPush("D", 9, 24*h)...), everydayPush("D", 9, 48*h)...),
				deed{id: "A", at: 50 * h, score: 11, from: "D", to: "W1", started: true}, deed{id: "B", at: 51 * h, score: 12, from: "W1", to: "W2"}),
			[]string{"A", "B"}},
		{"a weak hop without start or account is chance",
			[]deed{{id: "A", score: 11, from: "W1", to: "W2"}, {id: "B", at: h, score: 6, from: "W2", to: "W3"}}, []string{"A"}},
	}
	for _, c := range cases {
		t.Run(c.about, func(t *testing.T) {
			for i := range c.deeds {
				c.deeds[i].name = cmp.Or(c.deeds[i].name, c.deeds[i].id+".exe")
			}
			if got := parts(world(c.deeds...)); !slices.Equal(got, c.want) {
				t.Errorf("%q instead of %q", got, c.want)
			}
		})
	}
}

// TestRoles: a role says that many use a host, also where few are seen to.
func TestRoles(t *testing.T) {
	in := world(deed{id: "A", score: 11, from: "W1", to: "DC"}, deed{id: "B", at: time.Hour, score: 12, from: "DC", to: "W6"})
	if got := parts(in); !slices.Equal(got, []string{"A B"}) {
		t.Fatalf("%q", got)
	}
	in.Transfers[0].Destination.Role = "domain controller"
	if got := parts(in); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("%q", got)
	}
}

func TestScore(t *testing.T) {
	one := Chain(world(deed{id: "A", score: 16, from: "W1", to: "W2", content: "a-1"}))[0]
	if one.Score != 16 || one.Severity != model.High || len(one.Reasons) != 1 || one.Title != "A title" {
		t.Errorf("%+v", one)
	}
	two := Chain(world(deed{id: "A", score: 16, from: "W1", to: "W2", content: "a-1"}, deed{id: "B", at: time.Hour, score: 16, from: "W2", to: "W3", content: "a-2"},
		deed{id: "C", at: 2 * time.Hour, score: 16, from: "W3", to: "W4", content: "a-2"}))[0]
	if two.Score != 18 || two.Severity != model.Critical || len(two.Reasons) != 2 {
		t.Errorf("a further finding of another host and file gives an eighth, one of the same file nothing: %v %v", two.Score, two.Reasons)
	}
}

// TestDeployment: however many hosts a server brings however many packages, it does not
// become more than the strongest of its findings by more than the bound.
func TestDeployment(t *testing.T) {
	var deeds []deed
	for i := range 300 {
		deeds = append(deeds, deed{id: fmt.Sprintf("A%d", i), at: time.Duration(i) * time.Minute, score: 11, from: "DEPLOY", to: fmt.Sprintf("W%d", i), content: fmt.Sprintf("a-%d", i%7)})
	}
	if i := Chain(world(deeds...)); len(i) != 1 || i[0].Score != 11 {
		t.Errorf("%d incidents, score %v", len(i), i[0].Score)
	}
	for i := range deeds { // a worm of a hundred tools: bounded too
		deeds[i].from, deeds[i].content = fmt.Sprintf("W%d", i-1), fmt.Sprintf("a-%d", i)
	}
	if i := Chain(world(deeds...)); len(i) != 1 || i[0].Score > 11+furtherMost || i[0].Score < 13 {
		t.Errorf("%d incidents, score %v", len(i), i[0].Score)
	}
}

// TestSum: the score is the sum of its reasons, and the severity never below that of
// the strongest finding.
func TestSum(t *testing.T) {
	for _, i := range Chain(randomWorld(7)) {
		sum := 0.0
		for _, r := range i.Reasons {
			sum += r.Nats
		}
		if sum != i.Score || i.Severity < model.SeverityOf(i.Reasons[0].Nats) {
			t.Errorf("%v is not the score %v, or %v too low", sum, i.Score, i.Severity)
		}
	}
}

// randomWorld has some hundred findings among few hosts, and everyday life.
func randomWorld(seed uint64) Input {
	r := rand.New(rand.NewPCG(seed, 1))
	host := func() string { return fmt.Sprintf("H%d", r.IntN(60)) }
	var deeds []deed
	for i := range 300 {
		d := deed{id: fmt.Sprintf("F%03d", i), at: time.Duration(r.IntN(10*24*60)) * time.Minute, from: host(), to: host() + " " + host(),
			content: fmt.Sprintf("a-%d", r.IntN(200)), account: fmt.Sprintf(`C\u%d`, r.IntN(30)), started: r.IntN(3) == 0, pull: r.IntN(4) == 0}
		if r.IntN(3) > 0 {
			d.score = 4 + 14*r.Float64()
		}
		deeds = append(deeds, d)
	}
	return world(deeds...)
}

// TestOrder: the order of what comes in does not matter, and each finding is part of
// one incident at most; none of medium is left out.
func TestOrder(t *testing.T) {
	for seed := range uint64(20) {
		in := randomWorld(seed)
		want := Chain(in)
		if len(want) < 3 {
			t.Fatalf("seed %d: only %d incidents: the world is too simple", seed, len(want))
		}
		r := rand.New(rand.NewPCG(seed, 2))
		r.Shuffle(len(in.Findings), func(i, j int) { in.Findings[i], in.Findings[j] = in.Findings[j], in.Findings[i] })
		r.Shuffle(len(in.Transfers), func(i, j int) { in.Transfers[i], in.Transfers[j] = in.Transfers[j], in.Transfers[i] })
		r.Shuffle(len(in.Artifacts), func(i, j int) { in.Artifacts[i], in.Artifacts[j] = in.Artifacts[j], in.Artifacts[i] })
		if got := Chain(in); !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: another order gives other incidents", seed)
		}
		times := map[string]int{}
		for _, i := range want {
			for _, f := range i.Findings {
				times[f]++
			}
		}
		for _, f := range in.Findings {
			if n := times[f.ID]; n > 1 || n == 0 && f.Severity >= worth {
				t.Errorf("seed %d: %s is part of %d incidents", seed, f.ID, n)
			}
		}
	}
}

// BenchmarkChain is a month of findings on a network of thousands of hosts, with everyday
// transfers around them.
func BenchmarkChain(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var deeds []deed
	for i := range 100_000 {
		d := deed{id: fmt.Sprintf("F%06d", i), at: time.Duration(r.IntN(30*24*3600)) * time.Second, from: fmt.Sprintf("H%d", r.IntN(5000)),
			to: fmt.Sprintf("H%d", r.IntN(5000)), content: fmt.Sprintf("a-%d", r.IntN(20000)), account: fmt.Sprintf(`C\u%d`, r.IntN(5000)), started: r.IntN(3) == 0}
		if i < 3000 {
			d.score = 4 + 14*r.Float64()
		}
		deeds = append(deeds, d)
	}
	in := world(deeds...)
	b.ResetTimer()
	for range b.N {
		Chain(in)
	}
	b.ReportMetric(float64(len(in.Transfers))*float64(b.N)/b.Elapsed().Seconds(), "transfers/s")
}
