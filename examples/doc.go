// Package examples holds captures to try waybill on, made by internal/synth. It
// has no code of its own; README.md says what each capture shows.
package examples

//go:generate go run waybill/internal/synth/gen intrusion
