"""A long backlog, and a whole fleet that comes back in the same moment.

The backlog drains through the real processes (`tests.tools.bench_drain` measures how fast)
and has to be at the registry exactly once. Then the broker dies and returns under many
kiosks at once, which must not come back in lockstep. The control takes the chance out of
their pauses, and has to show the lockstep.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import edge.sync.mqtt_link as kiosk_link
from tests.chaos.campaign import Progress, Section, Size
from tests.chaos.ends import (
    Centre,
    KioskEnd,
    compared,
    differences,
    more_kiosks,
    scratch,
    until,
)
from tests.fixtures_broker import Broker
from tests.tools import bench_drain

DARK_S = 5.0
BACK_S = 120.0
LIVE_S = 5.0
SLOWEST_START_S = 60.0
SLOWEST_PER_S = 20.0
LOCKSTEP = 0.6
"""Of all kiosks in one second."""


def run(size: Size, progress: Progress) -> Section:
    records, kiosks = size.of(600, 10_000), size.of(3, 40)
    progress.expect(records + kiosks * (2 if size.full else 1))
    found: Section = {"backlog": _backlog(records, progress), "storm": _storm(kiosks, progress)}
    if size.full:  # three kiosks may well come in the same second
        found["control_lockstep"] = _storm(kiosks, progress, lockstep=True)["busiest_share"]
    return found | {"broken": _broken(found)}


def _broken(found: Section) -> list[str]:
    backlog, storm = found["backlog"], found["storm"]
    kept = [
        f"{part[name]} {name}"
        for part in (backlog, storm)
        for name in ("lost", "doubled", "invented", "waiting")
        if part[name]
    ]
    rules = (
        (storm["back"] == storm["kiosks"], "not every kiosk came back"),
        (backlog["live_max_s"] <= LIVE_S, "a live record waited behind the backlog"),
    )
    if "control_lockstep" in found:
        rules += (
            (storm["busiest_share"] <= LOCKSTEP, "the kiosks came back in lockstep"),
            (found["control_lockstep"] > LOCKSTEP, "the control shows no lockstep"),
        )
    return kept + [words for holds, words in rules if not holds]


def _backlog(records: int, progress: Progress) -> Section:
    before, until_s = 0, time.monotonic() + SLOWEST_START_S + records / SLOWEST_PER_S

    def tick(name: str, done: int, _of: int) -> None:
        nonlocal before
        if time.monotonic() > until_s:
            raise TimeoutError(f"{done} of {records} drained")
        if name == "drain":
            progress.step(max(0, done - before))
            before = max(before, done)

    with scratch() as root, bench_drain.bench(root, tick) as made:
        made.registry()
        payload_bytes = len(made.fill(records)[0])
        report = bench_drain.Report(records, payload_bytes, kiosk_link.WINDOW)
        bench_drain.drain(made, report, tick)
        until(lambda: not made.outbox.depth(), 30)
        rows = made.journal.database.rows("SELECT record_id, sha256 FROM records")
        return compared(dict(rows), made.site.registry / "registry.sqlite3") | {
            "waiting": made.outbox.depth(),
            "per_s": round(report.drain_per_s),
            "live_records": report.live_records,
            "live_max_s": round(report.live_max_s, 2),
            "sync_peak_mb": round(report.sync_peak_mb, 1),
        }


def _storm(kiosks: int, progress: Progress, *, lockstep: bool = False) -> Section:
    """The broker dies under all of them, each commits something, the broker comes back."""
    names = tuple(f"k-{number:03d}" for number in range(1, kiosks + 1))
    with scratch() as root, ExitStack() as stack:
        broker = Broker(root)
        more_kiosks(broker, names)
        broker.start()
        stack.callback(broker.stop)
        centre = stack.enter_context(Centre(broker.site, root / "logs", names))
        centre.start()
        if lockstep:
            stack.enter_context(_no_chance())
        ends = [stack.enter_context(_end(broker, name, progress)) for name in names]
        until(lambda: all(end.link.connected() for end in ends), BACK_S)
        broker.kill()
        for end in ends:
            end.commit()
        time.sleep(DARK_S if len(ends) > 10 else 1.0)
        mark = len(broker.log.read_bytes())
        started_s = time.monotonic()
        broker.start()
        until(lambda: all(end.link.connected() for end in ends), BACK_S, every_s=0.02)
        back_s = time.monotonic() - started_s
        back = sum(end.link.connected() for end in ends)
        until(lambda: not any(end.waiting() for end in ends), BACK_S)
        return differences(centre, ends) | {
            "kiosks": kiosks,
            "back": back,
            "back_s": round(back_s, 1),
            "busiest_share": _busiest(broker.log.read_bytes()[mark:].decode(errors="replace")),
        }


def _end(broker: Broker, name: str, progress: Progress) -> KioskEnd:
    progress.step()
    return KioskEnd(broker.site, name, broker.port, patient=True)


def _busiest(log: str) -> float:
    """The largest part of all kiosks that came in one second of the broker's log."""
    seconds = Counter(re.findall(r"(\d+): New client connected from \S+ as k-", log))
    return round(max(seconds.values()) / seconds.total(), 2) if seconds else 1.0


@contextmanager
def _no_chance() -> Iterator[None]:
    """All kiosks wait equally long, as they would without a spread."""
    usual = kiosk_link.random.uniform
    kiosk_link.random.uniform = lambda low, high: (low + high) / 2
    try:
        yield
    finally:
        kiosk_link.random.uniform = usual
