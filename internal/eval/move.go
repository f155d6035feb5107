package eval

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"waybill/internal/model"
)

// Move is one movement of a file as it truly happened.
type Move struct {
	Time, End           model.Time
	Label               *Label
	Source, Destination *Host
	Push                bool
	Channel             string
	Port                uint16
	Share, Path, Name   string
	Local               string // where it lies on the destination
	Content             Content
	User, Domain        string // at the server
	Process, Command    string // on the host that opened the exchange
	Writer              string
	Start               *Start
	seq                 uint64
}

// client is the host that opened the exchange.
func (m *Move) client() *Host {
	if m.Push {
		return m.Source
	}
	return m.Destination
}

func (m *Move) server() *Host {
	if m.Push {
		return m.Destination
	}
	return m.Source
}

// Start is a start of the file where it went.
type Start struct {
	Time           model.Time
	How            string
	Service        string
	Image, Command string
	User, Parent   string
}

// Label says what a movement belongs to.
type Label struct {
	Index       int
	Row         string // of benign.csv, or the campaign's kind
	Campaign    *Running
	Boundary    bool
	Irreducible bool
}

// Content is what a file holds. Equal keys are equal bytes.
type Content struct {
	Key      uint64
	Size     int64
	Pad      uint64 // not 0: other bytes behind the same ones
	Padding  int64
	Type     string // as waybill names types
	Original string
}

// Bytes is how much there is of it.
func (c *Content) Bytes() int64 { return c.Size + c.Padding }

// SHA256 is its hash.
func (c *Content) SHA256() string { return digest(c.Key, c.Pad, 0) }

// Prefix is the ladder of hashes of its beginnings.
func (c *Content) Prefix() map[string]string {
	out := map[string]string{}
	for _, n := range []int64{4096, 65536, 1 << 20, 16 << 20} {
		if n > c.Bytes() {
			break
		}
		pad := c.Pad
		if n <= c.Size {
			pad = 0
		}
		out[strconv.FormatInt(n, 10)] = digest(c.Key, pad, uint64(n))
	}
	return out
}

func digest(a, b, c uint64) string {
	var raw [24]byte
	for i, v := range [...]uint64{a, b, c} {
		for j := range 8 {
			raw[8*i+j] = byte(v >> (8 * j))
		}
	}
	sum := sha256.Sum256(raw[:])
	return hex.EncodeToString(sum[:])
}

// mix makes one number of several (SplitMix64's finalizer).
func mix(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		h ^= p
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

func text(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func seeded(parts ...uint64) *rand.Rand { return rand.New(rand.NewPCG(mix(parts...), 5)) }

// draw is uniform in the logarithm: sizes, volumes and waits spread over orders of magnitude.
func (r Range) draw(rng *rand.Rand) float64 {
	if r[0] <= 0 || r[0] == r[1] {
		return r[0] + rng.Float64()*(r[1]-r[0])
	}
	return r[0] * math.Exp(rng.Float64()*math.Log(r[1]/r[0]))
}

func (r Range) whole(rng *rand.Rand) int { return int(math.Round(r.draw(rng))) }

// middle is about the mean of what draw gives.
func (r Range) middle() float64 { return math.Sqrt(max(r[0], 1e-9) * max(r[1], 1e-9)) }

// filled is what fills the blanks of a scenario's texts.
type filled struct {
	name, src, dst, srcIP, user, date, dept, job, folder string
	n, pick, guid                                        int
	content                                              uint64
	rng                                                  *rand.Rand
}

// expand fills the blanks. Equal picks give equal texts within one movement.
func (f *filled) expand(s string) string {
	if !strings.Contains(s, "{") {
		return s
	}
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return out.String() + s
		}
		out.WriteString(s[:i])
		s = s[i:]
		if strings.HasPrefix(s, "{{") { // braces of a GUID
			out.WriteByte('{')
			s = s[1:]
		}
		j := strings.IndexByte(s, '}')
		if j < 0 {
			return out.String() + s
		}
		out.WriteString(f.blank(s[1:j]))
		s = s[j+1:]
	}
}

func (f *filled) blank(word string) string {
	kind, arg, _ := strings.Cut(word, ":")
	count, _ := strconv.Atoi(arg)
	switch kind {
	case "name":
		return f.name
	case "src":
		return f.src
	case "dst":
		return f.dst
	case "srcip":
		return f.srcIP
	case "user":
		return f.user
	case "date":
		return f.date
	case "dept":
		return f.dept
	case "n":
		return strconv.Itoa(f.n)
	case "job":
		if count > 0 {
			return f.job[:min(count, len(f.job))]
		}
		return f.job
	case "folder":
		return f.folder
	case "tmp":
		return []string{"/tmp", "/dev/shm", "/var/tmp"}[f.pick%3]
	case "pick":
		return strconv.Itoa(f.pick % max(1, count))
	case "guid":
		return guid(uint64(f.guid % max(1, count)))
	case "rand":
		return letters(f.rng, count)
	case "file":
		return f.document()
	case "package":
		return packages[f.content%uint64(len(packages))] + strconv.Itoa(int(f.content>>8%90)+10)
	case "inhouse":
		return inhouse[f.content%uint64(len(inhouse))] + ".exe"
	case "build":
		return projects[f.content%uint64(len(projects))] + ".exe"
	}
	return "?" + word
}

func guid(n uint64) string {
	h := hexOf(mix(n, 3)) + hexOf(mix(n, 4))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

func hexOf(n uint64) string {
	var raw [8]byte
	for i := range raw {
		raw[i] = byte(n >> (8 * i))
	}
	return hex.EncodeToString(raw[:])
}

func letters(rng *rand.Rand, n int) string {
	b := make([]byte, max(n, 1))
	for i := range b {
		b[i] = byte('a' + rng.IntN(26))
	}
	return string(b)
}

func (f *filled) document() string {
	return words[f.rng.IntN(len(words))] + strconv.Itoa(f.rng.IntN(4000)) + extensions[f.pick%len(extensions)]
}

var (
	packages = strings.Fields("7z pdfreader officefix vcredist javaruntime vpnclient printcenter webmeeting notepadplus erpclient dotnet browser teamnotes cadviewer labelprint timeclock scanutil " +
		"sapgui cryptotoken dbclient")
	inhouse    = strings.Fields("InvSync StockTool HrHelper FixPrinter LicCheck MapDrives CleanTemp ErpPatch BarcodeSvc DeskInfo")
	projects   = strings.Fields("gateway scheduler parser uitest calc exporter importer viewer")
	words      = strings.Fields("report offer invoice minutes plan budget letter draft contract list photo slides summary notes review order")
	extensions = []string{".docx", ".xlsx", ".pdf", ".pptx", ".docx", ".xlsx", ".jpg", ".txt"}
	vendor     = strings.Fields("GoogleUpdate jucheck AdobeARM vm3dservice teredo dllhost MsMpSvc OneDriveSync igfxtray RtkAudio updater svchosts spoolsrv winlogin cl64 KB5034441 wuaucl ctfmonn nvdisplay hpsupport")
	tools      = strings.Fields("enc64 locker run64 winupd agent64 sys32 build x64 client setup64 stager svc2 loader pay rclone64 scan2 nb")
	folders    = []string{`Windows\Temp`, `ProgramData`, `Users\Public`, `PerfLogs`, `Windows`, `ProgramData\Intel`, `Users\Public\Music`, `Temp`}
)

// intruderName is a name in a style of intruders.
func intruderName(style string, rng *rand.Rand) string {
	switch style {
	case "vendor":
		return vendor[rng.IntN(len(vendor))]
	case "tool":
		return tools[rng.IntN(len(tools))]
	case "unix":
		return []string{"agent", "kworkerd", ".sshd", "systemd-udev", "crond", "x", "update"}[rng.IntN(7)]
	case "archive":
		return []string{"docs", "backup", "a", "data", "Q3", "logs"}[rng.IntN(6)] + strconv.Itoa(rng.IntN(30))
	case "inhouse":
		return inhouse[rng.IntN(len(inhouse))]
	}
	return letters(rng, 5+rng.IntN(4))
}
