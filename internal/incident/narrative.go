package incident

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waybill/internal/model"
)

// Bounds of a narrative: it is read by a person.
const (
	maxSteps   = 40
	firstSteps = 26 // of those, when there are more
	alikeMost  = 3  // so many similar steps are told one by one
	namesMost  = 4  // names in a list
)

// step is one sentence of a narrative, and by what it is like others.
type step struct {
	time, last model.Time
	text       string
	fan        string // the same file by the same way to other hosts
	alike      string // what a summary of these says before their names
	batch      string // other files by the same way to the same host
	to, file   string
	more       string // what a summary says of the step beyond its time
	starts     bool
}

// narrative tells what happened in the order of time.
func (c *chain) narrative() []model.Happening {
	var steps []step
	for i := range c.moves {
		steps = append(steps, c.tell(&c.moves[i])...)
	}
	for _, m := range c.members {
		if len(m.moves) == 0 {
			steps = append(steps, step{time: m.start, last: m.end, text: m.Title})
		}
	}
	steps = append(steps, c.wrote()...)
	sortSteps(steps)
	steps = fold(steps, func(s step) string { return s.fan }, toHosts)
	steps = fold(steps, func(s step) string { return s.batch }, moreFiles)
	out := make([]model.Happening, 0, len(steps))
	for _, s := range shorten(steps) {
		out = append(out, model.Happening{Time: s.time, Text: s.text})
	}
	return out
}

func sortSteps(steps []step) {
	slices.SortStableFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.text, b.text))
	})
}

// foldGap ends a row of similar steps: half a day's work of people who fetch one file is one.
const foldGap = 6 * hour

// fold tells a row of similar steps by its first one and a summary of the others, when
// they are many. Steps come in the order of time.
func fold(steps []step, key func(step) string, summary func([]step) string) []step {
	rows, open := [][]step{}, map[string]int{}
	for _, s := range steps {
		k := key(s)
		if i, ok := open[k]; ok && k != "" && s.time-rows[i][len(rows[i])-1].last <= foldGap {
			rows[i] = append(rows[i], s)
			continue
		}
		open[k] = len(rows)
		rows = append(rows, []step{s})
	}
	var out []step
	for _, row := range rows {
		if len(row) <= alikeMost {
			out = append(out, row...)
			continue
		}
		rest := row[1:]
		out = append(out, row[0], step{time: rest[0].time, last: rest[len(rest)-1].last, text: summary(rest)})
	}
	sortSteps(out)
	return out
}

// toHosts says to which hosts the same went as well.
func toHosts(rest []step) string {
	var hosts []string
	started := 0
	for _, s := range rest {
		if !slices.Contains(hosts, s.to) {
			hosts = append(hosts, s.to)
		}
		if s.starts {
			started++
		}
	}
	text := fmt.Sprintf("%s %s (%s), until %s", rest[0].alike, count(len(hosts), "more host"), some(hosts), clock(rest[len(rest)-1].last, rest[0].time))
	if started > 0 {
		text += fmt.Sprintf("; started %s", count(started, "time"))
	}
	return text
}

// moreFiles says which files went the same way as well.
func moreFiles(rest []step) string {
	var files []string
	for _, s := range rest {
		if !slices.Contains(files, s.file) {
			files = append(files, s.file)
		}
	}
	return fmt.Sprintf("%s %s (%s), until %s", rest[0].more, count(len(files), "more file"), some(files), clock(rest[len(rest)-1].last, rest[0].time))
}

// shorten leaves out steps in the middle when there are too many.
func shorten(steps []step) []step {
	if len(steps) <= maxSteps {
		return steps
	}
	left := len(steps) - (maxSteps - 1)
	gone := step{time: steps[firstSteps].time, text: fmt.Sprintf("... %s; the transfers of the findings have them", count(left, "further step"))}
	return slices.Concat(steps[:firstSteps], []step{gone}, steps[firstSteps+left:])
}

// wrote tells what files that came, once started, wrote while they were connected.
func (c *chain) wrote() []step {
	var out []step
	told := map[string]bool{}
	for i := range c.moves {
		m := &c.moves[i]
		host := hostKey(m.Destination)
		for _, a := range c.known.writes[program{host, strings.ToLower(m.Name)}] {
			if a.Time < begin(m.Transfer) || m.Name == "" || told[a.ID] {
				continue
			}
			told[a.ID] = true
			out = append(out, step{time: a.Time, last: a.Time, file: base(a.Object), batch: "wrote " + host + " " + m.Name,
				more: fmt.Sprintf("%s on %s wrote", m.Name, m.to),
				text: fmt.Sprintf("%s on %s wrote %s while it was connected to %s", m.Name, m.to, clip(a.Object), c.call(a.Source))})
		}
	}
	return out
}

func base(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }
