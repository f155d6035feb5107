package report

import (
	"strings"
	"testing"

	"waybill/internal/model"
)

// spreadOut is a program that went from A to B and C, from B on to D under another
// name, and came to be on E from nowhere.
func spreadOut() (*model.Artifact, map[string]*model.Transfer) {
	at := func(s int64) model.Time { return model.Time(1773738000e9 + s*1e9) }
	all := map[string]*model.Transfer{}
	move := func(id, from, to string, s int64, path string) {
		all[id] = &model.Transfer{ID: id, Start: at(s), End: at(s), Source: model.Endpoint{Host: from}, Destination: model.Endpoint{Host: to}, Channel: "smb2", Operation: "push",
			Share: `\\x\ADMIN$`, Path: path, Name: path, Size: sized(18432), Completeness: model.Whole, Status: model.Done, Domain: "CORP", User: "adm",
			Evidence: []model.Evidence{{Input: "a.pcap", Packets: &[2]uint64{3, 9}}}}
	}
	move("t-1", "A", "B", 0, "run.exe")
	move("t-2", "A", "C", 60, "run.exe")
	move("t-3", "B", "D", 120, "\x1b[31mother.exe")
	move("t-4", "", "E", 180, "run.exe")
	all["t-2"].Executed = []model.Execution{{Time: at(61), How: "service"}}
	a := &model.Artifact{ID: "a-1", SHA256: strings.Repeat("ab", 32), Size: sized(18432), Type: "pe", Names: []string{"other.exe", "run.exe"}, Spread: &model.Spread{
		Roots: []string{"A", "unknown"}, Depth: 2, Hosts: 5, First: at(0), Last: at(180), EarliestVisible: "A", Edges: []model.Edge{
			{Parent: "A", Child: "B", Transfer: "t-1", Time: at(0), Confidence: "high"},
			{Parent: "A", Child: "C", Transfer: "t-2", Time: at(60), Confidence: "high"},
			{Parent: "B", Child: "D", Transfer: "t-3", Time: at(120), Confidence: "medium"},
			{Parent: "unknown", Child: "E", Transfer: "t-4", Time: at(180), Confidence: "high"}}}}
	for _, t := range []string{"t-1", "t-2", "t-3", "t-4"} {
		if s := all[t].Source.Host; s != "" {
			a.Sightings = append(a.Sightings, model.Sighting{Host: s, Time: all[t].Start, How: "sent", Transfer: t})
		}
		a.Sightings = append(a.Sightings, model.Sighting{Host: all[t].Destination.Host, Time: all[t].End, How: "received", Transfer: t})
	}
	a.Sightings[4].Alike, a.Sightings[5].Alike = "padded", "padded"
	return a, all
}

const drawn = `A  had it by 09:00:00, the first that is visible
├─ 09:00:00  B  smb2 push  ADMIN$\run.exe  by CORP\adm
│  └─ 09:02:00  D  smb2 push  ADMIN$\\x1b[31mother.exe  by CORP\adm  (padded, medium confidence)
└─ 09:01:00  C  smb2 push  ADMIN$\run.exe  by CORP\adm  started 09:01:01 as service
(from hosts that no input shows)
└─ 09:03:00  E  smb2 push  ADMIN$\run.exe  by CORP\adm
`

func TestTree(t *testing.T) {
	a, all := spreadOut()
	find := func(id string) *model.Transfer { return all[id] }
	if got := strings.Join(Tree(a, find, 0), "\n") + "\n"; got != drawn {
		t.Errorf("drawn:\n%s", got)
	}
	for _, line := range Tree(a, find, 40) {
		if n := len([]rune(line)); n > 41 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if got := Tree(&model.Artifact{}, find, 0); got != nil {
		t.Errorf("drawn of nothing: %q", got)
	}
}
