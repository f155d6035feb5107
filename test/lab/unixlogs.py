#!/usr/bin/env python3
"""Moves files with real Unix servers that log, and checks what waybill says of their logs.

Run as root on Debian; packages: openssh-server, openssh-client, vsftpd, samba,
smbclient, rsync, nginx-light, tftpd-hpa, tftp-hpa, curl, iproute2, tcpdump. In go
programs of these packages; out comes a table of the logs alone, the capture alone
and both together, and exit code 1 when a movement is missing or one is made up. It
changes nothing outside its own folder and its own namespaces.
"""

import argparse
import contextlib
import json
import os
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
    def __init__(self, work):
        self.work = work
        self.log = f"{work}/{HOST}/var/log"
        os.makedirs(self.log)
        self.net = network.Network(work)
        self.logs = Logs(work)
        self.at = self.net.server_ip
        self.share, self.sent, self.got = (self.folder(n, 0o777) for n in ("share", "sent", "got"))
        self.moves = []  # channel, operation, name, size or None, status
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
        self.moves.append((channel, operation, name, size, status))
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


def tftp(lab):
    with lab.serve("in.tftpd", "-L", "-c", "-v", "-v", "-v", "--permissive", "-u", "root", "-s", lab.share, port=69):
        lab.net.run("tftp", "-m", "binary", lab.at, "-c", "put", lab.file(lab.sent, "boot.bin", 10_000), "boot.bin")
        lab.moved("tftp", "push", "boot.bin", None, "claimed")


def scanned(binary, *paths):
    out = subprocess.run([binary, "scan", "--format", "ndjson", "--all", *paths], capture_output=True, text=True, timeout=120)
    records = [json.loads(line) for line in out.stdout.splitlines()]
    return [r for r in records if r["kind"] == "transfer"]


def shows(t, move, client):
    channel, operation, name, size, status = move
    other = t["source"] if operation == "push" else t["destination"]
    return t["channel"].startswith(channel) and t["operation"] == operation and t.get("name") == name and t["status"] == status and \
        (size is None or t.get("size") == size) and other.get("ip") == client


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="waybill")
    parser.add_argument("--keep", help="folder to work in, which stays")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        work = args.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="waybill-unixlogs-", dir="/var/tmp"))
        os.makedirs(work, exist_ok=True)
        lab = Lab(work)
        stack.callback(lab.net.close)
        if not lab.net.namespaces:
            sys.exit("needs network namespaces: on loopback nothing moves between hosts")
        with lab.net.capture(f"{work}/all.pcap"):
            for group in ssh, ftp, smb, rsync, web, tftp:
                group(lab)
        bad = 0
        logs, capture = f"{work}/{HOST}", f"{work}/all.pcap"
        alone, wire, both = scanned(args.binary, logs), scanned(args.binary, capture), scanned(args.binary, logs, capture)
        for m in lab.moves:
            found = [t for t in alone if shows(t, m, lab.net.client_ip)]
            bad += len(found) != 1
            name = m[2].replace("donn??es", "données")  # as vsftpd logs it
            named = [t for t in both if t.get("name") in (name, m[2]) or m[2] in t.get("earlier_names", [])]
            print("  ".join([f"{m[0]:5} {m[1]:4} {m[2]:18}", f"logs {len(found)}", f"capture {sum(t.get('name') == name for t in wire)}",
                             f"both {len(named)}: {', '.join(t['completeness'] for t in named)}"]))
        extra = [t for t in alone if not any(shows(t, m, lab.net.client_ip) for m in lab.moves)]
        for t in extra:
            print("made up:", json.dumps(t)[:600])
        sys.exit(1 if bad or extra else 0)


main()
