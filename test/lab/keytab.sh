#!/bin/bash
# Copies files over SMB with Kerberos between real programs, and logs on at a
# directory, captures that, and checks that waybill opens the sessions with the
# server's keytab and names who logged on.
#
# Run as root on Debian with: krb5-kdc krb5-admin-server krb5-user samba smbclient
# slapd ldap-utils libsasl2-modules-gssapi-mit curl python3 tcpdump iproute2. All happens in network, mount and host name namespaces of its
# own and in one temporary folder; it takes about a minute.
#
#     test/lab/keytab.sh PATH-OF-WAYBILL [FOLDER-TO-KEEP-CAPTURES]
set -eu
if [ "${1:-}" != inside ]; then
    waybill=$(readlink -f "${1:?give the path of waybill}")
    keep=${2:-}
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    timeout 300 unshare --net --mount --uts --pid --fork --kill-child "$0" inside "$waybill" "$work" "${keep:+$(readlink -f "$keep")}"
    exit
fi
waybill=$2 work=$3 keep=$4
cd "$work"
mount -t proc proc /proc

server=files.lab.test client=10.9.0.2
ip link set lo up
ip addr add 10.9.0.1/24 dev lo
ip addr add $client/24 dev lo
hostname files
mkdir -p kdc samba share/private got
chmod 777 share

printf '127.0.0.1 localhost\n10.9.0.1 %s files\n' $server > hosts
mount --bind hosts /etc/hosts
cp /etc/passwd passwd
echo 'alice:x:4201:4201::/nonexistent:/bin/false' >> passwd
mount --bind passwd /etc/passwd

export KRB5_CONFIG=$work/krb5.conf KRB5_KDC_PROFILE=$work/kdc.conf KRB5CCNAME=FILE:$work/ccache
cat > krb5.conf <<END
[libdefaults]
    default_realm = LAB.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    rdns = false
    allow_weak_crypto = true
[realms]
    LAB.TEST = {
        kdc = 10.9.0.1
    }
[domain_realm]
    .lab.test = LAB.TEST
END
cat > kdc.conf <<END
[realms]
    LAB.TEST = {
        database_name = $work/kdc/principal
        key_stash_file = $work/kdc/stash
        acl_file = $work/kdc/acl
        disable_pac = true
        supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal aes256-cts-hmac-sha384-192:normal aes128-cts-hmac-sha256-128:normal arcfour-hmac:normal
    }
END
kdb5_util create -s -r LAB.TEST -P "$(head -c 18 /dev/urandom | base64)" > /dev/null
kadmin.local -q 'addprinc -pw wonderland alice' > /dev/null 2>&1
kadmin.local -q "addprinc -randkey cifs/$server" > /dev/null 2>&1
krb5kdc -n > kdc.log 2>&1 &
for i in $(seq 50); do ss -lun | grep -q ':88 ' && break; sleep 0.1; done

head -c 3000000 /dev/urandom > up.bin
head -c 2000000 /dev/urandom > share/down.bin
chmod 666 share/down.bin
sha() { sha256sum "$1" | cut -d' ' -f1; }
sent=$(sha up.bin) fetched=$(sha share/down.bin)
failed=0

# smbd TITLE LINE...: a server with these lines in its configuration
samba() {
    rm -rf samba && mkdir -p samba
    cat > smb.conf <<END
[global]
    workgroup = LAB
    realm = LAB.TEST
    server role = standalone server
    kerberos method = dedicated keytab
    dedicated keytab file = FILE:$work/keytab
    private dir = $work/samba
    lock directory = $work/samba
    state directory = $work/samba
    cache directory = $work/samba
    pid directory = $work/samba
    ncalrpc dir = $work/samba
    log file = $work/smbd.log
    max log size = 0
    log level = ${SMBD_LOG:-1}
    load printers = no
    disable spoolss = yes
$(printf '    %s\n' "$@")
[data]
    path = $work/share
    read only = no
    force user = root
END
    smbpasswd -c smb.conf -s -a alice < <(printf 'wonderland\nwonderland\n') > smbpasswd.out 2>&1
    smbd -s smb.conf -F > smbd.out 2>&1 &
    smbd=$!
    for i in $(seq 100); do ss -ltn | grep -q '10.9.0.1:445\|0.0.0.0:445' && break; sleep 0.1; done
}

# record begins a capture.
record() {
    rm -f lab.pcap
    tcpdump -i lo -s 0 -U -B 65536 --immediate-mode -w lab.pcap 'host 10.9.0.1' > tcpdump.out 2>&1 &
    tcpdump=$!
    for i in $(seq 50); do [ -s lab.pcap ] && break; sleep 0.1; done
}

# row TITLE ENCTYPE CLIENT-OPTIONS -- SERVER-LINES
row() {
    title=$1 enctype=$2 options=$3
    shift 3
    rm -f keytab ccache got/* share/up.bin
    kadmin.local -q "ktadd -k $work/keytab -e $enctype:normal cifs/$server" > /dev/null 2>&1
    samba "$@"
    record
    echo wonderland | kinit alice > kinit.out
    # shellcheck disable=SC2086
    smbclient "//$server/data" -s smb.conf --use-kerberos=required $options \
        -c "put up.bin; get down.bin got/down.bin" > smbclient.out 2>&1 || true
    sleep 1
    kill $tcpdump $smbd
    wait $tcpdump $smbd 2> /dev/null || true
    cmp -s up.bin share/up.bin && cmp -s share/down.bin got/down.bin || { echo "$title: the copy itself failed:"; cat smbclient.out; tail -n 5 smbd.log || true; failed=1; return; }
    [ -z "$keep" ] || { cp lab.pcap "$keep/$title.pcap"; cp keytab "$keep/$title.keytab"; }
    tcpdump -r lab.pcap -w service.pcap 'not port 88' 2> /dev/null
    check service.pcap --keytab keytab
    # Without a key the exchange with the key distribution centre names the user.
    [ "$title" != plain ] || { title='plain, without keytab'; check lab.pcap; }
}

# check CAPTURE FLAGS...: the put and the get are whole and alice's
check() {
    capture=$1
    shift
    "$waybill" scan --format ndjson --quiet --only transfer "$@" "$capture" > records || true
    for want in "push up.bin $sent" "pull down.bin $fetched"; do
        read -r operation name hash <<< "$want"
        found=$(grep "\"operation\":\"$operation\"" records | grep "\"name\":\"$name\"" | grep "\"sha256\":\"$hash\"" |
            grep '"user":"alice"' | grep -c '"domain":"LAB.TEST"' || true)
        if [ "$found" = 1 ]; then result=ok; else result=WRONG failed=1; fi
        printf '%-34s %-8s %-9s %s\n' "$title" "$operation" "$result" "$(grep -o '"dialect":"[^"]*"\|"encrypted":true' records | sort -u | tr '\n' ' ')"
    done
}

aes256=aes256-cts-hmac-sha1-96
row plain            $aes256                    ''                          'smb encrypt = off'
row aes-128-gcm      $aes256                    '--client-protection=encrypt' 'smb encrypt = required' 'server smb3 encryption algorithms = AES-128-GCM'
row aes-128-ccm      $aes256                    '--client-protection=encrypt' 'smb encrypt = required' 'server smb3 encryption algorithms = AES-128-CCM'
row aes-256-gcm      $aes256                    '--client-protection=encrypt' 'smb encrypt = required' 'server smb3 encryption algorithms = AES-256-GCM'
row aes-256-ccm      $aes256                    '--client-protection=encrypt' 'smb encrypt = required' 'server smb3 encryption algorithms = AES-256-CCM'
row smb-3.0          $aes256                    '-m SMB3_00 --client-protection=encrypt' 'smb encrypt = required' 'server max protocol = SMB3_00'
row smb1             $aes256                    '-m NT1 --option=clientminprotocol=NT1' 'server min protocol = NT1' 'smb encrypt = off'
row aes128-sha1-key  aes128-cts-hmac-sha1-96    '--client-protection=encrypt' 'smb encrypt = required'
row aes256-sha2-key  aes256-cts-hmac-sha384-192 '--client-protection=encrypt' 'smb encrypt = required'
row aes128-sha2-key  aes128-cts-hmac-sha256-128 '--client-protection=encrypt' 'smb encrypt = required'
row rc4-key          arcfour-hmac               '--client-protection=encrypt' 'smb encrypt = required'

# Logons at a directory: simple ones, a refused one, Kerberos with a security layer.
title=ldap
kadmin.local -q "addprinc -randkey ldap/$server" > /dev/null 2>&1
rm -f keytab && kadmin.local -q "ktadd -k $work/keytab ldap/$server" > /dev/null 2>&1
chmod 644 keytab
mkdir -p directory
cat > slapd.conf <<END
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
sasl-host $server
sasl-realm LAB.TEST
database mdb
suffix dc=lab,dc=test
rootdn cn=admin,dc=lab,dc=test
rootpw looking-glass
directory $work/directory
END
KRB5_KTNAME=$work/keytab slapd -f slapd.conf -h "ldap://$server" -d 0 > slapd.out 2>&1 &
slapd=$!
for i in $(seq 50); do ss -ltn | grep -q ':389 ' && break; sleep 0.1; done
record
echo wonderland | kinit alice > kinit.out
ldapwhoami -x -H "ldap://$server" -D cn=admin,dc=lab,dc=test -w looking-glass > ldap.out 2>&1 || true
ldapwhoami -x -H "ldap://$server" -D cn=admin,dc=lab,dc=test -w jabberwocky >> ldap.out 2>&1 || true
ldapwhoami -Y GSSAPI -H "ldap://$server" >> ldap.out 2>&1 || true
sleep 1
kill $tcpdump $slapd
wait $tcpdump $slapd 2> /dev/null || true
[ -z "$keep" ] || { cp lab.pcap "$keep/ldap.pcap"; cp keytab "$keep/ldap.keytab"; }
tcpdump -r lab.pcap -w service.pcap 'not port 88' 2> /dev/null
"$waybill" scan --format ndjson --quiet --only access --keytab keytab service.pcap > records || true
for want in '"user":"cn=admin,dc=lab,dc=test","channel":"ldap","status":"success"' \
    '"user":"cn=admin,dc=lab,dc=test","channel":"ldap","status":"invalidCredentials"' \
    '"user":"alice","domain":"LAB.TEST","channel":"ldap","object":"ldap/'$server'","status":"success"'; do
    if [ "$(grep -c -F "$want" records)" = 1 ]; then result=ok; else result=WRONG failed=1; fi
    printf '%-34s %-8s %-9s %s\n' ldap logon "$result" "$want"
done
if grep -q 'looking-glass\|jabberwocky' records; then echo 'ldap: a password is shown'; failed=1; fi
[ $failed = 0 ] || cat ldap.out

# A file put over HTTP after a Kerberos logon; the server here takes any ticket.
kadmin.local -q "addprinc -randkey HTTP/$server" > /dev/null 2>&1
rm -f keytab && kadmin.local -q "ktadd -k $work/keytab HTTP/$server" > /dev/null 2>&1
cat > web.py <<'END'
import http.server
class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201 if self.headers["Authorization"] else 401)
        self.send_header("WWW-Authenticate", "Negotiate")
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer(("10.9.0.1", 80), Server).serve_forever()
END
python3 web.py 2> web.out &
web=$!
for i in $(seq 50); do ss -ltn | grep -q ':80 ' && break; sleep 0.1; done
record
curl -sS --negotiate -u : -H Expect: -T up.bin "http://$server/up.bin" > curl.out 2>&1 || true
sleep 1
kill $tcpdump $web
wait $tcpdump $web 2> /dev/null || true
[ -z "$keep" ] || { cp lab.pcap "$keep/http.pcap"; cp keytab "$keep/http.keytab"; }
tcpdump -r lab.pcap -w service.pcap 'not port 88' 2> /dev/null
"$waybill" scan --format ndjson --quiet --only access,transfer --keytab keytab service.pcap > records || true
for want in '"user":"alice","domain":"LAB.TEST","channel":"http","object":"HTTP/'$server'"' "$sent"; do
    if grep -F "$want" records | grep -q '"user":"alice","domain":"LAB.TEST"'; then result=ok; else result=WRONG failed=1; fi
    printf '%-34s %-8s %-9s %s\n' http push "$result" "$want"
done
exit $failed
