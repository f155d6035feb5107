// Package prevent makes filters from what was seen and replays recorded movements through
// them (ATT&CK M1037, M1031). In come the records of a scan; out go a policy, which people
// read and change, what it would have let pass and stopped, and the files of targets that
// can enforce it. It never applies a rule, opens a connection or writes a file, and it
// never learns from what a finding of low or above holds.
package prevent
