"""Two hosts for the lab: network namespaces joined by a pair of virtual cards.

In goes nothing; out come processes of either host and captures of the wire
between them. Where namespaces are not allowed both hosts are the loopback.
Only what was started here is ended, each process by its own group.
"""

import contextlib
import os
import signal
import subprocess
import time

CLIENT, SERVER = "client", "server"
CLIENT_IP, SERVER_IP = "10.77.0.1", "10.77.0.2"


class Failed(Exception):
    """A program of the lab, not waybill, did not do its part."""


class Network:
    def __init__(self, work):
        self.work = work
        self.names = {host: f"waybill-{host}-{os.getpid()}" for host in (CLIENT, SERVER)}
        self.namespaces = self._join()
        self.client_ip, self.server_ip = (CLIENT_IP, SERVER_IP) if self.namespaces else ("127.0.0.1", "127.0.0.1")
        self.card = "wb0" if self.namespaces else "lo"
        self.snap = 66_000

    def _join(self):
        """Make the namespaces; False where that is not allowed."""
        client, server = self.names.values()
        steps = [f"netns add {client}", f"netns add {server}", f"-n {client} link add wb0 type veth peer name wb0 netns {server}"]
        for name, ip in (client, CLIENT_IP), (server, SERVER_IP):
            steps += [f"-n {name} addr add {ip}/24 dev wb0", f"-n {name} link set wb0 up", f"-n {name} link set lo up"]
        return all(subprocess.run(["ip", *s.split()], capture_output=True).returncode == 0 for s in steps)

    def close(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def segments(self, offload):
        """Let the cards cut segments (captures then show up to 64 KiB at once), or the kernel."""
        word = "on" if offload else "off"
        self.snap = 66_000 if offload or not self.namespaces else 2_000
        for name in (CLIENT, SERVER) if self.namespaces else ():
            subprocess.run(self.inside(name, ["ethtool", "-K", self.card, "tso", word, "gso", word, "gro", word]),
                           check=True, capture_output=True)

    @contextlib.contextmanager
    def bad_path(self):
        """Packets of 600 bytes, 20 Mbit/s, and losses where the queue runs over."""
        if not self.namespaces:
            raise Failed("needs network namespaces")
        def both(word):
            for name in CLIENT, SERVER:
                subprocess.run(self.inside(name, ["sh", "-c", word]), check=True, capture_output=True)
        both("ip link set wb0 mtu 600; tc qdisc add dev wb0 root tbf rate 20mbit burst 8kb limit 30kb")
        try:
            yield
        finally:
            both("tc qdisc del dev wb0 root; ip link set wb0 mtu 1500")

    def inside(self, host, argv):
        return ["ip", "netns", "exec", self.names[host], *argv] if self.namespaces else list(argv)

    def start(self, host, argv, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        return subprocess.Popen(self.inside(host, [str(a) for a in argv]), start_new_session=True, **options)

    def run(self, *argv, host=CLIENT, timeout=90, fails=False, stdin=None, **options):
        """Run a program to its end and give what it printed."""
        options.setdefault("stdout", subprocess.PIPE)
        p = self.start(host, argv, stdin=subprocess.PIPE if isinstance(stdin, str) else stdin or subprocess.DEVNULL, **options)
        try:
            out, _ = p.communicate(stdin.encode() if isinstance(stdin, str) else None, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{argv[0]} took more than {timeout} s") from None
        finally:
            stop(p)
        text = (out or b"").decode(errors="replace")
        if p.returncode != 0 and not fails:
            raise Failed(f"{' '.join(map(str, argv))}: exit {p.returncode}: {text[-600:]}")
        return text

    @contextlib.contextmanager
    def serve(self, *argv, port=0, host=SERVER, ready=None, **options):
        """Run a server for as long as the block runs, from when its port is open."""
        log = open(os.path.join(self.work, os.path.basename(str(argv[0])) + ".out"), "ab")
        p = self.start(host, argv, stdout=log, **options)
        try:
            self._await(p, port, host, ready)
            yield p
        finally:
            stop(p)
            log.close()

    def _await(self, p, port, host, ready):
        for _ in range(200):
            if p.poll() is not None:
                raise Failed(f"{p.args} ended with {p.returncode}; see {self.work}")
            if ready() if ready else self._listens(port, host):
                return
            time.sleep(0.05)
        raise Failed(f"{p.args} does not listen on port {port}")

    def _listens(self, port, host):
        """Whether a TCP or UDP port is open, without a packet to it."""
        tables = subprocess.run(self.inside(host, ["cat", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"]),
                                capture_output=True, text=True).stdout
        for line in tables.splitlines():
            field = line.split()
            if field[1].endswith(f":{port:04X}") and field[3] in ("0A", "07"):
                return True
        return False

    @contextlib.contextmanager
    def capture(self, path):
        """Capture what passes on the client's card while the block runs."""
        # Each slot of the ring takes the snap length, so it is no longer than a segment can be.
        argv = ["tcpdump", "-i", self.card, "-s", str(self.snap), "-B", "262144", "--immediate-mode", "-U", "-Z", "root", "-w", path]
        p = self.start(CLIENT, argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            if b"listening on" not in p.stderr.readline():
                raise Failed("tcpdump does not capture")
            yield
            settle(path)
        finally:
            p.send_signal(signal.SIGINT)
            _, said = p.communicate(timeout=20)
        if b"\n0 packets dropped by kernel" not in b"\n" + said:
            raise Failed("tcpdump dropped packets: " + said.decode())


def settle(path):
    """Wait until nothing more comes: the last acknowledgements, and what tcpdump has not written yet."""
    before = -1
    for _ in range(40):
        time.sleep(0.4)
        if (now := os.path.getsize(path)) == before:
            return
        before = now


def stop(p):
    """End a process that was started here, with its children."""
    for word in signal.SIGTERM, signal.SIGKILL:
        try:
            os.killpg(p.pid, word)
            p.wait(timeout=5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
