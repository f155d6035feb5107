# waybill: who may open exchanges of files with hosts of the group domain-controllers. What comes in is blocked by these rules alone.
# unverified: made after Microsoft's documentation of the NetSecurity module, never run on Windows. Try it on one host first.
# Learned from 2026-09-21T14:13:20Z to 2026-09-28T12:53:20Z, 1200 moves; 3 of findings were left out.
#
#   try it for 5 minutes:  .\windows-try.ps1 .\windows-domain-controllers.ps1 5
#   keep it:               .\windows-try.ps1 -Keep
#   take it away:          .\windows-rollback.ps1
#   in a group policy:     .\windows-domain-controllers.ps1 -PolicyStore 'corp.example\waybill domain-controllers'
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
# Candidates never happened in the window: they are blocked (strict).
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
$addresses1 = @(
    '10.1.0.0-10.1.0.98',
    '10.1.0.100-10.1.0.255',
    '10.2.0.10',
    '10.2.0.16/28',
    '10.2.0.41',
    '10.2.0.43',
    '10.2.0.45',
    '10.2.0.47',
    '10.2.0.49',
    '10.2.0.51',
    '10.2.0.53',
    '10.2.0.55',
    'fd00:1::/64',
    'fd00:2::10'
)

# All or none: what fails half way leaves no rule of waybill behind.
Remove-WaybillRule
try {
    New-NetFirewallRule @block -Name 'waybill-no-rule-1' -DisplayName 'waybill: no rule for rpc' `
        -Description 'It never happened in the window.' `
        -Protocol TCP -LocalPort 'RPC' `
        -RemoteAddress $addresses1 | Out-Null
    New-NetFirewallRule @block -Name 'waybill-no-rule-2' -DisplayName 'waybill: no rule for rpc' `
        -Description 'It never happened in the window.' `
        -Protocol TCP -LocalPort 'RPCEPMap' `
        -RemoteAddress $addresses1 | Out-Null
    New-NetFirewallRule @block -Name 'waybill-no-rule-3' -DisplayName 'waybill: no rule for smb' `
        -Description 'It never happened in the window.' `
        -Protocol TCP -LocalPort '139', '445' `
        -RemoteAddress $addresses1 | Out-Null
    New-NetFirewallRule @block -Name 'waybill-no-rule-4' -DisplayName 'waybill: no rule for rdp' `
        -Description 'It never happened in the window.' `
        -Protocol TCP -LocalPort '3389' `
        -RemoteAddress $addresses1 | Out-Null
    New-NetFirewallRule @block -Name 'waybill-no-rule-5' -DisplayName 'waybill: no rule for rdp' `
        -Description 'It never happened in the window.' `
        -Protocol UDP -LocalPort '3389' `
        -RemoteAddress $addresses1 | Out-Null
    New-NetFirewallRule @block -Name 'waybill-no-rule-6' -DisplayName 'waybill: no rule for tcp/50000 or rpc' `
        -Description 'It never happened in the window.' `
        -Protocol TCP -LocalPort '50000' `
        -RemoteAddress $addresses1 | Out-Null
} catch {
    Remove-WaybillRule
    throw
}
