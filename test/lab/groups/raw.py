"""Sockets: what netcat, ncat and socat carry without a protocol."""

import gzip
import io
import os
import tarfile

from scoring import File, Move, Sealed

CARVE = "--carve", "--all"


def rows(lab):
    run, at = lab.net.run, lab.net.server_ip
    files = samples(lab)

    def row(program, exchange, operation, f, listen, connect, flags=CARVE, expect=None):
        """The server listens; its end reads into or writes from a file."""
        lab.fresh()
        far = f"{lab.share}/{f.name}"
        tail = f"> {far}" if operation == "push" else f"< {f.path}"
        near = f"< {f.path}" if operation == "push" else f"> {lab.got}/{f.name}"

        def do():
            with lab.net.serve("sh", "-c", f"exec {listen} {tail}", port=4444) as p:
                run("sh", "-c", f"{connect} {near}")
                p.wait(10)
            lab.same(far if operation == "push" else f"{lab.got}/{f.name}", f)

        move = Raw(f, operation)
        lab.row(program, f"{exchange}, {f.name}", do, [move] if expect is None else expect, flags)

    for f in files:
        row("netcat-openbsd", "sent to a listener", "push", f, "nc.openbsd -l 4444", f"nc.openbsd -N {at} 4444")
        row("netcat-openbsd", "fetched from a listener", "pull", f, "nc.openbsd -N -l 4444", f"nc.openbsd -d {at} 4444")
    row("ncat", "sent to a listener", "push", files[0], "ncat -l 4444", f"ncat --send-only {at} 4444")
    row("ncat", "fetched from a listener", "pull", files[0], "ncat --send-only -l 4444", f"ncat --recv-only {at} 4444")
    row("socat", "sent to a listener", "push", files[0], "socat -u TCP-LISTEN:4444,reuseaddr -", f"socat -u - TCP:{at}:4444")
    mega = lab.pick("mega.bin")[0]
    row("netcat-openbsd", "random bytes, no known type", "push", mega, "nc.openbsd -l 4444", f"nc.openbsd -N {at} 4444", expect=[Sealed(mega.size, "push", "tcp")])
    key, cert = os.path.join(lab.work, "tls.key"), os.path.join(lab.work, "tls.crt")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=lab", "-days", "2")
    row("socat", "sent over TLS", "push", mega, f"socat -u OPENSSL-LISTEN:4444,reuseaddr,key={key},cert={cert},verify=0 -", f"socat -u - OPENSSL:{at}:4444,verify=0",
        expect=[Sealed(mega.size, "push", "tcp")])
    row("socat", "fetched over TLS", "pull", mega, f"socat -u - OPENSSL-LISTEN:4444,reuseaddr,key={key},cert={cert},verify=0", f"socat -u OPENSSL:{at}:4444,verify=0 -",
        expect=[Sealed(mega.size, "pull", "tcp")])


class Raw(Move):
    """Raw bytes have no name: they are told by their content."""

    def faults(self, transfers, net):
        for t in transfers:
            if t["operation"] == self.operation and t["channel"] == "tcp":
                t["name"] = self.file.name
        return super().faults(transfers, net)


def samples(lab):
    """A program, an archive of each kind, a script."""
    mega = lab.pick("mega.txt")[0].data
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as t:
        t.add(lab.pick("hundred.bin")[0].path, "hundred.bin")
    with open("/bin/ls", "rb") as f:
        program = f.read()
    contents = {"program": program, "tree.tar.gz": packed.getvalue(), "text.gz": gzip.compress(mega), "script.sh": b"#!/bin/sh\n" + b"echo hello\n" * 4000}
    files = []
    for name, data in contents.items():
        path = os.path.join(lab.folder("raw"), name)
        with open(path, "wb") as f:
            f.write(data)
        files.append(File(path, name, data))
    return files
