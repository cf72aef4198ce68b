"""What the centre and the sync process would do to a kiosk's disk, done by a script."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from edge.app.config import Config
from edge.domain.matters import Held
from edge.domain.people import RosterEntry
from edge.domain.staff import Permission, PinVerifier, StaffEntry, StaffList
from edge.domain.timebase import TimeSource
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.letters import Letters
from edge.store.roster import SealedRoster
from edge.store.state import SyncState
from edge.wire import envelope, keys, messages, questions, topics
from edge.wire.envelope import Header
from edge.wire.staff import staff_body
from tests.headless import KIOSK

CLERK, TECHNICIAN, PIN = "204816", "310007", "135790"
PATIENCE_S = 10.0


class Centre:
    """Has the registry's keys and a connection of its own to the kiosk's database."""

    def __init__(self, config: Config, data_key: bytes, times: TimeSource) -> None:
        registry = config.base.parent.parent / "registry"
        self._sign = keys.signing_key((registry / "sign.key").read_text())
        self._seal = keys.opening_key((registry / "seal.key").read_text())
        self._kiosk_sign = keys.verifying_key((config.base / "sign.pub").read_text())
        self._kiosk_open = keys.sealing_key((config.base / "open.pub").read_text())
        self._database = Database(config.database)
        self._letters = Letters(self._database, times)
        self._state = SyncState(self._database, times)
        self._roster = SealedRoster(self._database, data_key)

    def close(self) -> None:
        self._database.close()

    def link(self, up: bool = True) -> None:
        self._state.link_seen() if up else self._state.link_lost()

    def expects(self, *entries: RosterEntry) -> None:
        """A roster, as it is after the kiosk has swapped it in."""
        assert self._roster.replace(self._roster.version() + 1, entries)

    def issues_badges(self) -> None:
        """One for a clerk, one for a technician; both with the same PIN."""
        may = {
            CLERK: {Permission.SERVICE, Permission.WITNESS},
            TECHNICIAN: {Permission.SERVICE, Permission.POWER},
        }
        last_day = date(2030, 1, 1)
        entries = tuple(
            StaffEntry(badge, frozenset(rights), last_day, PinVerifier.of(PIN, b"s" * 16))
            for badge, rights in may.items()
        )
        issued = datetime.now(UTC) - timedelta(minutes=1)
        payload = self._sealed(messages.STAFF, "staff-1", staff_body(StaffList(1, issued, entries)))
        Inbox(self._database).put(messages.STAFF, payload)

    def answers_who(self, entry: RosterEntry | None) -> None:
        """To the question whether it knows somebody."""
        self._answer(topics.LOOKUP, messages.ANSWER, questions.answer_body(questions.Answer(entry)))

    def answers_history(self, held: Held | None) -> None:
        """To the question what it keeps of somebody."""
        body = questions.history_body(questions.History(held))
        self._answer(topics.ASK_HISTORY, messages.HISTORY, body)

    def _answer(self, leaf: str, schema: str, body: bytes) -> None:
        letter_id = self._letter(leaf)
        self._letters.sent(letter_id)
        assert self._letters.answered(letter_id, self._sealed(schema, letter_id, body))

    def _letter(self, leaf: str) -> str:
        end_s = time.monotonic() + PATIENCE_S
        while not (found := [x for x in self._letters.unsent() if x.leaf == leaf]):
            assert time.monotonic() < end_s, "nobody asked"
            time.sleep(0.02)
        return found[0].letter_id

    def _sealed(self, schema: str, message_id: str, body: bytes) -> bytes:
        header = Header(schema, message_id, messages.REGISTRY, KIOSK)
        return envelope.sign(header, envelope.seal(body, header, self._kiosk_open), self._sign)

    def received(self, schema: str = messages.RECORD) -> list[bytes]:
        """What waits to be sent of one kind, opened as the registry would."""
        rows = self._database.rows("SELECT payload FROM records ORDER BY seq")
        return [body for found, body in map(self._opened, _first(rows)) if found == schema]

    def records(self) -> list[messages.RecordBody]:
        return [messages.parse_record(body) for body in self.received()]

    def _opened(self, payload: bytes) -> tuple[str, bytes]:
        kiosk = {KIOSK: self._kiosk_sign}
        opened = envelope.verify(payload, kiosk.get)
        return opened.header.schema, envelope.unseal(opened.body, opened.header, self._seal)


def _first(rows: Iterable[tuple[bytes, ...]]) -> Iterable[bytes]:
    return (row[0] for row in rows)
