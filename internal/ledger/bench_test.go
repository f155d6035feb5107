//go:build unix

package ledger

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"waybill/internal/model"
)

// BenchmarkJoin counts the time of processors, since others may have them too.
func BenchmarkJoin(b *testing.B) {
	const n = 400_000
	for name, sensors := range map[string]int{"lone": 1, "pairs": 2} {
		b.Run(name, func(b *testing.B) {
			hosts, ends := network(10_000)
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				b.StopTimer()
				all := movements(n/sensors, ends, sensors)
				runtime.GC()
				b.StartTimer()
				before := processorTime()
				Join(all, hosts)
				spent += processorTime() - before
			}
			b.ReportMetric(float64(n*b.N)/spent.Seconds(), "obs/cpu-s")
		})
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStream adds observations as decoders make them, one after the other, and
// takes what is finished: days of a network in the memory of the window.
func BenchmarkStream(b *testing.B) {
	const window = 1 << 14
	for name, sensors := range map[string]int{"lone": 1, "pairs": 2} {
		b.Run(name, func(b *testing.B) {
			hosts, ends := network(10_000)
			made := movements(2*window/sensors, ends, sensors)
			made, next := made[:window], make([]model.Transfer, 2*window)
			l := New(hosts, Settings{Late: 10 * second})
			long := made[window-1].Start - made[0].Start + second
			b.ReportAllocs()
			before := processorTime()
			i := 0
			for b.Loop() {
				t := &next[i%len(next)]
				*t = *made[i%window]
				t.Evidence = t.Evidence[:1:1]
				t.Start += long * model.Time(i/window)
				t.End += long * model.Time(i/window)
				l.Add(t)
				if i%64 == 0 {
					l.Advance(t.Start)
				}
				i++
			}
			b.ReportMetric(float64(i)/(processorTime()-before).Seconds(), "obs/cpu-s")
		})
	}
}

// BenchmarkMeasure compares the clocks of 10,000 hosts' logs with that of packets.
func BenchmarkMeasure(b *testing.B) {
	const n = 400_000
	hosts, ends := network(10_000)
	all := movements(n/2, ends, 2)
	before, runs := processorTime(), 0
	for b.Loop() {
		Measure(all, hosts)
		runs++
	}
	b.ReportMetric(float64(n*runs)/(processorTime()-before).Seconds(), "obs/cpu-s")
}

// BenchmarkCrowd joins what has one name everywhere, as files of group policy do.
func BenchmarkCrowd(b *testing.B) {
	const n = 50_000
	hosts, ends := network(10_000)
	spent, runs := time.Duration(0), 0
	for b.Loop() {
		b.StopTimer()
		all := movements(n, ends, 1)
		for _, t := range all {
			t.Name = "gpt.ini"
		}
		b.StartTimer()
		before := processorTime()
		Join(all, hosts)
		spent += processorTime() - before
		runs++
	}
	b.ReportMetric(float64(n*runs)/spent.Seconds(), "obs/cpu-s")
}
