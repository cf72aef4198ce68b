"""Staff at a whole kiosk without a window: witness, template, second visit, withdrawal, order."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from edge.app.config import Config
from edge.domain.people import PersonId
from edge.domain.record import AssistReason, Outcome, Reference
from edge.domain.staff import Permission, StaffMember
from edge.domain.templates import TemplateChange
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.assist_states import (
    AssistCard,
    AssistChoice,
    AssistConfirm,
    Enrolled,
    EnrolReviewing,
)
from edge.session.events import Button, Pressed
from edge.session.mine_states import Mine, MinePage, Print
from edge.session.staff_states import Service
from edge.session.states import Finished, Home, Session
from edge.store.deletions import KIND
from edge.store.inbox import Inbox
from edge.store.templates import TemplateStore
from edge.wire import envelope, keys, messages, templates
from edge.wire.envelope import Header
from tests.headless import KIOSK, HeadlessKiosk, make_config

pytestmark = pytest.mark.timeout(240)

CLERK = StaffMember("204816", frozenset({Permission.SERVICE, Permission.WITNESS}))


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


class Counter(HeadlessKiosk):
    """A kiosk where a clerk is signed in, and the simulated person waits for words."""

    def begin(self) -> None:
        """As after badge and PIN, which have tests of their own."""
        self.until(lambda s: isinstance(s.state, Home) and self.runner._armed.is_set())
        self.runner._session = replace(self.runner.session(), state=Service(CLERK))
        self.press(Button.ASSIST, until=AssistCard)
        self.world.sam.present(self.world.card)
        self.until(lambda s: isinstance(s.state, AssistConfirm))
        self.press(Button.CONFIRM, until=AssistChoice)

    def press(self, *buttons: Button, until: type | None = None) -> None:
        for button in buttons:
            self.runner.post(Pressed(button))
        if until is not None:
            self.until(lambda s: isinstance(s.state, until))

    def until(self, met: Callable[[Session], bool], timeout_s: float = 90.0) -> Session:
        end_s = time.monotonic() + timeout_s
        while not met(self.runner.session()):
            assert time.monotonic() < end_s, f"stuck in {self.runner.session().state}"
            time.sleep(0.02)
        return self.runner.session()


@pytest.fixture
def counter(config: Config) -> Iterator[Callable[..., Counter]]:
    open_ones: list[Counter] = []

    def opened(scenario: str = "good-day", **changes: object) -> Counter:
        kiosk = Counter(config, replace(SCENARIOS[scenario], wishes=(), **changes))  # type: ignore[arg-type]
        kiosk.__enter__()
        open_ones.append(kiosk)
        return kiosk

    yield opened
    for kiosk in open_ones:
        kiosk.__exit__()


def store(config: Config) -> TemplateStore:
    key = keys.decode_key(config.path(config.keys.template).read_text())
    return TemplateStore(config.database.parent / "templates", key)


def told(config: Config) -> list[tuple[str, bytes]]:
    """Schema and plain body of everything that waits to be sent, as the registry would read it."""
    registry = config.base.parent.parent / "registry"
    sign = keys.verifying_key((config.base / "sign.pub").read_text())
    seal = keys.opening_key((registry / "seal.key").read_text())
    with sqlite3.connect(config.database) as db:
        rows = db.execute("SELECT payload FROM records JOIN outbox USING (seq) ORDER BY seq")
        payloads = [row[0] for row in rows]
    found = []
    for payload in payloads:
        opened = envelope.verify(payload, lambda sender: sign if sender == KIOSK else None)
        found.append((opened.header.schema, envelope.unseal(opened.body, opened.header, seal)))
    return found


def changes(config: Config) -> list[templates.TemplateBody]:
    return [templates.parse_event(b) for schema, b in told(config) if schema == messages.TEMPLATE]


def order_deletion(config: Config, version: int, *people: str) -> None:
    """As the sync process files it."""
    registry = config.base.parent.parent / "registry"
    sign = keys.signing_key((registry / "sign.key").read_text())
    header = Header(messages.FORGET, f"forget-{version}", messages.REGISTRY, KIOSK)
    body = templates.deletions_body(
        templates.Deletions(version, tuple(PersonId(who) for who in people))
    )
    sealed = envelope.seal(body, header, keys.sealing_key((config.base / "open.pub").read_text()))
    payload = envelope.sign(header, sealed, sign)
    from edge.store.database import Database

    database = Database(config.database)
    Inbox(database).put(KIND, payload)
    database.close()


def enrol(kiosk: Counter) -> Enrolled:
    kiosk.begin()
    kiosk.press(Button.ENROL, Button.AGREE)
    kiosk.until(lambda s: isinstance(s.state, EnrolReviewing))
    kiosk.press(Button.SUBMIT, until=Enrolled)
    done = kiosk.runner.session().state
    assert isinstance(done, Enrolled)
    return done


def test_a_witnessed_certification_is_sealed_with_badge_and_reason(
    config: Config, counter: Callable[..., Counter]
) -> None:
    kiosk = counter()
    kiosk.begin()
    kiosk.press(Button.VOUCH, Button.NEXT, Button.REASON_DEAF, Button.CONFIRM, until=Finished)
    camera = kiosk.parts.eyes._camera  # type: ignore[attr-defined]
    assert camera.delivered == 0
    (body,) = [messages.parse_record(b) for schema, b in told(config) if schema == messages.RECORD]
    assert (body.method, body.outcome) == ("witness", Outcome.PASSED.value)
    assert (body.witness, body.assisted_reason) == (CLERK.badge, AssistReason.DEAF.value)
    kiosk.until(lambda s: "见证" in kiosk.world.printer.text)


def test_an_enrolled_template_serves_the_next_visit_and_goes_with_the_withdrawal(
    config: Config, counter: Callable[..., Counter], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kiosk = counter(decoder=False)
    done = enrol(kiosk)
    kept = store(config)
    template = kept.find(PersonId("p-demo"))
    assert template is not None
    assert template.expires == done.event.expires
    assert len(template.embedding) == 512
    (change,) = changes(config)
    assert (change.change, change.badge) == (TemplateChange.ENROLLED, CLERK.badge)
    assert change.consent is not None
    assert change.consent["agreed"]
    assert change.consent["version"] == "1"

    # certified with what the camera saw, before the same witness
    kiosk.press(Button.VOUCH, Button.REASON_BLIND, Button.CONFIRM, until=Finished)
    assert "NONE" in str(done.seen.reference)
    kiosk.press(Button.EXIT)

    # the next visit of the same person has something to compare with
    kiosk.world.sam.lift()
    kiosk.until(lambda s: not s.card_lies)
    kiosk.begin()
    kiosk.press(Button.ENROL, Button.AGREE)
    state = kiosk.until(lambda s: isinstance(s.state, EnrolReviewing)).state
    assert isinstance(state, EnrolReviewing)
    assert state.verdict.reference is Reference.TEMPLATE
    assert state.verdict.alike
    assert state.verdict.likeness is not None
    assert state.verdict.likeness.threshold > 0.5

    # what was seen and not submitted is dropped
    assert kiosk.runner._face
    kiosk.press(Button.BACK, until=AssistChoice)
    kiosk.until(lambda _: not kiosk.runner._face and kiosk.runner.portrait() is None)

    # withdrawn at the counter: gone within five seconds, with a slip
    kiosk.press(Button.MINE)
    kiosk.until(lambda s: isinstance(s.state, Mine) and s.state.page is MinePage.MENU)
    began_s = time.monotonic()
    kiosk.press(Button.WITHDRAW, Button.CONFIRM)
    kiosk.until(lambda s: isinstance(s.state, Mine) and s.state.page is MinePage.WITHDRAWN)
    assert time.monotonic() - began_s < 5
    assert kept.find(PersonId("p-demo")) is None
    kept.close()
    gone = kiosk.until(lambda s: isinstance(s.state, Mine) and s.state.paper is Print.PRINTED)
    assert isinstance(gone.state, Mine)
    assert gone.state.here
    assert "撤回" in kiosk.world.printer.text
    last = changes(config)[-1]
    assert last.change is TemplateChange.WITHDRAWN
    assert last.consent is not None
    assert not last.consent["agreed"]

    # nobody is named, and nothing of the face is anywhere but in the store
    card = kiosk.world.card
    secrets = [card.name, card.number, CLERK.badge, template.embedding.hex()]
    assert not [secret for secret in secrets if secret in caplog.text]
    for path in config.database.parent.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert template.embedding[:32] not in data, path
            assert card.number.encode() not in data, path
            assert card.name.encode() not in data, path


def test_an_order_of_the_registry_is_carried_out_within_five_seconds(
    config: Config, counter: Callable[..., Counter]
) -> None:
    kept = store(config)
    from edge.store.templates import Template

    kept.put(Template(PersonId("p-gone"), "m" * 64, date(2030, 1, 1), b"\1" * 512))
    kept.put(Template(PersonId("p-stays"), "m" * 64, date(2030, 1, 1), b"\2" * 512))
    kiosk = counter()
    kiosk.begin()  # in the middle of a session
    order_deletion(config, 5, "p-gone")
    began_s = time.monotonic()
    kiosk.until(lambda _: kept.find(PersonId("p-gone")) is None, timeout_s=5)
    kiosk.until(lambda _: bool(changes(config)), timeout_s=5)
    assert time.monotonic() - began_s < 5
    assert kept.find(PersonId("p-stays")) is not None
    (change,) = changes(config)
    assert (change.change, change.person_id) == (TemplateChange.DELETED, "p-gone")
    assert isinstance(kiosk.runner.session().state, AssistChoice)

    # an older list, played back by whoever, deletes nothing
    order_deletion(config, 4, "p-stays")
    inbox = Inbox(kiosk.parts.disk.database)  # type: ignore[attr-defined]
    kiosk.until(lambda _: inbox.peek(KIND) is None, timeout_s=10)
    assert kept.find(PersonId("p-stays")) is not None
    kept.close()


def test_nobody_who_declines_is_kept(config: Config, counter: Callable[..., Counter]) -> None:
    kiosk = counter()
    kiosk.begin()
    kiosk.press(Button.ENROL, Button.DECLINE, until=AssistChoice)
    assert changes(config) == []
    assert not (config.database.parent / "templates").exists()
