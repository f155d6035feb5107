package evtx

import "unique"

// intern gives one string for equal texts.
func intern(b []byte) string { return unique.Make(string(b)).Value() }
