#!/usr/bin/env python3
"""Copies files through Remote Desktop sessions, captures that, and checks what waybill says.

Run as root on Debian 12 with

    apt-get install --no-install-recommends xrdp tigervnc-standalone-server freerdp2-x11 freerdp2-shadow-x11 \\
        rdesktop xvfb xterm xclip fuse tcpdump ethtool iproute2 python3

Servers are xrdp, with its own channel server on an Xvnc desktop, and FreeRDP's
shadow server; clients are rdesktop (redirected drives) and xfreerdp (clipboard,
graphics channel). xfreerdp 2.11 does not announce drives to xrdp 0.9.21, whose
messages come in another order than it expects (xrdp issue 2971).

All runs in namespaces of its own (network, mounts, processes), which end with
the program. In go programs of Debian's packages; out comes a table, and exit
code 1 when a row of it is not right.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

DESK, SEAT = ":10", ":11"  # displays of server and client
PORT = "3389"
HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class File:
    name: str
    size: int

    @property
    def data(self):
        return random.Random(self.name).randbytes(self.size)

    def put(self, folder):
        with open(os.path.join(folder, self.name), "wb") as f:
            f.write(self.data)

    def same(self, path):
        with contextlib.suppress(OSError), open(path, "rb") as f:
            return f.read() == self.data
        return False


@dataclass
class Step:
    """One thing done in a session. way is "push" or "pull" as waybill must say it."""
    do: str
    file: File = None
    way: str = ""


# The server asks for each byte of a drive: what it reads it pulls, what it writes it pushes.
def read(f): return Step("read", f, "pull")
def written(f): return Step("written", f, "push")
def pasted(f): return Step("pasted", f, "push")
def screens(): return Step("screens")
def blinks(): return Step("blinks")


class Failed(Exception):
    """A program of the lab, not waybill, did not do its part."""


class Session:
    """A desktop, a server, and a client that sees it, with their folders."""

    def __init__(self, work, row):
        self.work, self.row = work, row
        self.home, self.share, self.local = (self.folder(n) for n in ("home", "share", "local"))
        self.env = {**os.environ, "HOME": self.home}
        self.processes = []

    def folder(self, name):
        path = os.path.join(self.work, name)
        os.makedirs(path)
        return path

    def start(self, display, *argv, stdin=subprocess.DEVNULL):
        log = open(os.path.join(self.work, os.path.basename(argv[0]) + ".log"), "ab")
        p = subprocess.Popen(argv, env={**self.env, "DISPLAY": display}, cwd=self.work, stdin=stdin, stdout=log, stderr=log)
        self.processes.append(p)
        return p

    def run(self, display, *argv, text=None):
        try:
            return subprocess.run(argv, env={**self.env, "DISPLAY": display}, input=text, text=True, capture_output=True, timeout=20).stdout
        except subprocess.TimeoutExpired as e:
            raise Failed(f"{argv[0]} did not end") from e

    def end(self):
        for p in reversed(self.processes):
            p.terminate()
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def xrdp(self):
        settings = []
        changed = {"port": PORT, "security_layer": self.row.security, "crypt_level": self.row.crypt, "EnableSyslog": "false",
                   "LogFile": os.path.join(self.work, "xrdp.log"), "autorun": "lab"}
        with open("/etc/xrdp/xrdp.ini") as f:
            lines = f.read().split("[Xorg]")[0].splitlines()
        for line in lines:
            key = line.split("=")[0]
            settings.append(f"{key}={changed[key]}" if key in changed else line)
        settings += ["[lab]", "name=lab", "lib=libvnc.so", "username=na", "password=na", "ip=127.0.0.1", "port=5910", "chansrvport=DISPLAY(10)"]
        ini = os.path.join(self.work, "xrdp.ini")
        with open(ini, "w") as f:
            f.write("\n".join(settings) + "\n")
        self.start(DESK, "Xvnc", DESK, "-SecurityTypes", "None", "-geometry", "1024x768", "-depth", "24", "-localhost")
        time.sleep(1)
        os.makedirs("/tmp/.xrdp", exist_ok=True)
        self.start(DESK, "xrdp-chansrv")
        self.start(DESK, "xrdp", "--nodaemon", "--config", ini)

    def shadow(self):
        self.start(DESK, "Xvfb", DESK, "-screen", "0", "1024x768x24")
        time.sleep(1)
        self.start(DESK, "freerdp-shadow-cli", "/port:" + PORT, "/sec:" + self.row.security, "-auth")

    def connect(self):
        """Start server and client, and wait until the session is there."""
        getattr(self, self.row.server)()
        self.start(SEAT, "Xvfb", SEAT, "-screen", "0", "1280x1024x24")
        time.sleep(1.5)
        argv = self.row.client.replace("SHARE", self.share).split()
        answers = None
        if argv[0] == "rdesktop":  # it asks whether the server's certificate is to be trusted
            answers = subprocess.Popen(["yes", "yes"], stdout=subprocess.PIPE)
            self.processes.append(answers)
        self.start(SEAT, *argv, stdin=answers.stdout if answers else subprocess.DEVNULL)
        drive = os.path.join(self.home, "thinclient_drives", "share")
        for _ in range(40):
            time.sleep(0.25)
            if "disk:" not in self.row.client and _ >= 16 or os.path.isdir(drive):
                return
        raise Failed("no redirected drive came up")

    def copy(self, source, target, f):
        self.run(DESK, "cp", source, target)
        for _ in range(20):  # the client writes behind
            if f.same(target if not target.startswith(self.home) else os.path.join(self.share, f.name)):
                return
            time.sleep(0.1)
        raise Failed(f"{f.name} did not arrive as it was sent")

    def step(self, s):
        drive = os.path.join(self.home, "thinclient_drives", "share")
        if s.do == "read":
            s.file.put(self.share)
            self.copy(os.path.join(drive, s.file.name), os.path.join(self.local, s.file.name), s.file)
        elif s.do == "written":
            s.file.put(self.local)
            self.copy(os.path.join(self.local, s.file.name), os.path.join(drive, s.file.name), s.file)
        elif s.do == "pasted":
            s.file.put(self.share)
            p = self.start(SEAT, "xclip", "-selection", "clipboard", "-t", "text/uri-list", "-i", stdin=subprocess.PIPE)
            p.stdin.write(f"file://{self.share}/{s.file.name}\r\n".encode())
            p.stdin.close()
            time.sleep(2)
            uri = self.run(DESK, "xclip", "-selection", "clipboard", "-o", "-t", "text/uri-list").strip()
            self.copy(uri.removeprefix("file://"), os.path.join(self.local, s.file.name), s.file)
        else:
            noise = os.path.join(self.work, "noise")
            with open(noise, "w") as f:
                f.write("".join(random.Random(i).randbytes(60).hex() + "\n" for i in range(3000)))
            self.run(DESK, "timeout", "8", "xterm", "-geometry", "120x50", "-e", "sh", "-c", SHOWS[s.do].replace("NOISE", noise))


# What a terminal shows: text that scrolls, frame by frame; two pages in turn, which
# come again in the same sizes.
SHOWS = {
    "screens": "for i in $(seq 150); do sed -n $((i*15)),$((i*15+49))p NOISE; sleep 0.03; done",
    "blinks": "for i in $(seq 75); do clear; head -n 49 NOISE; sleep 0.05; clear; tail -n 49 NOISE; sleep 0.05; done",
}


@dataclass
class Row:
    title: str
    server: str
    security: str
    crypt: str
    client: str
    steps: list
    clear: bool = False

    def wanted(self):
        """What an encrypted session must show: the volume of each direction."""
        out = {}
        for s in self.steps:
            if s.file:  # told by bytes, not by who asks
                way = "push" if s.do in ("read", "pasted") else "pull"
                out[way] = out.get(way, 0) + s.file.size
        return out

    def compare(self, transfers):
        return self.compare_files(transfers) if self.clear else self.compare_volumes(transfers)

    def compare_files(self, transfers):
        wrong = []
        for s in self.steps:
            if not s.file:
                continue
            fits = [t for t in transfers if t.get("name") == s.file.name and t["operation"] == s.way]
            if not fits:
                wrong.append(f"{s.file.name}: not found")
                continue
            transfers.remove(fits[0])
            if fits[0].get("sha256") != hashlib.sha256(s.file.data).hexdigest():
                wrong.append(f"{s.file.name}: {fits[0]['completeness']}, {fits[0].get('reason', 'another content')}")
        return wrong + [f"{t.get('name', 'opaque')}: never sent" for t in transfers], "whole, SHA-256 right"

    def compare_volumes(self, transfers):
        wrong, figures = [], []
        found = {t["operation"]: t["estimate"] for t in transfers if t["estimate"]["low"] > 0}
        for way, size in self.wanted().items():
            e = found.pop(way, None)
            if e is None:
                wrong.append(f"{way} of {size} bytes: not found")
                continue
            figures.append(f"{way} estimated {100 * (e['size'] - size) / size:+.2f} % off")
            if not e["low"] <= size <= e["high"]:
                wrong.append(f"{way} of {size} bytes: {e}")
        return wrong + [f"{way} of {e['size']} bytes: none was" for way, e in found.items()], "; ".join(figures) or "no copy, as is right"


DRIVES = "rdesktop -u anna -p na -r clipboard:off -r disk:share=SHARE {} 127.0.0.1"
CLIPBOARD = "xfreerdp /v:127.0.0.1 /u:anna /p:na /cert-ignore +clipboard {}"
SMALL, ODD, EVEN, BIG = File("notes.txt", 3000), File("tool.exe", 300_001), File("even.bin", 4 * 131072), File("archive.zip", 5_000_000)
SENT, GOT = File("sent.bin", 3_000_000), File("got.bin", 2_000_000)


def rows():
    files = [read(ODD), written(EVEN), read(SMALL), written(BIG), screens(), read(File("even2.bin", EVEN.size)), written(File("s.txt", 3000))]
    yield Row("xrdp, no encryption, drive", "xrdp", "rdp", "none", DRIVES.format("-e -o sec=rdp"), files, clear=True)
    yield Row("xrdp, no encryption, drive, compression asked for", "xrdp", "rdp", "none", DRIVES.format("-e -z -o sec=rdp"), [read(ODD), screens(), written(EVEN)], clear=True)
    yield Row("xrdp, no encryption, clipboard to the server", "xrdp", "rdp", "none", CLIPBOARD.format("/sec:rdp"), [screens(), pasted(ODD), pasted(BIG)], clear=True)
    yield Row("xrdp, TLS, drive both ways and screens", "xrdp", "tls", "high", DRIVES.format("-o sec=tls"), [screens(), read(SENT), written(GOT), screens()])
    yield Row("xrdp, TLS, drive, to the client only", "xrdp", "tls", "high", DRIVES.format("-o sec=tls"), [screens(), written(BIG)])
    yield Row("xrdp, TLS, drive, to the server only", "xrdp", "tls", "high", DRIVES.format("-o sec=tls"), [screens(), read(BIG)])
    yield Row("xrdp, TLS 1.2, drive both ways", "xrdp", "tls", "high", DRIVES.format("-V 1.2 -o sec=tls"), [read(SENT), written(GOT)])
    yield Row("xrdp, TLS, screens only", "xrdp", "tls", "high", DRIVES.format("-o sec=tls"), [screens(), blinks()])
    yield Row("xrdp, TLS, screens only, 32 bits", "xrdp", "tls", "high", CLIPBOARD.format("/sec:tls /bpp:32 /network:lan"), [screens(), blinks()])
    yield Row("xrdp, TLS, clipboard to the server", "xrdp", "tls", "high", CLIPBOARD.format("/sec:tls"), [screens(), pasted(BIG)])
    for level in "low", "medium", "high":
        yield Row(f"xrdp, standard security {level}, drive both ways", "xrdp", "rdp", level, (DRIVES.format("-o sec=rdp")), [screens(), read(SENT), written(GOT)])
    yield Row("xrdp, standard security fips, clipboard to the server", "xrdp", "rdp", "fips", CLIPBOARD.format("/sec:rdp"), [screens(), pasted(SENT)])
    yield Row("xrdp, standard security high, screens only", "xrdp", "rdp", "high", DRIVES.format("-o sec=rdp"), [screens()])
    for mode in "/gfx:RFX", "/gfx:AVC420", "/gfx:AVC444", "/rfx", "/bpp:16":
        yield Row(f"FreeRDP shadow, TLS, screens {mode}", "shadow", "tls", "", CLIPBOARD.format("/sec:tls " + mode), [screens(), blinks()])


def scan(binary, capture):
    out = subprocess.run([binary, "scan", capture, "--all", "--only", "transfer", "--format", "ndjson"], capture_output=True, text=True, timeout=120)
    if out.returncode not in (0, 3):
        return None, out.stderr.strip()
    return [t for t in map(json.loads, out.stdout.splitlines()) if t["channel"] == "rdp"], ""


def settle(capture):
    """Wait until the capture holds what was sent: it may lag behind on a busy machine."""
    size = -1
    for _ in range(20):
        time.sleep(0.7)
        if size == (size := os.path.getsize(capture)):
            return


def play(row, work, binary):
    """One row: (what is wrong, figures)."""
    os.makedirs(work)
    session, capture = Session(work, row), os.path.join(work, "wire.pcap")
    try:
        tcpdump = subprocess.Popen(["tcpdump", "-i", "lo", "-B", "16384", "-s", "0", "-U", "-Z", "root", "-w", capture, "tcp", "port", PORT], stderr=subprocess.PIPE, text=True)
        session.connect()
        for s in row.steps:
            session.step(s)
            time.sleep(0.3)
    except Failed as e:
        return [f"not run: {e}"], ""
    finally:
        session.end()
        settle(capture)
        tcpdump.terminate()
        said = tcpdump.communicate(timeout=10)[1]
        subprocess.run(["umount", "-l", os.path.join(session.home, "thinclient_drives")], capture_output=True)
    if "\n0 packets dropped by kernel" not in said:
        return ["not run: packets were not captured"], ""
    transfers, error = scan(binary, capture)
    return ([error], "") if transfers is None else row.compare(transfers)


def inside(options):
    """What runs in the namespaces."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    os.makedirs("/run/xrdp")
    subprocess.run(["mount", "--bind", options.work, "/mnt"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=True)
    os.makedirs("/tmp/.X11-unix", mode=0o1777)
    for argv in (["ip", "link", "set", "lo", "mtu", "1500", "up"], ["ethtool", "-K", "lo", "tso", "off", "gso", "off", "gro", "off"]):
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    lines, bad = [], 0
    for n, row in enumerate(rows()):
        if options.only.lower() not in row.title.lower():
            continue
        wrong, figures = play(row, f"/mnt/{n:02d}", "/mnt/waybill")
        bad += bool(wrong)
        lines.append(f"| {row.title} | {'WRONG: ' + '; '.join(wrong) if wrong else figures} |")
        print(lines[-1], flush=True)
    return int(bad > 0)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--waybill", help="the binary to check (default: built from this tree)")
    a.add_argument("--only", default="", help="only rows whose title holds this text")
    a.add_argument("--keep", metavar="DIR", help="work there and leave captures and logs")
    a.add_argument("--work", help=argparse.SUPPRESS)
    options = a.parse_args()
    if options.work:
        sys.exit(inside(options))
    if os.geteuid():
        sys.exit("rdp: has to run as root: it makes namespaces and captures")
    with contextlib.ExitStack() as stack:
        work = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="waybill-rdp-"))
        os.makedirs(work, exist_ok=True)
        binary = os.path.join(work, "waybill")
        if options.waybill:
            subprocess.run(["cp", options.waybill, binary], check=True)
        else:
            subprocess.run(["go", "build", "-o", binary, "./cmd/waybill"], cwd=os.path.join(HERE, "..", ".."), check=True, env={**os.environ, "CGO_ENABLED": "0"})
        print("| session | result |\n| --- | --- |", flush=True)
        sys.exit(subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable,
                                 os.path.abspath(__file__), "--work", os.path.abspath(work), "--only", options.only], timeout=1200).returncode)


if __name__ == "__main__":
    main()
