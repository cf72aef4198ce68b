"""Questions to the registry and from it: what the kiosk process says, opens and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.app.config import load
from edge.app.correspondence import Correspondence
from edge.app.sealing import Keyring
from edge.domain.people import CardKey, PersonId, RosterEntry
from edge.session.events import RegistryAnswered
from edge.store.inbox import Inbox
from edge.store.journal import SqliteJournal
from edge.store.outbox import SqliteOutbox
from edge.wire import envelope, keys, messages, questions, topics
from edge.wire.envelope import Header
from edge.wire.questions import Answer, Ask, Told
from provisioning.site import make_site
from tests.helpers_sync import HandTurnedTime, SignedKiosk, record_id

KIOSK = "k-001"
NUMBER = "100000194508150029"


class Desk:
    """A kiosk's disk and keys, and the registry's end of the wire."""

    def __init__(self, root: Path) -> None:
        site = make_site(root / "site", [KIOSK])
        self.times = HandTurnedTime()
        config = load(site.kiosk(KIOSK) / "site.toml")
        self.keyring = Keyring.load(config)
        self.registry_sign = keys.signing_key((site.registry / "sign.key").read_text())
        self.registry_seal = keys.opening_key((site.registry / "seal.key").read_text())
        self.journal = SqliteJournal(root / "journal.db", b"d" * 32, self.times)
        self.outbox = SqliteOutbox(self.journal.database, self.times)
        self.inbox = Inbox(self.journal.database)
        self.office = Correspondence(self.keyring, self.journal, self.times.mono_ns)
        self.key = self.keyring.card_key(NUMBER)
        self.entry = RosterEntry(self.key, PersonId("p-1"), "测*者", "retired", date(2026, 12, 31))

    def asked(self) -> tuple[str, str]:
        """Id of the one open question and the number it asks for, as the registry reads it."""
        [letter] = self.journal.letters.unsent()
        assert letter.leaf == topics.LOOKUP
        assert NUMBER.encode() not in letter.payload
        self.journal.letters.sent(letter.letter_id)
        checked = envelope.verify(letter.payload, lambda _: self.keyring.sign.public_key())
        plain = envelope.unseal(checked.body, checked.header, self.registry_seal)
        return checked.header.message_id, questions.parse_lookup(plain)

    def answer(self, letter_id: str, entry: RosterEntry | None, **odd: object) -> None:
        """Leave a sealed answer where the sync process does; `odd` is what is wrong with it."""
        fields = {"schema": messages.ANSWER, "message_id": letter_id, "sender": messages.REGISTRY}
        header = Header(**{**fields, "recipient": KIOSK, **odd.get("header", {})})  # type: ignore[dict-item]
        body = questions.answer_body(Answer(entry))
        sealed = envelope.seal(body, header, self.keyring.open.public_key())
        key = odd.get("key", self.registry_sign)
        payload = envelope.sign(header, sealed, key)  # type: ignore[arg-type]
        assert self.journal.letters.answered(letter_id, payload)

    def ask(self, ask: Ask, key: Ed25519PrivateKey | None = None) -> None:
        header = Header(messages.ASK, f"ask-{ask!r}", messages.REGISTRY, KIOSK)
        payload = envelope.sign(header, questions.ask_body(ask), key or self.registry_sign)
        assert self.inbox.put(messages.ASK, payload)

    def told(self) -> list[Told]:
        public = self.keyring.sign.public_key()
        letters = [x for x in self.journal.letters.unsent() if x.leaf == topics.TOLD]
        bodies = [envelope.verify(x.payload, lambda _: public).body for x in letters]
        return [questions.parse_told(body) for body in bodies]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with closing(made.journal):
        yield made


@pytest.mark.parametrize("known", [True, False])
def test_a_question_is_sealed_and_its_answer_opened_once(desk: Desk, known: bool) -> None:
    desk.office.ask(desk.key, NUMBER)
    letter_id, number = desk.asked()
    assert number == NUMBER
    assert desk.office.answer() is None
    entry = desk.entry if known else None
    desk.answer(letter_id, entry)
    assert desk.office.answer() == RegistryAnswered(desk.key, entry, reached=True)
    assert desk.office.answer() is None
    assert desk.journal.letters.answer(letter_id) is None


def test_nobody_waits_longer_than_five_seconds(desk: Desk) -> None:
    desk.office.ask(desk.key, NUMBER)
    letter_id, _ = desk.asked()
    desk.times.boot_s += 4.9
    assert desk.office.waits
    assert desk.office.answer() is None
    desk.times.boot_s += 0.2
    assert desk.office.answer() == RegistryAnswered(desk.key, None, reached=False)
    assert not desk.office.waits
    assert not desk.journal.letters.answered(letter_id, b"late")


@pytest.mark.parametrize(
    "odd",
    [
        {"key": Ed25519PrivateKey.generate()},
        {"header": {"message_id": "another question"}},
        {"header": {"recipient": "k-002"}},
        {"header": {"schema": messages.ROSTER}},
    ],
)
def test_an_answer_that_is_not_the_registrys_to_us_is_none(
    desk: Desk, odd: dict[str, object]
) -> None:
    desk.office.ask(desk.key, NUMBER)
    letter_id, _ = desk.asked()
    desk.answer(letter_id, desk.entry, **odd)
    assert desk.office.answer() == RegistryAnswered(desk.key, None, reached=False)


def test_an_answer_about_somebody_else_is_none(desk: Desk) -> None:
    desk.office.ask(desk.key, NUMBER)
    letter_id, _ = desk.asked()
    desk.answer(letter_id, replace(desk.entry, key=CardKey("f" * 64)))
    assert desk.office.answer() == RegistryAnswered(desk.key, None, reached=False)


def test_what_the_registry_misses_is_queued_again_and_what_is_gone_is_said(desk: Desk) -> None:
    signer = SignedKiosk()
    for number in range(3):
        row = desk.journal.commit(record_id(number), "record", signer.build(record_id(number)))
        desk.outbox.acknowledged(row.record_id, row.sha256)
    desk.ask(Ask(desk.journal.epoch, ((2, 5),)))
    for _ in range(2):  # the second time there is nothing to deal with
        desk.office.deal_with_ask()
        assert [row.record_id for row in desk.outbox.due(9)] == [record_id(1), record_id(2)]
        assert desk.told() == [Told(desk.journal.epoch, unknown=((4, 5),))]


def test_a_question_about_another_databases_chain_is_answered_honestly(desk: Desk) -> None:
    desk.ask(Ask("e" * 32, ((1, 2),)))
    desk.office.deal_with_ask()
    assert desk.told() == [Told("e" * 32, unknown=((1, 2),))]
    assert desk.outbox.depth() == 0


def test_a_forged_question_queues_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    row = desk.journal.commit(record_id(1), "record", SignedKiosk().build(record_id(1)))
    desk.outbox.acknowledged(row.record_id, row.sha256)
    desk.ask(Ask(desk.journal.epoch, ((1, 1),)), Ed25519PrivateKey.generate())
    desk.office.deal_with_ask()
    assert desk.outbox.depth() == 0
    assert desk.journal.waiting_ask() is None
    assert "ask_refused" in caplog.text
