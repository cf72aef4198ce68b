"""Messages from somebody who knows the format well and means harm. Pure; `chance` decides all.

Nine ways: bytes spoilt, fields swapped for odd ones, bodies of odd things under a good
signature, bombs of nesting, size and compression, the right thing in the wrong place, to the
wrong one, of the wrong kind, once more, and plain noise.
"""

from __future__ import annotations

import copy
import json
import lzma
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from edge.wire import envelope, messages
from edge.wire.envelope import MAX_ENVELOPE_BYTES, Chain, Header

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**70, -(2**70), 10**400, 1.5, 1e308, -0.0,
    float("nan"), float("inf"), "", " ", "\0", "\n", "\ud800", "\U0010ffff", "é" * 3, "x" * 5000,
    "9" * 19, "9" * 5000, "../../etc/passwd", "<script>", "'; drop table records; --", "%s%n",
    "{}", "null", "1970-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "2026-02-30", [], [[]] * 50, [None], [[0, 0]], [[1, 2**62]], [["a"]], {}, {"": ""},
    {"utc": 5}, {"a": {"b": [1]}}, ["\ud800"],
)  # fmt: skip

BOMBS: tuple[bytes, ...] = (
    b"", b"\0", b"{", b"[]", b"null", b"\xff\xfe\xfd", b"\xef\xbb\xbf{}",
    '{"a":1}'.encode("utf-16"),
    b"[" * 100_000, b'{"a":' * 50_000, b"9" * 100_000, b'{"v":' + b"9" * 5000 + b"}", b"1e999999",
    b'{"a":1,"a":2}', b"\xed\xa0\x80", b'"' + b"\\ud800" * 1000 + b'"', b"A" * 200_000,
    b"A" * (MAX_ENVELOPE_BYTES + 1), b"\xfd7zXZ\0" + b"\0" * 100, b"\x1f\x8b" + b"\0" * 100,
    b"-" * 1000, b"[1" + b",1" * 50_000 + b"]", b'{"body":"' + b"A" * 300_000 + b'"}',
)  # fmt: skip


def compression_bombs() -> tuple[bytes, ...]:
    """Small, and 64 MB of blanks or a deep nest of lists when opened."""
    return tuple(
        lzma.compress(plain, preset=0)
        for plain in (b" " * 64_000_000, b"[" * 1_000_000, b'{"columns":{"a":[' + b"0," * 5_000_000)
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message: where it belongs, and a good body to spoil."""

    schema: str
    leaf: str
    body: bytes = field(repr=False)
    enveloped: bool = True
    sealed: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Party:
    """Who signs, and to whom."""

    sender: str
    recipient: str
    sign: Ed25519PrivateKey = field(repr=False)
    seal_to: X25519PublicKey = field(repr=False)


class Forge:
    """An endless supply of (leaf, payload)."""

    def __init__(self, kinds: tuple[Kind, ...], party: Party, chance: random.Random) -> None:
        self._kinds = kinds
        self._party = party
        self._chance = chance
        self._good = {kind.schema: self.good(kind) for kind in kinds}
        self._compressed = compression_bombs()
        self.made: dict[str, int] = {}

    def good(self, kind: Kind) -> bytes:
        return self._wrapped(kind, kind.body)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        ways = tuple(self._ways().items())
        while True:
            name, way = self._chance.choice(ways)
            kind = self._chance.choice(self._kinds)
            self.made[name] = self.made.get(name, 0) + 1
            yield way(kind)

    def _ways(self) -> Mapping[str, Callable[[Kind], tuple[str, bytes]]]:
        return {
            "spoilt_bytes": lambda kind: (kind.leaf, self._spoilt(self._good[kind.schema])),
            "odd_fields": lambda kind: (kind.leaf, self._odd_envelope(kind)),
            "odd_body": lambda kind: (kind.leaf, self._wrapped(kind, self._odd_body(kind))),
            "odd_body_again": lambda kind: (kind.leaf, self._wrapped(kind, self._odd_body(kind))),
            "bomb": lambda kind: (kind.leaf, self._chance.choice(BOMBS)),
            "bomb_inside": lambda kind: (kind.leaf, self._wrapped(kind, self._bomb())),
            "wrong_place": lambda kind: (self._leaf(), self._good[kind.schema]),
            "wrong_address": lambda kind: (kind.leaf, self._misaddressed(kind)),
            "replay": lambda kind: (kind.leaf, self._good[kind.schema]),
            "noise": lambda kind: (kind.leaf, self._chance.randbytes(self._chance.randrange(300))),
        }

    def _leaf(self) -> str:
        odd = ("", "up/", "dn/x", "dn/ack/x", "up/rec/../rec", "\0", "up/" + "x" * 60_000)
        return self._chance.choice((*(kind.leaf for kind in self._kinds), *odd))

    def _spoilt(self, data: bytes) -> bytes:
        if not data:
            return b"\0"
        at = self._chance.randrange(len(data))
        to = self._chance.randrange(len(data))
        return self._chance.choice(
            (
                data[:at],
                data[:at] + self._chance.randbytes(self._chance.randrange(1, 9)) + data[at:],
                data[:at] + bytes([data[at] ^ (1 << self._chance.randrange(8))]) + data[at + 1 :],
                data[: min(at, to)] + data[max(at, to) :],
                data + data[at:],
                data.replace(b'"', b'"\\u0000', 1),
            )
        )

    def _odd_envelope(self, kind: Kind) -> bytes:
        """Its fields swapped, in the one form that is looked at further, or in another."""
        head, line_feed, rest = self._good[kind.schema].partition(b"\n")
        fields = json.loads(head)
        if isinstance(fields, list):
            fields = {"body": fields}
        for _ in range(self._chance.randrange(1, 4)):
            name = self._chance.choice([*fields, "extra", "chain", "sig"])
            fields[name] = self._chance.choice(ODD)
        if self._chance.random() < 0.2 and fields:
            fields.pop(self._chance.choice(list(fields)))
        return _json(fields, canonical=self._chance.random() < 0.7) + line_feed + rest

    def _odd_body(self, kind: Kind) -> bytes:
        """A good body in which some things, at any depth, are other things."""
        head, line_feed, rest = _unpacked(kind.body).partition(b"\n")  # bytes may follow a line
        plain = json.loads(head)
        for _ in range(self._chance.randrange(1, 4)):
            plain = self._with_something_odd(plain)
        raw = _json(plain, canonical=True) + line_feed + rest
        return lzma.compress(raw, preset=0) if self._chance.random() < 0.2 else raw

    def _with_something_odd(self, plain: Any) -> Any:
        plain = copy.deepcopy(plain)
        where, depth = plain, self._chance.randrange(1, 5)
        while True:
            names = list(where) if isinstance(where, dict) else list(range(len(where)))
            if not names:
                return plain
            name = self._chance.choice(names)
            depth -= 1
            if depth <= 0 or not isinstance(where[name], dict | list):
                break
            where = where[name]
        where[name] = self._chance.choice(ODD)
        if isinstance(where, dict) and self._chance.random() < 0.1:
            where.pop(name)
        return plain

    def _bomb(self) -> bytes:
        if self._chance.random() < 0.1:
            return self._chance.choice(self._compressed)
        return self._chance.choice([bomb for bomb in BOMBS if len(bomb) < 300_000])

    def _misaddressed(self, kind: Kind) -> bytes:
        changes = self._chance.choice(
            (
                {"sender": "k-666"},
                {"recipient": "k-666"},
                {"schema": "jianzai.nothing"},
                {"schema": self._chance.choice(self._kinds).schema},
                {"version": self._chance.choice((0, -1, 2, 2**70))},
                {"message_id": self._chance.choice(("", "x" * 3000, "\0", "../x"))},
                {"chain": Chain(self._chance.choice(("", "e" * 65, "\0", "e")), 2**65, "")},
                {"chain": Chain("e", self._chance.choice((0, -5, 2**61)), "x" * 70)},
            )
        )
        return self._wrapped(kind, kind.body, **changes)

    def _wrapped(self, kind: Kind, body: bytes, **changes: Any) -> bytes:
        """Properly sealed and signed, whatever is inside."""
        if not kind.enveloped:
            return body
        message_id = f"{self._chance.randrange(16**8):08x}-0000-4000-8000-{kind.version:012x}"
        fields: dict[str, Any] = {
            "schema": kind.schema,
            "message_id": message_id,
            "sender": self._party.sender,
            "recipient": self._party.recipient,
            "version": kind.version,
        }
        if kind.leaf == "up/rec":
            fields["chain"] = Chain("epoch-1", self._chance.randrange(1, 10_000), "")
        header = Header(**(fields | changes))
        inside = envelope.seal(body, header, self._party.seal_to) if kind.sealed else body
        return envelope.sign(header, inside, self._party.sign)


def _unpacked(body: bytes) -> bytes:
    return lzma.decompress(body) if body.startswith(b"\xfd7zXZ") else body


def _json(value: Any, *, canonical: bool) -> bytes:
    """JSON of anything, also of half a surrogate."""
    how: dict[str, Any] = {"sort_keys": True, "separators": (",", ":")} if canonical else {}
    text = json.dumps(value, ensure_ascii=False, **how)
    return text.encode("utf-8", "surrogatepass")


def missing_kinds(kinds: tuple[Kind, ...], *, up: bool) -> list[str]:
    """Schemas of the wire that no sample stands for: the campaign has to know them all."""
    known = {kind.schema for kind in kinds}
    return [
        told.schema for told in messages.MESSAGES if told.goes_up is up and told.schema not in known
    ]
