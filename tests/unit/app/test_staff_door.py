"""Who gets in at this kiosk: a real list over the wire, five tries, thirty days, a failing disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from edge.app.config import load
from edge.app.sealing import Keyring
from edge.app.staff import MOST_NOTED, Answer, StaffDoor
from edge.domain.staff import (
    TRIES,
    Deed,
    Permission,
    PinVerifier,
    Refusal,
    StaffEntry,
    StaffList,
    StaffMember,
)
from edge.domain.timebase import NS_PER_S, ClockTrust, MonoNs, Stamp
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.staff import KIND, StaffStore
from edge.wire import envelope, keys, messages
from edge.wire.envelope import Header
from edge.wire.staff import staff_body
from provisioning.site import Site, make_site

BADGE, PIN, OTHER = "204816", "135790", "777777"
ISSUED = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)

VERIFIER = PinVerifier.of(PIN, b"s" * 16)


@dataclass
class Clock:
    """Implements `TimeSource`; moves when a test says so."""

    utc: datetime = ISSUED
    trust: ClockTrust = ClockTrust.NTP
    boot_id: str = "boot-1"

    def mono_ns(self) -> MonoNs:
        return MonoNs(int((self.utc - ISSUED).total_seconds() + 50_000_000) * NS_PER_S)

    def now(self) -> Stamp:
        return Stamp(self.utc, self.mono_ns(), self.boot_id, self.trust)


class Kiosk:
    """A kiosk's disk and keys, and the registry that writes to it."""

    def __init__(self, folder: Path) -> None:
        self.site: Site = make_site(folder / "site", ["K-9"])
        self.config = load(self.site.kiosk("K-9") / "site.toml")
        self.config.database.parent.mkdir(parents=True, exist_ok=True)
        self.keyring = Keyring.load(self.config)
        self.clock = Clock()
        self.start()

    def start(self) -> None:
        """As after the power came back."""
        self.database = Database(self.config.database)
        store = StaffStore(self.database, self.keyring.data)
        self.door = StaffDoor(store, self.keyring, self.clock)
        self.door.take_in()

    def restart(self) -> None:
        self.database.close()
        self.start()

    def receive(self, version: int = 7, *, issued: datetime = ISSUED, **changes: object) -> None:
        self.put(self.sealed(StaffList(version, issued, entries(**changes))))

    def put(self, payload: bytes) -> None:
        Inbox(self.database).put(KIND, payload)
        self.door.take_in()

    def sealed(self, staff: StaffList, key: X25519PublicKey | None = None) -> bytes:
        header = Header(messages.STAFF, f"staff-{staff.version}", messages.REGISTRY, "K-9")
        sign = keys.signing_key((self.site.registry / "sign.key").read_text())
        body = envelope.seal(staff_body(staff), header, key or self.keyring.open.public_key())
        return envelope.sign(header, body, sign)

    def tried(self, *pins: str, badge: str = BADGE) -> list[object]:
        return [self.door.answer(badge, pin).result for pin in pins]


def entries(**changes: object) -> tuple[StaffEntry, ...]:
    values: dict[str, object] = {
        "badge": BADGE,
        "permissions": frozenset(Permission),
        "valid_until": date(2027, 1, 31),
        "verifier": VERIFIER,
    }
    first = StaffEntry(**(values | changes))  # type: ignore[arg-type]
    return (first, StaffEntry(OTHER, frozenset(), date(2027, 1, 31), VERIFIER))


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path)
    yield made
    made.database.close()


MEMBER = StaffMember(BADGE, frozenset(Permission))


def test_badge_and_pin_of_the_list_open_the_service_screen(kiosk: Kiosk) -> None:
    assert kiosk.tried(PIN) == [Refusal.NO_LIST]
    kiosk.receive()
    assert kiosk.door.answer(BADGE, PIN) == Answer(MEMBER, BADGE, Deed.SIGNED_IN)
    kiosk.restart()
    assert kiosk.tried(PIN) == [MEMBER]


def test_five_wrong_pins_lock_this_badge_through_a_restart_and_no_other(kiosk: Kiosk) -> None:
    kiosk.receive()
    answers = [kiosk.door.answer(BADGE, "000000") for _ in range(TRIES)]
    assert [a.result for a in answers] == [Refusal.WRONG] * 4 + [Refusal.LOCKED]
    assert [a.deed for a in answers] == [Deed.FAILED] * 4 + [Deed.LOCKED]
    assert kiosk.tried(PIN) == [Refusal.LOCKED]
    kiosk.restart()
    assert kiosk.tried(PIN) == [Refusal.LOCKED]
    assert kiosk.tried(PIN, badge=OTHER) == [StaffMember(OTHER, frozenset())]


def test_pulling_the_plug_between_two_tries_forgives_none(kiosk: Kiosk) -> None:
    kiosk.receive()
    for _ in range(TRIES):
        kiosk.tried("000000")
        kiosk.restart()
    assert kiosk.tried(PIN) == [Refusal.LOCKED]


def test_a_try_is_on_the_disk_before_the_pin_is_looked_at(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.receive()

    def power_cut(_verifier: PinVerifier, _pin: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(PinVerifier, "holds", power_cut)
        for _ in range(TRIES):
            with pytest.raises(KeyboardInterrupt):
                kiosk.door.answer(BADGE, PIN)
            kiosk.restart()
    assert kiosk.tried(PIN) == [Refusal.LOCKED]


def test_a_right_pin_forgives_the_wrong_ones_before(kiosk: Kiosk) -> None:
    kiosk.receive()
    for _ in range(3):
        assert kiosk.tried(*["000000"] * (TRIES - 1), PIN)[-1] == MEMBER


def test_a_locked_badge_opens_with_the_next_list_or_after_a_day(kiosk: Kiosk) -> None:
    kiosk.receive()
    kiosk.tried(*["000000"] * TRIES)
    kiosk.receive(7)
    assert kiosk.tried(PIN) == [Refusal.LOCKED]
    kiosk.receive(8)
    assert kiosk.tried(PIN) == [MEMBER]
    kiosk.tried(*["000000"] * TRIES)
    kiosk.clock.utc += timedelta(hours=25)
    assert kiosk.tried(PIN) == [MEMBER]


def test_a_list_older_than_thirty_days_is_refused_and_a_new_one_helps(kiosk: Kiosk) -> None:
    kiosk.receive()
    kiosk.clock.utc = ISSUED + timedelta(days=30, minutes=1)
    assert kiosk.door.answer(BADGE, PIN) == Answer(Refusal.OLD_LIST, "", Deed.REFUSED)
    kiosk.receive(8, issued=kiosk.clock.utc)
    assert kiosk.tried(PIN) == [MEMBER]


def test_without_a_sure_clock_only_a_list_of_this_boot_counts(kiosk: Kiosk) -> None:
    kiosk.clock.trust = ClockTrust.UNKNOWN
    kiosk.receive()
    assert kiosk.tried(PIN) == [MEMBER]
    kiosk.clock.boot_id = "boot-2"
    assert kiosk.tried(PIN) == [Refusal.NO_CLOCK]


def test_a_revoked_badge_is_nobodys_and_an_expired_one_is_told_so(kiosk: Kiosk) -> None:
    kiosk.receive()
    assert kiosk.tried(PIN) == [MEMBER]
    kiosk.receive(8, badge="999999")
    assert kiosk.door.answer(BADGE, PIN) == Answer(Refusal.WRONG, "", Deed.FAILED)
    kiosk.receive(9, valid_until=date(2026, 10, 31))
    assert kiosk.tried("000000", PIN) == [Refusal.WRONG, Refusal.EXPIRED]


def test_somebody_who_plays_with_the_keypad_fills_no_journal(kiosk: Kiosk) -> None:
    kiosk.receive()
    answers = [kiosk.door.answer("123456", "000000") for _ in range(MOST_NOTED + 5)]
    assert {a.result for a in answers} == {Refusal.WRONG}
    assert [a.deed for a in answers] == [Deed.FAILED] * MOST_NOTED + [None] * 5
    assert {a.badge for a in answers} == {""}


def test_lists_that_are_not_ours_or_older_change_nothing(kiosk: Kiosk) -> None:
    kiosk.receive()
    good = kiosk.sealed(StaffList(9, ISSUED, ()))
    other_key = keys.opening_key(keys.encode_key(b"x" * 32)).public_key()
    for payload in (b"junk", good[:-2], kiosk.sealed(StaffList(9, ISSUED, ()), other_key)):
        kiosk.put(payload)
    kiosk.put(kiosk.sealed(StaffList(6, ISSUED, ())))
    assert kiosk.tried(PIN) == [MEMBER]
    kiosk.put(good)
    assert kiosk.tried(PIN) == [Refusal.WRONG]


def test_a_disk_that_fails_later_keeps_no_technician_out_and_still_counts(kiosk: Kiosk) -> None:
    kiosk.receive()
    assert kiosk.tried(PIN) == [MEMBER]
    with kiosk.database.write() as db:
        db.execute("DROP TABLE staff")
    assert kiosk.tried(PIN) == [MEMBER]
    assert kiosk.tried(*["000000"] * TRIES)[-1] is Refusal.LOCKED
    assert kiosk.tried(PIN) == [Refusal.LOCKED]


def test_a_list_that_cannot_be_read_is_the_kiosks_fault(kiosk: Kiosk) -> None:
    kiosk.receive()
    with kiosk.database.write() as db:
        db.execute("UPDATE staff SET sealed = x'00'")
    with closing(Database(kiosk.config.database)) as database:
        store = StaffStore(database, kiosk.keyring.data)
        door = StaffDoor(store, kiosk.keyring, kiosk.clock)
        assert door.answer(BADGE, PIN) == Answer(Refusal.BROKEN, "", None)


def test_neither_badge_nor_pin_is_ever_logged(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kiosk.receive()
    told = [repr(kiosk.door.answer(BADGE, pin)) for pin in (PIN, *["000000"] * 6)]
    told.append(repr(kiosk.door.answer("123456", PIN)))
    for secret in (BADGE, PIN, "123456"):
        assert secret not in caplog.text
        assert secret not in "".join(told)
