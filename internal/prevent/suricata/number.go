package suricata

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The numbers of the rules: a part of what is left to every site (1,000,000 to 1,999,999,
// sidallocation.org).
const (
	firstSID = 1_570_000
	lastSID  = 1_579_999
)

// numbered is what a rule had in the export before.
type numbered struct {
	sid, rev int
	body     string // "" where the rule was gone
}

var (
	sidRev  = regexp.MustCompile(` sid:(\d{1,9}); rev:(\d{1,9});\)$`)
	keyed   = regexp.MustCompile(`metadata:waybill_key ([A-Za-z0-9._-]+)[,;]`)
	retired = regexp.MustCompile(`^# retired: ([A-Za-z0-9._-]+) sid:(\d{1,9}) rev:(\d{1,9})$`)
)

// numbers gives rules their numbers, the same that they had.
type numbers struct {
	old  map[string]numbered
	next int
}

func newNumbers(before []byte) *numbers {
	n := &numbers{old: map[string]numbered{}, next: firstSID}
	for line := range bytes.Lines(before) {
		n.learn(strings.TrimRight(string(line), "\r\n"))
	}
	return n
}

// learn takes what a line of the export before says of a rule, there or gone. A number
// outside the range is none of ours.
func (n *numbers) learn(line string) {
	if m := retired.FindStringSubmatch(line); m != nil {
		n.keep(m[1], m[2], m[3], "")
		return
	}
	place := sidRev.FindStringSubmatchIndex(line)
	key := keyed.FindStringSubmatch(line)
	if place == nil || key == nil || strings.HasPrefix(line, "#") {
		return
	}
	n.keep(key[1], line[place[2]:place[3]], line[place[4]:place[5]], line[:place[0]])
}

func (n *numbers) keep(key, sid, rev, body string) {
	s, _ := strconv.Atoi(sid)
	r, _ := strconv.Atoi(rev)
	if s < firstSID || s > lastSID {
		return
	}
	n.next = max(n.next, s+1)
	if _, twice := n.old[key]; !twice {
		n.old[key] = numbered{s, max(r, 1), body}
	}
}

// of is the number and revision of a rule. changed says that something beside its text did.
func (n *numbers) of(key, body string, changed bool) (sid, rev int, err error) {
	if old, ok := n.old[key]; ok {
		delete(n.old, key)
		if changed || old.body != body {
			old.rev++
		}
		return old.sid, old.rev, nil
	}
	if n.next > lastSID {
		return 0, 0, fmt.Errorf("suricata: the sids %d to %d are used up: export without the files of before, and let the old rules go", firstSID, lastSID)
	}
	n.next++
	return n.next - 1, 1, nil
}

// gone are lines that keep the numbers of rules that are there no more from being given to others.
func (n *numbers) gone() string {
	var lines []string
	for key, old := range n.old {
		lines = append(lines, fmt.Sprintf("# retired: %s sid:%d rev:%d\n", key, old.sid, old.rev))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
