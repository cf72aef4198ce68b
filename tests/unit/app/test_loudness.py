"""What staff chose at the loudspeaker holds until somebody says otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.app.loudness import KeptVolume
from edge.domain.errors import StoreError
from edge.drivers.sim.voice import SimVoice
from edge.store.database import Database
from edge.store.volume import VolumeNote

Start = Callable[[int], KeptVolume]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "journal.db")
    yield made
    made.close()


@pytest.fixture
def start(database: Database) -> Start:
    """The kiosk starts, set to this volume."""

    def starting(configured: int) -> KeptVolume:
        voice = SimVoice(lambda words: None)
        voice.set_volume(configured)
        return KeptVolume(voice, VolumeNote(database), configured)

    return starting


def test_a_choice_survives_a_restart(start: Start) -> None:
    first = start(80)
    assert first.volume(-3) == 50
    assert first.volume(1) == 60
    assert start(80).volume(0) == 60
    assert start(80).volume(0) == 60


def test_louder_for_one_visit_is_as_before_for_the_next_and_never_kept(start: Start) -> None:
    for usual in (80, 85, 100, 0):
        running = start(usual)
        for step in (1, 1, 1, -1):
            running.lend(step)
        assert running.volume(0) != usual
        running.lend(0)
        assert running.volume(0) == usual
        assert start(usual).volume(0) == usual
        running.lend(0)
        assert running.volume(0) == usual


def test_what_staff_choose_meanwhile_stays(start: Start) -> None:
    running = start(80)
    running.lend(1)
    assert running.volume(-3) == 60
    running.lend(0)
    assert running.volume(0) == 60


def test_to_ask_is_not_to_choose(start: Start) -> None:
    assert start(80).volume(0) == 80
    assert start(40).volume(0) == 40


def test_whoever_sets_the_kiosk_to_something_else_later_wins(start: Start) -> None:
    start(80).volume(-3)
    assert start(40).volume(0) == 40
    assert start(80).volume(0) == 50, "and nobody has set it to anything but 80 again"


def test_the_centre_s_word_while_the_kiosk_runs_ends_the_choice(start: Start) -> None:
    running = start(80)
    running.volume(-3)
    running.set_volume(30)
    assert running.volume(0) == 30
    assert start(80).volume(0) == 80
    assert running.volume(2) == 50
    assert start(30).volume(0) == 50


def test_a_disk_that_takes_no_note_costs_no_sound(
    start: Start,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR, "edge.voice")

    def full(*_: object) -> None:
        raise StoreError("disk full")

    running = start(80)
    monkeypatch.setattr(database, "write", full)
    monkeypatch.setattr(database, "row", full)
    assert running.volume(-3) == 50
    assert caplog.messages == ["volume_not_kept error=disk full"]
    assert start(80).volume(0) == 80


def test_the_rest_of_the_voice_is_the_voice(start: Start) -> None:
    kept = start(80)
    assert isinstance(kept.voice, SimVoice)
    assert not kept.health().ok
    kept.open()
    assert kept.health().ok
    kept.say("请抬头", "zh")
    kept.hush()
    assert kept.voice.utterances == [("请抬头", "zh")]
    kept.close()
    assert not kept.health().ok
