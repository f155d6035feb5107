#!/usr/bin/env python3
"""Moves files with real programs, captures that, and checks what waybill says of the capture.

Run as root on Debian; see README.md beside it. In go programs of Debian's
packages; out comes a table, and exit code 1 when a row of it is not right. It
installs nothing unless asked to with --install, and changes nothing outside its
own folder and its own network namespaces.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import groups
import network
import scoring

PACKAGES = {
    "iproute2": "ip", "tcpdump": "tcpdump", "ethtool": "ethtool", "python3": "/usr/bin/python3", "openssl": "openssl",
    "samba": "smbd", "smbclient": "smbclient", "python3-impacket": "/usr/share/doc/python3-impacket/examples/smbclient.py",
    "nfs-ganesha": "ganesha.nfsd", "nfs-ganesha-vfs": "/usr/lib/*/ganesha/libfsalvfs.so",
    "nfs-ganesha-proxy-v4": "/usr/lib/*/ganesha/libfsalproxy_v4.so", "libnfs-utils": "nfs-cp", "rpcbind": "rpcbind",
    "openssh-server": "sshd", "openssh-client": "ssh", "dropbear-bin": "dropbear", "putty-tools": "pscp", "sshpass": "sshpass",
    "rsync": "rsync", "tftpd-hpa": "in.tftpd", "tftp-hpa": "tftp", "atftp": "atftp",
    "vsftpd": "vsftpd", "python3-pyftpdlib": "/usr/lib/python3/dist-packages/pyftpdlib", "lftp": "lftp", "tnftp": "tnftp",
    "nginx-light": "nginx", "curl": "curl", "wget": "wget", "netcat-openbsd": "nc.openbsd", "ncat": "ncat", "socat": "socat",
    "wireguard-go": "wireguard-go", "wireguard-tools": "wg", "openvpn": "openvpn",
}


class Lab:
    """What the groups work with: the two hosts, the files, and the rows so far."""

    def __init__(self, work, binary, only):
        self.work, self.binary, self.only = work, binary, only
        self.net = network.Network(work)
        self.rows = []
        self.offload = True
        self.sent, self.share, self.got = (self.folder(n) for n in ("sent", "share", "got"))
        self.files = make_files(self.sent)

    def folder(self, name):
        path = os.path.join(self.work, name)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def pick(self, *names):
        return [f for f in self.files if f.name in names] if names else list(self.files)

    def fresh(self, files=()):
        """Empty both ends; the server's end then holds the files."""
        for folder in self.share, self.got:
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        for f in files:
            shutil.copyfile(f.path, os.path.join(self.share, f.name))

    def row(self, program, exchange, do, expect, flags=(), arrive=None):
        """Run one exchange, scan its capture, and note how that compares.

        arrive is a folder where the moved files must be afterwards, so that a program
        that failed is not taken for a fault of waybill.
        """
        title = f"{program}: {exchange}" + ("" if self.offload else ", small segments")
        if self.only and self.only.lower() not in title.lower():
            return
        capture = os.path.join(self.folder("captures"), f"{len(self.rows):03d}.pcap")
        try:
            with self.net.capture(capture):
                do()
            self.arrived(arrive, expect)
            wrong = scoring.faults(self.scan(capture, flags), expect, self.net)
        except network.Failed as e:
            wrong = [f"not run: {e}"]
        self.rows.append((program, exchange, self.offload, expect, wrong, os.path.basename(capture)))
        print(("ok    " if not wrong else "WRONG ") + title + f" [{os.path.basename(capture)}]", file=sys.stderr)
        for w in wrong:
            print("      " + w, file=sys.stderr)

    def arrived(self, folder, expect):
        for e in expect if folder else ():
            self.same(os.path.join(folder, getattr(e, "name", "") or e.file.name), e.file)

    @staticmethod
    def same(path, file):
        """Check that a file came as it was sent."""
        try:
            with open(path, "rb") as f:
                same = f.read() == file.data
        except OSError as fault:
            raise network.Failed(f"did not arrive: {fault}") from None
        if not same:
            raise network.Failed(f"{file.name} arrived with other content")

    def scan(self, capture, flags):
        records = []
        for kinds in ["transfer,coverage", "access"]:
            p = subprocess.run([self.binary, "scan", "--format", "ndjson", "--quiet", "--only", kinds, *flags, capture],
                               capture_output=True, text=True, timeout=120)
            if p.returncode:
                raise network.Failed(f"waybill: exit {p.returncode}: {p.stderr}")
            records += [json.loads(line) for line in p.stdout.splitlines()]
        return records


def make_files(folder):
    """The files that are sent: all sizes, random and text, odd names."""
    r = random.Random(1570)
    words = [w.encode() for w in "the bytes decide the direction of every file that moved between two hosts".split()]
    text = lambda n: b" ".join(r.choice(words) for _ in range(n // 4))[:n]
    contents = {
        "empty.bin": b"", "one.bin": b"\x00", "kilo.bin": r.randbytes(1000), "kilo.txt": text(1000),
        "hundred.bin": r.randbytes(100_000), "hundred.txt": text(100_000), "mega.bin": r.randbytes(1_000_000),
        "mega.txt": text(1_000_000), "twenty.bin": r.randbytes(20_000_000), "twenty.txt": text(20_000_000),
        "two words & (more).txt": text(3000), "naïve файл.dat": r.randbytes(5000), "it's;odd#100%.bin": r.randbytes(4097),
    }
    files = []
    for name, data in contents.items():
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(data)
        files.append(scoring.File(path, name, data))
    return files


def missing():
    """The packages whose program is not there."""
    import glob
    there = lambda what: glob.glob(what) if "/" in what else shutil.which(what)
    return [p for p, what in PACKAGES.items() if not there(what)]


def versions():
    p = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *PACKAGES], capture_output=True, text=True)
    return ", ".join(sorted(p.stdout.split("\n"))[1:])


def table(rows):
    """The table as Markdown: a line for what one program did with one result, both kinds of segments in it."""
    runs = {}
    for program, exchange, _, expect, wrong, _ in rows:
        runs.setdefault((program, exchange), []).append((expect, wrong))
    alike = {}
    for (program, exchange), both in runs.items():
        alike.setdefault((program, moved(both[0][0]), result(both)), []).append(exchange)
    lines = ["| program | exchanges | moved | result |", "| --- | --- | --- | --- |"]
    return "\n".join(lines + [f"| {program} | {'; '.join(exchanges)} | {what} | {how} |" for (program, what, how), exchanges in alike.items()])


def moved(expect):
    files = [e for e in expect if not isinstance(e, scoring.Session)]
    if not files:
        return "nothing"
    sizes = sorted(e.file.size if isinstance(e, scoring.Move) else e.size for e in files)
    count = f"{len(files)} files, " if len(files) > 1 else ""
    return count + (f"{sizes[0]:,} to {sizes[-1]:,} B" if len(files) > 1 else f"{sizes[0]:,} B")


def result(runs):
    wrong = [w for _, ws in runs for w in ws]
    if wrong:
        return "**wrong**: " + "; ".join(dict.fromkeys(wrong)).replace("|", "\\|")[:300]
    expected = [e for es, _ in runs for e in es]
    parts = list(dict.fromkeys(e.verdict for e in expected))
    sealed = [abs(e.error) for e in expected if isinstance(e, scoring.Sealed) and e.within]
    if sealed:
        parts.append(f"estimate within {100 * max(sealed):.1f} %")
    return ", ".join(parts)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--waybill", help="the binary to check (default: built from this tree)")
    a.add_argument("--install", action="store_true", help="install missing packages with apt-get")
    a.add_argument("--groups", default=",".join(groups.ALL), help="what to run (default: %(default)s)")
    a.add_argument("--only", default="", help="only rows whose title holds this text")
    a.add_argument("--segments", choices=["large", "small", "both"], default="both",
                   help="whether the cards cut segments, so that captures show up to 64 KiB at once")
    a.add_argument("--keep", metavar="DIR", help="work there and leave captures and logs")
    a.add_argument("-o", "--output", help="write the table there too")
    options = a.parse_args()
    if os.geteuid():
        sys.exit("lab: has to run as root: it makes network namespaces and captures")
    if lack := missing():
        if not options.install:
            sys.exit(f"lab: packages missing: {' '.join(lack)} (apt-get install --no-install-recommends, or --install)")
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *lack], check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # what was started is ended
    sys.exit(run(options))


def run(options):
    with contextlib.ExitStack() as stack:
        work = options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="waybill-lab-"))
        os.makedirs(work, exist_ok=True)
        os.chmod(work, 0o755)
        binary = options.waybill or build(work)
        lab = Lab(os.path.abspath(work), os.path.abspath(binary), options.only)
        stack.callback(lab.net.close)
        for offload in {"large": [True], "small": [False], "both": [True, False]}[options.segments]:
            lab.offload = offload
            lab.net.segments(offload)
            for name in options.groups.split(","):
                try:
                    groups.ALL[name](lab)
                except network.Failed as e:
                    lab.rows.append((name, "server", offload, [], [f"not run: {e}"], ""))
                    print(f"WRONG {name}: {e}", file=sys.stderr)
        text = table(lab.rows) + f"\n\nWith {versions()}.\n"
        print(text)
        if options.output:
            with open(options.output, "w") as f:
                f.write(text)
        return int(any(wrong for *_, wrong, _ in lab.rows))


def build(work):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    binary = os.path.join(work, "waybill")
    subprocess.run(["go", "build", "-o", binary, "./cmd/waybill"], cwd=root, check=True, env={**os.environ, "CGO_ENABLED": "0"})
    return binary


if __name__ == "__main__":
    main()
