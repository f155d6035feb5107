package syslog

import (
	"time"

	"waybill/internal/model"
	"waybill/internal/telemetry"
	"waybill/internal/telemetry/linelog"
)

// begin finds the year of the first line without one: of a date within the head that
// is spelled out and is of about the same day, else the one that brings the first
// line nearest to what else was given, else the last before the file was written.
func (l *log) begin(head []byte, o telemetry.OpenOptions) {
	var first [2]int // month and day
	var spelled []time.Time
	linelog.Each(head, func(line string) {
		if m, day, _, ok := short(line); ok {
			if first[0] == 0 {
				first = [2]int{int(m), day}
			}
			line = line[16:]
		}
		if t, ok := spelledOut(line); ok && len(spelled) < 64 {
			spelled = append(spelled, t)
		}
	})
	if first[0] == 0 {
		l.year = 2000
		return
	}
	for _, t := range spelled {
		if y, days := nearest(first, t); days <= 2 {
			l.year = y
			return
		}
	}
	l.guessed, l.year = true, 2000 // a leap year has all days
	switch {
	case o.Near != 0:
		l.year, _ = nearest(first, time.Unix(0, int64(o.Near)).UTC())
	case o.Written > 0:
		l.year = lastBefore(first, time.Unix(0, int64(o.Written)).UTC())
	}
}

// nearest is the year that brings a day of the year nearest to a time, and how far
// it is then.
func nearest(day [2]int, to time.Time) (year, days int) {
	days = 1 << 20
	for y := to.Year() - 1; y <= to.Year()+1; y++ {
		d := time.Date(y, time.Month(day[0]), day[1], 12, 0, 0, 0, time.UTC).Sub(to).Hours() / 24
		if n := int(max(d, -d)); n < days {
			year, days = y, n
		}
	}
	return year, days
}

// lastBefore is the last year in which a day of the year comes before a time, or
// within the day after it: zones are not known yet.
func lastBefore(day [2]int, t time.Time) int {
	if time.Date(t.Year(), time.Month(day[0]), day[1], 0, 0, 0, 0, time.UTC).After(t.AddDate(0, 0, 1)) {
		return t.Year() - 1
	}
	return t.Year()
}

// spelledOut finds a date with its year in a line: 2026-11-23.
func spelledOut(line string) (time.Time, bool) {
	for i := 0; i+10 <= len(line); i++ {
		if line[i] == '2' && line[i+1] == '0' && line[i+4] == '-' && line[i+7] == '-' && (i == 0 || line[i-1] < '0' || line[i-1] > '9') {
			if t, err := time.Parse(time.DateOnly, line[i:i+10]); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// turn is how far a line may lie before the one before it within a year: farther back
// is the next year.
const turn = 180 * 24 * 3600e9

// at is the time of a line without a year.
func (l *log) at(m time.Month, day, clock int) model.Time {
	t, _ := linelog.Date(l.year, m, day, clock, l.zone)
	switch {
	case l.last != 0 && l.last-t > turn:
		l.year++
		t, _ = linelog.Date(l.year, m, day, clock, l.zone)
	case l.last != 0 && t-l.last > turn: // a late line of the year before
		t, _ = linelog.Date(l.year-1, m, day, clock, l.zone)
		return t
	}
	l.last = t
	return t
}
