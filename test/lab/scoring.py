"""Compares what waybill says of a capture with what was really sent.

In go the records of one scan and the expected movements; out come sentences
about what is wrong. It knows nothing of programs and protocols.
"""

import hashlib
from dataclasses import dataclass, field


@dataclass
class File:
    """A file of known content."""

    path: str
    name: str
    data: bytes = field(repr=False)

    @property
    def size(self):
        return len(self.data)

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Move:
    """A file whose content the capture shows: it must be found whole."""

    verdict = "whole"
    file: File
    operation: str
    user: str = ""
    name: str = ""
    channel: str = ""
    fields: dict = field(default_factory=dict)

    def faults(self, transfers, net):
        name = self.name or self.file.name
        fits = [t for t in transfers if t.get("name") == name and t["operation"] == self.operation]
        # The content that is right, before one that only has the name.
        fits.sort(key=lambda t: t.get("sha256") != self.file.sha256)
        if not fits:
            return [f"{name}: not found"]
        t = fits[0]
        transfers.remove(t)
        ends = (net.client_ip, net.server_ip) if self.operation == "push" else (net.server_ip, net.client_ip)
        wanted = {"completeness": "whole", "status": "done", "size": self.file.size, "sha256": self.file.sha256,
                  "source.ip": ends[0], "destination.ip": ends[1], **self.fields}
        if self.user:
            wanted["user"] = self.user
        if self.channel:
            wanted["channel"] = self.channel
        wrong = [f"{name}: {k} {found(t, k)}, not {v}" for k, v in wanted.items() if found(t, k) != v]
        if wrong and "reason" in t:
            wrong.append(f"{name}: {t['reason']}")
        return wrong


@dataclass
class Sealed:
    """Bytes of an encrypted exchange: to be found as opaque, of about this size."""

    size: int
    operation: str
    channel: str
    within: float = 0.03  # how wrong the estimate may be; the interval must hold the truth in any case
    fields: dict = field(default_factory=dict)
    error: float = 0.0

    @property
    def verdict(self):
        return "opaque" if self.within else "opaque, in its interval"

    def faults(self, transfers, net):
        fits = [t for t in transfers if t["channel"] == self.channel and t["completeness"] == "opaque" and self.operation in ("", t["operation"])]
        if not fits:
            return [f"no opaque {self.operation} over {self.channel}"]
        t = fits[0]
        transfers.remove(t)
        e = t["estimate"]
        self.error = (e["size"] - self.size) / self.size
        wrong = [f"{k} {found(t, k)}, not {v}" for k, v in self.fields.items() if found(t, k) != v]
        if self.within and abs(self.error) > self.within:
            wrong.append(f"estimate {e['size']} for {self.size}: {100 * self.error:+.1f} %")
        if not e["low"] <= self.size <= e["high"]:
            wrong.append(f"{self.size} not in {e['low']} to {e['high']}")
        return wrong


@dataclass
class Session:
    """An SSH session with its class."""

    word: str

    @property
    def verdict(self):
        return self.word

    def faults(self, accesses):
        found = [a for a in accesses if a["what"] == "ssh-session"]
        if not found:
            return ["no session seen"]
        a = found[0]
        accesses.remove(a)
        return [] if a["object"] == self.word else [f"class {a['object']}, not {self.word}"]


def found(record, key):
    for part in key.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def faults(records, expected, net):
    """What is wrong, a sentence each. Nothing may be missing and nothing left over."""
    transfers = [r for r in records if r["kind"] == "transfer"]
    accesses = [r for r in records if r["kind"] == "access"]
    wrong = []
    for e in expected:
        wrong += e.faults(accesses) if isinstance(e, Session) else e.faults(transfers, net)
    wrong += [f"{t['channel']} {t['operation']} of {t.get('name', 'nameless bytes')} ({t.get('size', t.get('estimate'))}) that nobody sent" for t in transfers]
    for r in records:
        if r["kind"] == "coverage" and r.get("decoder_faults"):
            wrong.append(f"decoder fault: {r['decoder_faults']}")
    return wrong
