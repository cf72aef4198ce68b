"""`edge simulate`: the whole kiosk, real drivers and models, with a simulated day around it.

The person in front of the kiosk sees the screen and hears the voice, and has
nothing else to go by. Every screen that was drawn is kept as a picture, and
`kiosk.json` tells how the visit went.
"""

from __future__ import annotations

import itertools
import logging
import queue
import re
import signal
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from edge.app.clock import SystemTime, mono_ns
from edge.app.compose import compose, disk_of, models_dir
from edge.app.config import Config, PhotoDecoderKind
from edge.app.evidence import Evidence
from edge.app.exits import EXIT_OK
from edge.app.kiosk import POWER_CODES
from edge.app.lock import devices_of
from edge.app.runner import Runner
from edge.app.sealing import Keyring
from edge.app.settings import KioskSettings
from edge.app.world import World, make_world
from edge.domain.errors import ConfigError
from edge.drivers.sim.hand import Glance, Hand
from edge.drivers.sim.scenario import SCENARIOS, Scenario
from edge.ports import Picture
from edge.session.staff_states import PowerWish
from edge.session.states import Language
from edge.ui.controller import DrawnScreen
from edge.ui.kivy_app import KioskApp
from edge.ui.theme import Panel

log = logging.getLogger("edge.simulate")

Words = tuple[str, ...]
_NUMBERS = re.compile(r"\d+")

PROMPTING = "watch"
MOVING_S = 1.0
"""A prompt is pictured when the person has begun to follow it."""

VISIT_S = 240.0
"""A visit that takes longer has got stuck somewhere."""


def make_disk(config: Config) -> int:
    """What a kiosk's first start makes, without the kiosk."""
    config.database.parent.mkdir(parents=True, exist_ok=True)
    disk_of(config, Keyring.load(config), SystemTime()).close()
    return EXIT_OK


def simulate(config: Config, name: str, out: Path, *, stay: bool, yourself: bool) -> int:
    """Play one day; 0 when the visit came to an end, 1 when the person got stuck."""
    if config.mode != "demo":
        raise ConfigError("mode", f'`simulate` needs mode = "demo", not "{config.mode}"')
    scenario = _for_this_site(SCENARIOS[name], yourself=yourself)
    settings = KioskSettings(config, mono_ns)
    config = settings.start()
    config = replace(config, devices=replace(config.devices, photo_decoder=_decoder(scenario)))
    photo = _own_photo(config) if yourself else None
    dots = 384 if config.devices.printer_columns == 32 else 576
    with devices_of(config), closing(make_world(scenario, mono_ns, dots, photo)) as world:
        day = Day(config, scenario, world, out, settings, pictures=not yourself)
        return day.play(stay=stay or yourself)


def _for_this_site(scenario: Scenario, *, yourself: bool) -> Scenario:
    return replace(scenario, wishes=()) if yourself else scenario


def _decoder(scenario: Scenario) -> PhotoDecoderKind:
    return "sim" if scenario.decoder else "none"


def _own_photo(config: Config) -> Picture:
    from edge.app.own_photo import take_with_consent

    return take_with_consent(config, models_dir(config))


class Day:
    """A kiosk, a window and a person, from the first screen to the last."""

    def __init__(
        self,
        config: Config,
        scenario: Scenario,
        world: World,
        out: Path,
        settings: KioskSettings,
        *,
        pictures: bool,
    ) -> None:
        self._world = world
        self._pictures = pictures
        self._out = out
        self._screens: list[str] = []
        self._kept: set[Words] = set()
        self._seen: queue.Queue[DrawnScreen | None] = queue.Queue()
        self._evidence = Evidence(mono_ns)
        parts = compose(config, world, settings)
        self._runner = Runner(
            parts, Language(config.language), self._evidence.observe, power=self._switched
        )
        panel = Panel(config.screen.width, config.screen.height, config.screen.dpi)
        self._app = KioskApp(
            self._runner, parts.facts, panel=panel, fullscreen=False, on_drawn=self._drawn
        )
        turns = itertools.count()
        self._hand = Hand(
            scenario.wishes,
            touch=self._app.touch,
            lay_card=lambda: world.lay_card(next(turns)),
            take_card=world.sam.lift,
        )
        self._stuck = False
        self._code = EXIT_OK
        self._over = threading.Event()

    def play(self, *, stay: bool) -> int:
        (self._out / "screens").mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, lambda *_: self._app.stop())
        threads = [
            threading.Thread(target=self._look, name="sim-eyes", daemon=True),
            threading.Thread(target=self._direct, args=(stay,), name="sim-day", daemon=True),
        ]
        self._runner.start()
        self._hand.start()
        for thread in threads:
            thread.start()
        try:
            self._app.run()
        finally:
            self._over.set()
            self._seen.put(None)
            self._hand.close()
            self._runner.close()
            self._keep()
        return 1 if self._stuck else self._code

    def _switched(self, wish: PowerWish) -> None:
        """Nothing is switched off here but the simulation; the exit code is the real one."""
        self._code = POWER_CODES[wish]
        self._app.stop()

    def _drawn(self, seen: DrawnScreen) -> None:
        """In the window's thread: the person sees it at once, the camera clicks a little later."""
        self._world.room.see(seen.texts)
        self._world.room.shine(seen.glow)
        self._seen.put(seen)

    def _look(self) -> None:
        """Keep a picture of each new screen before the person touches it."""
        last = None
        while (seen := self._newest()) is not None:
            if _words(seen) == last:
                continue
            last = _words(seen)
            self._picture(seen, last)
            self._hand.see(Glance(seen.name, seen.texts, seen.buttons))

    def _newest(self) -> DrawnScreen | None:
        """What is on the glass now; what was drawn before it can no longer be pictured."""
        seen = self._seen.get()
        while seen is not None and not self._seen.empty():
            seen = self._seen.get()
        return seen

    def _picture(self, seen: DrawnScreen, words: Words) -> None:
        """One picture of each screen and prompt; none of a visitor, who was promised so."""
        if words in self._kept or not self._pictures:
            return
        if seen.name == PROMPTING and any(name == PROMPTING for name, *_ in self._kept):
            self._over.wait(MOVING_S)
        name = f"{len(self._screens) + 1:02d}-{seen.name.replace('_', '-')}.png"
        self._kept.add(words)
        self._app.screenshot(self._out / "screens" / name)
        self._screens.append(name)

    def _direct(self, stay: bool) -> None:
        """Ends the day when the person has gone."""
        if stay:
            return
        self._stuck = not self._hand.wait_until_gone(VISIT_S)
        if self._stuck:
            log.error("visit=stuck seconds=%d", VISIT_S)
        self._app.stop()

    def _keep(self) -> None:
        self._world.printer.save_png(self._out / "receipt.png")
        self._evidence.write(self._out / "kiosk.json", [f"screens/{n}" for n in self._screens])


def _words(seen: DrawnScreen) -> Words:
    """What a screen says; that a second has passed is nothing new."""
    return (seen.name, *(_NUMBERS.sub("", text) for text in seen.texts))
