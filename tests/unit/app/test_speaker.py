"""The newest words are said by a thread of their own, and again when the card is back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from edge.app.health import HealthBoard
from edge.app.speaker import Speaker
from edge.domain.health import Condition
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.drivers.sim.voice import SimVoice

STAMP = Stamp(datetime(2026, 11, 23, tzinfo=UTC), MonoNs(1), "boot", ClockTrust.NTP)


class HungVoice(SimVoice):
    """A sound card that takes no sound until it is let go."""

    def __init__(self) -> None:
        super().__init__(lambda words: None)
        self.let_go = threading.Event()

    def open(self) -> None:
        assert self.let_go.wait(10)
        super().open()


@pytest.fixture
def board() -> HealthBoard:
    return HealthBoard(lambda: STAMP)


@pytest.fixture
def voice() -> SimVoice:
    return SimVoice(lambda words: None)


@pytest.fixture
def speaker(voice: SimVoice, board: HealthBoard) -> Iterator[Speaker]:
    yield Speaker(voice, board, lambda: True)
    voice.close()


def condition(board: HealthBoard) -> Condition:
    (state,) = board.states()
    return state.condition


def test_only_the_newest_words_are_said(speaker: Speaker, voice: SimVoice) -> None:
    speaker.say("请抬头", "zh")
    speaker.say("Raise your head", "en")
    speaker.turn(0)
    speaker.turn(0)
    assert voice.utterances == [("Raise your head", "en")]


def test_the_same_words_again_are_said_again(speaker: Speaker, voice: SimVoice) -> None:
    for _ in range(2):
        speaker.say("请抬头", "zh")
        speaker.turn(0)
    assert voice.utterances == [("请抬头", "zh")] * 2


def test_what_could_not_be_heard_is_said_when_the_card_is_back(
    speaker: Speaker, voice: SimVoice, board: HealthBoard
) -> None:
    voice.vanish()
    speaker.say("请抬头", "zh")
    speaker.turn(0)
    assert condition(board) is Condition.ABSENT
    speaker.turn(0)
    assert voice.utterances == []
    voice.come_back()
    speaker.turn(0)
    assert condition(board) is Condition.OK
    speaker.turn(0)
    assert voice.utterances == [("请抬头", "zh")]


def test_a_card_pulled_while_nothing_is_said_is_noticed(
    speaker: Speaker, voice: SimVoice, board: HealthBoard
) -> None:
    speaker.say("请抬头", "zh")
    speaker.turn(0)
    voice.vanish()
    speaker.turn(0)
    assert condition(board) is Condition.ABSENT


def test_nothing_is_asked_before_its_time(voice: SimVoice, board: HealthBoard) -> None:
    Speaker(voice, board, lambda: False).turn(0)
    assert board.states() == ()


def test_a_card_that_hangs_holds_nobody_up_who_has_something_to_say(board: HealthBoard) -> None:
    voice = HungVoice()
    speaker = Speaker(voice, board, lambda: True)
    speaker.say("请抬头", "zh")
    stuck = threading.Thread(target=speaker.turn, args=(0,))
    stuck.start()
    said = threading.Thread(target=speaker.say, args=("请低头", "zh"))
    said.start()
    said.join(2)
    assert not said.is_alive()
    assert stuck.is_alive()
    voice.let_go.set()
    stuck.join(5)
    speaker.turn(0)
    assert voice.utterances == [("请抬头", "zh"), ("请低头", "zh")]
