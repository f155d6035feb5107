"""rsync's own protocol: a daemon with modules."""

from scoring import Move


def rows(lab):
    run = lab.net.run
    lab.write("rsync.secrets", "alice:secret\n")
    password = lab.write("rsync.password", "secret\n")
    conf = lab.write("rsyncd.conf", f"""
use chroot = no
uid = root
gid = root
[share]
path = {lab.share}
read only = no
[private]
path = {lab.share}
read only = no
auth users = alice
secrets file = {lab.work}/rsync.secrets
""")
    with lab.net.serve("rsync", "--daemon", "--no-detach", f"--config={conf}", "--port=873", "--log-file=/dev/stderr", port=873):
        far = f"rsync://{lab.net.server_ip}/share/"
        paths = [f.path for f in lab.files]
        for word, extra in ("whole", []), ("zlib", ["-z", "--compress-choice=zlib"]), ("zlibx", ["-z", "--compress-choice=zlibx"]), \
                ("zstd", ["-z", "--compress-choice=zstd"]), ("lz4", ["-z", "--compress-choice=lz4"]), ("protocol 27", ["--protocol=27"]), \
                ("protocol 29", ["--protocol=29"]), ("protocol 30", ["--protocol=30"]), ("protocol 31", ["--protocol=31"]):
            lab.fresh()
            lab.row("rsync daemon", f"push, {word}", lambda: run("rsync", "-t", *extra, *paths, far), [Move(f, "push") for f in lab.files], (), lab.share)
            lab.fresh(lab.files)
            lab.row("rsync daemon", f"pull, {word}", lambda: run("rsync", "-rt", *extra, far, lab.got + "/"), [Move(f, "pull") for f in lab.files], (), lab.got)
        lab.fresh()
        private = f"rsync://alice@{lab.net.server_ip}/private/"
        lab.row("rsync daemon", "push with a password", lambda: run("rsync", "-t", f"--password-file={password}", *paths, private),
                [Move(f, "push", "alice") for f in lab.files], (), lab.share)
        delta(lab, far)


def delta(lab, far):
    """An older copy is there: only what changed is sent, and the content is not whole."""
    f = lab.pick("mega.bin")[0]
    lab.fresh()
    with open(f"{lab.share}/{f.name}", "wb") as old:
        old.write(f.data[:400_000] + b"!" * 5000 + f.data[405_000:])
    expect = [Part(f, "push")]
    lab.row("rsync daemon", "push of a changed file", lambda: lab.net.run("rsync", "-I", "--no-whole-file", f.path, far), expect, (), lab.share)


class Part(Move):
    verdict = "partial"

    def faults(self, transfers, net):
        for t in transfers:
            if t.get("name") == self.file.name:
                transfers.remove(t)
                return [] if t["completeness"] == "partial" and "sha256" not in t else [f"{self.file.name}: {t['completeness']}, not partial"]
        return [f"{self.file.name}: not found"]
