package judge

import (
	"slices"

	"waybill/internal/model"
)

// Weight is the family of an analytic, and the nats of what it is there to see.
type Weight struct {
	Family string
	Nats   float64
}

// Weights are those of the analytics that evidence which was not collected could feed.
func Weights() map[string]Weight {
	return map[string]Weight{
		"remote-start":      {"execution", startedThere},
		"admin-share-write": {"channel", adminWrite},
		"executor-match":    {"execution", sameExecutor},
		"relay":             {"spread", relayPush},
		"disguise":          {"file", nameUnfit},
		"new-edge":          {"novelty", newNever},
		"role-break":        {"novelty", roleBroken},
		"transfer-utility":  {"command", toolUsed},
	}
}

// Explains is how much the habits of a site can take away at most: that of who hands out
// such files every day.
const Explains = -distributorKnown

// Share is what marks count beside a stronger one of their family: they often share one
// cause.
const Share = 0.25

// NoHistory is what findings lack where nothing is known of what is usual.
const NoHistory = "no history: whether these hosts and this account usually exchange files is unknown and counts nothing"

// LacksHistory says whether a finding lacks that.
func LacksHistory(f *model.Finding) bool { return slices.Contains(f.Missing, NoHistory) }
