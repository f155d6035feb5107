package judge

import "math"

// calibration is what scores turned out to be worth: mean scores of clusters of simulated
// networks, and the logarithm of how much more often a hostile cluster has such a score than
// one of everyday life (waybill eval --reasons; docs/detection-quality.md, Scores). Reasons
// often share one cause, so a sum of them says more than it knows. Above the last one
// nothing could be measured: no cluster of everyday life scored so high.
var calibration = [...]struct{ score, worth float64 }{{-4.4, 0.8}, {6.4, 3.9}, {12.5, 8.3}, {16.3, 9.0}, {19.7, 9.5}, {24.0, 12.1}}

// Worth is what a score turned out to be worth, in nats.
func Worth(score float64) float64 {
	last := calibration[0]
	for _, p := range calibration {
		if score < p.score {
			if score <= last.score {
				return last.worth
			}
			along := (score - last.score) / (p.score - last.score)
			return math.Round(10*(last.worth+along*(p.worth-last.worth))) / 10
		}
		last = p
	}
	return last.worth
}
