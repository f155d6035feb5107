# Makes rules on trial: what was there before comes back unless it is kept in time.
#
#   .\windows-try.ps1 .\windows-GROUP.ps1 [MINUTES]   make the rules, go back after MINUTES (5)
#   .\windows-try.ps1 -Keep                           keep them
#
# The way back is a scheduled task of the system, laid before anything changes: it is safe to lose the session.
# unverified: made after Microsoft's documentation, never run on Windows.
#Requires -Version 5.1
#Requires -Modules NetSecurity, ScheduledTasks
#Requires -RunAsAdministrator

[CmdletBinding(DefaultParameterSetName = 'Try')]
param(
    [Parameter(ParameterSetName = 'Try', Mandatory = $true, Position = 0)][string]$Rules,
    [Parameter(ParameterSetName = 'Try', Position = 1)][ValidateRange(1, 1440)][int]$Minutes = 5,
    [Parameter(ParameterSetName = 'Keep', Mandatory = $true)][switch]$Keep,
    [Parameter(ParameterSetName = 'GoBack', Mandatory = $true)][switch]$GoBack
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$task = 'waybill-go-back'
# Where only administrators write: the task runs as the system.
$state = Join-Path $env:ProgramFiles 'waybill'
$before = Join-Path $state 'before.xml'
$script = Join-Path $state 'windows-try.ps1'

function Get-WaybillRule {
    Get-NetFirewallRule -PolicyStore 'PersistentStore' -Group 'waybill' -ErrorAction SilentlyContinue
}

function Get-Trial {
    Get-ScheduledTask -TaskName $task -ErrorAction SilentlyContinue
}

# What is there now, with all that it takes to make it again.
function Save-Before {
    $saved = @(Get-WaybillRule | ForEach-Object {
        $ports = $_ | Get-NetFirewallPortFilter
        $addresses = $_ | Get-NetFirewallAddressFilter
        @{
            Name = $_.Name; DisplayName = $_.DisplayName; Description = $_.Description; Enabled = [string]$_.Enabled
            Protocol = $ports.Protocol; LocalPort = @($ports.LocalPort)
            LocalAddress = @($addresses.LocalAddress); RemoteAddress = @($addresses.RemoteAddress)
        }
    })
    Export-Clixml -LiteralPath $before -InputObject $saved
}

function Restore-Before {
    Get-WaybillRule | Remove-NetFirewallRule
    foreach ($rule in (Import-Clixml -LiteralPath $before)) {
        New-NetFirewallRule -PolicyStore 'PersistentStore' -Group 'waybill' -Direction Inbound -Action Block -Profile Any @rule | Out-Null
    }
}

function Stop-Trial {
    Get-Trial | Unregister-ScheduledTask -Confirm:$false
}

if ($Keep) {
    if (-not (Get-Trial)) {
        throw 'no trial is waiting: it was kept, or has gone back'
    }
    Stop-Trial
    Write-Output 'waybill: kept'
    return
}

if ($GoBack) {
    Restore-Before
    Stop-Trial
    return
}

$path = (Resolve-Path -LiteralPath $Rules).ProviderPath
New-Item -ItemType Directory -Path $state -Force | Out-Null
# During a trial, what comes back is what was there before the first.
if (-not (Get-Trial)) {
    Save-Before
}
Copy-Item -LiteralPath $PSCommandPath -Destination $script -Force
$powershell = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
$action = New-ScheduledTaskAction -Execute $powershell -Argument "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$script`" -GoBack"
$trigger = New-ScheduledTaskTrigger -Once -At (Get-Date).AddMinutes($Minutes)
$settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
$principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -RunLevel Highest
Register-ScheduledTask -TaskName $task -Action $action -Trigger $trigger -Settings $settings -Principal $principal -Force | Out-Null
try {
    & $path
} catch {
    Restore-Before
    Stop-Trial
    throw
}
Write-Output "waybill: made for $Minutes minutes; keep them with: .\windows-try.ps1 -Keep"
