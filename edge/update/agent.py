"""One turn of the updater: what shall run, what runs, and the one next thing to do about it.

Fetching and staging may happen at any time; switching only while nobody is being served, inside the
window or past the time that it may be deferred to. After a switch the release is on trial: the
launcher counts its starts, and here it is confirmed once every sign of life has held for a while,
or sent back when one is missing for too long. A serial that failed is never tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Protocol

from edge.update import launcher, staging
from edge.update.download import Shelf
from edge.update.fetch import Fetcher, FetchError
from edge.update.staging import StagingError
from edge.update.trust import Distrust, Trust
from edge.wire.releases import Assignment, Manifest

log = logging.getLogger("edge.update")

CONFIRM_S = 600.0
"""How long every sign of life has to hold."""
GIVE_UP_S = 900.0
"""How long after a switch they may be missing."""


class Phase(Enum):
    """Where an update stands, as the centre is told."""

    IDLE = "idle"
    FETCHING = "fetching"
    STAGED = "staged"  # waits for an hour in which it may switch, or for a visit to end
    TRIAL = "trial"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    BACK = "rolled-back"


@dataclass(frozen=True, slots=True)
class Told:
    """What the centre hears. `word`: why it was refused or went back."""

    phase: Phase
    running: int
    wanted: int = 0
    word: str = ""
    details: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Signs:
    """Whether the parts of the kiosk show life just now, and whether they can be asked.

    `acked`: the registry acknowledged something since the switch; nothing where the network did
    not work before it.
    """

    drawn: bool
    camera: bool
    outbox: bool
    watchdog: bool
    acked: bool | None = None

    @property
    def all_well(self) -> bool:
        return not self.missing

    @property
    def missing(self) -> str:
        names = ("drawn", "camera", "outbox", "watchdog", "acked")
        return " ".join(name for name in names if getattr(self, name) is False)


class Services(Protocol):
    """What starts and stops the kiosk: systemd on a device, child processes elsewhere."""

    def restart(self) -> None:
        """Start what `current` names."""
        ...


class House(Protocol):
    """What the updater may know of the kiosk beside it."""

    def nobody_is_served(self) -> bool: ...

    def signs(self) -> Signs: ...

    def try_out(self, release: Path) -> str:
        """Run the release's own check in a throw-away cage; a word if it failed, else nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Machine:
    """What this kiosk is. `schema`: version of its database now."""

    kiosk_id: str
    name: str
    schema: int


@dataclass(frozen=True, slots=True)
class Times:
    """Wall clock in the kiosk's own zone, and seconds that only ever grow."""

    now: Callable[[], datetime]
    mono_s: Callable[[], float]


class Agent:
    """`root`, `state` as the launcher has them. One process."""

    def __init__(
        self,
        places: tuple[Path, Path],
        machine: Machine,
        trust: Trust,
        shelf: Shelf,
        fetchers: Sequence[Fetcher],
        beside: tuple[Services, House],
        times: Times,
    ) -> None:
        self._root, self._state = places
        self._machine = machine
        self._trust = trust
        self._shelf = shelf
        self._fetchers = fetchers
        self._services, self._house = beside
        self._times = times
        self._switched_s: float | None = None
        self._well_since_s: float | None = None
        self._newest_seq = 0

    def turn(self, wanted: Assignment | None) -> Told:
        """Do the next thing. Never raises for what a repository, a disk or a network does."""
        boot = launcher.load(self._state)
        if boot.trial:
            return self._watch_trial(boot)
        running = launcher.serial_of(boot.current)
        if wanted is None or wanted.kiosk_id != self._machine.kiosk_id:
            word = "foreign" if wanted else ""
            return Told(Phase.REFUSED if word else Phase.IDLE, running, 0, word)
        if word := self._objection(wanted, boot, running):
            phase = Phase.BACK if word == "bad" and boot.reason else Phase.REFUSED
            return Told(phase, running, wanted.serial, word, boot.reason)
        if wanted.serial == running:
            return Told(Phase.IDLE, running, wanted.serial)
        return self._towards(wanted, running)

    # --- towards a release

    def _objection(self, wanted: Assignment, boot: launcher.Boot, running: int) -> str:
        if wanted.seq < self._newest_seq:
            return "replayed"
        self._newest_seq = wanted.seq
        self._trust.not_before(wanted.issued_at)
        if wanted.serial in boot.bad:
            return "bad"
        if wanted.serial < running:
            return "downgrade"
        return ""

    def _towards(self, wanted: Assignment, running: int) -> Told:
        try:
            name = f"{wanted.serial}-{wanted.manifest_sha256[:8]}"
            if not launcher.is_whole(self._root, name):
                self._prepare(wanted, name)
            if word := self._house.try_out(launcher.folder_of(self._root, name)):
                self._give_up(wanted.serial, name, f"check failed: {word}")
                return Told(Phase.REFUSED, running, wanted.serial, word)
        except Distrust as error:
            return self._refused(wanted, running, error.word, str(error))
        except StagingError as error:
            return self._refused(wanted, running, error.word, str(error))
        except FetchError as error:
            return Told(Phase.FETCHING, running, wanted.serial, error.word, str(error))
        if not self._may_switch(wanted):
            return Told(Phase.STAGED, running, wanted.serial)
        self._switch(name)
        return Told(Phase.TRIAL, wanted.serial, wanted.serial)

    def _refused(self, wanted: Assignment, running: int, word: str, details: str) -> Told:
        log.warning("update=refused serial=%d word=%s", wanted.serial, word)
        return Told(Phase.REFUSED, running, wanted.serial, word, details)

    def _prepare(self, wanted: Assignment, name: str) -> None:
        """Fetch over the first way that works, and make the release."""
        problem: Exception = FetchError("no way to fetch anything")
        for fetcher in self._fetchers:
            try:
                manifest = self._manifest(wanted, fetcher)
                parts = {p.path: self._trust.place_of(p) for p in manifest.parts}
                files = {
                    part.path: self._shelf.bring(part, parts[part.path], fetcher, lambda _: None)
                    for part in manifest.parts
                }
                staging.stage(self._root, name, manifest, files)
                return
            except FetchError as error:
                problem = error
            except Distrust as error:
                if error.word not in ("unreachable", "stale"):
                    raise
                problem = error
        raise problem

    def _manifest(self, wanted: Assignment, fetcher: Fetcher) -> Manifest:
        self._trust.refresh(fetcher)
        manifest = self._trust.manifest(wanted.serial, wanted.manifest_sha256, fetcher)
        if self._machine.name not in manifest.machines:
            raise Distrust("hardware", f"release {manifest.serial} is for other machines")
        if manifest.launcher > launcher.VERSION:
            raise Distrust("launcher", f"release {manifest.serial} needs a newer system image")
        if not manifest.schema_from <= self._machine.schema <= manifest.schema_to:
            raise Distrust("schema", f"release {manifest.serial} cannot open this database")
        return manifest

    def _give_up(self, serial: int, name: str, reason: str) -> None:
        boot = launcher.load(self._state)
        bad = tuple(sorted({*boot.bad, serial}))
        launcher.save(
            self._state, launcher.Boot(boot.current, boot.previous, bad=bad, reason=reason)
        )
        staging.prune(self._root, {boot.current, boot.previous} - {name})

    def _may_switch(self, wanted: Assignment) -> bool:
        now = self._times.now()
        if now < wanted.not_before or not self._house.nobody_is_served():
            return False
        return now >= wanted.defer_until or wanted.window.holds(now.hour * 60 + now.minute)

    def _switch(self, name: str) -> None:
        log.info("update=switch release=%s", name)
        launcher.begin_trial(self._root, self._state, name)
        self._switched_s, self._well_since_s = self._times.mono_s(), None
        self._services.restart()

    # --- on trial

    def _watch_trial(self, boot: launcher.Boot) -> Told:
        """Where the updater itself was started since, the time counts anew."""
        serial, now_s = launcher.serial_of(boot.trial), self._times.mono_s()
        self._switched_s = now_s if self._switched_s is None else self._switched_s
        signs = self._house.signs()
        if not signs.all_well:
            self._well_since_s = None
            if now_s - self._switched_s >= GIVE_UP_S:
                return self._go_back(serial, f"no sign of life: {signs.missing}")
            return Told(Phase.TRIAL, serial, serial, signs.missing)
        self._well_since_s = now_s if self._well_since_s is None else self._well_since_s
        if now_s - self._well_since_s < CONFIRM_S:
            return Told(Phase.TRIAL, serial, serial)
        launcher.confirm(self._state)
        after = launcher.load(self._state)
        staging.prune(self._root, {after.current, after.previous})
        log.info("update=confirmed serial=%d", serial)
        return Told(Phase.CONFIRMED, serial, serial)

    def _go_back(self, serial: int, reason: str) -> Told:
        log.warning("update=rolled_back serial=%d", serial)
        after = launcher.go_back(self._root, self._state, reason)
        self._switched_s = self._well_since_s = None
        self._services.restart()
        return Told(Phase.BACK, launcher.serial_of(after.current), serial, "unhealthy", reason)
