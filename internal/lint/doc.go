// Package lint holds tests of the program's shape: which package may import
// which, and that each says what it is. It has no code of its own.
package lint
