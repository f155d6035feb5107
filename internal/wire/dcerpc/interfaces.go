package dcerpc

import "strings"

// PipeInterface is the interface that a named pipe carries by its protocol's
// standards assignments, empty for pipes that are not known.
func PipeInterface(pipe string) string {
	pipe = strings.ToLower(pipe[strings.LastIndexByte(pipe, '\\')+1:])
	switch pipe {
	case "svcctl", "atsvc", "winreg", "srvsvc", "wkssvc", "samr", "netlogon", "spoolss", "efsrpc", "netdfs", "eventlog":
	case "lsarpc", "lsass":
		pipe = "lsarpc"
	default:
		return ""
	}
	for id, name := range interfaceNames {
		if name == pipe && id != "df1941c5-fe89-4e79-bf10-463657acf44d" {
			return id
		}
	}
	return ""
}

// InterfaceName is what the IDL calls an interface, empty for those that are not known.
func InterfaceName(id string) string { return interfaceNames[strings.ToLower(id)] }

// interfaceNames names interfaces by UUID, as their IDL does. Those here move
// files, start programs, change a host's settings, or tell what it holds.
var interfaceNames = map[string]string{
	// Services, tasks, registry, shutdown: MS-SCMR, MS-TSCH, MS-RRP, MS-RSP.
	"367abb81-9844-35f1-ad32-98f038001003": "svcctl",
	"1ff70682-0a51-30e8-076d-740be8cee98b": "atsvc",
	"378e52b0-c0a9-11cf-822d-00aa0051e40f": "sasec",
	"86d35949-83c9-4044-b424-db363231fd0c": "ITaskSchedulerService",
	"338cd001-2244-31f1-aaaa-900038001003": "winreg",
	"894de0c0-0d55-11d3-a322-00c04fa321a1": "InitShutdown",
	"d95afe70-a6d5-4259-822e-2c84da1ddb0d": "WindowsShutdown",

	// Servers and shares: MS-SRVS, MS-WKST, MS-BRWSA, MS-DFSNM, MS-EFSR, MS-FSRVP, MS-EVEN, MS-EVEN6.
	"4b324fc8-1670-01d3-1278-5a47bf6ee188": "srvsvc",
	"6bffd098-a112-3610-9833-46c3f87e345a": "wkssvc",
	"6bffd098-a112-3610-9833-012892020162": "browser",
	"4fc742e0-4a10-11cf-8273-00aa004ae673": "netdfs",
	"c681d488-d850-11d0-8c52-00c04fd90f7e": "efsrpc",
	"df1941c5-fe89-4e79-bf10-463657acf44d": "efsrpc",
	"a8e0653c-2744-4389-a61d-7373df8b2292": "FileServerVssAgent",
	"82273fdc-e32a-18c3-3f78-827929dc23ea": "eventlog",
	"f6beaff7-1e19-4fbb-9f8f-b89e2018337c": "IEventService",

	// Accounts and directory: MS-SAMR, MS-LSAD, MS-NRPC, MS-DRSR, MS-DSSP, MS-BKRP, MS-FRS1, MS-FRS2.
	"12345778-1234-abcd-ef00-0123456789ac": "samr",
	"12345778-1234-abcd-ef00-0123456789ab": "lsarpc",
	"12345678-1234-abcd-ef00-01234567cffb": "netlogon",
	"e3514235-4b06-11d1-ab04-00c04fc2dcd2": "drsuapi",
	"3919286a-b10c-11d0-9ba8-00c04fd92ef5": "dssetup",
	"3dde7c30-165d-11d1-ab8f-00805f14db40": "BackupKey",
	"f5cc59b4-4264-101a-8c59-08002b2f8426": "FrsRpc",
	"897e2e5f-93f3-4376-9c9c-fd2277495c27": "FrsTransport",

	// Printing: MS-RPRN, MS-PAR.
	"12345678-1234-abcd-ef00-0123456789ab": "spoolss",
	"76f03f96-cdfd-44fc-a22c-64950a001209": "IRemoteWinspool",

	// Endpoints, DCOM, WMI: C706, MS-DCOM, MS-WMI.
	"e1af8308-5d1f-11c9-91a4-08002b14a0fa": "epm",
	"afa8bd80-7d8a-11c9-bef4-08002b102989": "mgmt",
	"99fcfec4-5260-101b-bbcb-00aa0021347a": "IObjectExporter",
	"4d9f4ab8-7d1c-11cf-861e-0020af6e7c57": "IActivation",
	"000001a0-0000-0000-c000-000000000046": "IRemoteSCMActivator",
	"00020400-0000-0000-c000-000000000046": "IDispatch", // MS-OAUT
	"00000131-0000-0000-c000-000000000046": "IRemUnknown",
	"00000143-0000-0000-c000-000000000046": "IRemUnknown2",
	"f309ad18-d86a-11d0-a075-00c04fb68820": "IWbemLevel1Login",
	"d4781cd6-e5d3-44df-ad94-930efe48a887": "IWbemLoginClientID",
	"9556dc99-828c-11cf-a37e-00aa003240c7": "IWbemServices",
	"027947e1-d731-11ce-a357-000000000001": "IEnumWbemClassObject",
}
