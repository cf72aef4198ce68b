"""身体不便 at a whole kiosk: said in the middle of a try, which then goes on otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.domain.challenge import Action
from edge.domain.record import Outcome
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.effects import Watch
from edge.session.events import Button, Event, Pressed
from edge.session.machine import Transition
from edge.session.pace_states import Pace
from edge.session.states import Choosing, Confirming, Consenting, Finished, Reviewing, Watching
from tests.headless import HeadlessKiosk, make_config
from tests.integration.test_sync_elsewhere import state_of

pytestmark = pytest.mark.timeout(120)


def test_feature_11_who_cannot_blink_says_so_and_passes_without(
    tmp_path: Path, models_dir: Path
) -> None:
    orders: list[Watch] = []

    def observe(_: Event | None, moved: Transition) -> None:
        orders.extend(effect for effect in moved.effects if isinstance(effect, Watch))

    nobody = replace(SCENARIOS["good-day"], wishes=())
    with HeadlessKiosk(make_config(tmp_path, models_dir), nobody, observe) as kiosk:

        def press(*buttons: Button) -> None:
            for button in buttons:
                kiosk.runner.post(Pressed(button))

        kiosk.world.sam.present(kiosk.world.card)
        state_of(kiosk, Confirming)
        press(Button.ENTER)
        state_of(kiosk, Choosing)
        press(Button.APPLY)
        state_of(kiosk, Consenting)
        press(Button.AGREE)
        state_of(kiosk, Watching)
        press(Button.EASIER)
        state_of(kiosk, Pace)
        press(Button.EASIER_EYES)
        state_of(kiosk, Reviewing)
        press(Button.SUBMIT)
        done = state_of(kiosk, Finished)
    assert done.record.outcome is Outcome.PASSED
    assert len(orders) == 2
    assert Action.BLINK not in orders[-1].actions
    assert (orders[0].slow, orders[-1].slow) == (False, True)
    assert kiosk.screens[-1].enlarged
