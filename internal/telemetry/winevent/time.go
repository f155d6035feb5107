package winevent

import (
	"strconv"
	"strings"
	"time"

	"waybill/internal/model"
)

// stampForms are how collectors write times, those with a zone first.
var stampForms = []struct {
	layout string
	zoned  bool
}{
	{time.RFC3339Nano, true}, {"2006-01-02T15:04:05.999999999-0700", true}, {"2006-01-02 15:04:05.999999999Z07:00", true},
	{"2006-01-02 15:04:05.999999999 -07:00", true}, {"2006-01-02 15:04:05.999999999 UTC", true},
	{"2006-01-02 15:04:05.999999999", false}, {"2006-01-02T15:04:05.999999999", false},
	{"1/2/2006 3:04:05.999999999 PM", false}, {"1/2/2006, 3:04:05.999999999 PM", false}, {"01/02/2006 15:04:05.999999999", false},
}

// parseStamp reads a time as collectors write them; zoned says whether it named
// its zone. Seconds since 1970, with fraction, are UTC.
func parseStamp(s string) (t model.Time, zoned, ok bool) {
	s = strings.TrimSpace(s)
	if t, ok := quickStamp(s); ok {
		return t, s[len(s)-1] == 'Z', true
	}
	for _, f := range stampForms {
		if at, err := time.Parse(f.layout, s); err == nil && plausible(at) {
			return model.Time(at.UnixNano()), f.zoned, true
		}
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil {
		switch {
		case x > 1e8 && x < 1e10:
			return model.Time(x * 1e6 * 1e3), true, true
		case x > 1e11 && x < 1e13: // milliseconds
			return model.Time(x * 1e6), true, true
		}
	}
	return 0, false, false
}

// ParseTime reads a time as Windows and collectors write it; without a zone it is UTC.
func ParseTime(s string) (model.Time, bool) {
	t, _, ok := parseStamp(s)
	return t, ok
}

// local reads a stamp that was taken for UTC as one of a zone.
func local(t model.Time, zone *time.Location) model.Time {
	u := time.Unix(0, int64(t)).UTC()
	return model.Time(time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), u.Nanosecond(), zone).UnixNano())
}

// plausible refuses times that nanoseconds in 64 bits cannot hold.
func plausible(t time.Time) bool { return t.Year() > 1970 && t.Year() < 2200 }

// quickStamp reads "2006-01-02T15:04:05.000Z" and the like, which is what nearly
// all stamps are: with 'T' or a blank, with or without fraction, with or without Z.
func quickStamp(s string) (model.Time, bool) {
	if len(s) < 19 || len(s) > 30 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, ok0 := digits(s[0:4])
	month, ok1 := digits(s[5:7])
	day, ok2 := digits(s[8:10])
	hour, ok3 := digits(s[11:13])
	minute, ok4 := digits(s[14:16])
	second, ok5 := digits(s[17:19])
	if !(ok0 && ok1 && ok2 && ok3 && ok4 && ok5) || year < 1971 || year > 2199 || month < 1 || month > 12 || day < 1 ||
		hour > 23 || minute > 59 || second > 59 || day > 28 && day > daysIn(year, month) {
		return 0, false
	}
	rest := s[19:]
	nanos, scale := 0, 1_000_000_000
	if rest != "" && rest[0] == '.' {
		i := 1
		for ; i < len(rest) && rest[i] >= '0' && rest[i] <= '9'; i++ {
			if scale /= 10; scale > 0 {
				nanos += int(rest[i]-'0') * scale
			}
		}
		rest = rest[i:]
	}
	if rest != "" && rest != "Z" {
		return 0, false
	}
	at := days(year, month, day)*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	return model.Time(at*1e9 + int64(nanos)), true
}

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// days counts the days from 1970-01-01 in the Gregorian calendar.
func days(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := int64(year) / 400
	ofEra := int64(year) - era*400
	ofYear := int64(153*(month-3)+2)/5 + int64(day) - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

// clock learns, for each host of an input, how far the collector's stamps are
// from UTC. Sysmon's UtcTime is the host's own word; a stamp without zone is
// local time. Offsets are whole quarters of an hour, as zones are: the rest is
// the time that an event took to be collected.
type clock struct {
	offsets map[string]model.Time
	asked   int
}

// due says whether the offset of a host is to be learned: when it is not known,
// and now and then, since clocks are set and seasons change.
func (c *clock) due(host string) bool {
	c.asked++
	_, known := c.offsets[host]
	return !known || c.asked%32 == 0
}

const quarter = model.Time(15 * 60 * 1e9)

// learn notes the offset of one stamp.
func (c *clock) learn(host string, stamp, utc model.Time) {
	if c.offsets == nil {
		c.offsets = map[string]model.Time{}
	}
	d := utc - stamp
	half := quarter / 2
	if d < 0 {
		half = -half
	}
	c.offsets[host] = (d + half) / quarter * quarter
}

// at gives the UTC of a stamp and whether it is known.
func (c *clock) at(host string, stamp model.Time) (model.Time, bool) {
	d, ok := c.offsets[host]
	return stamp + d, ok
}
