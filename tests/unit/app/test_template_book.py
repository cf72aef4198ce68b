"""What the registry was told of a template and what lies on the disk never part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from edge.app.clock import SystemTime
from edge.app.compose import disk_of, templates_of
from edge.app.config import Config
from edge.app.sealing import Keyring
from edge.app.templates import TemplateBook
from edge.domain.errors import StoreError
from edge.domain.people import PersonId
from edge.domain.record import RecordId
from edge.domain.templates import TemplateChange, TemplateEvent
from edge.store.templates import Template, TemplateStore
from edge.wire import messages
from tests.headless import make_config
from tests.session_world import World

WHO = PersonId("p-1")
FACE = bytes(512)


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    return make_config(tmp_path, models_dir)


@pytest.fixture
def book(config: Config) -> Iterator[TemplateBook]:
    keyring = Keyring.load(config)
    disk = disk_of(config, keyring, SystemTime())
    yield templates_of(config, keyring, disk)
    disk.close()


def enrolment(number: int) -> TemplateEvent:
    made = World().context().template_event(TemplateChange.ENROLLED, WHO, None, "204816")
    record_id = RecordId(f"0193a5c4-7e2b-7b11-8000-{number:012d}")
    return replace(made, event_id=record_id, expires=date(2028, 1, 30))


def kept(config: Config) -> list[PersonId]:
    store = TemplateStore(config.database.parent / "templates")
    try:
        return [row.person_id for row in store.rows()]
    finally:
        store.close()


def changes(book: TemplateBook) -> int:
    """How many words about templates wait for the registry."""
    rows = book._disk.database.rows("SELECT 1 FROM records WHERE kind = ?", [messages.TEMPLATE])
    return len(rows)


def test_f17_what_is_said_to_be_deleted_is_deleted_also_one_from_before(
    config: Config, book: TemplateBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a withdrawal anywhere would never reach it: the registry thinks there is none."""
    book.keep(enrolment(1), FACE)
    assert kept(config) == [WHO]

    def full(_store: TemplateStore, _template: Template) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(TemplateStore, "put", full)
    again = enrolment(2)
    with pytest.raises(StoreError):
        book.keep(again, FACE)
    book.undo(again, enrolment(3).event_id)
    assert kept(config) == []
    assert changes(book) == 3


def test_what_cannot_be_deleted_is_not_said_to_be(
    config: Config, book: TemplateBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.keep(enrolment(1), FACE)

    def busy(_store: TemplateStore, _who: PersonId) -> bool:
        raise StoreError("somebody is reading")

    monkeypatch.setattr(TemplateStore, "delete", busy)
    with pytest.raises(StoreError):
        book.undo(enrolment(1), enrolment(2).event_id)
    assert changes(book) == 1
    assert kept(config) == [WHO]
