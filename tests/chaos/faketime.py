"""The real kiosk as a process of its own under Debian's libfaketime: its wall clock is wrong.

Time since boot is left alone (`DONT_FAKE_MONOTONIC`), as on a machine whose clock is set.
Each case is one visit on a fresh disk, read afterwards with the registry's key by a process
whose clock is right.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.app.clock import mono_ns
from edge.app.config import Config
from edge.domain.timebase import Stamp
from edge.store.database import Database
from edge.wire import keys, messages
from edge.wire.envelope import Envelope, unseal, verify
from edge.wire.notices import ClockCorrection, parse_correction
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.ends import ROOT
from tests.chaos.told_times import stamp_of, verdict
from tests.headless import make_config

CHILD = Path(__file__).with_name("faketime_child.py")
LIBRARY = "faketime/libfaketimeMT.so.1"
MISSING = "faketime matrix: libfaketime is not on this machine (Debian package faketime)"
CHILD_S = 60.0
LONGER_S = 5.0
"""A visit may last so much longer than the first one, whose clock is right."""
SHOWN_WITHIN = timedelta(seconds=1)
HOUR_S, DAY_S = 3600, 86400
YEAR_S = 365 * DAY_S
EVE = timedelta(seconds=2.5)
"""How long before midnight a kiosk starts whose visitor submits after it."""


@dataclass(frozen=True, slots=True)
class Case:
    """`order` is what `faketime_child` is told; `trust` and `told` what the record must say.

    `border`: the moment that has to lie between beginning and end of the record.
    """

    name: str
    truth: datetime
    trust: str
    told: str
    wrong_s: int = 0
    source: str = "none"
    sets: tuple[tuple[str, int, str], ...] = ()
    corrected: bool = False
    border: datetime | None = None

    def order(self, config: Config, folder: Path) -> dict[str, Any]:
        return {
            "site": str(config.database.parents[1] / "site.toml"), "folder": str(folder),
            "truth": self.truth.isoformat(), "wrong_s": self.wrong_s, "source": self.source,
            "sets": self.sets, "corrected": self.corrected,
            "border": self.border and self.border.isoformat(),
        }  # fmt: skip


def _over(name: str, *moment: int) -> Case:
    """A visit in which this moment passes, by a clock that is right."""
    border = datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]
    return Case(name, border - EVE, "ntp", "known", source="ntp", border=border)


MAY = datetime(2028, 5, 4, 6, 30, tzinfo=UTC)
RIGHT = Case("right", MAY, "ntp", "known", source="ntp")
SHORT = (
    RIGHT,
    Case("no battery, 3 years behind, set afterwards", MAY, "floor", "known",
         wrong_s=-3 * YEAR_S, corrected=True),
    Case("battery; 4 hours ahead and back in the visit, set afterwards", MAY, "rtc", "known",
         source="rtc", sets=(("Consenting", 4 * HOUR_S, "rtc"), ("Reviewing", 0, "rtc")),
         corrected=True),
    _over("the second after which 32 bits do not suffice", 2038, 1, 19, 3, 14, 8),
)  # fmt: skip
FULL = (
    *SHORT,
    Case("no battery, 3 years behind, never set", MAY, "floor", "at_least", wrong_s=-3 * YEAR_S),
    Case("no battery, at 1970, set afterwards", MAY, "floor", "known",
         wrong_s=-int(MAY.timestamp()) + 10, corrected=True),
    Case("no battery, 10 years ahead, set afterwards", MAY, "unknown", "known",
         wrong_s=10 * YEAR_S, corrected=True),
    Case("no battery, 10 years ahead, never set", MAY, "unknown", "said_unsure",
         wrong_s=10 * YEAR_S),
    Case("battery dead, 10 years ahead, set afterwards", MAY, "rtc", "known",
         source="rtc", wrong_s=10 * YEAR_S, corrected=True),
    Case("battery; 6 hours back in the visit, set afterwards", MAY, "rtc", "known",
         source="rtc", sets=(("Consenting", -6 * HOUR_S, "rtc"),), corrected=True),
    Case("battery; 3 years back in the visit, never set", MAY, "floor", "at_least",
         source="rtc", sets=(("Consenting", -3 * YEAR_S, "rtc"),)),
    Case("no battery, 3 years behind, set by the network in the visit", MAY, "ntp", "known",
         wrong_s=-3 * YEAR_S, sets=(("Consenting", 0, "ntp"),)),
    Case("no battery, 10 years ahead, set by the network in the visit", MAY, "ntp", "known",
         wrong_s=10 * YEAR_S, sets=(("Reviewing", 0, "ntp"),)),
    _over("end of a month", 2027, 5, 1),
    _over("New Year", 2028, 1, 1),
    _over("New Year in China", 2027, 12, 31, 16),
    _over("into a leap day", 2028, 2, 29),
    _over("out of a leap day", 2028, 3, 1),
)  # fmt: skip


def library() -> Path | None:
    """Where Debian puts it on this machine's kind of processor."""
    folders = (f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}", "/usr/lib", "/usr/lib64")
    found = (Path(folder) / LIBRARY for folder in folders)
    return next((path for path in found if path.exists()), None)


def play(size: Size, progress: Progress) -> Section:
    """`not_run` instead of figures where the library is missing."""
    path = library()
    if path is None:
        return {"not_run": MISSING, "broken": []}
    cases = FULL if size.full else SHORT
    progress.expect(len(cases))
    matrix = Matrix(path)
    for case in cases:
        matrix.play(case)
        progress.step()
    return {
        "cases": len(cases), "kept": len(cases) - len(matrix.upset), "matrix": matrix.rows,
        "library": path.name, "broken": matrix.upset,
    }  # fmt: skip


@dataclass(slots=True)
class Matrix:
    library: Path
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    upset: list[str] = field(default_factory=list)
    """One sentence for each case that was not as it should be."""
    normal_s: float | None = None

    def play(self, case: Case) -> None:
        with tempfile.TemporaryDirectory(prefix="faketime-") as name:
            config = make_config(Path(name), Path("unused"))
            began_ns = mono_ns()
            news = self._child(case, config, Path(name))
            visit = Visit(case, news, read(config), (began_ns, mono_ns()))
        if self.normal_s is None:
            self.normal_s = news.get("seconds", 0.0)
        wrong = visit.wrong(self.normal_s + LONGER_S)
        if wrong:
            self.upset.append(f"faketime, {case.name}: {', '.join(wrong)}")
        self.rows[case.name] = visit.row()

    def _child(self, case: Case, config: Config, folder: Path) -> dict[str, Any]:
        offset = folder / "offset"
        offset.write_text("+0\n", encoding="ascii")
        done = subprocess.run(
            [sys.executable, str(CHILD), json.dumps(case.order(config, folder))],
            env=self._environment(offset), cwd=ROOT, timeout=CHILD_S,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1:]}
        news: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return news

    def _environment(self, offset: Path) -> dict[str, str]:
        # Times of files stay real ones: libfaketime would move them with every jump.
        return {
            **os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", "TZ": "UTC",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What the disk says: a record's id with its beginning and end; corrections by boot."""

    records: dict[str, tuple[Stamp, Stamp]]
    corrections: dict[str, ClockCorrection]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a case came to. `during_ns`: time since boot before and after, by a right clock."""

    case: Case
    news: dict[str, Any]
    found: Found
    during_ns: tuple[int, int]

    def wrong(self, at_most_s: float) -> list[str]:
        """What is not as it should be."""
        if "error" in self.news:
            return [f"the kiosk ended: {self.news['error']}"]
        if not self._is_faked():
            return ["libfaketime had no effect"]
        news, records = self.news, self.found.records
        said = [
            (not news["served"] or news["turned"], "the person was not served"),
            (news["hurried"], "the person was told to hurry"),
            (news["crashes"], f"{news['crashes']}"),
            (news["sets_left"], "the clock was not set in the visit"),
            (news["seconds"] > at_most_s, f"the visit took {news['seconds']} s"),
            (len(records) != 1 or news["done"] != [*records], f"{len(records)} records on disk"),
            *(self._of_record() if len(records) == 1 else ()),
        ]
        return [words for is_wrong, words in said if is_wrong]

    def _of_record(self) -> list[tuple[object, str]]:
        ((started, finished),) = self.found.records.values()
        case, told = self.case, self.told()
        before_ns, after_ns = self.during_ns
        in_order = before_ns <= started.boot_ns <= finished.boot_ns <= after_ns
        crossed = case.border is None or started.utc < case.border <= finished.utc
        return [
            (finished.trust.value != case.trust, f"trust is {finished.trust.value}"),
            (not self._shows_wall(finished), f"it says {finished.iso}"),
            (not in_order, "time since boot is not what passed"),
            (told != case.told, f"its time is {told}"),
            (case.corrected and not self.found.corrections, "no correction was written"),
            (not crossed, f"{case.border} did not lie in the visit"),
        ]

    def told(self) -> str:
        ((_, finished),) = self.found.records.values()
        return verdict(finished, self.found.corrections, self._truth(finished))

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"seconds": self.news.get("seconds")}
        if len(self.found.records) == 1:
            ((_, finished),) = self.found.records.values()
            row |= {"says": finished.iso, "trust": finished.trust.value}
            row |= {"told": self.told()} if "truth_s" in self.news else {}
        return row

    def _is_faked(self) -> bool:
        told = datetime.fromisoformat(self.news["shown"])
        meant = self.case.truth + timedelta(seconds=self.case.wrong_s)
        return abs(told - meant) < SHOWN_WITHIN

    def _shows_wall(self, finished: Stamp) -> bool:
        """A grade that says where the time is from goes with the time that the clock showed."""
        if finished.trust.value == "floor":
            return True  # judged by `told`
        wrong_s = self.case.sets[-1][1] if self.case.sets else self.case.wrong_s
        wall = self._truth(finished) + timedelta(seconds=wrong_s)
        return abs(finished.utc - wall) < SHOWN_WITHIN

    def _truth(self, stamp: Stamp) -> datetime:
        """By the time since boot, which the right clock and the wrong one share."""
        ago = timedelta(microseconds=(mono_ns() - stamp.boot_ns) // 1000)
        return datetime.fromtimestamp(time.time(), UTC) - ago + self._moved()

    def _moved(self) -> timedelta:
        return timedelta(seconds=self.news["truth_s"])


def read(config: Config) -> Found:
    """With the registry's key, as the registry would."""
    site = config.database.parents[1]
    sender = keys.verifying_key((site / "sign.pub").read_text())
    registry = keys.opening_key((site.parents[1] / "registry" / "seal.key").read_text())
    found = Found({}, {})
    with closing(Database(config.database)) as database:
        payloads = database.rows("SELECT payload FROM records ORDER BY seq")
    for (payload,) in payloads:
        envelope = verify(payload, lambda _: sender)
        if envelope.header.schema == messages.CLOCK:
            correction = parse_correction(envelope.body)
            found.corrections[correction.boot_id] = correction
        elif envelope.header.schema == messages.RECORD:
            found.records[envelope.header.message_id] = _stamps(envelope, registry)
    return found


def _stamps(envelope: Envelope, registry: Any) -> tuple[Stamp, Stamp]:
    body = json.loads(unseal(envelope.body, envelope.header, registry))
    return stamp_of(body["started"]), stamp_of(body["finished"])
