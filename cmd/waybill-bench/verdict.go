package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"waybill/internal/identity"
	"waybill/internal/judge"
	"waybill/internal/ledger"
	"waybill/internal/model"
)

// verdict measures what comes after the readers: transfers of a made-up network go
// through the ledger, which knows its hosts, and the judge, minute by minute as they would
// come. Making them is not counted.
func verdict(hosts, days int) {
	debug.SetGCPercent(200) // as cmd/waybill does
	w := newNetwork(hosts)
	l, j := ledger.New(w.table(), ledger.Settings{Late: 60e9}), judge.New(judge.Settings{})
	var took time.Duration
	n, by := 0, map[string]int{}
	var peak uint64
	for minute := range days * 24 * 60 {
		batch := w.minute(minute)
		began := processorTime()
		for some := range slices.Chunk(batch, together) {
			for _, t := range some {
				l.Add(t)
			}
			for _, t := range l.Advance(some[len(some)-1].Start) {
				j.Step(judge.Event{Time: t.End, Transfer: t})
			}
		}
		took += processorTime() - began
		n += len(batch)
		if minute%(12*60) == 0 {
			peak = max(peak, heap())
			for _, f := range j.Take() {
				by[f.Severity.String()]++
			}
		}
	}
	for _, f := range j.Close() {
		by[f.Severity.String()]++
	}
	fmt.Printf("%7d hosts %3d days %10d transfers %9.0f/s  %6.1f MiB  findings %v\n", hosts, days, n, float64(n)/took.Seconds(), float64(peak)/(1<<20), by)
}

// together is how many transfers the ledger is given before it is asked what is finished.
const together = 256

// processorTime is what this process used so far: other programs on the machine do not
// count.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err) // not on Linux
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// profiled runs with a CPU profile written to a file, if one is named.
func profiled(file string, run func() error) error {
	if file == "" {
		return run()
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return run()
}

// heap is what is in use after garbage is collected.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// perDay is how many files a host moves in a day (design, Scores).
const perDay = 200

// network is hosts with a file server for each hundred, and two that hand out software.
type network struct {
	rnd     *rand.Rand
	hosts   []model.Endpoint
	servers []model.Endpoint
	deploy  []model.Endpoint
	users   []string
	next    int
	due     float64 // transfers of the minute to come
}

func newNetwork(n int) *network {
	w := &network{rnd: rand.New(rand.NewPCG(1, 2))}
	at := uint32(10<<24 | 1<<16)
	end := func(name string) model.Endpoint {
		at++
		return model.Endpoint{IP: model.Addr{10: 0xff, 11: 0xff, 12: byte(at >> 24), 13: byte(at >> 16), 14: byte(at >> 8), 15: byte(at)}, Host: name + ".corp.example"}
	}
	for i := range n {
		w.hosts = append(w.hosts, end(fmt.Sprintf("WS-%05d", i)))
		w.users = append(w.users, fmt.Sprintf("user%05d", i))
	}
	for i := range max(1, n/100) {
		w.servers = append(w.servers, end(fmt.Sprintf("FS-%03d", i)))
	}
	w.deploy = []model.Endpoint{end("SCCM-01"), end("AV-01")}
	return w
}

// table is whose addresses they are.
func (w *network) table() *identity.Table {
	t := &identity.Table{}
	for _, e := range slices.Concat(w.hosts, w.servers, w.deploy) {
		t.Add(identity.Binding{Addr: e.IP, Host: e.Host, First: began, Last: began + 365*24*3600e9})
	}
	return t
}

// began is the first day.
const began = model.Time(1_772_000_000e9)

// minute makes what moves in one minute, in the order of time. Nine tenths of a day's
// files move in ten hours.
func (w *network) minute(m int) []*model.Transfer {
	share := 0.1 / 14
	if of := m / 60 % 24; of >= 8 && of < 18 {
		share = 0.09
	}
	w.due += float64(len(w.hosts)*perDay) * share / 60
	n := int(w.due)
	w.due -= float64(n)
	at := began + model.Time(m)*60e9
	out := make([]*model.Transfer, 0, n)
	for i := range n {
		out = append(out, w.transfer(at+model.Time(i)*model.Time(60e9/n)))
	}
	return out
}

func (w *network) transfer(at model.Time) *model.Transfer {
	w.next++
	i := w.rnd.IntN(len(w.hosts))
	server := w.servers[i%len(w.servers)]
	size := int64(w.rnd.IntN(1 << 20))
	t := &model.Transfer{Kind: "transfer", ID: fmt.Sprintf("t-%016x", w.next), Start: at, End: at + 1e8, Channel: "smb2", Status: model.Done,
		Completeness: model.Whole, Scope: model.ScopeInternal, Size: &size, User: w.users[i], Domain: "CORP", Techniques: []string{"T1570"},
		Source: w.hosts[i], Destination: server, Operation: model.Push, Initiator: model.BySource,
		Evidence: []model.Evidence{{Input: "core.pcap", Kind: "packets", Packets: &[2]uint64{1, 2}}}}
	switch k := w.rnd.IntN(1000); {
	case k < 5: // deployment
		t.Source, t.Destination, t.User = w.deploy[k%2], w.hosts[i], "svc-deploy"
		t.Share, t.Path, t.Name, t.Type = `\\`+w.hosts[i].Host+`\ADMIN$`, `ccmsetup\ccmsetup.exe`, "ccmsetup.exe", "pe"
		t.SHA256 = fmt.Sprintf("%064x", int(at/(30*24*3600e9)))
	case k < 60: // an application's parts, read from a share
		part := w.rnd.IntN(2000)
		t.Source, t.Destination, t.Operation, t.Initiator = server, w.hosts[i], model.Pull, model.ByDestination
		t.Share, t.Path, t.Name, t.Type = `\\`+server.Host+`\apps`, fmt.Sprintf(`erp\bin\part%04d.dll`, part), fmt.Sprintf("part%04d.dll", part), "pe"
		t.SHA256 = fmt.Sprintf("%064x", part)
	case k < 500:
		t.Source, t.Destination, t.Operation, t.Initiator = server, w.hosts[i], model.Pull, model.ByDestination
		fallthrough
	default:
		t.Share, t.Path, t.Name, t.Type = `\\`+server.Host+`\home`, fmt.Sprintf(`%s\doc%d.docx`, w.users[i], w.next), fmt.Sprintf("doc%d.docx", w.next), "office"
		t.SHA256 = fmt.Sprintf("%064x", w.next)
	}
	return t
}
