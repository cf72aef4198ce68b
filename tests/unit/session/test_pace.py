"""身体不便: the check follows what somebody says they cannot do (feature 11)."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import replace

import pytest

from edge.domain.challenge import MOVEMENTS, Action, Prompt, Reason, WatchProgress
from edge.domain.record import Outcome
from edge.session import challenges, pace
from edge.session.effects import Effect, StopWatching, Store, Watch
from edge.session.events import Button, Event, Judged, Pressed, Watched
from edge.session.machine import offered, step
from edge.session.pace_states import Pace
from edge.session.states import (
    Choosing,
    Consenting,
    Home,
    Language,
    Retrying,
    Session,
    State,
    Storing,
    Watching,
)
from tests.session_world import World, verdict
from tests.ui_world import HELPED, VISIT


class Play:
    """One session whose sequences are really drawn."""

    def __init__(self, state: State) -> None:
        self.world = World()
        self.session = Session(state, Language.ZH)
        self.effects: tuple[Effect, ...] = ()

    @property
    def state(self) -> State:
        return self.session.state

    def feed(self, event: Event) -> State:
        draw = secrets.SystemRandom().choice
        context = self.world.context(draw_actions=lambda left: challenges.draw(draw, left))
        moved = step(self.session, event, context)
        self.session, self.effects = moved.session, moved.effects
        return self.state

    def press(self, *buttons: Button) -> State:
        for button in buttons:
            assert button in offered(self.state), (button, self.state)
            self.feed(Pressed(button))
        return self.state

    def watch(self) -> Watch:
        (order,) = [effect for effect in self.effects if isinstance(effect, Watch)]
        return order


def agreed() -> Play:
    play = Play(Consenting(VISIT))
    play.press(Button.AGREE)
    assert isinstance(play.state, Watching)
    return play


def test_it_is_one_touch_away_before_and_during_the_check_and_between_two_tries() -> None:
    failed = Retrying(VISIT, verdict(live=False), False)
    for state in (Consenting(VISIT), agreed().state, failed):
        assert Button.EASIER in offered(state)
    for other in (Home(), Choosing(VISIT), replace(failed, exhausted=True)):
        assert Button.EASIER not in offered(other)
    assert Button.EASIER not in offered(Consenting(replace(VISIT, witness=HELPED.witness)))


def test_three_answers_a_person_and_the_way_back() -> None:
    state = Play(Consenting(VISIT)).press(Button.EASIER)
    assert isinstance(state, Pace)
    footer = {Button.CALL_STAFF, Button.BACK, Button.HELP, Button.HOME}
    assert set(offered(state)) - footer == set(pace.NEEDS)
    assert footer <= set(offered(state))


def test_said_before_the_camera_the_first_try_is_without_blinking_slow_and_large() -> None:
    for _ in range(30):
        play = Play(Consenting(VISIT))
        assert isinstance(play.press(Button.EASIER, Button.EASIER_EYES), Consenting)
        assert play.session.large
        play.press(Button.AGREE)
        order = play.watch()
        assert Action.BLINK not in order.actions
        assert order.slow
        assert {"yaw", "pitch"} <= {action.axis for action in order.actions}


def test_said_in_the_middle_of_a_try_the_camera_closes_and_another_one_begins() -> None:
    play = agreed()
    before = play.watch()
    play.press(Button.EASIER)
    assert StopWatching() in play.effects
    assert isinstance(play.press(Button.EASIER_EYES), Watching)
    after = play.watch()
    assert after.watch_id != before.watch_id
    assert Action.BLINK not in after.actions
    assert after.slow


def test_who_cannot_hear_gets_large_words_and_more_time_and_every_movement() -> None:
    play = agreed()
    assert not play.watch().slow
    play.press(Button.EASIER, Button.EASIER_EARS)
    assert play.session.large
    assert play.watch().slow
    assert isinstance(play.state, Watching)
    assert not play.state.visit.left_out


def test_who_cannot_move_the_head_gets_a_number_at_once_and_no_camera() -> None:
    play = agreed()
    play.press(Button.EASIER, Button.EASIER_NECK)
    assert isinstance(play.state, Storing)
    (order,) = [effect for effect in play.effects if isinstance(effect, Store)]
    assert order.record.outcome is Outcome.CALLED
    assert order.record.ticket
    assert not any(isinstance(effect, Watch) for effect in play.effects)


def test_back_changes_nothing() -> None:
    play = Play(Consenting(VISIT))
    play.press(Button.EASIER, Button.BACK)
    assert play.state == Consenting(VISIT)
    assert not play.session.large


def test_nobody_looks_for_a_sequence_they_like_by_it() -> None:
    """One that was shown counts as a try, as it does when it is left for help."""
    play = agreed()
    for _ in range(3):
        assert isinstance(play.state, Watching)
        shown = WatchProgress(Prompt.LEFT, None, 1, 4)
        play.feed(Watched(play.state.watch_id, shown))
        play.press(Button.EASIER, Button.EASIER_EARS)
    assert isinstance(play.state, Retrying)
    assert play.state.exhausted


@pytest.mark.parametrize("cannot", [*itertools.combinations(MOVEMENTS, 1), *itertools.combinations(
    MOVEMENTS, 2)])  # fmt: skip
@pytest.mark.parametrize("says", [None, *pace.NEEDS])
def test_whatever_somebody_cannot_do_they_reach_the_end_and_no_failed_movement_comes_twice(
    cannot: tuple[Action, ...], says: Button | None
) -> None:
    """Played for everybody who cannot do one or two of the six movements, said or not."""
    play = agreed()
    if says is not None:
        play.press(Button.EASIER, says)
    failed: list[Action] = []
    for _ in range(10):
        if isinstance(play.state, Retrying) and not play.state.exhausted:
            play.press(Button.TRY_AGAIN)
        if not isinstance(play.state, Watching):
            break
        state, actions = play.state, play.watch().actions
        missed = next((action for action in actions if action in cannot), None)
        if missed is not None:
            failed.append(missed)
            at = actions.index(missed)
            play.feed(Watched(state.watch_id, WatchProgress(Prompt.of(missed), None, at, 4)))
            timed_out = replace(verdict(live=False), reasons=(Reason.TIMED_OUT,))
            play.feed(Judged(state.watch_id, timed_out))
        else:
            play.feed(Judged(state.watch_id, verdict()))
            break
    assert not isinstance(play.state, Watching | Consenting)
    assert max((failed.count(action) for action in failed), default=0) <= 1
    if isinstance(play.state, Retrying):
        assert play.state.exhausted
        assert Button.CALL_STAFF in offered(play.state)
