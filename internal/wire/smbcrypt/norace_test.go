//go:build !race

package smbcrypt

const raceEnabled = false
