"""The runner on a disk that fails: out of service in plain words, and back when it works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.app.runner import LOOK_S
from edge.domain.health import Condition
from edge.session.events import Button, Pressed
from edge.session.states import Home, Session, Turned, WhoFor, Why
from edge.store.health import HealthTable
from tests.unit.app.test_runner_reader import Desk

pytestmark = pytest.mark.timeout(60)


@contextmanager
def running(desk: Desk) -> Iterator[Desk]:
    desk.runner.start()
    try:
        yield desk
    finally:
        assert desk.runner.close() == []
        desk.sam.close()
        desk.journal.close()


def out_of_service(session: Session) -> bool:
    return session.state == Turned(Why.OUT_OF_SERVICE)


def at_home(session: Session) -> bool:
    return isinstance(session.state, Home)


def test_e14_a_card_that_vanishes_closes_the_kiosk_until_it_is_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    folder = desk.journal.database.path.parent
    away = folder.with_name("away")
    with running(desk):
        desk.until(at_home)
        folder.rename(away)
        desk.until(out_of_service)
        assert desk.runner.health.is_lost("disk")
        desk.runner.post(Pressed(Button.START_PROOF))
        desk.runner.post(Pressed(Button.EXIT))
        away.rename(folder)
        desk.until(at_home)
        assert not desk.runner.health.is_lost("disk")


def test_whoever_has_just_begun_is_told_before_the_card_is_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    folder = desk.journal.database.path.parent
    away = folder.with_name("away")
    with running(desk):
        desk.runner.post(Pressed(Button.START_PROOF))
        desk.until(lambda session: isinstance(session.state, WhoFor))
        folder.rename(away)
        desk.until(out_of_service)
        away.rename(folder)
        desk.until(at_home)


def test_damage_found_between_residents_is_mended_before_the_next_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with running(desk):
        desk.until(at_home)
        path = desk.journal.database.path
        assert desk.journal.database.forget_deleted()  # else all is still in the log
        (tmp_path / "damaged").write_bytes(b"damaged" * 1000)
        (tmp_path / "damaged").rename(path)
        desk.until(lambda _: desk.journal.recovery is not None)
        desk.until(at_home)
        assert desk.journal.records.count() == 1  # the word that a new chain begins


def test_a_database_made_anew_is_told_to_whoever_asks(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    path = first.journal.database.path
    with running(first):
        first.until(at_home)
    path.write_bytes(b"damaged" * 1000)
    desk = Desk(tmp_path)
    with running(desk):
        desk.until(at_home)
        board = desk.runner.health
        desk.until(lambda _: any(s.device == "disk" for s in board.states()))
        told = {state.device: state for state in board.states()}["disk"]
        assert told.condition is Condition.STRAINED
        assert told.detail == "database made anew: damaged"
        desk.until(
            lambda _: any(
                state.device == "disk" for state in HealthTable(desk.journal.database).all()
            )
        )
    assert LOOK_S <= 2
