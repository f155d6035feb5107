"""Tunnels: a file that netcat carries through WireGuard and OpenVPN."""

import contextlib
import os

from network import CLIENT, SERVER
from scoring import Sealed

NEAR, FAR = "10.76.0.1", "10.76.0.2"  # the tunnel's ends


def rows(lab):
    mega = lab.pick("mega.bin")[0]

    def row(program, exchange, tunnel, channel, dialect):
        lab.fresh()

        def do():
            with tunnel():
                with lab.net.serve("sh", "-c", f"exec nc.openbsd -l 4444 > {lab.share}/{mega.name}", port=4444) as p:
                    lab.net.run("sh", "-c", f"nc.openbsd -N {FAR} 4444 < {mega.path}")
                    p.wait(10)
            lab.same(f"{lab.share}/{mega.name}", mega)

        # The kernel inside sends some again, more in some runs than in others: no bound on the point.
        lab.row(program, exchange, do, [Sealed(mega.size, "push", channel, within=0, fields={"session.dialect": dialect})])

    if not lab.net.namespaces:
        return  # both ends of a tunnel in one place are none
    row("wireguard-go", "a file through the tunnel", lambda: wireguard(lab), "udp", "WireGuard")
    row("openvpn", "a file through the tunnel, UDP", lambda: openvpn(lab, "udp"), "udp", "OpenVPN")
    row("openvpn", "a file through the tunnel, TCP", lambda: openvpn(lab, "tcp"), "tcp", "OpenVPN")
    row("openvpn", "a file through the tunnel, tls-crypt", lambda: openvpn(lab, "udp", "--tls-crypt", shared(lab)), "udp", "unknown")


@contextlib.contextmanager
def wireguard(lab):
    """A tunnel between both hosts, by the program that needs no kernel module."""
    run, net = lab.net.run, lab.net
    keys = {}
    for host in CLIENT, SERVER:
        private = run("wg", "genkey").strip()
        lab.write(host + ".key", private)
        keys[host] = run("sh", "-c", f"wg pubkey < {lab.work}/{host}.key").strip()
    with contextlib.ExitStack() as stack:
        for host, card in (CLIENT, "wbn"), (SERVER, "wbf"):
            ready = lambda host=host, card=card: card in run("ip", "-br", "link", host=host)
            stack.enter_context(net.serve("wireguard-go", "-f", card, host=host, ready=ready))
        for host, card, own, peer, where in (CLIENT, "wbn", NEAR, SERVER, net.server_ip), (SERVER, "wbf", FAR, CLIENT, net.client_ip):
            run("wg", "set", card, "private-key", f"{lab.work}/{host}.key", "listen-port", "51820",
                "peer", keys[peer], "allowed-ips", "10.76.0.0/24", "endpoint", f"{where}:51820", host=host)
            run("ip", "addr", "add", own + "/24", "dev", card, host=host)
            run("ip", "link", "set", card, "up", host=host)
        yield


@contextlib.contextmanager
def openvpn(lab, proto, *more):
    """A tunnel with certificates, both ends with the same one."""
    key, cert = (os.path.join(lab.work, n) for n in ("vpn.key", "vpn.crt"))
    if not os.path.exists(key):
        lab.net.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=lab", "-days", "2")
    common = ["openvpn", "--dev", "tun", "--cert", cert, "--key", key, "--ca", cert, "--dh", "none", "--port", "1194", "--data-ciphers", "AES-256-GCM", *more]
    ends = {"udp": ([], []), "tcp": (["--proto", "tcp-server"], ["--proto", "tcp-client"])}[proto]
    with lab.net.serve(*common, "--tls-server", *ends[0], "--ifconfig", FAR, NEAR, port=1194):
        with lab.net.serve(*common, "--tls-client", *ends[1], "--ifconfig", NEAR, FAR, "--remote", lab.net.server_ip, host=CLIENT, ready=lambda: up(lab)):
            yield


def up(lab):
    """Whether the far end of a tunnel answers, that nobody listens there."""
    return "refused" in lab.net.run("nc.openbsd", "-vz", "-w", "1", FAR, "9", fails=True)


def shared(lab):
    path = os.path.join(lab.work, "tls-crypt.key")
    if not os.path.exists(path):
        lab.net.run("openvpn", "--genkey", "secret", path)
    return path
