//go:build !race

package smb2

const raceDetector = false
