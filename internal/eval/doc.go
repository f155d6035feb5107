// Package eval measures detection on simulated networks. In go parameters, scenarios of
// what is benign and of campaigns, and a seed; what happens is drawn hour by hour, turned
// into what the sensors of a tier of sight would write down, and judged as a scan judges
// it. Out come recall at a number of alerts a day, precision, false findings a day, and
// what simple rules find in the same world. It reads no input, and nothing in it decides
// what waybill says: the numbers of the judge lie elsewhere.
package eval
