package prevent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

func TestIndicatorsOfFindings(t *testing.T) {
	ws, peer := at("10.0.1.1", "WS-1", 0), at("10.0.1.2", "WS-2", 445)
	sum := func(c string) string { return strings.Repeat(c, 64) }
	file := func(id, name string) *model.Transfer {
		return &model.Transfer{ID: id, Start: 10e9, End: 10e9, Channel: "smb2", Source: ws, Destination: peer, Initiator: model.BySource, Status: model.Done, Scope: model.ScopeInternal, Name: name}
	}
	evil := file("t-1", "evil7.exe")
	evil.SHA256, evil.Share, evil.Path = sum("a"), `\\WS-2\ADMIN$`, `Temp\evil7.exe`
	evil.Hashes = []model.Hash{{Alg: "md5", Value: strings.Repeat("AB", 16)}, {Alg: "imphash", Value: strings.Repeat("cd", 16)}}
	evil.Executed = []model.Execution{{How: "service", Process: "EvilSvc"}, {How: "service", Process: "setup"}}
	everyday := file("t-2", "cmd.exe")
	everyday.SHA256, everyday.Session = sum("b"), &model.Session{Encrypted: true}
	both := file("t-3", "agent7.exe") // also moved where no finding holds it
	document := file("t-4", "report-2026.docx")
	hidden := file("t-5", "hidden.exe")
	again := file("t-7", "evil7.exe") // seen in the clear before
	again.SHA256, again.Session = sum("a"), &model.Session{Encrypted: true}
	honest := file("t-6", "AGENT7.exe")
	honest.Destination = at("10.0.0.9", "FS-9", 445)
	access := func(what, object, detail string, when model.Time) *model.Access {
		return &model.Access{Time: when, What: what, Channel: "dcerpc", Source: ws, Destination: peer, Object: object, Detail: detail}
	}
	r := &model.Records{
		Transfers: []*model.Transfer{evil, everyday, both, document, hidden, honest, again},
		Accesses: []*model.Access{access("service-create", "PwnSvc", "", 11e9), access("pipe-open", `\Evil_Pipe`, "no service's", 12e9), access("pipe-open", "srvsvc", "", 12e9),
			access("service-create", "LaterSvc", "", 9000e9)},
		Findings: []*model.Finding{
			{ID: "f-low", Severity: model.Low, Score: 6, Analytics: []string{"tool-push"}, Transfers: []string{"t-1", "t-2", "t-3", "t-4", "t-7"}},
			{ID: "f-high", Severity: model.High, Score: 16, Techniques: []string{"T1570"}, Transfers: []string{"t-1"},
				Reasons: []model.Reason{{Analytic: "relay", Nats: 3}, {Analytic: "admin-share-write", Nats: 9}}},
			{ID: "f-hidden", Severity: model.High, Score: 17, Transfers: []string{"t-5"}, Suppressed: &model.Suppressed{}},
			{ID: "f-info", Severity: model.Info, Score: 1, Transfers: []string{"t-6"}},
		},
	}
	var got []string
	for _, x := range Indicators(r) {
		text := fmt.Sprintf("%s %s %s %s %v", x.What, x.Value, x.Finding, x.Analytic, x.Severity)
		if x.Sealed {
			text += " sealed"
		}
		got = append(got, text)
	}
	want := []string{
		"sha256 " + sum("a") + " f-high admin-share-write high",
		"md5 " + strings.Repeat("ab", 16) + " f-high admin-share-write high",
		"name evil7.exe f-high admin-share-write high",
		`path ADMIN$\Temp\evil7.exe f-high admin-share-write high`,
		"service-name EvilSvc f-high admin-share-write high",
		"service-name PwnSvc f-high admin-share-write high",
		"pipe evil_pipe f-high admin-share-write high",
		"sha256 " + sum("b") + " f-low tool-push low sealed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("indicators\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
