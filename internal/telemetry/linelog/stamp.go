package linelog

import (
	"strings"
	"time"

	"waybill/internal/model"
)

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// Month reads the name of a month as the C library writes it; 0 is none.
func Month(s string) time.Month {
	for i, m := range months {
		if s == m {
			return time.Month(i + 1)
		}
	}
	return 0
}

// Two reads a number of two places; the first may be a blank. -1 is none.
func Two(s string) int {
	if len(s) != 2 || s[1] < '0' || s[1] > '9' || s[0] != ' ' && (s[0] < '0' || s[0] > '9') {
		return -1
	}
	n := int(s[1] - '0')
	if s[0] != ' ' {
		n += 10 * int(s[0]-'0')
	}
	return n
}

// Clock reads hh:mm:ss as seconds of the day; -1 is none.
func Clock(s string) int {
	if len(s) != 8 || s[2] != ':' || s[5] != ':' {
		return -1
	}
	h, m, sec := Two(s[:2]), Two(s[3:5]), Two(s[6:])
	if h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60 {
		return -1
	}
	return h*3600 + m*60 + sec
}

// Date makes a time of a date and the seconds of its day; false when there is no such day.
func Date(year int, m time.Month, day, seconds int, zone *time.Location) (model.Time, bool) {
	if year < 1970 || year > 2200 || m < 1 || m > 12 || day < 1 || day > 31 || seconds < 0 {
		return 0, false
	}
	if zone == nil {
		zone = time.UTC
	}
	t := time.Date(year, m, day, 0, 0, seconds, 0, zone)
	return model.Time(t.UnixNano()), true
}

// CTime reads "Mon Nov 23 16:25:33 2026", as ctime(3) writes it, from the front of a line.
func CTime(line string, zone *time.Location) (t model.Time, rest string, ok bool) {
	if len(line) < 25 || line[3] != ' ' || line[7] != ' ' || line[10] != ' ' || line[19] != ' ' || line[24] != ' ' || !strings.Contains("Mon Tue Wed Thu Fri Sat Sun", line[:3]) {
		return 0, "", false
	}
	hi, lo := Two(line[20:22]), Two(line[22:24])
	if hi < 0 || lo < 0 {
		return 0, "", false
	}
	t, ok = Date(100*hi+lo, Month(line[4:7]), Two(line[8:10]), Clock(line[11:19]), zone)
	return t, line[25:], ok
}

// MonthNumber reads the number of a month in two places; 0 is none.
func MonthNumber(s string) time.Month {
	if n := Two(s); n >= 1 && n <= 12 {
		return time.Month(n)
	}
	return 0
}
