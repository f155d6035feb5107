package main

import (
	"testing"

	"waybill/internal/model"
)

// TestWanted compares what a trace asks for with a transfer.
func TestWanted(t *testing.T) {
	x := &model.Transfer{ID: "t-0000000000000001", Name: "tool.exe", EarlierNames: []string{"a.tmp"}, OriginalName: "psexesvc.exe", Path: `Temp\tool.exe`,
		Observations: []string{"t-0000000000000001", "t-0000000000000002"}, MD5: "0cc175b9c0f1b6a831c399e269772661",
		Hashes: []model.Hash{{Alg: "sha1", Value: "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"}, {Alg: "imphash", Value: "f34d5f2d4577ed6d9ceec516c1f5a744"}}}
	for what, want := range map[string]bool{
		"t-0000000000000001": true, "T-0000000000000002": true, "t-0000000000000003": false,
		"0cc175b9": true, "0CC175B9C0F1B6A831C399E269772661": true, "0cc175b": false, "86f7e437": true, "f34d5f2d": false,
		"TOOL.exe": true, "*.exe": true, "tool": false, "a.tmp": true, "PsExeSvc*": true, `temp/*`: true, "deadbeef": false,
	} {
		if w := newWanted(what); w.transfer(x) != want {
			t.Errorf("%s: %v", what, !want)
		}
	}
	if w := newWanted("deadbeef"); !w.artifact(&model.Artifact{SHA256: "deadbeef00"}) || w.artifact(&model.Artifact{SHA256: "00deadbeef"}) {
		t.Error("the beginning of a hash tells an artifact")
	}
	if w := newWanted("a-00000000000000ff"); !w.artifact(&model.Artifact{ID: "a-00000000000000ff"}) || w.transfer(x) {
		t.Error("an id tells an artifact")
	}
}

// TestNearest: what is like what was asked for comes first.
func TestNearest(t *testing.T) {
	r := model.Records{Transfers: []*model.Transfer{{Name: "winsvcmon.exe"}, {Name: "report.docx"}, {Name: "winsvc.exe"}, {}},
		Artifacts: []*model.Artifact{{SHA256: "abcdef00"}, {SHA256: "0bcdef00"}}}
	if got := nearest("winsvcmn.exe", r); len(got) != 2 || got[0] != "winsvcmon.exe" {
		t.Errorf("%q", got)
	}
	if got := nearest("abcdff", r); len(got) != 1 || got[0] != "abcdef00" {
		t.Errorf("%q", got)
	}
	if got := nearest("x", r); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
