# Takes waybill's rules away, whatever else is there. With a GPO: -PolicyStore 'corp.example\NAME OF THE GPO'.
# unverified: made after Microsoft's documentation, never run on Windows.
#Requires -Version 5.1
#Requires -Modules NetSecurity
#Requires -RunAsAdministrator

[CmdletBinding()]
param([string]$PolicyStore = 'PersistentStore')

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

if ($PolicyStore -eq 'PersistentStore') {
    Get-ScheduledTask -TaskName 'waybill-go-back' -ErrorAction SilentlyContinue | Unregister-ScheduledTask -Confirm:$false
}
Get-NetFirewallRule -PolicyStore $PolicyStore -Group 'waybill' -ErrorAction SilentlyContinue | Remove-NetFirewallRule
Write-Output 'waybill: no rules of waybill are loaded'
