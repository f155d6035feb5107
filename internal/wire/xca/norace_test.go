//go:build !race

package xca_test

const raceEnabled = false
