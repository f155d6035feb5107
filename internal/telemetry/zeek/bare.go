package zeek

import (
	"bytes"
	"net/netip"
	"strings"
)

// layout is the order of a log's columns as Zeek writes it when nothing was changed, for
// rows that lost their header. Column tell has to hold one of the words, which no other
// log has there.
type layout struct {
	name  string
	names []string
	tell  int
	words string
}

const connColumns = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p "

// layouts are those of Zeek 4 to 7 (base/protocols/*/main.zeek, base/frameworks/files).
var layouts = []layout{
	columns("conn", connColumns+"proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents",
		"conn_state", "S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH"),
	columns("conn", connColumns+"proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents ip_proto",
		"conn_state", "S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH"),
	columns("http", connColumns+"trans_depth method host uri referrer version user_agent origin request_body_len response_body_len status_code status_msg info_code info_msg tags username password proxied orig_fuids orig_filenames orig_mime_types resp_fuids resp_filenames resp_mime_types",
		"method", "GET HEAD POST PUT DELETE OPTIONS CONNECT PROPFIND MOVE COPY LOCK UNLOCK MKCOL PATCH"),
	columns("files", "ts fuid tx_hosts rx_hosts conn_uids source depth analyzers mime_type filename duration local_orig is_orig seen_bytes total_bytes missing_bytes overflow_bytes timedout parent_fuid md5 sha1 sha256 extracted extracted_cutoff extracted_size",
		"source", "HTTP SMB FTP_DATA SMTP SSL IRC_DATA KRB KRB_TCP RDP"),
	columns("files", "ts fuid uid id.orig_h id.orig_p id.resp_h id.resp_p source depth analyzers mime_type filename duration local_orig is_orig seen_bytes total_bytes missing_bytes overflow_bytes timedout parent_fuid md5 sha1 sha256 extracted extracted_cutoff extracted_size",
		"source", "HTTP SMB FTP_DATA SMTP SSL IRC_DATA KRB KRB_TCP RDP"),
	columns("smb_files", connColumns+"fuid action path name size prev_name times.modified times.accessed times.created times.changed",
		"action", "SMB::FILE_READ SMB::FILE_WRITE SMB::FILE_OPEN SMB::FILE_CLOSE SMB::FILE_DELETE SMB::FILE_RENAME SMB::FILE_SET_ATTRIBUTE SMB::PIPE_READ SMB::PIPE_WRITE SMB::PIPE_OPEN SMB::PIPE_CLOSE SMB::PRINT_READ SMB::PRINT_WRITE SMB::PRINT_OPEN SMB::PRINT_CLOSE"),
	columns("smb_mapping", connColumns+"path service native_file_system share_type", "share_type", "DISK PIPE PRINT"),
	columns("ftp", connColumns+"user password command arg mime_type file_size reply_code reply_msg data_channel.passive data_channel.orig_h data_channel.resp_h data_channel.resp_p fuid",
		"command", "USER PASS STOR RETR APPE STOU DELE PORT PASV EPRT EPSV LIST NLST CWD ACCT REST"),
	columns("ntlm", connColumns+"username hostname domainname server_nb_computer_name server_dns_computer_name server_tree_name success", "success", "T F -"),
}

func columns(name, all, tell, words string) layout {
	l := layout{name: name, names: strings.Fields(all), words: " " + words + " "}
	for i, n := range l.names {
		if n == tell {
			l.tell = i
		}
	}
	return l
}

// layoutOf tells a row's log by what it holds: number of columns, a time, an id as Zeek
// makes them, the ends, and a column's words. Nil is none.
func layoutOf(row string) *layout {
	f := strings.Split(row, "\t")
	if len(f) < 9 || !decimal(f[0]) || len(f[1]) < 14 || len(f[1]) > 20 {
		return nil
	}
	for i := range layouts {
		l := &layouts[i]
		if len(f) == len(l.names) && strings.Contains(l.words, " "+f[l.tell]+" ") && l.ends(f) {
			return l
		}
	}
	return nil
}

// decimal says whether a text is a time in seconds with its fraction.
func decimal(s string) bool {
	whole, fraction, ok := strings.Cut(s, ".")
	if _, known := stamp(s); !known {
		return false
	}
	return ok && len(whole) >= 9 && len(whole) <= 10 && len(fraction) == 6
}

// ends says whether addresses stand where the layout has them.
func (l *layout) ends(f []string) bool {
	if f[1][0] != 'C' && f[1][0] != 'F' {
		return false
	}
	for i, name := range l.names {
		switch name {
		case "uid", "fuid":
			if i == 1 && f[1][0] == 'C' != (name == "uid") {
				return false
			}
		case "id.orig_h", "id.resp_h":
			if _, err := netip.ParseAddr(f[i]); err != nil && f[i] != "-" {
				return false
			}
		case "tx_hosts", "rx_hosts":
			first, _, _ := strings.Cut(f[i], ",")
			if _, err := netip.ParseAddr(first); err != nil {
				return false
			}
		}
	}
	return true
}

// rowsAsked is how many rows of a file without header have to be told.
const rowsAsked = 3

// looksBare says whether the first rows are those of a log, without a header.
func looksBare(head []byte) bool {
	for n := 0; n < rowsAsked; n++ {
		line, rest, whole := bytes.Cut(head, []byte{'\n'})
		if !whole {
			return n > 0
		}
		if layoutOf(strings.TrimRight(string(line), "\r")) == nil {
			return false
		}
		head = rest
	}
	return true
}
