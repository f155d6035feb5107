package history

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"waybill/internal/model"
)

// bigSite is what 10,000 hosts and their accounts do: 1.6 million uses.
func bigSite(hosts int) *Memory {
	m := NewMemory()
	for i := range hosts {
		host, account := fmt.Sprintf("ws-%05d.corp.example", i), fmt.Sprintf(`corp\user%05d`, i)
		at := start + model.Time(i)*1e9
		for k := range 40 {
			server := fmt.Sprintf("srv-%03d.corp.example", (i*7+k*13)%300)
			m.Normal.Learn(AnyPair, host, "", server, at)
			m.Normal.Learn(Pair, host, "smb pull share program", server, at)
			m.Normal.Learn(AccountOn, fmt.Sprintf(`corp\user%05d`, (i+k)%hosts), "", host, at)
			m.Normal.Learn(ContentAt, fmt.Sprintf("a-%016x", (i*11+k)%50_000), "", host, at)
		}
		m.Normal.Learn(Host, host, "", "", at)
		m.Normal.Learn(Account, account, "smb pull share program", "", at)
		m.Roles.Observe(&model.Transfer{Start: at, Source: model.Endpoint{Host: "srv-001.corp.example"}, Destination: model.Endpoint{Host: host}, Initiator: model.ByDestination, Status: model.Done})
	}
	return m
}

func heap() float64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc) / (1 << 20)
}

// BenchmarkFile saves a history of 10,000 hosts, loads it, and saves it after a day in
// which a third of its uses happened again (docs/benchmarks.md).
func BenchmarkFile(b *testing.B) {
	for b.Loop() {
		before := heap()
		m := bigSite(10_000)
		path := filepath.Join(b.TempDir(), "h.waybill")
		began := time.Now()
		save(b, path, func(*Memory) *Memory { return m })
		b.ReportMetric(time.Since(began).Seconds(), "s/save")
		uses := m.Normal.Len()
		m = nil
		before = min(before, heap())
		began = time.Now()
		m = load(b, path)
		b.ReportMetric(time.Since(began).Seconds(), "s/load")
		b.ReportMetric(heap()-before, "MiB-memory")
		runtime.KeepAlive(m)
		b.ReportMetric(float64(uses), "uses")
		m = nil
		began = time.Now()
		save(b, path, func(m *Memory) *Memory {
			for i, e := range m.Normal.Entries() {
				if i%3 == 0 {
					m.Normal.Learn(e.Kind, e.A, e.B, e.C, e.Last+day)
				}
			}
			return m
		})
		b.ReportMetric(time.Since(began).Seconds(), "s/next-day")
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/(1<<20), "MiB-file")
		}
	}
}

func BenchmarkLearn(b *testing.B) {
	n := New()
	names := make([]string, 4096)
	for i := range names {
		names[i] = fmt.Sprintf("ws-%05d.corp.example", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		n.Learn(Pair, names[i&4095], "smb push share program", names[(i*31)&4095], start+model.Time(i)*1e6)
	}
}
