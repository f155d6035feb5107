package suricata

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waybill/internal/prevent"
)

var numberOf = regexp.MustCompile(`waybill_key ([^,;]+).* sid:(\d+); rev:(\d+);\)$`)

// numbersIn gives "sid/rev" by key.
func numbersIn(t *testing.T, files map[string][]byte) map[string]string {
	t.Helper()
	out, taken := map[string]string{}, map[string]bool{}
	for _, line := range rulesIn(files[rulesFile]) {
		m := numberOf.FindStringSubmatch(line)
		if m == nil || taken[m[2]] || out[m[1]] != "" {
			t.Fatalf("no number of its own: %s", line)
		}
		taken[m[2]] = true
		out[m[1]] = m[2] + "/" + m[3]
	}
	return out
}

func TestNumbersStay(t *testing.T) {
	first := write(t, office(), prevent.Choice{})
	again := write(t, office(), prevent.Choice{Previous: first})
	for name, text := range first {
		if string(again[name]) != string(text) {
			t.Errorf("%s is another though nothing changed", name)
		}
	}

	changed := office()
	changed.Indicators[1].Value = strings.Repeat("0d", 32)       // one hash is another
	changed.Indicators = slices.Delete(changed.Indicators, 4, 6) // of one name a finding, and another name
	for i := range changed.Indicators {
		if changed.Indicators[i].What == "service-name" {
			changed.Indicators[i].Severity = 0
		}
	}
	changed.Indicators = append(changed.Indicators, prevent.Indicator{What: "name", Value: "new.exe", Finding: "f-0000000000000001", Analytic: "disguise"})
	second := write(t, changed, prevent.Choice{Previous: first})
	old, now := numbersIn(t, first), numbersIn(t, second)
	gone, fresh := keyOf("name", `a";b:|c\d$.exe`), keyOf("name", "new.exe")
	for key, want := range map[string]string{
		keyOf("hash", "f-0123456789abcdef", "sha256"): "1570000/2",
		keyOf("hash", "f-0123456789abcdef", "md5"):    "1570001/1",
		keyOf("name", "winsvcmon.exe"):                old[keyOf("name", "winsvcmon.exe")], // only the comment is another
		keyOf("service", "winsvcmon"):                 strings.Replace(old[keyOf("service", "winsvcmon")], "/1", "/2", 1),
		gone:                                          "",
		fresh:                                         fmt.Sprintf("%d/1", firstSID+len(old)),
		"admin-share":                                 old["admin-share"],
	} {
		if now[key] != want {
			t.Errorf("%s is %q, want %q", key, now[key], want)
		}
	}
	if line := fmt.Sprintf("# retired: %s sid:%s rev:1\n", gone, strings.TrimSuffix(old[gone], "/1")); !strings.Contains(string(second[rulesFile]), line) {
		t.Errorf("no line %q", line)
	}

	third := numbersIn(t, write(t, office(), prevent.Choice{Previous: second}))
	if want := strings.TrimSuffix(old[gone], "1") + "2"; third[gone] != want {
		t.Errorf("what came back is %s, want %s", third[gone], want)
	}
	for key, number := range third {
		if key != fresh && strings.HasPrefix(number, strings.TrimSuffix(now[fresh], "1")) {
			t.Errorf("%s has the number of what is gone: %s", key, number)
		}
	}
}

// What stands in the files before is somebody's: other rules, damage, numbers outside the range.
func TestOthersNumbers(t *testing.T) {
	first := write(t, office(), prevent.Choice{})
	text := string(first[rulesFile])
	foreign := strings.Replace(text, "sid:1570000;", "sid:42;", 1) + "alert tcp any any -> any any (msg:\"mine\"; sid:1570100; rev:3;)\n# retired: x sid:1579998 rev:99999999999\n# retired: y sid:1570200 rev:7\n"
	second := numbersIn(t, write(t, office(), prevent.Choice{Previous: map[string][]byte{rulesFile: []byte(foreign)}}))
	if got := second[keyOf("hash", "f-0123456789abcdef", "sha256")]; got != "1570201/1" {
		t.Errorf("the rule whose number is none of ours has %s", got)
	}
	full := map[string][]byte{rulesFile: []byte(fmt.Sprintf("# retired: x sid:%d rev:1\n", lastSID))}
	if _, err := Write(office(), prevent.Choice{Previous: full}); err == nil || !strings.Contains(err.Error(), "used up") {
		t.Errorf("a full range gives %v", err)
	}
}
