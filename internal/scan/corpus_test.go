package scan

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"waybill/internal/model"
)

// corpus is a folder of public captures with the truth about them. It is no part
// of the project; WAYBILL_CORPUS names another place.
func corpus(t *testing.T) string {
	return corpusFolder(t, "WAYBILL_CORPUS", "pcap", "captures", "truth.csv, negative.csv and the captures")
}

// corpusFolder is the folder that a variable names, else the one of the kind beside
// the project. Without it the test is skipped.
func corpusFolder(t *testing.T, variable, kind, what, holds string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus", kind)
	}
	if _, err := os.Stat(filepath.Join(dir, "truth.csv")); err != nil {
		t.Skipf("the corpus of public %s is not here: set %s to its folder (%s)", what, variable, holds)
	}
	return dir
}

// corrected are rows of the truth that the packets do not bear out, as they are.
var corrected = map[string]row{
	// Its ranges, 72 parts in 34 answers over two connections, cover all bytes of the
	// entity: they are one whole file (contract, "What is one transfer").
	"zeek+zeek__testing__btest__Traces__http__206_example_c.pcap": {"completeness": "whole", "size": "498668",
		"sha256": "5c3bc213c9eff85f98feceac8810b955f8415564e50e3889b447e847c50c5ba7"},
}

// row is one line of a table, by column.
type row map[string]string

func readTable(t *testing.T, path string) []row {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	for _, l := range lines[1:] {
		r := row{}
		for i, name := range lines[0] {
			r[name] = l[i]
		}
		out = append(out, r)
	}
	return out
}

// family is the channel as the truth calls it.
func family(channel string) string {
	switch {
	case channel == "smb3":
		return "smb2"
	case channel == "webdav":
		return "http"
	}
	return channel
}

// fits says whether a transfer is what a row of the truth says.
func (r row) fits(t *model.Transfer) bool {
	if t.Source.IP.String() != r["source_ip"] || t.Destination.IP.String() != r["destination_ip"] ||
		family(t.Channel) != family(r["channel"]) || t.Operation != r["operation"] {
		return false
	}
	if r["completeness"] == model.Opaque {
		return t.Completeness == model.Opaque
	}
	if family(r["channel"]) != "http" && r["name"] != "" && t.Name != r["name"][strings.LastIndexAny(r["name"], `\/`)+1:] {
		return false
	}
	if r["completeness"] == model.Partial {
		return t.Completeness == model.Partial && t.SHA256 == ""
	}
	if size, err := strconv.ParseInt(r["size"], 10, 64); err == nil && (t.Size == nil || *t.Size != size) {
		return false
	}
	return t.Completeness == model.Whole && (r["sha256"] == "" || r["sha256"] == t.SHA256)
}

// TestCorpus finds all that is true of the public captures, and prints nothing
// that is no transfer.
func TestCorpus(t *testing.T) {
	dir := corpus(t)
	truth, negative := map[string][]row{}, map[string][]row{}
	for _, r := range readTable(t, filepath.Join(dir, "truth.csv")) {
		switch family(r["channel"]) {
		case "smb1", "smb2", "ftp", "tftp", "http", "nfs":
			for column, value := range corrected[r["pcap"]] {
				r[column] = value
			}
			truth[r["pcap"]] = append(truth[r["pcap"]], r)
		}
	}
	for _, r := range readTable(t, filepath.Join(dir, "negative.csv")) {
		negative[r["pcap"]] = append(negative[r["pcap"]], r)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pcap*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	right, total := 0, 0
	for _, path := range files {
		name := filepath.Base(path)
		rest := run(t, Options{Paths: []string{path}, All: true, Workers: 2}).Transfers
		for _, want := range truth[name] {
			total++
			var ok bool
			if rest, ok = take(rest, want); ok {
				right++
			} else {
				t.Errorf("%s: missing %s %s %s bytes, %s", name, want["channel"], want["name"], want["size"], want["completeness"])
			}
		}
		for _, r := range negative[name] {
			if x := r.loud(rest); x != nil {
				t.Errorf("%s: %s %s is no transfer: %s", name, x.Channel, x.Name, r["why"])
			}
		}
	}
	t.Logf("%d of %d rows right", right, total)
}

// take removes the first transfer that fits.
func take(all []*model.Transfer, want row) ([]*model.Transfer, bool) {
	for i, x := range all {
		if want.fits(x) {
			return append(all[:i:i], all[i+1:]...), true
		}
	}
	return all, false
}

var tail = regexp.MustCompile(` (x\d+|\d+ bytes)$`)

// loud finds a transfer that a row says there is none of.
func (r row) loud(all []*model.Transfer) *model.Transfer {
	words := strings.SplitN(r["what"], " ", 3)
	if words[0] == "http" {
		return nil
	}
	name := tail.ReplaceAllString(words[len(words)-1], "")
	name = strings.ToLower(name[strings.LastIndexAny(name, `\/`)+1:])
	ends := map[string]bool{r["client_ip"]: true, r["server_ip"]: true}
	for _, x := range all {
		if name != "" && strings.ToLower(x.Name) == name && x.Status == model.Done && family(x.Channel) != "http" &&
			ends[x.Source.IP.String()] && ends[x.Destination.IP.String()] {
			return x
		}
	}
	return nil
}
