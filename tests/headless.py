"""A whole kiosk without a window: the real runner, drivers, models and disk.

The screen is `view()` itself; the simulated person reads its words and
touches its buttons by number.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from edge.app.clock import SystemTime, mono_ns
from edge.app.compose import compose
from edge.app.config import Config, load
from edge.app.evidence import Evidence
from edge.app.runner import Runner
from edge.app.sealing import Keyring
from edge.app.world import DEMO_NUMBER, World, make_world
from edge.domain.people import PersonId, RosterEntry, mask_name
from edge.drivers.sim.hand import Glance, Hand
from edge.drivers.sim.scenario import Scenario
from edge.session.events import Event, Pressed
from edge.session.machine import Transition
from edge.session.states import Language
from edge.store.journal import SqliteJournal
from edge.ui.screen import Screen
from edge.ui.viewmodel import view
from provisioning.site import make_site

KIOSK = "K-TEST"

Observer = Callable[[Event | None, Transition], None]


def make_config(root: Path, models: Path, *, known: bool = True) -> Config:
    """A site with the demo's person on its roster (or an empty roster)."""
    site = make_site(root / "site", [KIOSK])
    config = replace(load(site.kiosk(KIOSK) / "site.toml"), models=str(models))
    config.database.parent.mkdir(parents=True, exist_ok=True)
    keyring = Keyring.load(config)
    journal = SqliteJournal(config.database, keyring.data, SystemTime())
    entry = RosterEntry(
        keyring.card_key(DEMO_NUMBER),
        PersonId("p-demo"),
        mask_name("王建华"),
        "离退休",
        date(2026, 12, 31),
    )
    journal.roster.replace(1, [entry] if known else [])
    journal.close()
    return config


class HeadlessKiosk:
    """Plays one scenario to its end."""

    def __init__(self, config: Config, scenario: Scenario, observe: Observer | None = None) -> None:
        decoder = "sim" if scenario.decoder else "none"
        config = replace(config, devices=replace(config.devices, photo_decoder=decoder))
        self.world: World = make_world(scenario, mono_ns, 384)
        self.parts = compose(config, self.world)
        self.evidence = Evidence(mono_ns)
        self.screens: list[Screen] = []
        self.runner = Runner(self.parts, Language.ZH, observe or self.evidence.observe)
        turns = itertools.count()
        self.hand = Hand(
            scenario.wishes,
            touch=self._touch,
            lay_card=lambda: self.world.lay_card(next(turns)),
            take_card=self.world.sam.lift,
            reading_s=0.05,
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="headless-screen")

    def __enter__(self) -> HeadlessKiosk:
        self.runner.start()
        self.hand.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.hand.close()
        stuck = self.runner.close()
        self.world.close()
        self.parts.disk.close()
        assert stuck == []

    def play(self, timeout_s: float = 90.0) -> None:
        assert self.hand.wait_until_gone(timeout_s), f"stuck on {self.screens[-1].name}"

    def _watch(self) -> None:
        while not self._stop.wait(0.03):
            screen = view(self.runner.session(), self.runner.now_ns(), self.parts.facts)
            still = replace(screen, footer=replace(screen.footer, time_left=""))
            if self.screens and still == self.screens[-1]:
                continue
            self.screens.append(still)
            texts = (screen.headline, screen.advice, *screen.lines, screen.hint)
            places = tuple(
                (choice.label, float(place), 0.0) for place, choice in enumerate(screen.buttons)
            )
            self.world.room.see(texts)
            self.world.room.shine(screen.glow)
            self.hand.see(Glance(screen.name, texts, places))

    def _touch(self, x: float, _y: float) -> None:
        self.runner.post(Pressed(self.screens[-1].buttons[int(x)].button))
