"""Somebody looks at their own data: card, camera, registry, correction; real processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app import config
from edge.app.world import DEMO_NAME, DEMO_NUMBER
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.events import Button, Pressed
from edge.session.mine_states import Mine, MinePage, Print, Said, Survey
from edge.session.states import Choosing, Confirming, Consenting, Home, ShowingHistory
from tests.fixtures_broker import Broker
from tests.headless import HeadlessKiosk
from tests.integration.test_sync_elsewhere import centre, running, site, state_of, until

__all__ = ["site"]

pytestmark = [pytest.mark.broker, pytest.mark.timeout(200)]

CANARIES = (DEMO_NAME, DEMO_NUMBER)


def rows(broker: Broker, question: str) -> list[Any]:
    with sqlite3.connect(broker.site.registry / "registry.sqlite3") as db:
        return db.execute(question).fetchall()


def press(kiosk: HeadlessKiosk, button: Button) -> None:
    kiosk.runner.post(Pressed(button))


def page(kiosk: HeadlessKiosk, wanted: MinePage) -> Mine:
    def there() -> Mine | None:
        state = kiosk.runner.session().state
        return state if isinstance(state, Mine) and state.page is wanted else None

    found: Mine = until(there, f"{wanted}, but {kiosk.runner.session().state}")
    return found


def choose(kiosk: HeadlessKiosk) -> None:
    """Of another county, so that the registry has to be there for it."""
    kiosk.world.sam.present(kiosk.world.card)
    state_of(kiosk, Confirming)
    press(kiosk, Button.ENTER)
    state_of(kiosk, Choosing)


def prove(kiosk: HeadlessKiosk, button: Button) -> None:
    """From the choice to the registry's answer; the simulated person does the movements."""
    press(kiosk, button)
    state_of(kiosk, ShowingHistory)
    press(kiosk, Button.PROVE)
    state_of(kiosk, Consenting)
    press(kiosk, Button.AGREE)


def go_home(kiosk: HeadlessKiosk) -> None:
    kiosk.world.sam.lift()
    press(kiosk, Button.HOME)
    state_of(kiosk, Home)
    until(lambda: not kiosk.runner.session().card_lies, "the card lifted")


def test_feature22_my_record_at_the_kiosk_and_offline_it_says_so(
    broker: Broker,
    site: config.Config,
) -> None:
    nobody = replace(SCENARIOS["good-day"], wishes=())
    with HeadlessKiosk(site, nobody) as kiosk:
        disk, paper = kiosk.parts.disk, kiosk.world.printer
        with running_sync(site):
            with running(centre(broker, "bridge")):
                until(lambda: disk.link_is_up(), "the link")
                choose(kiosk)
                prove(kiosk, Button.MINE)
                mine = page(kiosk, MinePage.MENU)
                assert mine.reached
                assert mine.visit.held is not None
                assert mine.visit.held.masked_name == "王*华"
                press(kiosk, Button.PAPERS)
                press(kiosk, Button.PRINT_COPY)
                printed(kiosk, MinePage.PRINT)
                assert "登记信息清单" in paper.text
                for canary in CANARIES:
                    assert canary not in paper.text
                press(kiosk, Button.BACK)
                for button in (Button.CORRECT, Button.ABOUT_BIRTH, Button.CONFIRM):
                    press(kiosk, button)
                number = printed(kiosk, MinePage.FILED).number
                assert number in paper.text
                for button in (Button.BACK, Button.WITHDRAW, Button.CONFIRM):
                    press(kiosk, button)
                gone = printed(kiosk, MinePage.WITHDRAWN)
                assert (gone.here, gone.number in paper.text) == (False, True)
                go_home(kiosk)
                survey(kiosk)
                kinds = "SELECT kind, about, proven, simulated FROM registry_matter ORDER BY seq"
                until(lambda: len(rows(broker, kinds)) == 2, "both filed")
                assert rows(broker, kinds) == [
                    ("access", "", 1, 1),
                    ("correction", "birth", 0, 1),
                ]
                opinions = "SELECT ratings, number FROM registry_opinion"
                until(lambda: rows(broker, opinions), "the questionnaire filed")
                assert rows(broker, opinions) == [('["good", "fair", "poor"]', "")]
                looks = "SELECT reason FROM registry_auditentry WHERE action = 'person.history'"
                [(reason,)] = rows(broker, looks)
                [(access,)] = rows(
                    broker, "SELECT record_id FROM registry_matter WHERE kind = 'access'"
                )
                assert reason == f"access {access}"
                assert not rows(broker, "SELECT 1 FROM registry_certification")
                choose(kiosk)
            prove(kiosk, Button.HISTORY)  # nobody answers
            silent = page(kiosk, MinePage.HISTORY)
            assert (silent.reached, silent.visit.held) == (False, None)
            shown = until(
                lambda: next((s for s in kiosk.screens if s.name == "mine_no_history"), None),
                "the honest page",
            )
            assert "现在联系不上中心" in shown.advice
            go_home(kiosk)
    for path in (path for path in site.database.parent.rglob("*") if path.is_file()):
        data = path.read_bytes()
        assert not any(canary.encode() in data for canary in CANARIES), path


def survey(kiosk: HeadlessKiosk) -> None:
    press(kiosk, Button.SURVEY)
    state_of(kiosk, Survey)
    for button in (Button.RATE_GOOD, Button.RATE_FAIR, Button.RATE_POOR):
        press(kiosk, button)
    state_of(kiosk, Said)
    press(kiosk, Button.EXIT)
    state_of(kiosk, Home)


def printed(kiosk: HeadlessKiosk, wanted: MinePage) -> Mine:
    done: Callable[[], bool] = lambda: page(kiosk, wanted).paper is Print.PRINTED  # noqa: E731
    until(done, "the printer's word")
    return page(kiosk, wanted)


def running_sync(loaded: config.Config) -> Any:
    import sys

    path: Path = loaded.base / "site.toml"
    return running([sys.executable, "-m", "edge", "sync", "--site", str(path)])
