// Package model holds the records of the contract: what waybill prints and
// what its parts hand to each other. It computes nothing beyond turning values
// into their printed form. Times are nanoseconds since the Unix epoch inside
// and RFC 3339 outside; sizes are bytes; hashes are lower-case hex. A field
// that is unknown stays at its zero value and is left out of the output.
//
// docs/records.md describes every record and field for users.
package model
