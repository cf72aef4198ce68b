"""Thousands of card visits with random faults: no wedge, nobody taken for another, no leak.

    python -m tests.tools.card_cycles [--cycles 10000] [--at-line-rate 100] [--seed 1]
                                      [--out fuzz/cycles.json]

A cycle is a visit with up to three faults, a card taken or changed at any moment and
a plug that may be pulled, then a visit with nothing wrong, which has to go well within
a minute. Most are played on a clock that the campaign moves; `--at-line-rate` of them
over a pseudo-terminal at the speed of 115,200 baud, with the real clock. Both ways a
module can answer after a good read take turns. Exit code 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import Progress

from tests.card_visits import LineVisits, Visits, WrongPerson

BATCH = 250  # cycles on one bench, before the next module is plugged in

Tick = Callable[[], object]


@dataclass(slots=True)
class Findings:
    """What a campaign counts; everything but the first three has to stay zero."""

    cycles: int = 0
    at_line_rate: int = 0
    cards_read: int = 0
    wedged: int = 0
    wrong_person: int = 0
    leaked_descriptors: int = 0
    leaked_threads: int = 0
    lines_left_open: int = 0

    @property
    def bad(self) -> bool:
        return any((self.wedged, self.wrong_person, self.leaked_descriptors,
                    self.leaked_threads, self.lines_left_open))  # fmt: skip

    def play(self, cycle: Callable[[], bool]) -> None:
        self.cycles += 1
        try:
            self.wedged += not cycle()
        except WrongPerson:
            self.wrong_person += 1


def campaign(cycles: int, at_line_rate: int, seed: int, tick: Tick = lambda: None) -> Findings:
    found = Findings()
    before = _descriptors(), threading.active_count()
    on_clock = cycles - at_line_rate
    for first in range(0, on_clock, BATCH):
        _on_the_clock(found, min(BATCH, on_clock - first), seed + first, tick)
    _on_the_line(found, at_line_rate, seed, tick)
    found.leaked_descriptors = _descriptors() - before[0]
    found.leaked_threads = threading.active_count() - before[1]
    return found


def _on_the_clock(found: Findings, cycles: int, seed: int, tick: Tick) -> None:
    visits = Visits(seed, _profile(seed // BATCH))
    for _ in range(cycles):
        found.play(visits.cycle)
        tick()
    visits.bench.reader.close()
    found.cards_read += visits.read_well
    found.lines_left_open += sum(not line.closed for line in visits.bench.lines)


def _on_the_line(found: Findings, cycles: int, seed: int, tick: Tick) -> None:
    for half in range(2):
        with closing(LineVisits(seed + half, _profile(half))) as visits:
            for _ in range((cycles + 1 - half) // 2):
                found.play(visits.cycle)
                found.at_line_rate += 1
                tick()
        found.cards_read += visits.read_well


def _profile(number: int) -> str:
    return "ab"[number % 2]


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.tools.card_cycles")
    words.add_argument("--cycles", type=int, default=10_000)
    words.add_argument("--at-line-rate", type=int, default=100)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--out", type=Path, default=Path("fuzz/cycles.json"))
    args = words.parse_args()
    logging.getLogger("edge").setLevel(logging.ERROR)
    start_s = time.monotonic()
    with Progress() as bar:
        task = bar.add_task("card visits", total=args.cycles)
        found = campaign(args.cycles, args.at_line_rate, args.seed, lambda: bar.advance(task))
    report = asdict(found) | {"seconds": round(time.monotonic() - start_s, 1), "seed": args.seed}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    return 1 if found.bad else 0


if __name__ == "__main__":
    sys.exit(main())
