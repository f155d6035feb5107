package scan

import (
	"cmp"
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waybill/internal/model"
)

// hostCorpus is a folder of public event logs with the truth about them. It is no
// part of the project; WAYBILL_HOST_CORPUS names another place.
func hostCorpus(t *testing.T) string {
	return corpusFolder(t, "WAYBILL_HOST_CORPUS", "host", "event logs", "truth.csv and the logs")
}

// positive says whether the truth expects a movement.
func (r row) positive() bool { return r["expect"] == "transfer" || r["expect"] == "inferred" }

func baseOf(p string) string { return strings.ToLower(p[strings.LastIndexAny(p, `\/`)+1:]) }

// isNamed says whether a transfer has one of the row's names; none or * is any.
func (r row) isNamed(t *model.Transfer) bool {
	for n := range strings.SplitSeq(r["name"], ";") {
		if b := baseOf(n); b == "" || b == "*" || b == "-" || b == strings.ToLower(t.Name) ||
			slices.ContainsFunc(t.EarlierNames, func(x string) bool { return strings.EqualFold(x, b) }) {
			return true
		}
	}
	return false
}

func smbWord(c string) bool { return strings.HasPrefix(c, "smb") || c == "svcctl" }

func (r row) isChannel(t *model.Transfer) bool {
	want := r["channel"]
	return want == "" || family(want) == family(t.Channel) || smbWord(want) && smbWord(t.Channel) || want == "unknown" || t.Channel == "unknown"
}

var splitHosts = regexp.MustCompile(`[|/ ]+`)

// isHost says whether an endpoint is one that the row names, by address or name.
func isHost(e model.Endpoint, want string) bool {
	want = strings.ToLower(strings.TrimSpace(want))
	switch want {
	case "", "-", "?", "unknown", "rdp server":
		return true
	}
	host, _, _ := strings.Cut(strings.ToLower(e.Host), ".")
	for _, w := range splitHosts.Split(want, -1) {
		bare, _, _ := strings.Cut(w, ".")
		if w != "" && (w == e.IP.String() || w == strings.ToLower(e.Host) || bare == host && host != "") {
			return true
		}
	}
	return false
}

// shows says whether the transfer is the movement of a row.
func (r row) shows(t *model.Transfer) bool {
	if !r.isNamed(t) || !r.isChannel(t) || !isHost(t.Source, r["source_host_or_ip"]) || !isHost(t.Destination, r["destination_host"]) {
		return false
	}
	if op := r["operation"]; (op == model.Push || op == model.Pull) && t.Operation != op {
		return false
	}
	if !sameSum(r["sha256_if_known"], t) {
		return false
	}
	if r["expect"] == "inferred" {
		return t.Completeness == model.Inferred
	}
	return t.Completeness != model.Inferred && (t.Status == model.Done || t.Status == model.Claimed)
}

func sameSum(want string, t *model.Transfer) bool {
	known := []string{t.SHA256}
	for _, h := range t.Hashes {
		if h.Alg == "sha256" {
			known = append(known, h.Value)
		}
	}
	known = slices.DeleteFunc(known, func(s string) bool { return s == "" })
	return want == "" || len(known) == 0 || slices.Contains(known, strings.ToLower(want))
}

// looksLike says whether the transfer claims a movement between the ends of a row
// that is none.
func (r row) looksLike(t *model.Transfer) bool {
	if t.Status == model.Denied || t.Status == model.Failed || t.Scope != model.ScopeInternal || !r.isNamed(t) || !r.isChannel(t) {
		return false
	}
	for _, w := range []string{r["source_host_or_ip"], r["destination_host"]} {
		if !isHost(t.Source, w) && !isHost(t.Destination, w) {
			return false
		}
	}
	return true
}

// TestHostCorpus compares what is found in public event logs with what is known
// of them: every movement is found, no look-alike is taken for one, and at most one
// record in ten is neither.
func TestHostCorpus(t *testing.T) {
	dir := hostCorpus(t)
	rows := map[string][]row{}
	for _, r := range readTable(t, filepath.Join(dir, "truth.csv")) {
		form := strings.HasPrefix(r["format"], "evtx") || strings.HasPrefix(r["format"], "json")
		if form && r["confidence"] != "low" && !strings.Contains(r["notes"], "ts is masked") {
			rows[r["dataset"]] = append(rows[r["dataset"]], r)
		}
	}
	found, unclaimed := 0, 0
	for dataset, list := range rows {
		got, err := Run(context.Background(), Options{Paths: []string{filepath.Join(dir, dataset)}})
		if err != nil {
			t.Errorf("%s: %v", dataset, err)
			continue
		}
		f, rest := compareHosts(t, dataset, list, got.Transfers)
		found += f
		for _, x := range rest {
			if x.Scope == model.ScopeInternal {
				unclaimed++
			}
		}
	}
	if precision := float64(found) / float64(max(1, found+unclaimed)); precision < 0.9 {
		t.Errorf("precision %.2f: %d records that no row claims", precision, unclaimed)
	}
	t.Logf("%d movements in %d datasets, %d records that no row claims", found, len(rows), unclaimed)
}

// compareHosts lets the rows claim transfers, and gives how many did and what is left.
func compareHosts(t *testing.T, dataset string, list []row, free []*model.Transfer) (found int, rest []*model.Transfer) {
	slices.SortStableFunc(list, func(a, b row) int { return cmp.Compare(order(a), order(b)) })
	for _, r := range list {
		if !r.positive() {
			if slices.ContainsFunc(free, r.looksLike) {
				t.Errorf("%s: %s %s %s looks like a movement", dataset, r["expect"], r["channel"], r["name"])
			}
			continue
		}
		i := slices.IndexFunc(free, r.shows)
		if i < 0 {
			t.Errorf("%s: %s %s %s from %s to %s is not found", dataset, r["expect"], r["channel"], r["name"], r["source_host_or_ip"], r["destination_host"])
			continue
		}
		found++
		if baseOf(r["name"]) == "*" {
			free = slices.DeleteFunc(free, r.shows)
			continue
		}
		free = slices.Delete(free, i, i+1)
	}
	return found, free
}

// order puts rows that expect a movement first, those with a name before.
func order(r row) int {
	n := 0
	if !r.positive() {
		n = 2
	}
	if b := baseOf(r["name"]); b == "" || b == "*" || b == "-" {
		n++
	}
	return n
}
