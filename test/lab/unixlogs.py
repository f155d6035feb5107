#!/usr/bin/env python3
"""Moves files with real Unix servers that log, and checks what waybill says of their logs.

Run as root on Debian; packages: openssh-server, openssh-client, vsftpd, proftpd-core,
samba, smbclient, rsync, nginx-light, apache2, tftpd-hpa, tftp-hpa, curl, iproute2,
tcpdump. Debian installs one FTP server only; unpack the others (apt-get download,
dpkg -x; proftpd-core, pure-ftpd and pure-ftpd-common) and name their programs.
In go programs of these packages; out comes a table of the logs alone, the capture
alone and both together, and exit code 1 when a movement is missing or one is made up.
With --lines it repeats the logs, times moved on, and measures a scan on one core. It
changes nothing outside its own folder and its own namespaces.
"""

import argparse
import collections
import contextlib
import datetime
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import network

HOST, USER, PASSWORD = "fs1", "alice", "Secret-77"
IN_OWN_DEV = """
mkdir -p {work}/dev && mount -t tmpfs none {work}/dev && cd {work}/dev
for n in null zero full random urandom tty; do touch $n; mount --bind /dev/$n $n; done
mkdir pts shm; mount --bind /dev/pts pts; ln -s pts/ptmx ptmx; ln -s /proc/self/fd fd
touch log; mount --bind {work}/log.sock log; mount --rbind {work}/dev /dev; cd /; exec "$@"
"""


Move = collections.namedtuple("Move", "server channel operation name size status")


class Logs:
    """The system log that programs find at /dev/log, written as rsyslog writes it."""

    def __init__(self, work):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{work}/log.sock")
        os.chmod(f"{work}/log.sock", 0o666)
        self.file = open(f"{work}/{HOST}/var/log/syslog", "a", buffering=1)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            line = self.socket.recv(1 << 16).decode(errors="surrogateescape").rstrip("\0\n")
            line = line[line.find(">") + 1:]  # <PRI>Mon dd hh:mm:ss TAG: MESSAGE
            self.file.write(f"{line[:15]} {HOST} {line[16:]}\n".encode(errors="surrogateescape").decode(errors="replace"))


class Lab:
    def __init__(self, work, proftpd, pureftpd):
        self.work, self.proftpd, self.pureftpd = work, proftpd, pureftpd
        self.log = f"{work}/{HOST}/var/log"
        os.makedirs(self.log)
        self.net = network.Network(work)
        self.logs = Logs(work)
        self.at = self.net.server_ip
        self.share, self.sent, self.got = (self.folder(n, 0o777) for n in ("share", "sent", "got"))
        self.server, self.moves = "", []  # server, channel, operation, name, size or None, status
        os.chmod(work, 0o755)

    def folder(self, name, mode=0o755):
        os.makedirs(f"{self.work}/{name}", exist_ok=True)
        os.chmod(f"{self.work}/{name}", mode)
        return f"{self.work}/{name}"

    def write(self, name, text, mode=0o600):
        with open(f"{self.work}/{name}", "w") as f:
            f.write(text)
        os.chmod(f"{self.work}/{name}", mode)
        return f"{self.work}/{name}"

    def serve(self, *argv, **options):
        return self.net.serve("unshare", "-m", "sh", "-c", IN_OWN_DEV.format(work=self.work), "sh", *argv, **options)

    def file(self, folder, name, size):
        with open(f"{folder}/{name}", "wb") as f:
            f.write(os.urandom(size))
        os.chmod(f"{folder}/{name}", 0o644)
        return f"{folder}/{name}"

    def moved(self, channel, operation, name, size=None, status="done"):
        self.moves.append(Move(self.server, channel, operation, name, size, status))
        time.sleep(1.1)


def ssh(lab):
    os.makedirs("/run/sshd", exist_ok=True)
    for name in "id", "host":
        lab.net.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{lab.work}/{name}")
    lab.write("authorized", open(f"{lab.work}/id.pub").read(), 0o644)
    conf = lab.write("sshd.conf", f"""
HostKey {lab.work}/host
AuthorizedKeysFile {lab.work}/authorized
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
Subsystem sftp /usr/lib/openssh/sftp-server -l INFO
LogLevel VERBOSE
""")
    how = ["-i", f"{lab.work}/id", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes"]
    with lab.serve("/usr/sbin/sshd", "-D", "-f", conf, port=22):
        a, b = lab.file(lab.sent, "Über sicht.docx", 100_000), lab.file(lab.share, "plan.zip", 300_000)
        lab.net.run("sftp", *how, "-b", "-", f"root@{lab.at}", stdin=f'put "{a}" "{lab.share}/Über sicht.docx"\nget "{b}" "{lab.got}/plan.zip"\n')
        lab.moved("ssh", "push", "Über sicht.docx", 100_000)
        lab.moved("ssh", "pull", "plan.zip", 300_000)
        a = lab.file(lab.sent, "svc.exe", 50_000)
        lab.net.run("scp", *how, a, f"root@{lab.at}:{lab.share}/svc.exe")
        lab.moved("ssh", "push", "svc.exe", 50_000)
        lab.net.run("sftp", *how, "-b", "-", f"root@{lab.at}", stdin=f'put {a} {lab.share}/x.tmp\nrename {lab.share}/x.tmp {lab.share}/late.exe\n')
        lab.moved("ssh", "push", "late.exe", 50_000)


def ftp(lab):
    conf = lab.write("vsftpd.conf", f"""
listen=YES
background=NO
anonymous_enable=YES
no_anon_password=NO
anon_root={lab.work}
anon_upload_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
write_enable=YES
local_enable=NO
seccomp_sandbox=NO
xferlog_enable=YES
dual_log_enable=YES
xferlog_file={lab.log}/xferlog
vsftpd_log_file={lab.log}/vsftpd.log
use_localtime=NO
secure_chroot_dir={lab.folder('empty')}
""")
    with lab.serve("vsftpd", conf, port=21):
        far = f"ftp://{lab.at}/share"
        a = lab.file(lab.sent, "ftp tool.exe", 70_000)
        lab.net.run("curl", "-sSf", "-u", "anonymous:a@b", "-T", a, f"{far}/ftp%20tool.exe")
        lab.moved("ftp", "push", "ftp tool.exe", 70_000)
        lab.file(lab.share, "données.bin", 60_000)
        lab.net.run("curl", "-sSf", "-u", "anonymous:a@b", "-o", f"{lab.got}/d.bin", f"{far}/donn%C3%A9es.bin")
        lab.moved("ftp", "pull", "donn??es.bin", 60_000)
        lab.net.run("curl", "-sS", "-u", "anonymous:a@b", "-T", a, f"ftp://{lab.at}/nowhere/no.exe", fails=True)


def pro(lab):
    os.makedirs(f"{lab.log}/proftpd")
    secret = lab.net.run("openssl", "passwd", "-6", PASSWORD).strip()
    users = lab.write("ftp.users", f"{USER}:{secret}:65534:65534::{lab.share}:/bin/sh\n")
    conf = lab.write("proftpd.conf", f"""
ServerType standalone
Port 2121
User root
Group root
UseReverseDNS off
RequireValidShell off
WtmpLog off
PidFile {lab.work}/proftpd.pid
ScoreboardFile {lab.work}/proftpd.scores
DelayEngine off
AuthOrder mod_auth_file.c
AuthUserFile {users}
AllowOverwrite on
TransferLog {lab.log}/proftpd/xferlog
ExtendedLog {lab.log}/proftpd/extended.log ALL
""")
    locked = lab.folder("share/locked", 0o555)
    with lab.serve(lab.proftpd, "--nodaemon", "-c", conf, port=2121):
        def curl(*argv, **more):
            lab.net.run("curl", "-sS", "-u", f"{USER}:{PASSWORD}", *argv, **more)
        far = f"ftp://{lab.at}:2121"
        a = lab.file(lab.sent, "pro tool.exe", 75_000)
        curl("-T", a, f"{far}/pro%20tool.exe")
        lab.moved("ftp", "push", "pro tool.exe", 75_000)
        lab.file(lab.share, "pro plan.docx", 65_000)
        curl("-o", f"{lab.got}/p.docx", f"{far}/pro%20plan.docx")
        lab.moved("ftp", "pull", "pro plan.docx", 65_000)
        curl("-T", a, "-Q", "-RNFR pro.tmp", "-Q", "-RNTO pro late.exe", f"{far}/pro.tmp")
        lab.moved("ftp", "push", "pro late.exe", 75_000)
        curl("-T", a, f"{far}/{os.path.basename(locked)}/pro-no.exe", fails=True)
        lab.moved("ftp", "push", "pro-no.exe", None, "denied")
        curl("-a", "-T", lab.file(lab.sent, "pro-more.bin", 55_000), f"{far}/pro-more.bin")
        lab.moved("ftp", "push", "pro-more.bin")
        lab.file(lab.share, "pro-cut.bin", 40_000_000)
        curl("--limit-rate", "100k", "--max-time", "1", "-o", f"{lab.got}/cut.bin", f"{far}/pro-cut.bin", fails=True)
        lab.moved("ftp", "pull", "pro-cut.bin", None, "interrupted")


def pure(lab):
    if not lab.pureftpd:
        return
    users = f"{lab.work}/pure.passwd"
    pw = os.path.join(os.path.dirname(lab.pureftpd), "..", "bin", "pure-pw")
    lab.net.run(pw, "useradd", USER, "-u", "65534", "-g", "65534", "-d", lab.share, "-f", users, stdin=f"{PASSWORD}\n{PASSWORD}\n")
    lab.net.run(pw, "mkdb", f"{lab.work}/pure.pdb", "-f", users)
    argv = ["-S", "0.0.0.0,2122", "-l", f"puredb:{lab.work}/pure.pdb", "-O", f"clf:{lab.log}/pureftpd.log", "-H", "-u", "100", "-g", f"{lab.work}/pure.pid"]
    with lab.serve(lab.pureftpd, *argv, port=2122):
        def curl(*argv, **more):
            lab.net.run("curl", "-sS", "-u", f"{USER}:{PASSWORD}", *argv, **more)
        far = f"ftp://{lab.at}:2122"
        a = lab.file(lab.sent, "pure tool.exe", 77_000)
        curl("-T", a, f"{far}/pure%20tool.exe")
        lab.moved("ftp", "push", "pure tool.exe", 77_000)
        lab.file(lab.share, "pure Ä.docx", 67_000)
        curl("-o", f"{lab.got}/pp.docx", f"{far}/pure%20%C3%84.docx")
        lab.moved("ftp", "pull", "pure Ä.docx", 67_000)
        curl("-T", a, f"{far}/locked/pure-no.exe", fails=True)


def smb(lab):
    own = {n: lab.folder("samba/" + n) for n in ("private", "lock", "state", "cache", "pid", "ncalrpc")}
    conf = lab.write("smb.conf", f"""
[global]
    server role = standalone server
    netbios name = {HOST}
    passdb backend = tdbsam:{own['private']}/passdb.tdb
    private dir = {own['private']}
    lock directory = {own['lock']}
    state directory = {own['state']}
    cache directory = {own['cache']}
    pid directory = {own['pid']}
    ncalrpc dir = {own['ncalrpc']}
    smb ports = 445
    load printers = no
    disable spoolss = yes
[public]
    path = {lab.share}
    read only = no
    vfs objects = full_audit
    full_audit:prefix = %u|%I|%m|%S
    full_audit:success = all
    full_audit:failure = all
    full_audit:facility = local5
    full_audit:priority = notice
[readonly]
    path = {lab.share}
    read only = yes
    vfs objects = full_audit
    full_audit:prefix = %u|%I|%m|%S
    full_audit:success = all
    full_audit:failure = all
""")
    lab.net.run("smbpasswd", "-c", conf, "-a", "-s", "root", stdin=f"{PASSWORD}\n{PASSWORD}\n", host="server")
    with lab.serve("smbd", "-F", "--no-process-group", "-s", conf, "--debug-stdout", port=445):
        def client(share, *lines, **more):
            return lab.net.run("smbclient", f"//{lab.at}/{share}", "-U", f"root%{PASSWORD}", "-m", "SMB3", "-c", "; ".join(lines), **more)
        a = lab.file(lab.sent, "smb tool.exe", 90_000)
        lab.file(lab.share, "smb plan.docx", 80_000)
        client("public", f'put "{a}" "smb tool.exe"')
        lab.moved("smb", "push", "smb tool.exe")
        client("public", f'get "smb plan.docx" "{lab.got}/smb plan.docx"')
        lab.moved("smb", "pull", "smb plan.docx")
        client("public", f'put "{a}" y.tmp', "rename y.tmp renamed.exe")
        lab.moved("smb", "push", "renamed.exe")
        client("readonly", f'put "{a}" denied.exe', fails=True)
        lab.moved("smb", "push", "denied.exe", None, "denied")


def rsync(lab):
    conf = lab.write("rsyncd.conf", f"""
use chroot = no
uid = root
gid = root
log file = {lab.log}/rsyncd.log
transfer logging = yes
[share]
path = {lab.share}
read only = no
""")
    with lab.serve("rsync", "--daemon", "--no-detach", f"--config={conf}", "--port=873", port=873):
        a = lab.file(lab.sent, "Rsync Ü.bin", 120_000)
        lab.net.run("rsync", a, f"rsync://{lab.at}/share/")
        lab.moved("rsync", "push", "Rsync Ü.bin", 120_000)
        lab.file(lab.share, "back.bin", 110_000)
        lab.net.run("rsync", f"rsync://{lab.at}/share/back.bin", lab.got)
        lab.moved("rsync", "pull", "back.bin", 110_000)


def web(lab):
    conf = lab.write("nginx.conf", f"""
daemon off; master_process off; user root; pid {lab.work}/nginx.pid;
events {{ }}
http {{
  access_log {lab.log}/access.log combined; client_body_temp_path {lab.folder('nginx')}; client_max_body_size 0;
  server {{ listen 80; root {lab.share}; dav_methods PUT DELETE MKCOL COPY MOVE; }}
}}
""")
    with lab.serve("nginx", "-c", conf, "-e", "stderr", port=80):
        lab.file(lab.share, "web tool.zip", 130_000)
        lab.net.run("curl", "-sSfI", f"http://{lab.at}/web%20tool.zip")
        lab.net.run("curl", "-sSf", "-o", f"{lab.got}/w.zip", f"http://{lab.at}/web%20tool.zip")
        lab.moved("http", "pull", "web tool.zip", 130_000)
        lab.net.run("curl", "-sSf", "-T", lab.file(lab.sent, "put.exe", 140_000), f"http://{lab.at}/put.exe")
        lab.moved("http", "push", "put.exe")


def apache(lab):
    modules = "mpm_prefork authz_core dav dav_fs".split()
    load = "\n".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so" for m in modules)
    os.makedirs(f"{lab.log}/apache2")
    conf = lab.write("apache.conf", f"""
ServerName {HOST}
ServerRoot {lab.work}
DefaultRuntimeDir {lab.work}
PidFile {lab.work}/apache.pid
Listen 8080
User nobody
Group nogroup
{load}
DavLockDB {lab.folder('dav', 0o777)}/lock
DocumentRoot {lab.share}
<Directory {lab.share}>
    Dav On
    Require all granted
</Directory>
ErrorLog {lab.work}/apache.err
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {lab.log}/apache2/access.log combined
""")
    with lab.serve("apache2", "-f", conf, "-D", "FOREGROUND", port=8080):
        far = f"http://{lab.at}:8080"
        lab.file(lab.share, "Bericht Ä.zip", 150_000)
        lab.net.run("curl", "-sSf", "-o", f"{lab.got}/b.zip", f"{far}/Bericht%20%C3%84.zip")
        lab.moved("http", "pull", "Bericht Ä.zip")
        lab.net.run("curl", "-sSf", "-T", lab.file(lab.sent, "dav.exe", 145_000), f"{far}/dav.exe")
        lab.moved("http", "push", "dav.exe")
        lab.net.run("curl", "-sS", "-T", f"{lab.sent}/dav.exe", f"{far}/locked/dav-no.exe")


def tftp(lab):
    with lab.serve("in.tftpd", "-L", "-c", "-v", "-v", "-v", "--permissive", "-u", "root", "-s", lab.share, port=69):
        lab.net.run("tftp", "-m", "binary", lab.at, "-c", "put", lab.file(lab.sent, "boot.bin", 10_000), "boot.bin")
        lab.moved("tftp", "push", "boot.bin", None, "claimed")


def scanned(binary, *paths):
    out = subprocess.run([binary, "scan", "--format", "ndjson", "--all", *paths], capture_output=True, text=True, timeout=120)
    records = [json.loads(line) for line in out.stdout.splitlines()]
    return [r for r in records if r["kind"] == "transfer"]


def shows(t, move, client):
    other = t["source"] if move.operation == "push" else t["destination"]
    return t["channel"].startswith(move.channel) and t["operation"] == move.operation and t.get("name") == move.name and \
        t["status"] == move.status and (move.size is None or t.get("size") == move.size) and other.get("ip") == client


def named(records, move):
    name = move.name.replace("donn??es", "données")  # as vsftpd logs it
    return [t for t in records if t.get("name") in (name, move.name) or move.name in t.get("earlier_names", [])]


def table(lab, alone, wire, both):
    """A row a server: what each source shows of what was moved."""
    print("\n| | Logs alone | Capture alone | Both |\n| --- | --- | --- | --- |")
    for server in dict.fromkeys(m.server for m in lab.moves):
        moves = [m for m in lab.moves if m.server == server]
        cells = []
        for records in alone, wire, both:
            found = [named(records, m) for m in moves]
            cell = f"{sum(map(bool, found))} named, {sum(any('size' in t for t in f) for f in found)} with size"
            if twice := sum(len(f) > 1 for f in found):
                cell += f", {twice} twice"
            if hidden := sum(t["completeness"] == "opaque" and t["channel"].startswith(moves[0].channel) for t in records):
                cell += f", {hidden} opaque"
            cells.append(cell)
        print(f"| {server}, {len(moves)} | {' | '.join(cells)} |")


STAMPS = [(re.compile(p), f) for p, f in (
    (r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", "%a %b %e %H:%M:%S %Y"),
    (r"^\w{3} [ \d]\d \d\d:\d\d:\d\d", "%b %e %H:%M:%S"),
    (r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d", "%Y/%m/%d %H:%M:%S"),
    (r"(?<=\[)\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d", "%d/%b/%Y:%H:%M:%S"))]


def parted(line):
    """A line as what stands before its time, the time, its form and what stands behind."""
    for pattern, form in STAMPS:
        if m := pattern.search(line):
            text, known = (m[0], form) if "%Y" in form else (f"{m[0]} {time.gmtime().tm_year}", form + " %Y")
            return line[:m.start()], datetime.datetime.strptime(text, known.replace("%e", "%d")), form, line[m.end():]
    raise ValueError("a line without a time: " + line)


def repeated(logs, out, lines):
    """Write the logs again and again, each time after the last, until there are so many lines."""
    files = {}
    for folder, _, names in os.walk(logs):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, errors="surrogateescape") as f:
                files[os.path.relpath(path, logs)] = [parted(line) for line in f]
    times = [at for rows in files.values() for _, at, _, _ in rows]
    span = max(times) - min(times) + datetime.timedelta(seconds=5)
    rounds = -(-lines // len(times))
    back = span * rounds  # the last round stands where the lab's own logs do: no time lies in the future
    for name, rows in files.items():
        os.makedirs(os.path.dirname(f"{out}/{name}"), exist_ok=True)
        with open(f"{out}/{name}", "w", errors="surrogateescape") as f:
            for n in range(rounds):
                f.writelines(a + (at - back + span * (n + 1)).strftime(form) + b for a, at, form, b in rows)
    return rounds


def measure(lab, binary, folder, lines):
    """Scan the logs of many rounds; how many movements are not there once a round."""
    rounds = repeated(f"{lab.work}/{HOST}", folder, lines)
    argv = ["taskset", "-c", "0", binary, "scan", "--format", "ndjson", "--all", folder]
    best = min(timed(*argv) for _ in range(3))
    lines = sum(open(os.path.join(f, n), "rb").read().count(b"\n") for f, _, names in os.walk(folder) for n in names)
    shown = scanned(binary, folder)
    bad = sum(sum(shows(t, m, lab.net.client_ip) for t in shown) != rounds for m in lab.moves)
    print(f"\n{lines} lines on one core: {best:.2f} s, {lines / best:.0f} lines/s; {len(shown)} movements, {rounds * len(lab.moves)} were to be shown")
    return bad + (len(shown) != rounds * len(lab.moves))


def timed(*argv):
    before = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    if done.returncode not in (0, 1):
        sys.exit(f"{argv} ended with {done.returncode}")
    return time.monotonic() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="waybill")
    parser.add_argument("--proftpd", default="proftpd")
    parser.add_argument("--pureftpd", help="left out if not given")
    parser.add_argument("--lines", type=int, default=0, help="measure a scan of the logs repeated to so many lines")
    parser.add_argument("--keep", help="folder to work in, which stays")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        work = args.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="waybill-unixlogs-", dir="/var/tmp"))
        os.makedirs(work, exist_ok=True)
        lab = Lab(work, args.proftpd, args.pureftpd)
        stack.callback(lab.net.close)
        if not lab.net.namespaces:
            sys.exit("needs network namespaces: on loopback nothing moves between hosts")
        with lab.net.capture(f"{work}/all.pcap"):
            for lab.server, group in GROUPS.items():
                group(lab)
        bad = scored(lab, args.binary, f"{work}/{HOST}", f"{work}/all.pcap")
        if args.lines:
            bad += measure(lab, args.binary, f"{work}/long/{HOST}", args.lines)
        sys.exit(1 if bad else 0)


GROUPS = {"sshd": ssh, "vsftpd": ftp, "ProFTPD": pro, "pure-ftpd": pure, "smbd": smb, "rsyncd": rsync, "nginx": web, "Apache": apache, "tftpd": tftp}


def scored(lab, binary, logs, capture):
    """Compare what was moved with what the logs, the capture and both show; how much is wrong."""
    bad = 0
    alone, wire, both = scanned(binary, logs), scanned(binary, capture), scanned(binary, logs, capture)
    for m in lab.moves:
        found = [t for t in alone if shows(t, m, lab.net.client_ip)]
        bad += len(found) != 1
        print("  ".join([f"{m.server:9} {m.operation:4} {m.name:18}", f"logs {len(found)}", f"capture {len(named(wire, m))}",
                         f"both {len(named(both, m))}: {', '.join(t['completeness'] for t in named(both, m))}"]))
    extra = [t for t in alone if not any(shows(t, m, lab.net.client_ip) for m in lab.moves)]
    for t in extra:
        print("made up:", json.dumps(t)[:600])
    table(lab, alone, wire, both)
    return bad + len(extra)


main()
