//go:build unix

package ledger

import (
	"runtime"
	"syscall"
	"testing"
	"time"
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
