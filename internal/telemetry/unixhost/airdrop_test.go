package unixhost_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestAirDrop: what sharingd says in the unified log of files that came and went.
func TestAirDrop(t *testing.T) {
	at := 0
	say := func(category, message string) string {
		at++
		return fmt.Sprintf(`{"timestamp":"2025-03-03 11:00:%02d.000000+0000","eventType":"logEvent","processID":694,"processImagePath":"/usr/libexec/sharingd","subsystem":"com.apple.sharing","category":"%s","eventMessage":%q}`+"\n", at%60, category, message)
	}
	const id = "AirDrop.5F3A2B1C"
	asked := say(id, "state: .waitingForAskResponse(prompt: Anna’s iPhone would like to share “t.dmg”)")
	comes := say("AirDrop", "Start progress for url: file:///Users/ben/Downloads/t%20a.dmg, transferID: 5F3A2B1C")
	done := say(id, "{id: 5F3A2B1C, state: .completedSuccessfully}")
	received := say(id, "state: .waitingForOpenResponse(prompt: Received “t.dmg” from Anna’s iPhone)")
	sends := say("AirDrop.AAAAAAAA", "Adding file items (count=1) [file:///Users/ben/x.zip]") + say("AirDrop.AAAAAAAA", `Send StateMachine ASK END {ASK response Nm "Carl’s Mac", Md Mac15,3}`)
	const came = "Anna’s iPhone>fs1 push airdrop /Users/ben/Downloads/t a.dmg done by source"
	for name, c := range map[string]struct{ text, want string }{
		"came":             {asked + comes + done, came},
		"named at its end": {comes + received + done, came},
		"told twice":       {asked + comes + done + done, came},
		"nobody is named":  {comes + done, ">fs1 push airdrop /Users/ben/Downloads/t a.dmg done by source"},
		"private":          {say(id, "state: .waitingForAskResponse(prompt: <private> would like to share <private>)") + comes + done, ">fs1 push airdrop /Users/ben/Downloads/t a.dmg done by source"},
		"did not end":      {asked + comes, ""},
		"went":             {sends + say("AirDrop.AAAAAAAA", "state: .completedSuccessfully"), "fs1>Carl’s Mac push airdrop /Users/ben/x.zip done by source"},
		"both at once":     {asked + sends + comes + done + say("AirDrop.AAAAAAAA", "state: .completedSuccessfully"), came + "\nfs1>Carl’s Mac push airdrop /Users/ben/x.zip done by source"},
		"by Endpoint Security too": {esCreate(1, 694, "/usr/libexec/sharingd", "/Users/ben/Downloads", "t a.dmg"),
			">fs1 push airdrop /Users/ben/Downloads/t a.dmg done by source"},
		"another category": {strings.ReplaceAll(asked+comes+done, `"category":"AirDrop`, `"category":"Handoff`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(follow(t, c.text)); got != c.want {
				t.Errorf("%q instead of %q", got, c.want)
			}
		})
	}
	if got := told(follow(t, esCreate(5, 694, "/usr/libexec/sharingd", "/Users/ben/Downloads", "t a.dmg"), asked+comes+done)); got != came {
		t.Errorf("two logs: %q", got)
	}
}
