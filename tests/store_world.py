"""A kiosk's disk in a folder of its own: journal, ledger, the key that signs, ways to break it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.app.disk import LEDGER, KioskDisk
from edge.app.seal import DeviceSeal
from edge.domain.record import RecordId
from edge.domain.timebase import ClockTrust, Stamp
from edge.ports import OutboxRow, Position
from edge.store.database import Database
from edge.store.ledger import Ledger
from edge.wire import messages
from edge.wire.envelope import Chain, Header, sign
from tests.helpers_sync import KIOSK, HandTurnedTime

DATA_KEY = b"d" * 32
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class WallTime(HandTurnedTime):
    """A clock on the wall as well, believed unless told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.utc = START
        self.trust = ClockTrust.NTP

    def now(self) -> Stamp:
        return Stamp(self.utc, self.mono_ns(), self.boot_id, self.trust)

    def pass_days(self, days: int) -> None:
        self.utc += timedelta(days=days)
        self.boot_s += days * 86_400


@dataclass
class Premises:
    """Everything that outlives the kiosk process."""

    folder: Path
    times: WallTime = field(default_factory=WallTime)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    kiosk_id: str = KIOSK

    @property
    def path(self) -> Path:
        return self.folder / "journal.db"

    @property
    def seal(self) -> DeviceSeal:
        return DeviceSeal(self.kiosk_id, self.key)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / LEDGER)

    def disk(self, *, days: int = 30, reserve_bytes: int = 0) -> KioskDisk:
        return KioskDisk(
            self.path, DATA_KEY, self.times, self.seal, reserve_bytes=reserve_bytes, days=days
        )

    def build(self, record_id: str, body: bytes = b"") -> Callable[[Position], bytes]:
        """As the kiosk does, with something unreadable for a sealed body."""
        sealed = body or os.urandom(800)

        def build(place: Position) -> bytes:
            chain = Chain(place.epoch, place.seq, place.prev_sha256)
            header = Header(
                messages.RECORD, record_id, self.kiosk_id, messages.REGISTRY, chain=chain
            )
            return sign(header, sealed, self.key)

        return build

    def commit(self, disk: KioskDisk, count: int = 1) -> list[OutboxRow]:
        return [self._commit(disk) for _ in range(count)]

    def _commit(self, disk: KioskDisk) -> OutboxRow:
        record_id = self.new_id()
        return disk.commit(record_id, "record", self.build(record_id))

    def new_id(self) -> RecordId:
        """A UUIDv7 of the hand-turned time."""
        millis = int(self.times.utc.timestamp() * 1000)
        return RecordId(str(uuid.UUID(int=millis << 80 | 0x7 << 76 | uuid.uuid4().int >> 66 << 1)))

    def fill(self, count: int) -> dict[str, bytes]:
        """A kiosk that wrote some records and ended."""
        with closing(self.disk()) as disk:
            return {row.record_id: row.payload for row in self.commit(disk, count)}

    def waiting(self) -> dict[str, bytes]:
        """What will be sent, by id."""
        with closing(Database(self.path)) as database:
            rows = database.rows("SELECT record_id, payload FROM outbox JOIN records USING (seq)")
            return dict(rows)

    def everything_on_disk(self) -> bytes:
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return b"".join(file.read_bytes() for file in files)


def unlistable(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As if whoever runs may not list this folder; permissions do not keep root out."""
    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, _refusing(getattr(os, name), folder))


def _refusing(real: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    def look(path: Any = ".") -> Any:
        if not isinstance(path, int) and Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    return look
