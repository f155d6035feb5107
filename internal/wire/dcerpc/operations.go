package dcerpc

// operationNames names the operations that make, start, schedule or copy
// something, or list what a host holds, by interface and number.
var operationNames = map[string]map[int]string{
	"svcctl": { // MS-SCMR 3.1.4
		0: "RCloseServiceHandle", 1: "RControlService", 2: "RDeleteService", 6: "RQueryServiceStatus",
		11: "RChangeServiceConfigW", 12: "RCreateServiceW", 13: "REnumDependentServicesW", 14: "REnumServicesStatusW",
		15: "ROpenSCManagerW", 16: "ROpenServiceW", 17: "RQueryServiceConfigW", 19: "RStartServiceW",
		20: "RGetServiceDisplayNameW", 21: "RGetServiceKeyNameW", 23: "RChangeServiceConfigA", 24: "RCreateServiceA",
		27: "ROpenSCManagerA", 28: "ROpenServiceA", 31: "RStartServiceA", 37: "RChangeServiceConfig2W",
		39: "RQueryServiceConfig2W", 42: "REnumServicesStatusExW", 44: "RCreateServiceWOW64A", 45: "RCreateServiceWOW64W",
		60: "RCreateWowService", 64: "ROpenSCManager2",
	},
	"atsvc": {0: "NetrJobAdd", 1: "NetrJobDel", 2: "NetrJobEnum", 3: "NetrJobGetInfo"}, // MS-TSCH 3.2.5.2
	"ITaskSchedulerService": { // MS-TSCH 3.2.5.4
		0: "SchRpcHighestVersion", 1: "SchRpcRegisterTask", 2: "SchRpcRetrieveTask", 3: "SchRpcCreateFolder",
		6: "SchRpcEnumFolders", 7: "SchRpcEnumTasks", 12: "SchRpcRun", 13: "SchRpcDelete", 14: "SchRpcRename",
		15: "SchRpcScheduledRuntimes", 16: "SchRpcGetLastRunInfo", 17: "SchRpcGetTaskInfo", 19: "SchRpcEnableTask",
	},
	"winreg": { // MS-RRP 3.1.5
		2: "OpenLocalMachine", 6: "BaseRegCreateKey", 7: "BaseRegDeleteKey", 15: "BaseRegOpenKey",
		17: "BaseRegQueryValue", 20: "BaseRegSaveKey", 22: "BaseRegSetValue", 31: "BaseRegSaveKeyEx",
	},
	"srvsvc": {12: "NetrSessionEnum", 14: "NetrShareAdd", 15: "NetrShareEnum", 16: "NetrShareGetInfo", 18: "NetrShareDel", 21: "NetrServerGetInfo"}, // MS-SRVS 3.1.4
	"wkssvc": {0: "NetrWkstaGetInfo", 2: "NetrWkstaUserEnum"},                                                                                       // MS-WKST 3.2.4
	"epm":    {3: "ept_map"},                                                                                                                        // C706 appendix O
	"IWbemServices": { // MS-WMI 3.1.4.3
		3: "OpenNamespace", 6: "GetObject", 8: "PutClass", 14: "PutInstance", 16: "DeleteInstance",
		18: "CreateInstanceEnum", 20: "ExecQuery", 22: "ExecNotificationQuery", 24: "ExecMethod", 25: "ExecMethodAsync",
	},
	"IWbemLevel1Login":    {3: "EstablishPosition", 4: "RequestChallenge", 5: "WBEMLogin", 6: "NTLMLogin"}, // MS-WMI 3.1.4.1
	"IWbemLoginClientID":  {3: "SetClientInfo"},                                                            // MS-WMI 3.1.4.7
	"IDispatch":           {3: "GetTypeInfoCount", 4: "GetTypeInfo", 5: "GetIDsOfNames", 6: "Invoke"},      // MS-OAUT 3.1.4
	"IActivation":         {0: "RemoteActivation"},                                                         // MS-DCOM 3.1.2.5.2.3
	"IRemoteSCMActivator": {3: "RemoteGetClassObject", 4: "RemoteCreateInstance"},
}

// Operation is the name of the call's operation, empty where it is not known.
func (c *Call) Operation() string { return operationNames[c.Name][c.Opnum] }
