##! What waybill found, and the policy it learned, as notices of Zeek 6 and later.
##!
##! Unverified: no Zeek has loaded this script yet. Try it with zeek --parse-only first.
##!
##! Put this file, waybill.intel and __load__.zeek into one folder and load the folder (zeekctl
##! deploy); it is gone when the folder is loaded no more.
##! Site::local_nets must name the networks inside. Nothing here blocks. A hash is known when a
##! file has ended: detected, not prevented. What goes encrypted (SMB 3, TLS, SSH, WinRM) shows
##! neither names nor content. On a cluster a worker sees a call after a write only when both
##! connections of the two hosts come to it.

@load base/frameworks/files
@load base/frameworks/intel
@load base/frameworks/notice
@load base/protocols/dce-rpc
@load base/protocols/smb
@load base/utils/site
@load frameworks/intel/seen

module Waybill;

export {
	redef enum Notice::Type += {
		## Content, a name, a service or a pipe of a finding.
		Indicator,
		## A program written to an administrative share (T1570, T1021.002).
		Program_Written,
		## A call that starts something, after that (T1569.002, T1053, T1047).
		Started_After_Write,
		## What the policy denies.
		Policy_Denied
	};

	## Ports of a service, of one transport.
	type Ports: record {
		first: port;
		last: port;
	};

	## An exception or a rule of the policy.
	type Rule: record {
		clients: set[subnet];
		servers: set[subnet];
		ports: vector of Ports;
		allowed: bool;
		## Seconds since 1970 when it ends, 0 for never.
		until: double;
		why: string;
	};

	## Who administers.
	const management: set[subnet] = {} &redef;

	## The hashes to compute.
	const hashes: set[Files::Tag] = {} &redef;

	## Paths of files with their share, lower case, and what they are of.
	const paths: table[string] of string = {} &redef;

	## Names of pipes, lower case.
	const pipes: table[string] of string = {} &redef;

	## Names of services in UTF-16 with the end of a string.
	const services: table[string] of string = {} &redef;

	## Exceptions and rules, in the order in which they are asked.
	const rules: vector of Rule = vector() &redef;

	## What files that run begin like (base/frameworks/files/magic).
	const programs: set[string] = {
		"application/x-dosexec",
		"application/x-executable",
		"application/x-mach-o-executable",
		"application/x-sharedlib",
		"text/x-msdos-batch",
		"text/x-shellscript"
	} &redef;

	## Calls that start something: MS-SCMR 3.1.4, MS-TSCH 3.2.5.2 and 3.2.5.4, MS-WMI 3.1.4.3.
	const starts: table[string, count] of string = {
		["367abb81-9844-35f1-ad32-98f038001003", 12] = "T1569.002",
		["367abb81-9844-35f1-ad32-98f038001003", 19] = "T1569.002",
		["367abb81-9844-35f1-ad32-98f038001003", 24] = "T1569.002",
		["367abb81-9844-35f1-ad32-98f038001003", 31] = "T1569.002",
		["367abb81-9844-35f1-ad32-98f038001003", 44] = "T1569.002",
		["367abb81-9844-35f1-ad32-98f038001003", 45] = "T1569.002",
		["367abb81-9844-35f1-ad32-98f038001003", 60] = "T1569.002",
		["1ff70682-0a51-30e8-076d-740be8cee98b", 0] = "T1053.002",
		["86d35949-83c9-4044-b424-db363231fd0c", 1] = "T1053.005",
		["86d35949-83c9-4044-b424-db363231fd0c", 12] = "T1053.005",
		["9556dc99-828c-11cf-a37e-00aa003240c7", 24] = "T1047",
		["9556dc99-828c-11cf-a37e-00aa003240c7", 25] = "T1047"
	} &redef;
}

redef Intel::read_files += { @DIR + "/waybill.intel" };

# Which program a client wrote to an administrative share of a server, for an hour.
global written: table[addr, addr] of string &create_expire=1hr;

# Both ends inside, and the client is none that administers.
function judged(id: conn_id): bool
	{
	return Site::is_local_addr(id$orig_h) && Site::is_local_addr(id$resp_h) && id$orig_h !in management;
	}

# The tree that the connection works in, "" where it is not known.
function tree_of(c: connection): string
	{
	if ( c?$smb_state && c$smb_state?$current_tree && c$smb_state$current_tree?$path )
		return c$smb_state$current_tree$path;
	return "";
	}

# The file that the connection works on, with its tree.
function file_of(c: connection): string
	{
	local name = "";
	if ( c?$smb_state && c$smb_state?$current_file && c$smb_state$current_file?$name )
		name = c$smb_state$current_file$name;
	return cat(tree_of(c), "\\", name);
	}

# The interface that a call goes to, "" where its binding was not seen.
function interface_of(c: connection, ctx_id: count): string
	{
	if ( ! c?$dce_rpc_state )
		return "";
	if ( c$dce_rpc_state?$ctx_to_uuid && ctx_id in c$dce_rpc_state$ctx_to_uuid )
		return c$dce_rpc_state$ctx_to_uuid[ctx_id];
	if ( c$dce_rpc_state?$uuid )
		return c$dce_rpc_state$uuid;
	return "";
	}

event file_new(f: fa_file)
	{
	for ( tag in hashes )
		Files::add_analyzer(f, tag);
	}

# Whether a file went between hosts inside.
function inside(f: fa_file): bool
	{
	if ( ! f?$conns )
		return F;
	for ( id in f$conns )
		{
		if ( Site::is_local_addr(id$orig_h) && Site::is_local_addr(id$resp_h) )
			return T;
		}
	return F;
	}

# Content is known wherever it goes; a name says something only inside.
event Intel::match(s: Intel::Seen, items: set[Intel::Item])
	{
	for ( item in items )
		{
		if ( /^waybill-/ !in item$meta$source )
			next;
		if ( item$indicator_type == Intel::FILE_NAME && s?$f && ! inside(s$f) )
			next;
		local n = Notice::Info($note=Indicator, $msg=fmt("seen: %s", item$indicator), $identifier=cat(item$indicator, s?$uid ? s$uid : ""));
		if ( item$meta?$desc )
			n$sub = item$meta$desc;
		if ( s?$conn )
			n$conn = s$conn;
		if ( s?$f )
			n$f = s$f;
		NOTICE(n);
		}
	}

event file_over_new_connection(f: fa_file, c: connection, is_orig: bool) &priority=-5
	{
	if ( f$source != "SMB" || |paths| == 0 || ! is_orig )
		return;
	local path = sub(to_lower(file_of(c)), /^\\\\[^\\]*\\/, "");
	if ( path in paths )
		NOTICE(Notice::Info($note=Indicator, $msg=fmt("file written: %s", path), $sub=paths[path], $conn=c, $identifier=cat(c$uid, path)));
	}

# A program, by its first bytes, written to ADMIN$ or the share of a drive.
event file_sniff(f: fa_file, meta: fa_metadata)
	{
	if ( f$source != "SMB" || ! f?$is_orig || ! f$is_orig || ! f?$conns )
		return;
	if ( ! meta?$mime_type || meta$mime_type !in programs )
		return;
	for ( id, c in f$conns )
		{
		if ( ! judged(id) || /\\([aA][dD][mM][iI][nN]|[a-zA-Z])\$$/ !in tree_of(c) )
			next;
		written[id$orig_h, id$resp_h] = file_of(c);
		NOTICE(Notice::Info($note=Program_Written, $msg=fmt("program written to an administrative share: %s", file_of(c)),
		                    $sub="T1570 T1021.002", $conn=c, $identifier=cat(c$uid, file_of(c))));
		}
	}

event dce_rpc_request(c: connection, fid: count, ctx_id: count, opnum: count, stub_len: count)
	{
	if ( [c$id$orig_h, c$id$resp_h] !in written )
		return;
	local uuid = interface_of(c, ctx_id);
	if ( [uuid, opnum] !in starts )
		return;
	NOTICE(Notice::Info($note=Started_After_Write, $msg=fmt("call %s/%d after a program was written: %s", uuid, opnum, written[c$id$orig_h, c$id$resp_h]),
	                    $sub=cat("T1570 ", starts[uuid, opnum]), $conn=c, $identifier=cat(c$uid, uuid, opnum)));
	}

event dce_rpc_request_stub(c: connection, fid: count, ctx_id: count, opnum: count, stub: string)
	{
	if ( |services| == 0 || opnum !in set(12, 45, 60) || interface_of(c, ctx_id) != "367abb81-9844-35f1-ad32-98f038001003" )
		return;
	for ( name, why in services )
		{
		if ( name in stub )
			NOTICE(Notice::Info($note=Indicator, $msg=fmt("service made: %s", subst_string(name, "\x00", "")), $sub=why, $conn=c, $identifier=cat(c$uid, why)));
		}
	}

event smb2_create_request(c: connection, hdr: SMB2::Header, request: SMB2::CreateRequest)
	{
	if ( |pipes| == 0 || /\\[iI][pP][cC]\$$/ !in tree_of(c) )
		return;
	local name = to_lower(request$filename);
	if ( name in pipes )
		NOTICE(Notice::Info($note=Indicator, $msg=fmt("pipe opened: %s", name), $sub=pipes[name], $conn=c, $identifier=cat(c$uid, name)));
	}

# Whether a rule is about a connection.
function fits(r: Rule, id: conn_id): bool
	{
	if ( id$orig_h !in r$clients || id$resp_h !in r$servers )
		return F;
	for ( i in r$ports )
		{
		if ( id$resp_p >= r$ports[i]$first && id$resp_p <= r$ports[i]$last )
			return T;
		}
	return F;
	}

# The first exception or rule that fits counts.
function decide(c: connection)
	{
	if ( ! judged(c$id) )
		return;
	for ( i in rules )
		{
		local r = rules[i];
		if ( ! fits(r, c$id) || ( r$until > 0.0 && time_to_double(network_time()) >= r$until ) )
			next;
		if ( ! r$allowed )
			NOTICE(Notice::Info($note=Policy_Denied, $msg=fmt("the policy denies this connection: %s", r$why), $conn=c,
			                    $identifier=cat(c$id$orig_h, c$id$resp_h, c$id$resp_p)));
		return;
		}
	}

event connection_established(c: connection)
	{
	decide(c);
	}

event new_connection(c: connection)
	{
	if ( is_udp_port(c$id$resp_p) )
		decide(c);
	}
