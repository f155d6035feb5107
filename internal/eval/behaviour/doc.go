// Package behaviour plays rows of behaviours on a made-up office network and says what the
// program makes of each: ways in which intruders move files between hosts, and everyday work
// that looks like them. In go the scenarios of this package, keyed by the rows' ids, a seed,
// and a scan; out comes a table with a line for each row. It reads no network and no clock,
// and holds no text of the tables that the ids come from.
//
// A scenario is a headline and steps, one a line:
//
//	X-01 detect An operator copies a tool to a server and starts it as a service.
//		related T1021.002 T1569.002
//		file {tool}.ms pe
//		push entry srv ADMIN$ {tool}.exe
//		service entry srv {svc} C:\Windows\{tool}.exe
//		twin installer
//
// The second word is what is expected: detect, context (no T1570 finding), negative (the same:
// the movement is not between hosts inside), or benign. Steps name hosts by their role in the
// office ("entry" is where the intruder is, "srv" a server), and {NAME} in a text stands for
// a role's host name, {NAME.ip} for its address, or for a word that was drawn at random. The
// telemetry is what the steps log: each of them (Verbs) writes what both ends of it would log,
// and with "in packets" it is a capture instead.
//
// Directives, beside the steps:
//
//	related IDS       techniques that the finding must carry beside T1570
//	let NAME=A|B      a word, one of some at random
//	bind ROLE=ROLE    a role is another one's host
//	file NAME KIND    what a file of the name holds: pe, text, zip, iso, doc
//	quiet ROLES       hosts whose logs nobody collects
//	in packets        the row is seen on the wire alone
//	one finding       all movements must be in a single finding
//	allow SEVERITY    what a benign row may rise to: the rows on the boundary
//	must SEVERITY     what a benign row must rise to at least
//	volume N          of a benign row: how often a day on 1,000 hosts
//	hours A-B         and when
//	twin NAME         the everyday twin of a detect row: a scenario of twins.txt
//	change A=B ...    the hostile twin of a benign row: the same steps, with other bindings
//	worse STEP        a step that only the hostile twin has
package behaviour
