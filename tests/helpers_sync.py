"""Stand-ins around store and sync: a clock to turn, a link in memory, a registry that signs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.domain.people import CardKey, PastProof, PersonId, RosterEntry
from edge.domain.record import RecordId
from edge.domain.timebase import NS_PER_S, ClockTrust, MonoNs, Stamp
from edge.ports import Incoming, OutboxRow, Position
from edge.wire import messages, topics
from edge.wire.envelope import Chain, Header, sha256_hex, sign, verify
from edge.wire.messages import Ack, AckStatus

KIOSK = "k-001"


class HandTurnedTime:
    """A `TimeSource` that moves only when told."""

    def __init__(self) -> None:
        self.boot_id = "boot-1"
        self.boot_s = 1000.0

    def now(self) -> Stamp:
        utc = datetime(2026, 11, 23, tzinfo=UTC)
        return Stamp(utc, self.mono_ns(), self.boot_id, ClockTrust.UNKNOWN)

    def mono_ns(self) -> MonoNs:
        return MonoNs(int(self.boot_s * NS_PER_S))

    def reboot(self) -> None:
        self.boot_id += "'"
        self.boot_s = 5.0


class MemoryLink:
    """A `Link` without a network. `sent` is what a broker would have got."""

    def __init__(self) -> None:
        self.up = True
        self.room = 1000
        self.sent: list[Incoming] = []
        self.retained: set[str] = set()
        self.asked: list[tuple[str, bytes, int]] = []
        self.coming: deque[Incoming] = deque()
        self.started = self.stopped = False

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.stopped, self.up = True, False

    def connected(self) -> bool:
        return self.up

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if not self.up or self.room <= 0:
            return False
        self.room -= 1
        self.sent.append(Incoming(topic, payload))
        if retain:
            self.retained.add(topic)
        return True

    def request(self, topic: str, payload: bytes, correlation: bytes, expires_s: int) -> bool:
        self.asked.append((topic, correlation, expires_s))
        return self.publish(topic, payload)

    def incoming(self, timeout_s: float) -> Incoming | None:
        return self.coming.popleft() if self.coming else None


class SignedKiosk:
    """Builds envelopes as the kiosk process does."""

    def __init__(self, kiosk_id: str = KIOSK, key: Ed25519PrivateKey | None = None) -> None:
        self.kiosk_id = kiosk_id
        self.key = key or Ed25519PrivateKey.generate()

    def build(self, record_id: str) -> Callable[[Position], bytes]:
        def build(position: Position) -> bytes:
            chain = Chain(position.epoch, position.seq, position.prev_sha256)
            header = Header(
                messages.RECORD, record_id, self.kiosk_id, messages.REGISTRY, chain=chain
            )
            return sign(header, b"sealed", self.key)

        return build


class SmallRegistry:
    """Files each record once, under its id, and answers every copy."""

    def __init__(self, key: Ed25519PrivateKey | None = None) -> None:
        self.key = key or Ed25519PrivateKey.generate()
        self.filed: dict[str, str] = {}

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self.key.public_key()

    def take(self, payload: bytes, kiosk_key: Ed25519PublicKey) -> Incoming:
        """File a record's envelope and return the signed answer to it."""
        record_id = verify(payload, lambda _: kiosk_key).header.message_id
        sha256 = sha256_hex(payload)
        known = self.filed.setdefault(record_id, sha256)
        assert known == sha256, "one id, two contents"
        return self.answer([Ack(record_id, sha256, AckStatus.FILED)])

    def answer(self, acks: list[Ack], kiosk_id: str = KIOSK) -> Incoming:
        header = Header(messages.ACK, "ack-1", messages.REGISTRY, kiosk_id)
        payload = sign(header, messages.acks_body(acks), self.key)
        return Incoming(topics.topic(kiosk_id, topics.ACK), payload)


def ack_of(row: OutboxRow, status: AckStatus = AckStatus.FILED) -> Ack:
    return Ack(row.record_id, row.sha256, status)


def record_id(number: int) -> RecordId:
    return RecordId(f"record-{number}")


def entry(number: int, name: str = "王*明") -> RosterEntry:
    return RosterEntry(
        key=CardKey(f"{number:064x}"),
        person_id=PersonId(f"person-{number}"),
        masked_name=name,
        category="城镇职工",
        due_by=date(2027, 3, 31),
        certified_on=date(2026, 3, 1),
        past=(PastProof(date(2026, 3, 1), "kiosk"),),
    )
