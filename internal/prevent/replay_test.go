package prevent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waybill/internal/identity"
	"waybill/internal/model"
)

// ways decides by "client>server": d is denied, c a candidate, ? not judged; others pass.
type ways map[string]byte

func (w ways) Decide(m *Move) Decision {
	switch w[m.Client.Name()+">"+m.Server.Name()] {
	case 'd':
		return Decision{Outcome: Denied, Rule: &Rule{From: "ws", To: "srv", Service: m.Service, Action: Deny, Why: "never seen"}}
	case 'c':
		return Decision{Outcome: Unseen, Why: "never happened"}
	case '?':
		return Decision{Outcome: Unjudged, Why: "unknown host"}
	}
	return Decision{Outcome: Allowed}
}

// story makes records of movements of one file, each "A>B", an hour apart, pushed by A.
// Those of the finding are marked by a "!" behind.
func story(steps ...string) *model.Records {
	r := &model.Records{}
	a := &model.Artifact{ID: "a-1"}
	f := &model.Finding{ID: "f-1", Title: "a tool spreads", Severity: model.High, Score: 16, Artifacts: []string{"a-1"}, Time: monday}
	for i, s := range steps {
		way, hostile := strings.CutSuffix(s, "!")
		from, to, _ := strings.Cut(way, ">")
		at := monday + model.Time(i)*3600e9
		t := &model.Transfer{ID: fmt.Sprintf("t-%02d", i), Start: at, End: at + 1e9, Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to},
			Initiator: model.BySource, Channel: "smb2", Status: model.Done, Scope: model.ScopeInternal, Name: "tool.exe", SHA256: "abc"}
		r.Transfers = append(r.Transfers, t)
		a.Sightings = append(a.Sightings, model.Sighting{Host: from, How: "sent", Transfer: t.ID}, model.Sighting{Host: to, How: "received", Transfer: t.ID})
		if hostile {
			f.Transfers = append(f.Transfers, t.ID)
		}
	}
	r.Artifacts = append(r.Artifacts, a)
	if len(f.Transfers) > 0 {
		r.Findings = append(r.Findings, f)
	}
	return r
}

// monday is 2026-03-02.
const monday = model.Time(1_772_409_600e9)

func replayed(d Decider, r *model.Records) []*model.Replay {
	return through(lesson{Decider: d}, model.Given, "", Moves(r), r)
}

// fates are those of all records.
func fates(all []*model.Replay) (out []model.Fate) {
	for _, r := range all {
		out = append(out, r.Findings...)
	}
	return out
}

func TestFates(t *testing.T) {
	for _, c := range []struct {
		name             string
		steps            []string
		policy           ways
		outcome          string
		hosts, reached   int
		strict           int
		spared           string
		detours, unknown int
	}{
		{"all passes", []string{"A>B!", "B>C!"}, ways{}, model.FatePasses, 2, 2, 2, "", 0, 0},
		{"below a blocked edge nobody is reached", []string{"A>B!", "B>C!", "B>D!", "C>E!"}, ways{"B>C": 'd'}, model.FateBlocked, 4, 2, 2, "C E", 0, 0},
		{"the first edge", []string{"A>B!", "B>C!"}, ways{"A>B": 'd'}, model.FateBlocked, 2, 0, 0, "B C", 0, 0},
		{"another way, later", []string{"A>B!", "B>C!", "A>D!", "D>C!", "C>E!"}, ways{"B>C": 'd'}, model.FateBlocked, 4, 4, 4, "", 1, 0},
		{"another way, too late for E", []string{"A>B!", "B>C!", "C>E!", "A>C!"}, ways{"B>C": 'd'}, model.FateBlocked, 3, 2, 2, "E", 1, 0},
		{"another way that no finding holds", []string{"A>B!", "B>C!", "A>C"}, ways{"B>C": 'd'}, model.FateBlocked, 2, 2, 2, "", 1, 0},
		{"nobody knows from where", []string{">B!", "B>C!"}, ways{}, model.FatePasses, 2, 2, 2, "", 0, 1},
		{"blocked behind an unknown parent", []string{">B!", "B>C!"}, ways{"B>C": 'd'}, model.FateBlocked, 2, 1, 1, "C", 0, 1},
		{"only with strict", []string{"A>B!", "B>C!"}, ways{"A>B": 'c'}, model.FateCandidate, 2, 2, 0, "", 0, 0},
		{"what a finding does not hold cuts it off", []string{"A>B", "B>C!"}, ways{"A>B": 'd'}, model.FateNotBegun, 1, 0, 0, "C", 0, 0},
		{"nobody can judge", []string{"A>B!"}, ways{"A>B": '?'}, model.FateNotJudged, 1, 1, 1, "", 0, 0},
		{"back to where it came from", []string{"A>B!", "B>A!"}, ways{"B>A": 'd'}, model.FateBlocked, 1, 1, 1, "", 0, 0},
	} {
		all := fates(replayed(c.policy, story(c.steps...)))
		if len(all) != 1 {
			t.Errorf("%s: %d fates", c.name, len(all))
			continue
		}
		f := all[0]
		if f.Outcome != c.outcome || f.Hosts != c.hosts || f.Reached != c.reached || f.ReachedStrict != c.strict || strings.Join(f.Spared, " ") != c.spared || f.AnotherWay != c.detours || f.UnknownParents != c.unknown {
			t.Errorf("%s: %+v", c.name, f)
		}
		if blocked := c.outcome == model.FateBlocked || c.outcome == model.FateCandidate; blocked != (f.At != nil) {
			t.Errorf("%s: blocked at %v", c.name, f.At)
		}
	}
}

// A finding is blocked at the first of its transfers that would not pass.
func TestBlockedAt(t *testing.T) {
	f := fates(replayed(ways{"B>C": 'd', "C>D": 'd'}, story("A>B!", "B>C!", "C>D!")))[0]
	if f.At == nil || f.At.Transfer != "t-01" || f.By != "ws > srv over smb" || f.Why != "never seen" {
		t.Errorf("%+v", f)
	}
}

func TestDays(t *testing.T) {
	r := story("A>B", "A>B!", "A>C")
	r.Transfers[2].Start += 2 * oneDay
	r.Transfers[2].End += 2 * oneDay
	r.Transfers = append(r.Transfers, &model.Transfer{ID: "t-9", Start: monday, Scope: model.ScopeInbound})
	all := replayed(ways{"A>C": 'd'}, r)
	if len(all) != 3 || all[0].Day != "2026-03-02" || all[1].Day != "2026-03-04" || all[2].Day != "" {
		t.Fatalf("%+v", all)
	}
	if a := all[0]; a.Legitimate.Passed != 1 || a.Hostile.Passed != 1 || a.NotJudged["one end is outside"] != 1 || len(a.Findings) != 1 {
		t.Errorf("%+v", a)
	}
	if all[1].Legitimate.Blocked != 1 || len(all[1].Findings) != 0 {
		t.Errorf("%+v", all[1])
	}
	total := all[2]
	if total.Legitimate != (model.Verdicts{Passed: 1, Blocked: 1}) || total.Fates[model.FatePasses] != 1 || total.NotJudged["one end is outside"] != 1 || len(total.Findings) != 0 {
		t.Errorf("%+v", total)
	}
	if b := total.Blocked; len(b) != 1 || b[0].Examples[0].Transfer != "t-02" || b[0].Pairs != 1 || b[0].Why != "never seen" {
		t.Errorf("%+v", b)
	}
}

// What nobody wants blocked is told; what passes, and what only looks like it, is not.
func TestVital(t *testing.T) {
	end := func(host, role string) model.Endpoint { return model.Endpoint{Host: host, Role: role} }
	for _, c := range []struct {
		name           string
		client, server model.Endpoint
		push           bool
		share          string
		want           string
	}{
		{"policy read", end("WS", ""), end("DC", identity.RoleController), false, `\\dc\SYSVOL`, "SYSVOL"},
		{"logon script of a server nobody knows", end("WS", ""), end("DC", ""), false, "netlogon", "SYSVOL"},
		{"a share of that name elsewhere", end("WS", ""), end("FS", identity.RoleFileServer), false, "SYSVOL", ""},
		{"policy written", end("WS", ""), end("DC", identity.RoleController), true, "SYSVOL", ""},
		{"distributor pushes", end("SCCM", identity.RoleDeployment), end("WS", ""), true, "ADMIN$", "a known distributor"},
		{"distributor is asked", end("WS", ""), end("SCCM", identity.RoleDeployment), false, "pkg", "a known distributor"},
		{"backup collects", end("BKP", identity.RoleBackup), end("WS", ""), false, "C$", "backup"},
		{"documents", end("WS", ""), end("FS", identity.RoleFileServer), true, "home", ""},
	} {
		x := &model.Transfer{ID: "t-1", Start: monday, Source: c.server, Destination: c.client, Initiator: model.ByDestination, Channel: "smb2", Share: c.share, Scope: model.ScopeInternal}
		if c.push {
			x.Source, x.Destination, x.Initiator = c.client, c.server, model.BySource
		}
		r := &model.Records{Transfers: []*model.Transfer{x}}
		way := c.client.Host + ">" + c.server.Host
		for outcome, policy := range []ways{{way: 'd'}, {way: 'c'}, {}} {
			all := replayed(policy, r)
			total := all[len(all)-1]
			got := [...][]string{total.Warnings, total.StrictWarnings, append(total.Warnings, total.StrictWarnings...)}[outcome]
			if want := c.want != "" && outcome < 2; want != (len(got) == 1 && strings.HasPrefix(got[0], c.want)) {
				t.Errorf("%s, outcome %d: %q", c.name, outcome, got)
			}
		}
	}
}

// A hash is known when the file is there: it shows, it never blocks.
func TestIndicators(t *testing.T) {
	r := story("A>B!", "B>C!", "C>D!")
	r.Transfers[0].Session = &model.Session{Encrypted: true}
	r.Transfers[2].Executed = []model.Execution{{Time: r.Transfers[2].End + 1e9}}
	r.Transfers = append(r.Transfers, &model.Transfer{ID: "t-7", Start: monday, Source: model.Endpoint{Host: "X"}, Destination: model.Endpoint{Host: "Y"}, Channel: "smb2", Name: "Tool.EXE", Scope: model.ScopeInternal})
	moves := Moves(r)
	x := newTrial(model.Given, "", moves, r)
	x.day(moves, lesson{Decider: ways{}, known: []Indicator{{What: "sha256", Value: "ABC", Finding: "f-0"}, {What: "name", Value: `Windows\Temp\tool.exe`, Finding: "f-0"}}})
	all := x.records(r)
	f := fates(all)[0]
	if f.Outcome != model.FatePasses || f.Sealed != 1 || f.Detected == nil || f.Detected.Host != "C" || f.Detected.LaterTransfers != 1 || f.Detected.LaterStarts != 1 {
		t.Errorf("%+v %+v", f, f.Detected)
	}
	if a := all[1].Alerts; a != (model.Alerts{Hostile: 2, Legitimate: 1, Sealed: 1}) {
		t.Errorf("%+v", a)
	}
}

// The counts are those of a model that does everything the slow way, on random worlds.
func TestAgainstBruteForce(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var steps []string
		policy := ways{}
		for range 1 + rng.IntN(30) {
			from, to := string(rune('A'+rng.IntN(8))), string(rune('A'+rng.IntN(8)))
			if from == to {
				continue
			}
			mark := ""
			if rng.IntN(2) == 0 {
				mark = "!"
			}
			steps = append(steps, from+">"+to+mark)
			policy[from+">"+to] = "dc?  "[rng.IntN(5)]
		}
		r := story(steps...)
		got := replayed(policy, r)
		want := slowly(policy, steps)
		total := got[len(got)-1]
		have := slow{total.Legitimate, total.Hostile, total.Hosts, total.Reached, total.ReachedStrict}
		if len(steps) > 0 && have != want {
			t.Fatalf("seed %d, %v by %v: %+v, want %+v", seed, steps, policy, have, want)
		}
	}
}

// slow is what the slow model counts.
type slow struct {
	legitimate, hostile    model.Verdicts
	hosts, reached, strict int
}

func slowly(policy ways, steps []string) (out slow) {
	plain := make([]string, len(steps))
	for i, s := range steps {
		plain[i] = strings.TrimSuffix(s, "!")
		v := &out.legitimate
		if plain[i] != s {
			v = &out.hostile
		}
		switch policy[plain[i]] {
		case 'd':
			v.Blocked++
		case 'c':
			v.Candidates++
		case '?':
			v.NotJudged++
		default:
			v.Passed++
		}
	}
	for h := range strings.SplitSeq("A B C D E F G H", " ") {
		hostile := slices.ContainsFunc(steps, func(s string) bool { return strings.HasSuffix(s, ">"+h+"!") })
		first := slices.IndexFunc(plain, func(s string) bool { return strings.Contains(s, h) })
		if !hostile || strings.HasPrefix(plain[first], h) { // nothing of a finding came, or it had the file before
			continue
		}
		out.hosts++
		if holds(policy, "d", plain, h, len(plain)) {
			out.reached++
		}
		if holds(policy, "dc", plain, h, len(plain)) {
			out.strict++
		}
	}
	return out
}

// holds asks backwards: has a host the file before a step? It is the source of that step, or
// is in one before.
func holds(policy ways, stops string, steps []string, host string, before int) bool {
	first := slices.IndexFunc(steps, func(s string) bool { return strings.Contains(s, host) })
	if strings.HasPrefix(steps[first], host) {
		return true
	}
	for i := range before {
		from, to, _ := strings.Cut(steps[i], ">")
		if to == host && !strings.ContainsRune(stops, rune(policy[steps[i]])) && holds(policy, stops, steps, from, i) {
			return true
		}
	}
	return false
}
