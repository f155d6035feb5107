package judge

import "testing"

// TestWorth: a score is worth less than it says, never less than a lower one, and not more
// than could be measured.
func TestWorth(t *testing.T) {
	before := 0.0
	for score := -10.0; score < 40; score += 0.5 {
		got := Worth(score)
		if got < before || score >= 5 && got >= score {
			t.Errorf("%g is worth %g, and %g before", score, got, before)
		}
		before = got
	}
	for score, want := range map[float64]float64{-20: 0.8, 6.4: 3.9, 14.4: 8.7, 24: 12.1, 60: 12.1} {
		if got := Worth(score); got != want {
			t.Errorf("%g is worth %g, not %g", score, got, want)
		}
	}
}
