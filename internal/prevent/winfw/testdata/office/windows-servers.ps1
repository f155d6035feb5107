# waybill: who may open exchanges of files with hosts of the group servers. What comes in is blocked by these rules alone.
# unverified: made after Microsoft's documentation of the NetSecurity module, never run on Windows. Try it on one host first.
# Learned from 2026-09-21T14:13:20Z to 2026-09-28T12:53:20Z, 1200 moves; 3 of findings were left out.
#
#   try it for 5 minutes:  .\windows-try.ps1 .\windows-servers.ps1 5
#   keep it:               .\windows-try.ps1 -Keep
#   take it away:          .\windows-rollback.ps1
#   in a group policy:     .\windows-servers.ps1 -PolicyStore 'corp.example\waybill servers'
#
# The rules block, they do not allow: in Windows a rule that blocks wins over every rule that allows, so that the
# rules that come with Windows (File and Printer Sharing, Remote Desktop, Windows Remote Management ...) can stay as
# they are, nothing has to be put back, and what no rule here names is as before. Addresses that an earlier rule, an
# exception or management lets in are taken out of what is blocked.
# Running it again is the same as running it once: the rules of the group 'waybill' are made anew. No other is touched.
# Windows decides again on open connections when rules change: those that are blocked may end.
# Exceptions end when this script is run again after their last day (as a startup script or a daily task).
# RPC is blocked on the ports that Windows knows it on; other programs on dynamic ports are not.
# What is blocked is logged after: Set-NetFirewallProfile -All -LogBlocked True
# Candidates never happened in the window: nothing is written for them, and they are not counted: Windows counts nothing by rule.
# Never blocked, management: 10.9.0.0/28, ADMIN-1
# Not in here: group servers: no address is known of OLD-NAS

#Requires -Version 5.1
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

# All or none: what fails half way leaves no rule of waybill behind.
Remove-WaybillRule
try {
    New-NetFirewallRule @block -Name 'waybill-rule-7-1' -DisplayName 'waybill: rule 7, deny workstations -> servers, rpc' `
        -Description 'nobody calls servers' `
        -Protocol TCP -LocalPort 'RPC' `
        -RemoteAddress '10.1.0.0-10.1.0.98', '10.1.0.100-10.1.0.255', 'fd00:1::/64' | Out-Null
    New-NetFirewallRule @block -Name 'waybill-rule-7-2' -DisplayName 'waybill: rule 7, deny workstations -> servers, rpc' `
        -Description 'nobody calls servers' `
        -Protocol TCP -LocalPort 'RPCEPMap' `
        -RemoteAddress '10.1.0.0-10.1.0.98', '10.1.0.100-10.1.0.255', 'fd00:1::/64' | Out-Null
    New-NetFirewallRule @block -Name 'waybill-rule-4-1' -DisplayName 'waybill: rule 4, deny any -> servers, rdp' `
        -Description 'management only' `
        -Protocol TCP -LocalPort '3389' `
        -RemoteAddress '1.0.0.0-10.1.0.98', '10.1.0.100-10.8.255.255', '10.9.0.16-126.255.255.255', '128.0.0.0-223.255.255.255', '2000::/3', 'fc00::/7', 'fe80::/10' | Out-Null
    New-NetFirewallRule @block -Name 'waybill-rule-4-2' -DisplayName 'waybill: rule 4, deny any -> servers, rdp' `
        -Description 'management only' `
        -Protocol UDP -LocalPort '3389' `
        -RemoteAddress '1.0.0.0-10.1.0.98', '10.1.0.100-10.8.255.255', '10.9.0.16-126.255.255.255', '128.0.0.0-223.255.255.255', '2000::/3', 'fc00::/7', 'fe80::/10' | Out-Null
} catch {
    Remove-WaybillRule
    throw
}
