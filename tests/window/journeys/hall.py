"""One window, and behind it whole kiosks one after the other, for scripts that touch the glass.

Runner, composition, drivers, machine, screens and disk are the product's; card reader, printer
and scanner are simulated at the far end of pseudo-terminals. Only the camera check is told what
to see, unless a journey asks for the real one, and time can be skipped.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from edge.app.clock import SystemTime, mono_ns
from edge.app.compose import compose, facts_of
from edge.app.config import Config, load
from edge.app.runner import Runner
from edge.app.sealing import Keyring
from edge.app.world import DEMO_NUMBER, World, make_world
from edge.domain.people import PersonId, RosterEntry
from edge.domain.record import Provenance
from edge.domain.timebase import NS_PER_S, ClockTrust, MonoNs, Stamp
from edge.drivers.sim.idcard import SimCard
from edge.drivers.sim.portrait import ASTRONAUT
from edge.drivers.sim.resident import Resident
from edge.drivers.sim.room import Room
from edge.drivers.sim.scenario import SCENARIOS
from edge.ports import Picture
from edge.session.events import Button, Event, Focused, Pressed, Touched
from edge.session.machine import Transition
from edge.session.staff_states import PowerWish
from edge.session.states import Home, Language, Session, uses_camera
from edge.ui.controller import DrawnButton, DrawnScreen
from edge.ui.kivy_app import KioskApp
from edge.ui.screen import Screen
from edge.ui.theme import PANELS
from edge.ui.viewmodel import view
from tests.chaos.kiosk import parts as parts_with
from tests.headless import KIOSK, make_config
from tests.window.journeys.centre import Centre
from tests.window.journeys.eyes import ScriptedEyes

PANEL = PANELS[1]
PATIENCE_S = 20.0
LOOK_S = 0.05
UNUSED = Path("unused")
REAL_S = 90.0
"""A real try takes its time."""
NEAREST = "对面的社区服务站"
TODAY = date.today()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a journey needs of its kiosk."""

    scanner: Literal["none", "sim"] = "none"
    known: bool = True
    entry: dict[str, Any] = field(default_factory=dict)  # what differs on the roster
    card: dict[str, Any] = field(default_factory=dict)  # what differs on the card
    link: bool = True
    paper: bool = True
    trust: ClockTrust = ClockTrust.NTP
    real_eyes: bool = False
    present: bool = True  # somebody stands before real eyes
    folder: str = ""  # of its data, which the next kiosk may find again


@dataclass(frozen=True, slots=True)
class Folders:
    """Where data lie, where pictures go, and where the models are, as far as they are wanted."""

    data: Path
    pictures: Path | None = None
    models: Path | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One look at the glass; `serves` names what of the acceptance list it shows."""

    title: str
    screen: str
    serves: tuple[str, ...]
    picture: str


class Clock(SystemTime):
    """The machine's, ahead by what was skipped, and as trusted as a journey wants."""

    def __init__(self, trust: ClockTrust) -> None:
        super().__init__()
        self._trust = trust
        self._skipped_s = 0.0

    def skip(self, seconds: float) -> None:
        self._skipped_s += seconds

    def mono_ns(self) -> MonoNs:
        return MonoNs(mono_ns() + int(self._skipped_s * NS_PER_S))

    def now(self) -> Stamp:
        now = super().now()
        later = now.utc + timedelta(seconds=self._skipped_s)
        return Stamp(later, self.mono_ns(), now.boot_id, self._trust)


class Hall(Room):
    """Remembers what the loudspeaker said."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def hear(self, words: str) -> None:
        self.heard.append(words)
        super().hear(words)


class Glass:
    """The one window of this process. Implements the window's `Controller` for whatever kiosk
    stands behind it just now."""

    def __init__(self, config: Config, began: Callable[[], None]) -> None:
        """`began` is called in a thread of its own once the window draws; then it closes."""
        self.facts = facts_of(config, Provenance.SIMULATED)
        self.runner: Runner | None = None
        self.room: Room | None = None
        self.news = threading.Condition()
        self._began = began
        self._drawn: DrawnScreen | None = None
        self._of: Screen | None = None
        self.app = KioskApp(self, self.facts, panel=PANEL, on_drawn=self._saw)

    def run(self) -> None:
        worker = threading.Thread(target=self._work, name="journeys")
        worker.start()
        self.app.run()
        worker.join()

    def _work(self) -> None:
        try:
            self.until(lambda: self._drawn, "a first frame")
            self._began()
        finally:
            self.app.stop()

    def _saw(self, drawn: DrawnScreen) -> None:
        with self.news:
            self._drawn = drawn
            self._of = self.app.stage.screen if self.app.stage else None
            self.news.notify_all()
        if self.room is not None:
            self.room.see(drawn.texts)
            self.room.shine(drawn.glow)

    # --- the window's side ---

    def session(self) -> Session:
        return self.runner.session() if self.runner else Session(Home(), Language.ZH)

    def now_ns(self) -> MonoNs:
        return self.runner.now_ns() if self.runner else mono_ns()

    def post(self, event: Pressed | Touched | Focused) -> None:
        if self.runner is not None:
            self.runner.post(event)

    def preview(self) -> Picture | None:
        return self.runner.preview() if self.runner else None

    def portrait(self) -> Picture | None:
        return self.runner.portrait() if self.runner else None

    # --- the script's side ---

    def shown(self) -> DrawnScreen | None:
        """What stands on the glass, if that is what the session says now."""
        now = view(self.session(), self.now_ns(), self.facts)
        return self._drawn if self._of is not None and _still(now) == _still(self._of) else None

    def until(self, holds: Callable[[], Any], what: str, end_s: float = 0.0) -> Any:
        """What `holds` says as soon as it is true; `end_s` on the monotonic clock."""
        end_s = end_s or time.monotonic() + PATIENCE_S
        with self.news:
            while not (found := holds()):
                if time.monotonic() > end_s:
                    raise AssertionError(f"{what} never came; {self._told()}")
                self.news.wait(LOOK_S)
        return found

    def _told(self) -> str:
        drawn = self._drawn
        return f"on the glass: {drawn.name} {drawn.texts}" if drawn else "nothing drawn"


def _words(drawn: DrawnScreen) -> list[str]:
    return [*drawn.texts, *(button.label for button in drawn.buttons)]


def _still(screen: Screen) -> Screen:
    """Seconds that pass and a ground that glows are no news."""
    return replace(screen, footer=replace(screen.footer, time_left=""), glow="")


class Kiosk:
    """A whole kiosk behind the glass, and somebody in front of it who follows a script."""

    def __init__(self, glass: Glass, root: Path, plan: Plan, folders: Folders) -> None:
        self.glass, self.plan, self._pictures = glass, plan, folders.pictures
        self._models = folders.models if plan.real_eyes else None
        self._patience_s = REAL_S if plan.real_eyes else PATIENCE_S
        self.root = root
        self.steps: list[Step] = []
        self.presses = 0
        self.wishes: list[PowerWish] = []
        self.clock = Clock(plan.trust)
        self.config = self._configured()
        self.hall = Hall()
        self.eyes = ScriptedEyes()
        self.world = self._world()
        self.parts = self._parts()
        keyring = Keyring.load(self.config)
        self.card_key = keyring.card_key(DEMO_NUMBER)
        self.centre = Centre(self.config, keyring.data, self.clock)
        self.centre.expects(*((self.expected(),) if plan.known else ()))
        self.centre.link(plan.link)
        self.runner = Runner(self.parts, Language.ZH, self._observe, power=self.wishes.append)

    def _configured(self) -> Config:
        config = made(self.root, self._models or UNUSED)
        decoder: Literal["sim", "none"] = "sim" if self._models else "none"
        devices = replace(config.devices, scanner=self.plan.scanner, photo_decoder=decoder)
        return replace(config, devices=devices)

    def _world(self) -> World:
        alone = replace(SCENARIOS["helped"], before_camera="nobody", paper=self.plan.paper)
        made = make_world(alone, mono_ns, 384)
        if self._models and self.plan.present:
            self.hall.enter(Resident(ASTRONAUT, mono_ns))
        return replace(made, room=self.hall, card=replace(made.card, **self.plan.card))

    def _parts(self) -> Any:
        if self._models:
            return compose(self.config, self.world)
        return parts_with(self.config, self.world, self.clock, lambda: self.eyes)

    def expected(self, **changes: Any) -> RosterEntry:
        """What the roster says of the person with the card."""
        usual = RosterEntry(
            self.card_key, PersonId("p-demo"), "王*华", "retired", date(TODAY.year, 12, 31)
        )
        return replace(usual, **{**self.plan.entry, **changes})

    def __enter__(self) -> Kiosk:
        self.runner.start()
        self.glass.runner, self.glass.room = self.runner, self.hall
        return self

    def __exit__(self, *_: object) -> None:
        self.glass.runner = self.glass.room = None
        stuck = self.runner.close()
        self.world.close()
        self.parts.disk.close()
        self.centre.close()
        assert stuck == []

    def _observe(self, event: Event | None, _: Transition) -> None:
        with self.glass.news:
            self.presses += isinstance(event, Pressed)
            self.glass.news.notify_all()

    # --- eyes ---

    def see(self, name: str, *texts: str, serves: str = "", title: str = "") -> DrawnScreen:
        """The screen of that name stands on the glass and says all of these texts; whoever does
        not find them turns the pages, where there are more."""
        read: list[str] = []
        end_s = time.monotonic() + self._patience_s

        def here() -> DrawnScreen | None:
            drawn = self.glass.shown()
            return drawn if drawn is not None and drawn.name == name else None

        def found() -> bool:
            drawn = here()
            whole = "\n".join((*read, *_words(drawn))) if drawn else ""
            return drawn is not None and all(text in whole for text in texts)

        what = f"{name} with {texts}"
        while True:
            self.glass.until(lambda: found() or (here() and self._turn_key()), what, end_s)
            drawn = here()
            if drawn is not None:
                self._keep(drawn, title or (texts[0] if texts else name), serves)
                read += _words(drawn)
            if drawn is not None and all(text in "\n".join(read) for text in texts):
                return drawn
            self._turn()

    def _keep(self, drawn: DrawnScreen, title: str, serves: str) -> None:
        picture = self._picture(drawn.name)
        self.steps.append(Step(title, drawn.name, tuple(serves.split()), picture))

    def _picture(self, name: str) -> str:
        if self._pictures is None:
            return ""
        self.until(
            lambda: self.glass.preview() or not uses_camera(self.glass.session().state), "a frame"
        )
        file = f"{len(self.steps) + 1:02d}-{name.replace('_', '-')}.png"
        self.glass.app.screenshot(self._pictures / file)
        return file

    def _turn_key(self) -> DrawnButton | None:
        stage = self.glass.app.stage
        key = stage.key_of(Button.TURN_PAGE) if stage and self.glass.shown() else None
        return DrawnButton(key.choice.label, *map(round, key.box.centre)) if key else None

    def _turn(self) -> None:
        turn = self._turn_key()
        if turn is not None:
            self._finger(turn)

    def says(self, text: str) -> bool:
        """Whether it stands on the glass just now."""
        drawn = self.glass.until(self.glass.shown, "a settled screen")
        return any(text in line for line in drawn.texts)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        return self.glass.until(holds, what)

    def hear(self, words: str) -> None:
        self.until(lambda: any(words in said for said in self.hall.heard), f"a voice: {words}")

    def read_paper(self, *texts: str) -> str:
        """The newest sheet, as soon as it says all of these."""
        paper = self.world.printer
        self.until(lambda: all(text in paper.text for text in texts), f"paper with {texts}")
        return paper.text

    # --- hands ---

    def touch(self, *labels: str) -> None:
        """One finger after the other, each where its words stand, on whatever page that is."""
        for label in labels:
            what, end_s = f"a key {label}", time.monotonic() + PATIENCE_S
            while True:
                self.glass.until(
                    lambda wanted=label: self._key(wanted) or self._turn_key(), what, end_s
                )
                key = self._key(label)
                if key is not None:
                    self._finger(key)
                    break
                self._turn()

    def _finger(self, place: DrawnButton) -> None:
        before = self.presses
        self.glass.app.touch(place.centre_x_px, place.centre_y_px)
        self.until(lambda: self.presses > before, f"{place.label} pressed")

    def _key(self, label: str) -> DrawnButton | None:
        drawn = self.glass.shown()
        buttons = drawn.buttons if drawn else ()
        return next((button for button in buttons if button.label == label), None)

    def key(self, *codes: int) -> None:
        """Keys of a housing without touch, as Kivy hands them on."""
        app = self.glass.app
        for code in codes:
            self.until(self.glass.shown, "a settled screen")
            before = self.runner.session()
            app._in_ui(lambda c=code: app._window.dispatch("on_key_down", c, 0, None, []))
            self.until(lambda seen=before: self.runner.session() is not seen, "the key")

    def touch_nothing(self) -> None:
        """A finger on the glass where there is no key."""
        before = self.runner.session()
        self.glass.app.touch(5, PANEL.height_px / 2)
        self.until(lambda: self.runner.session() is not before, "the touch")

    def lay(self, card: SimCard | None = None) -> None:
        self.world.sam.present(card or self.world.card)

    def lift(self) -> None:
        self.world.sam.lift()
        self.until(lambda: not self.runner.session().card_lies, "the card lifted")

    def scan(self, code: str) -> None:
        self.world.scanner.show(code)

    def skip(self, seconds: float) -> None:
        self.clock.skip(seconds)


@dataclass(frozen=True, slots=True)
class Played:
    """How a journey went; `failed` is why it did not come to its end."""

    name: str
    title: str
    steps: tuple[Step, ...]
    seconds: float
    failed: str = ""


Script = Callable[[Kiosk], None]


@dataclass(frozen=True, slots=True)
class Journey:
    """A script with its title for reviewers and the kiosk that it needs."""

    name: str
    title: str
    plan: Plan
    play: Script


class Journeys:
    """Those of one group, in the order in which they were written."""

    def __init__(self) -> None:
        self.all: dict[str, Journey] = {}

    def __call__(self, title: str, **plan: Any) -> Callable[[Script], Script]:
        def keep(script: Script) -> Script:
            name = script.__name__
            self.all[name] = Journey(name, title, Plan(**{"folder": name, **plan}), script)
            return script

        return keep


def made(root: Path, models: Path = UNUSED) -> Config:
    """A site as the tests make it, or the one that a kiosk before left behind; it knows where
    the next terminal stands."""
    left = root / "site" / "kiosks" / KIOSK / "site.toml"
    config = replace(load(left), models=str(models)) if left.exists() else make_config(root, models)
    return replace(config, agency=replace(config.agency, nearest=NEAREST))


def play(glass: Glass, journey: Journey, folders: Folders) -> Played:
    """One journey from the first screen; its kiosk is made for it and closed after it."""
    began_s = time.monotonic()
    own = folders
    if folders.pictures is not None:
        own = replace(folders, pictures=folders.pictures / journey.name)
        (folders.pictures / journey.name).mkdir(parents=True, exist_ok=True)
    kiosk, failed = Kiosk(glass, folders.data / journey.plan.folder, journey.plan, own), ""
    with kiosk:
        try:
            journey.play(kiosk)
        except Exception:  # noqa: BLE001 - told, and the next journey is played all the same
            failed = traceback.format_exc(limit=-4)
    seconds = round(time.monotonic() - began_s, 1)
    return Played(journey.name, journey.title, tuple(kiosk.steps), seconds, failed)
