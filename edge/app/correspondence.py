"""What the kiosk process writes to the registry beside records, and reads from it.

It alone has the keys: a question about a person is sealed and signed here, the sync
process carries bytes, and the answer is opened here.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.app.sealing import Keyring
from edge.domain.errors import StoreError, WireError
from edge.domain.people import CardKey
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.events import HistoryAnswered, RegistryAnswered
from edge.wire import messages, questions, topics
from edge.wire.questions import Told

log = logging.getLogger("edge.kiosk")

POLL_S = 0.1
"""How often an answer is looked for while somebody waits for it."""


class Letters(Protocol):
    """The part of the disk where the sync process takes and leaves letters."""

    def put(self, letter_id: str, leaf: str, payload: bytes, wait_s: float) -> None: ...

    def answer(self, letter_id: str) -> bytes | None: ...

    def drop(self, letter_id: str) -> None: ...


class Disk(Protocol):
    """What of the journal is needed here."""

    @property
    def letters(self) -> Letters: ...

    def waiting_ask(self) -> bytes | None:
        """The registry's question for missing records, if one came that is not dealt with."""
        ...

    def ask_done(self) -> None: ...

    def send_again(self, epoch: str, seqs: Sequence[int]) -> tuple[list[int], list[int]]: ...


Answered = RegistryAnswered | HistoryAnswered


@dataclass(frozen=True, slots=True)
class _Question:
    """Somebody stands there and waits. `opened` raises `WireError`; without an answer, or with
    one that cannot be believed, they are told `unreached`."""

    letter_id: str
    until_ns: MonoNs
    opened: Callable[[bytes], Answered]
    unreached: Answered


class Correspondence:
    """Used by the session thread alone."""

    def __init__(self, keyring: Keyring, disk: Disk, now_ns: Callable[[], MonoNs]) -> None:
        self._keyring = keyring
        self._disk = disk
        self._now_ns = now_ns
        self._open: _Question | None = None

    @property
    def waits(self) -> bool:
        return self._open is not None

    def ask(self, key: CardKey, id_number: str) -> None:
        """Send a question off; `answer` has what comes of it. Raises `StoreError`."""
        letter_id = str(uuid.uuid4())
        payload = self._keyring.lookup(letter_id, id_number)

        def opened(answer: bytes) -> RegistryAnswered:
            entry = self._keyring.answer(answer, letter_id)
            if entry is not None and entry.key != key:
                raise WireError("key", "an answer about somebody else")
            return RegistryAnswered(key, entry, reached=True)

        unreached = RegistryAnswered(key, None, reached=False)
        self._send(letter_id, topics.LOOKUP, payload, opened, unreached)

    def ask_history(self, key: CardKey, id_number: str, access: str) -> None:
        """The same about what is kept of somebody who proved who they are."""
        letter_id = str(uuid.uuid4())
        payload = self._keyring.history_question(letter_id, id_number, access)

        def opened(answer: bytes) -> HistoryAnswered:
            return HistoryAnswered(key, self._keyring.history(answer, letter_id), reached=True)

        unreached = HistoryAnswered(key, None, reached=False)
        self._send(letter_id, topics.ASK_HISTORY, payload, opened, unreached)

    def _send(
        self,
        letter_id: str,
        leaf: str,
        payload: bytes,
        opened: Callable[[bytes], Answered],
        unreached: Answered,
    ) -> None:
        self._disk.letters.put(letter_id, leaf, payload, messages.LOOKUP_S)
        until_ns = MonoNs(self._now_ns() + messages.LOOKUP_S * NS_PER_S)
        self._open = _Question(letter_id, until_ns, opened, unreached)
        log.info("asked=%s", letter_id)

    def answer(self) -> Answered | None:
        """The answer once it is there, and that there was none when it is too late for one."""
        question = self._open
        if question is None:
            return None
        payload = self._read(question.letter_id)
        if payload is None and self._now_ns() < question.until_ns:
            return None
        self._open = None
        log.info("asked=%s answered=%s", question.letter_id, payload is not None)
        if payload is None:
            return question.unreached
        return self._opened(question, payload)

    def _read(self, letter_id: str) -> bytes | None:
        try:
            payload = self._disk.letters.answer(letter_id)
            if payload is not None:
                self._disk.letters.drop(letter_id)
        except StoreError as error:
            log.error("answer_unread error=%s", error)
            return None
        return payload

    def _opened(self, question: _Question, payload: bytes) -> Answered:
        try:
            return question.opened(payload)
        except WireError as error:
            log.error("answer_refused error=%s", error)
            return question.unreached

    def deal_with_ask(self) -> None:
        """Queue again what the registry misses, and say what is gone. Raises `StoreError`."""
        payload = self._disk.waiting_ask()
        if payload is None:
            return
        try:
            ask = self._keyring.ask(payload)
        except WireError as error:
            log.error("ask_refused error=%s", error)
            self._disk.ask_done()
            return
        seqs = questions.places(ask.spans)
        pruned, unknown = self._disk.send_again(ask.epoch, seqs)
        log.info("asked_for=%d pruned=%d unknown=%d", len(seqs), len(pruned), len(unknown))
        if pruned or unknown:
            self._tell(Told(ask.epoch, questions.spans_of(pruned), questions.spans_of(unknown)))
        self._disk.ask_done()

    def _tell(self, told: Told) -> None:
        letter_id = str(uuid.uuid4())
        payload = self._keyring.told(letter_id, told)
        self._disk.letters.put(letter_id, topics.TOLD, payload, messages.ASK_S)
