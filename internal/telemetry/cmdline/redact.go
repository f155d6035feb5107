package cmdline

import (
	"regexp"
	"strings"
)

// secrets are where passwords stand on command lines: what comes before stays, the
// secret becomes ***. Words that must be there keep the patterns off other lines.
var secrets = []struct {
	word    string
	pattern *regexp.Regexp
}{
	{"use", regexp.MustCompile(`(?i)(\bnet1?(?:\.exe)?"?\s+use\s+(?:[a-z*]:?\s+)?"?\\\\[^\s"]+"?(?:\s+/(?:user|u):(?:"[^"]*"|\S+))?\s+)("[^"]*"|[^/\s]\S*)`)},
	{"user", regexp.MustCompile(`(?i)(\bnet1?(?:\.exe)?"?\s+user\s+(?:"[^"]*"|[^/\s]\S*)\s+)("[^"]*"|[^/*\s]\S*)`)},
	{" -p", regexp.MustCompile(`(?i)((?:psexec|paexec|csexec|remcom|xcmd)\S*\s.*?[-/]p\s+)("[^"]*"|\S+)`)},
	{" -p", regexp.MustCompile(`(?i)(\s-u\s+(?:"[^"]*"|\S+)\s+-p\s+)("[^"]*"|\S+)`)},
	{"/p", regexp.MustCompile(`(?i)((?:psexec|paexec|schtasks)\S*\s.*?/r?p\s+)("[^"]*"|\S+)`)},
	{"pass", regexp.MustCompile(`(?i)([-/]{1,2}(?:password|passwd|pass|pw)(?:[:=]|\s+))("[^"]*"|'[^']*'|[^\s*]\S*)`)},
	{"-pw", regexp.MustCompile(`(?i)(\s-pw\s+)("[^"]*"|\S+)`)},
	{" -", regexp.MustCompile(`(?i)(\b(?:7z[argz]?|(?:win|un)?rar)(?:\.exe)?"?\s+[xealtud]\s(?:.*?\s)?-h?p)("[^"]*"|[^\s-]\S*)`)},
	{"unzip", regexp.MustCompile(`(unzip\S*\s(?:.*?\s)?-P\s+)("[^"]*"|\S+)`)},
	{"winrs", regexp.MustCompile(`(?i)(winrs\S*\s.*?[-/]p:)("[^"]*"|\S+)`)},
	{"curl", regexp.MustCompile(`(\s(?:-u|--user|-U|--proxy-user)[ =]?["']?[^\s:"']*:)([^\s"']+)`)},
	{"uthorization", regexp.MustCompile(`(?i)(authorization:\s*\w+\s+)([^\s"']+)`)},
	{"://", regexp.MustCompile(`(://[^/\s:@"']+:)([^@/\s"']+)@`)},
	{"sshpass", regexp.MustCompile(`(sshpass\s+-p\s?)("[^"]*"|'[^']*'|\S+)`)},
	{"%", regexp.MustCompile(`((?:-U|--user=?)\s*["']?[^\s%"']+%)([^\s"']+)`)},
	{"secure", regexp.MustCompile(`(?i)(ConvertTo-SecureString\s+(?:-String\s+|-AsPlainText\s+|-Force\s+)*)("[^"]*"|'[^']*'|[^\s$-]\S*)`)},
	{"password", regexp.MustCompile(`(?i)(\bpassword\s*=\s*)("[^"]*"|'[^']*'|\S+)`)},
	{"credential", regexp.MustCompile(`(?i)(NetworkCredential\s*\(\s*["'][^"']*["']\s*,\s*)(["'][^"']*["'])`)},
	{"net use", regexp.MustCompile(`(?i)(/user:(?:"[^"]*"|\S+)\s+)("[^"]*"|[^/\s]\S*)`)},
}

// Redact replaces the secrets of a command line by ***. What follows the encoded
// form of a PowerShell command is decoded, redacted and shown in clear when a
// secret stands in it.
func Redact(line string) string {
	lower := strings.ToLower(line)
	for _, s := range secrets {
		if strings.Contains(lower, s.word) {
			line = s.pattern.ReplaceAllStringFunc(line, func(m string) string {
				g := s.pattern.FindStringSubmatch(m)
				if strings.HasSuffix(m, "@") && s.word == "://" {
					return g[1] + "***@"
				}
				return g[1] + "***"
			})
		}
	}
	return encoded.ReplaceAllStringFunc(line, func(m string) string {
		g := encoded.FindStringSubmatch(m)
		clear := decode(g[2])
		if clear == "" || Redact(clear) == clear {
			return m
		}
		return g[1] + "(decoded) " + Redact(clear)
	})
}

var encoded = regexp.MustCompile(`(?i)(\s[-/]e[ncodedma]*\s+)"?([A-Za-z0-9+/]{16,}={0,2})"?`)
