"""`python -m edge doctor`: asks each part how it is, in words a technician can act on.

It has the devices to itself. While a kiosk runs on them it leaves them alone
and tells what that kiosk last wrote down of each.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from typing import TextIO

from edge import __version__
from edge.app import doctor_devices, doctor_system, logs
from edge.app.clock import SystemTime, mono_ns
from edge.app.config import Config
from edge.app.doctor_devices import Desk
from edge.app.lock import InUseError, devices_of
from edge.app.world import World, make_world
from edge.domain import findings
from edge.domain.errors import ConfigError, DeviceError, KioskError, ModelError, StoreError
from edge.domain.findings import Finding, Status
from edge.domain.health import DeviceState
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.states import Language
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.ui.findings import told
from edge.ui.texts import text

log = logging.getLogger("edge.doctor")

Check = Callable[[Desk], Finding]

DEVICES: Mapping[str, Check] = {
    "card_reader": doctor_devices.card_reader,
    "photo_decoder": doctor_devices.photo_decoder,
    "camera": doctor_devices.camera,
    "camera_picture": doctor_devices.camera_picture,
    "models": doctor_devices.models,
    "printer": doctor_devices.printer,
    "printer_slip": doctor_devices.printer_slip,
    "voice": doctor_devices.voice,
    "voice_sound": doctor_devices.voice_sound,
    "panel": doctor_devices.panel,
    "scanner": doctor_devices.scanner,
}
SYSTEM: Mapping[str, Check] = {
    "keys": doctor_system.keys,
    "database": doctor_system.database,
    "clock": doctor_system.clock,
    "disk": doctor_system.disk,
    "link": doctor_system.link,
    "roster": doctor_system.roster,
    "outbox": doctor_system.outbox,
}
PARTS: Mapping[str, Check] = {**DEVICES, **SYSTEM}
TRIES_OUT = {"camera_picture": "camera", "printer_slip": "printer", "voice_sound": "voice"}
"""Parts that use a device after it was asked how it is."""
NEED_NO_DEVICE = ("photo_decoder", "models")
OPTIONAL = ("panel", "scanner")


@dataclass(frozen=True, slots=True)
class Order:
    """What the technician typed."""

    language: Language
    only: tuple[str, ...]
    as_json: bool
    yes: bool


@dataclass(frozen=True, slots=True)
class Examined:
    finding: Finding
    seconds: float


def doctor(config: Config, order: Order, out: TextIO, ask: Callable[[str], bool] | None) -> int:
    """0 when nothing failed, 1 otherwise. `ask` puts a question to whoever stands there."""
    paper = _Paper(config, order.language, None if order.as_json else out)
    with ExitStack() as stack:
        pid = _take_devices(config, stack)
        world = None if pid is not None else _world(config, stack)
        desk = Desk(config, world, order.language, ask, order.yes)
        examined: list[Examined] = []
        paper.head(pid)
        for part in chosen(config, order.only):
            paper.begin(part)
            examined.append(_examine(part, desk, pid, examined))
            paper.row(examined[-1].finding)
    paper.foot(result_of(examined))
    if order.as_json:
        print(_json(config, order.language, examined, pid), file=out)
    return 1 if result_of(examined) is Status.FAILED else 0


def chosen(config: Config, only: Sequence[str]) -> list[str]:
    """`printer` also means `printer_slip`; a panel or scanner that is not there is no part."""
    fitted = [
        part for part in PARTS if part not in OPTIONAL or getattr(config.devices, part) != "none"
    ]
    wanted = [part for part in fitted if not only or part.startswith(tuple(only))]
    if not wanted:
        raise ConfigError("devices", f"this kiosk has no {', '.join(only)}")
    return wanted


def _take_devices(config: Config, stack: ExitStack) -> int | None:
    """The process that has the devices, if not this one from now on."""
    if not config.database.parent.is_dir():
        return None  # nothing ever ran here
    try:
        stack.enter_context(devices_of(config))
    except InUseError as error:
        return error.pid
    return None


def _world(config: Config, stack: ExitStack) -> World | None:
    if config.mode != "demo":
        return None
    dots = 384 if config.devices.printer_columns == 32 else 576
    return stack.enter_context(closing(make_world(SCENARIOS["good-day"], mono_ns, dots)))


def _examine(part: str, desk: Desk, pid: int | None, before: Sequence[Examined]) -> Examined:
    started_s = time.monotonic()
    failed = [row.finding.part for row in before if row.finding.status is Status.FAILED]
    if TRIES_OUT.get(part) in failed:
        finding = Finding(part, Status.NOT_TRIED, "down")
    elif pid is not None and part in DEVICES and part not in NEED_NO_DEVICE:
        finding = _as_the_kiosk_knows(part, desk.config)
    else:
        finding = _checked(part, desk, PARTS[part])
    return Examined(finding, round(time.monotonic() - started_s, 3))


def _checked(part: str, desk: Desk, check: Check) -> Finding:
    try:
        return check(desk)
    except DeviceError as error:
        return Finding(part, Status.FAILED, error.fault.value, detail=error.detail)
    except ModelError as error:
        return Finding(part, Status.FAILED, "bad", detail=str(error))
    except KioskError as error:
        return Finding(part, Status.FAILED, "setting", detail=str(error))
    except Exception as error:  # noqa: BLE001 - one bug must not hide what the other parts have
        logs.crash(log, f"doctor {part}", error)
        return Finding(part, Status.FAILED, "crash", detail=type(error).__name__)


def _as_the_kiosk_knows(part: str, config: Config) -> Finding:
    lens = part == "scanner" and config.devices.scanner == "camera"
    state = _states(config).get("camera" if lens else part)
    if part in TRIES_OUT:
        return Finding(part, Status.NOT_TRIED, "busy")
    if state is None:
        return Finding(part, Status.NOT_TRIED, "unheard_of")
    return findings.of_state(replace(state, device=part))


def _states(config: Config) -> dict[str, DeviceState]:
    """None while the database cannot be read; its own check says why."""
    try:
        with closing(Database(config.database, create=False)) as database:
            return {state.device: state for state in HealthTable(database).all()}
    except StoreError as error:
        log.warning("doctor=states_unread error=%s", error)
        return {}


BESIDE: Mapping[str, Check] = {
    "photo_decoder": doctor_devices.photo_decoder,
    "models": doctor_devices.models,
    **SYSTEM,
    "link": doctor_system.link_as_noted,
}


def beside(
    config: Config, language: Language, devices: Sequence[DeviceState]
) -> tuple[Finding, ...]:
    """What the kiosk can find out of itself while it runs: its devices as it knows them,
    everything else tried. It has no network, so of the link only what was noted."""
    desk = Desk(config, None, language, None)
    known = [findings.of_state(state) for state in devices if state.device in DEVICES]
    return (*known, *(_checked(part, desk, check) for part, check in BESIDE.items()))


def result_of(examined: Sequence[Examined]) -> Status:
    found = {row.finding.status for row in examined}
    for worst in (Status.FAILED, Status.WARNING):
        if worst in found:
            return worst
    return Status.OK


# --- how it is told ---


def _json(config: Config, language: Language, examined: Sequence[Examined], pid: int | None) -> str:
    return json.dumps(
        {
            "schema": "jianzai.doctor",
            "version": 1,
            "kiosk_id": config.kiosk_id,
            "software": __version__,
            "at": SystemTime().now().iso,
            "kiosk_running": pid is not None,
            "result": result_of(examined).value,
            "parts": [_row(row, language) for row in examined],
        },
        ensure_ascii=False,
        indent=2,
    )


def _row(row: Examined, language: Language) -> dict[str, object]:
    words = asdict(told(row.finding, language))
    return {
        "part": row.finding.part,
        "status": row.finding.status.value,
        "code": row.finding.code,
        "state": words["state"],
        "tried": words["tried"],
        "fix": words["fix"],
        "detail": row.finding.detail,
        "seconds": row.seconds,
    }


STATUS_COLUMNS, PART_COLUMNS = 10, 18


class _Paper:
    """The table, row by row as it comes to be; silent without somewhere to write."""

    def __init__(self, config: Config, language: Language, out: TextIO | None) -> None:
        self._config = config
        self._language = language
        self._out = out

    def _words(self, key: str, **params: object) -> str:
        return text(self._language, f"doctor.{key}", **params)

    def head(self, pid: int | None) -> None:
        config = self._config
        self._line(self._words("title", kiosk_id=config.kiosk_id, site=config.site))
        if config.mode == "demo":
            self._line(self._words("demo"))
        if pid is not None:
            self._line(self._words("running", pid=pid or "?"))
        self._line("")

    def begin(self, part: str) -> None:
        """Only a terminal can take back what is being tried just now."""
        if self._out is not None and self._out.isatty():
            self._out.write(f"\r… {self._words(part)}")
            self._out.flush()

    def row(self, finding: Finding) -> None:
        if self._out is not None and self._out.isatty():
            self._out.write("\r\x1b[K")
        row = told(finding, self._language)
        state = f"{row.state} [{finding.detail}]" if finding.detail else row.state
        self._line(padded(row.status, STATUS_COLUMNS) + padded(row.part, PART_COLUMNS) + state)
        margin = " " * (STATUS_COLUMNS + PART_COLUMNS)
        if row.tried:
            self._line(margin + self._words("tried", words=row.tried))
        if row.fix:
            self._line(margin + self._words("fix", words=row.fix))

    def foot(self, result: Status) -> None:
        self._line("")
        self._line(self._words(f"result.{result.value}"))

    def _line(self, words: str) -> None:
        if self._out is not None:
            print(words, file=self._out, flush=True)


def padded(words: str, columns: int) -> str:
    """Filled up to so many columns of a terminal, where a hanzi takes two."""
    return words + " " * (columns - sum(_widths(words)))


def _widths(words: str) -> Iterator[int]:
    for letter in words:
        yield 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def ask_at_terminal(question: str) -> bool:
    """Anything but a clear yes is a no."""
    sys.stderr.write(f"\r\x1b[K{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是", "好")
