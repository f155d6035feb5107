package winfw

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"waybill/internal/model"
	"waybill/internal/prevent"
	"waybill/internal/prevent/plan"
)

// writer writes the script of a group.
type writer struct {
	policy  *prevent.Policy
	plan    *plan.Plan
	strict  bool
	group   *plan.Group
	numbers map[string]int // of rules, by what they are named after
	lists   map[string]int // long lists of addresses, which stand once, by number
	long    bytes.Buffer
	out     bytes.Buffer
}

const prologue = `#Requires -Version 5.1
#Requires -Modules NetSecurity
#Requires -RunAsAdministrator

[CmdletBinding()]
param([string]$PolicyStore = 'PersistentStore')

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Remove-WaybillRule {
    Get-NetFirewallRule -PolicyStore $PolicyStore -Group 'waybill' -ErrorAction SilentlyContinue | Remove-NetFirewallRule
}

# What an exception lets in is blocked once its last day is over.
function Test-Over([datetime]$End) {
    if ((Get-Date) -ge $End) { 'True' } else { 'False' }
}

if ($PolicyStore -eq 'PersistentStore') {
    foreach ($p in Get-NetFirewallProfile -PolicyStore ActiveStore) {
        if ($p.Enabled -ne 'True') {
            Write-Warning "The firewall is off in the profile $($p.Name): these rules do nothing there."
        }
        if ($p.AllowLocalFirewallRules -eq 'False') {
            Write-Warning "Group policy leaves local rules out in the profile $($p.Name): use -PolicyStore with a GPO."
        }
    }
}

$block = @{ PolicyStore = $PolicyStore; Group = 'waybill'; Direction = 'Inbound'; Action = 'Block'; Profile = 'Any' }
`

const begin = `
# All or none: what fails half way leaves no rule of waybill behind.
Remove-WaybillRule
try {
`

const epilogue = `} catch {
    Remove-WaybillRule
    throw
}
`

func (w *writer) script() []byte {
	w.header()
	head := slices.Clone(w.out.Bytes())
	w.out.Reset()
	for _, b := range blocks(w.plan, w.group, w.strict) {
		w.block(b)
	}
	return slices.Concat(head, []byte(prologue), w.long.Bytes(), []byte(begin), w.out.Bytes(), []byte(epilogue))
}

func (w *writer) line(format string, a ...any) { fmt.Fprintf(&w.out, format+"\n", a...) }

// note writes a comment; its text may come from anywhere.
func (w *writer) note(format string, a ...any) {
	w.line("# %s", plan.Plain(fmt.Sprintf(format, a...), 400))
}

// header says what the script is, how to use it, and what it cannot say.
func (w *writer) header() {
	file := "windows-" + w.group.Name + ".ps1"
	w.note("waybill: who may open exchanges of files with hosts of the group %s. What comes in is blocked by these rules alone.", w.group.Name)
	w.note("unverified: made after Microsoft's documentation of the NetSecurity module, never run on Windows. Try it on one host first.")
	if l := w.policy.Learned; l != nil {
		w.note("Learned from %s to %s, %d moves; %d of findings were left out.", second(l.From), second(l.To), l.Moves, l.LeftOut)
	}
	w.line("#")
	w.line("#   try it for 5 minutes:  .\\windows-try.ps1 .\\%s 5", file)
	w.line("#   keep it:               .\\windows-try.ps1 -Keep")
	w.line("#   take it away:          .\\windows-rollback.ps1")
	w.line("#   in a group policy:     .\\%s -PolicyStore 'corp.example\\waybill %s'", file, w.group.Name)
	w.out.WriteString(notes)
	candidates := "nothing is written for them, and they are not counted: Windows counts nothing by rule"
	if w.strict {
		candidates = "they are blocked (strict)"
	}
	w.note("Candidates never happened in the window: %s.", candidates)
	w.note("Never blocked, management: %s", strings.Join(w.policy.Management, ", "))
	for _, x := range w.plan.Exceptions {
		if x.To.In(w.group) {
			w.note("Exception %d until %s, of %s: %s -> %s, %s: %s", x.Number, x.Until, x.Owner, x.Exception.From, x.Exception.To, x.Service, x.Reason)
		}
	}
	for _, u := range w.plan.Unwritten {
		w.note("Not in here: %s", u)
	}
	w.line("")
}

// Why the rules are what they are.
const notes = `#
# The rules block, they do not allow: in Windows a rule that blocks wins over every rule that allows, so that the
# rules that come with Windows (File and Printer Sharing, Remote Desktop, Windows Remote Management ...) can stay as
# they are, nothing has to be put back, and what no rule here names is as before. Addresses that an earlier rule, an
# exception or management lets in are taken out of what is blocked.
# Running it again is the same as running it once: the rules of the group 'waybill' are made anew. No other is touched.
# Windows decides again on open connections when rules change: those that are blocked may end.
# Exceptions end when this script is run again after their last day (as a startup script or a daily task).
# RPC is blocked on the ports that Windows knows it on; other programs on dynamic ports are not.
# What is blocked is logged after: Set-NetFirewallProfile -All -LogBlocked True
`

func second(t model.Time) string { return time.Unix(0, int64(t)).UTC().Format(time.RFC3339) }

// most is how many addresses a rule has: MS-FASP takes more, the editors of policies get slow.
const most = 500

// block writes the rules of a block.
func (w *writer) block(b block) {
	for _, ports := range b.localPorts() {
		for addresses := range slices.Chunk(elements(b.remote), most) {
			w.rule(b, ports, addresses)
		}
	}
}

// rule writes one New-NetFirewallRule.
func (w *writer) rule(b block, ports, addresses []string) {
	name, title, why := b.about()
	w.numbers[name]++
	w.line("    New-NetFirewallRule @block -Name %s -DisplayName %s `", quote(fmt.Sprintf("waybill-%s-%d", name, w.numbers[name])), quote("waybill: "+title))
	w.line("        -Description %s `", quote(why))
	w.line("        -Protocol %s -LocalPort %s `", b.protocol(), list(ports, ", "))
	if b.local != plan.Everywhere {
		w.line("        -LocalAddress %s `", list(elements(b.local), ", "))
	}
	if b.over != nil {
		w.line("        -Enabled (Test-Over '%s') `", b.over.End.Format(time.DateOnly))
	}
	w.line("        -RemoteAddress %s | Out-Null", w.addresses(addresses))
}

// addresses are a list of them: a short one itself, else the variable that holds it.
func (w *writer) addresses(addresses []string) string {
	if len(addresses) <= 8 {
		return list(addresses, ", ")
	}
	text := list(addresses, ",\n    ")
	n, known := w.lists[text]
	if !known {
		n = len(w.lists) + 1
		w.lists[text] = n
		fmt.Fprintf(&w.long, "$addresses%d = @(\n    %s\n)\n", n, text)
	}
	return fmt.Sprintf("$addresses%d", n)
}

// about says what a block is named after, what it is, and why it is.
func (b *block) about() (name, title, why string) {
	name, title, why = "no-rule", "no rule for "+b.services, "It never happened in the window."
	if b.rule != nil {
		name, title, why = fmt.Sprintf("rule-%d", b.rule.Number), fmt.Sprintf("rule %d, %s", b.rule.Number, b.rule.Says()), b.rule.Why
	}
	if b.over != nil {
		name = fmt.Sprintf("%s-exception-%d", name, b.over.Number)
		title = fmt.Sprintf("%s, when exception %d is over", title, b.over.Number)
		why = fmt.Sprintf("%s (exception until %s, of %s: %s)", why, b.over.Until, b.over.Owner, b.over.Reason)
	}
	return name, title, why
}

// localPorts are the ports of a block, as many rules as it needs: Windows knows those of RPC
// and of its endpoint mapper by words that stand alone.
func (b *block) localPorts() [][]string {
	if b.rpc {
		return [][]string{{"RPC"}, {"RPCEPMap"}}
	}
	var out []string
	for _, p := range b.ports {
		if p.First == p.Last {
			out = append(out, fmt.Sprint(p.First))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", p.First, p.Last))
		}
	}
	return [][]string{out}
}

func (b *block) protocol() string {
	if b.rpc {
		return "TCP"
	}
	return strings.ToUpper(b.ports[0].Transport)
}

// quote makes a single-quoted string of PowerShell: nothing is read in one but ” for a quote
// (about_Quoting_Rules). Plain has taken out the other quotes that PowerShell takes for one. A
// rule's texts hold no bar (MS-FASP 2.2.37).
func quote(s string) string {
	s = strings.ReplaceAll(plan.Plain(s, 600), "|", "/")
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// list is strings with commas between them.
func list(texts []string, comma string) string {
	var out []string
	for _, t := range texts {
		out = append(out, quote(t))
	}
	return strings.Join(out, comma)
}
