"""The camera checks that campaigns play back are what the real watcher said."""

from __future__ import annotations

import json

from edge.domain.challenge import Action, Prompt
from edge.domain.record import Provenance
from edge.ports import WatchOrder
from tests.chaos.recorded_eyes import RECORDINGS, SESSIONS, RecordedEyes

ACTIONS = (Action.LEFT, Action.DOWN, Action.MOUTH, Action.RIGHT)


def test_each_recording_says_where_it_is_from() -> None:
    labels = [each["label"] for each in json.loads(RECORDINGS.read_text(encoding="utf-8"))]
    assert len(labels) == len(SESSIONS)
    assert all(label.startswith("recorded from a real run") for label in labels)


def test_a_check_asks_for_what_was_drawn_and_ends_with_a_verdict_about_it() -> None:
    looks = list(RecordedEyes().watch(WatchOrder(ACTIONS)))
    asked = [look.progress.prompt for look in looks[:-1]]
    assert [prompt for prompt in asked if prompt in map(Prompt.of, ACTIONS)] == [
        Prompt.of(action) for action in ACTIONS
    ]
    result = looks[-1].result
    assert result is not None
    assert result.verdict.actions == ACTIONS
    assert result.verdict.passed


def test_the_recordings_take_turns() -> None:
    eyes = RecordedEyes()
    verdicts = [list(eyes.watch(WatchOrder(ACTIONS)))[-1].result for _ in range(4)]
    frames = [result.verdict.frames for result in verdicts if result is not None]
    assert frames[0] == frames[3] != frames[1]


def test_what_is_played_back_is_never_taken_for_real() -> None:
    assert RecordedEyes().provenance is Provenance.SIMULATED
