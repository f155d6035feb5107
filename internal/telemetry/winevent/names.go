package winevent

import "unsafe"

// bytesString is b as a string without a copy. It is valid as long as b is.
func bytesString(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// fieldNames maps the names that collectors use to those of the events' manifests.
var fieldNames = func() map[string]string {
	m := map[string]string{}
	for _, n := range []string{
		// Sysmon
		"UtcTime", "ProcessGuid", "ProcessId", "Image", "FileVersion", "Description", "Product", "Company", "OriginalFileName",
		"CommandLine", "CurrentDirectory", "User", "LogonGuid", "LogonId", "TerminalSessionId", "IntegrityLevel", "Hashes",
		"ParentProcessGuid", "ParentProcessId", "ParentImage", "ParentCommandLine", "ParentUser", "RuleName", "Protocol", "Initiated",
		"SourceIsIpv6", "SourceIp", "SourceHostname", "SourcePort", "SourcePortName", "DestinationIsIpv6", "DestinationIp",
		"DestinationHostname", "DestinationPort", "DestinationPortName", "ImageLoaded", "Signed", "Signature", "SignatureStatus",
		"TargetFilename", "CreationUtcTime", "EventType", "TargetObject", "Details", "Hash", "Contents", "PipeName", "State",
		"QueryName", "QueryStatus", "QueryResults", "IsExecutable", "Archived",
		// Security
		"SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId", "TargetUserSid", "TargetUserName", "TargetDomainName",
		"TargetLogonId", "LogonType", "LogonProcessName", "AuthenticationPackageName", "WorkstationName", "TargetServerName",
		"IpAddress", "IpPort", "ObjectType", "ObjectName", "ShareName", "ShareLocalPath", "RelativeTargetName", "AccessMask", "AccessList",
		"NewProcessId", "NewProcessName", "ParentProcessName", "TokenElevationType", "ServiceName", "ServiceFileName", "ServiceType",
		"ServiceAccount", "TaskName", "TaskContent", "TaskContentNew", "SourceAddress", "DestAddress", "DestPort", "Direction", "Application",
		"ProcessName", "HandleId", "ClientName", "ClientAddress", "AccountName", "AccountDomain", "SessionName", "LogonID", "PrivilegeList",
		"DeviceId", "SystemId", "AgentId", "TargetSid", "OldTargetUserName", "NewTargetUserName", "DeviceDescription", "ClassName", "SubcategoryGuid", "AuditPolicyChanges", "ObjectDN", "AttributeLDAPDisplayName", "AttributeValue",
		// others
		"ImagePath", "StartType", "param1", "param2", "ScriptBlockText", "ScriptBlockId", "MessageNumber", "MessageTotal", "Path",
		"ContextInfo", "Payload", "UserContext", "TaskInstanceId", "ActionName", "ResultCode", "SessionID", "Address", "Param1", "Param2", "Param3",
		"Value", "connection", "url", "name", "id", "bytesTransferred", "bytesTotal", "fileTime", "fileLength", "peer", "RemoteName", "LocalName",
		"jobId", "jobTitle", "jobOwner", "fileList", "Threat Name", "Path ", "Detection User", "SerialNumber", "Model", "Manufacturer", "VhdFileName",
	} {
		m[n] = n
	}
	// NXLog renames what collides with its own fields.
	m["ProcessID"] = "ProcessId"
	m["SourceProcessGUID"] = "SourceProcessGuid"
	// evtx_dump and Splunk keep these from attributes or old manifests.
	m["ProcessGUID"], m["ParentProcessGUID"] = "ProcessGuid", "ParentProcessGuid"
	m["Imphash"] = "IMPHASH"
	// Splunk's names for what it takes from the message of a Security event.
	for splunk, name := range map[string]string{"Share_Name": "ShareName", "Share_Path": "ShareLocalPath", "Relative_Target_Name": "RelativeTargetName",
		"Access_Mask": "AccessMask", "Accesses": "AccessList", "Source_Address": "SourceAddress", "Source_Network_Address": "IpAddress", "Source_Port": "IpPort",
		"Workstation_Name": "WorkstationName", "Logon_Type": "LogonType", "New_Process_Name": "NewProcessName", "New_Process_ID": "NewProcessId",
		"Creator_Process_Name": "ParentProcessName", "Process_Command_Line": "CommandLine", "Service_Name": "ServiceName", "Service_File_Name": "ServiceFileName",
		"Account_Name": "SubjectUserName", "Account_Domain": "SubjectDomainName", "Security_ID": "SubjectUserSid", "Destination_Address": "DestAddress", "Destination_Port": "DestPort",
		"Task_Name": "TaskName", "Task_Content": "TaskContent"} {
		m[splunk] = name
	}
	return m
}()
