"""From a card laid down to a parsed person, beside what the wire alone takes.

    python -m tests.tools.bench_reader [--cards 50] [--json]

The real driver over a pseudo-terminal paced like 115,200 baud. The simulated module
answers at once, so what is left is the wire and us; a real one takes 0.7 to 1.2 s for
radio and signatures, which nothing here can shorten. Milliseconds:

found   FIND sent until the person is parsed; the floor is the three answers on the
        wire. Exit code 1 if one in twenty takes more than 60 ms above it.
laid    card laid down at a random moment until the person is parsed. On top of the
        floor comes the wait for the next FIND: makers ask for 300 ms between two, so
        on average 150 ms and at worst 300 ms of it are theirs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from edge.domain.timebase import MonoNs
from edge.drivers.idcard_serial import POLL_S, SerialCardReader
from edge.drivers.sim.idcard import SimSam
from tests.idcard_bench import crowd

BAUD = 115_200
FOUND_MS = (15 + 19 + 1295) * 10 / BAUD * 1000
ALLOWED_MS = 60.0


@contextmanager
def desk() -> Iterator[tuple[SimSam, SerialCardReader]]:
    with SimSam(pace=True, rate=BAUD, profile="b") as sam:
        reader = SerialCardReader(sam.port, mono_ns=lambda: MonoNs(time.monotonic_ns()))
        reader.open()
        yield sam, reader
        reader.close()


def measure_found(cards: int) -> list[float]:
    spent_ms = []
    with desk() as (sam, reader):
        for card in crowd(cards):
            reader.wait_for_card(POLL_S)
            time.sleep(POLL_S)  # no pause is due any more
            sam.present(card)
            start_s = time.monotonic()
            reader.wait_for_card(1)
            reader.read()
            spent_ms.append(_ms_since(start_s))
            sam.lift()
            reader.wait_for_removal(2)
    return spent_ms


def measure_laid(cards: int, seed: int = 1) -> list[float]:
    """A hand lays the cards down while the driver looks at an empty reader."""
    chance, spent_ms = random.Random(seed), []
    with desk() as (sam, reader):
        for card in crowd(cards):
            hand = threading.Timer(chance.uniform(POLL_S, 3 * POLL_S), sam.present, [card])
            start_s = time.monotonic()
            hand.start()
            reader.wait_for_card(5)
            reader.read()
            spent_ms.append(_ms_since(start_s) - hand.interval * 1000)
            hand.join()
            sam.lift()
            reader.wait_for_removal(2)
    return spent_ms


def _ms_since(start_s: float) -> float:
    return (time.monotonic() - start_s) * 1000


def summary(spent_ms: list[float]) -> dict[str, float]:
    ranked = sorted(spent_ms)
    p50, p95 = (ranked[int((len(ranked) - 1) * share)] for share in (0.5, 0.95))
    row = {
        "floor_ms": FOUND_MS,
        "p50_ms": p50,
        "p95_ms": p95,
        "p95_above_ms": p95 - FOUND_MS,
        "p50_ratio": p50 / FOUND_MS,
        "p95_ratio": p95 / FOUND_MS,
    }
    return {name: round(value, 3) for name, value in row.items()}


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.tools.bench_reader")
    words.add_argument("--cards", type=int, default=50)
    words.add_argument("--json", action="store_true")
    args = words.parse_args()
    rows = {"found": summary(measure_found(args.cards)), "laid": summary(measure_laid(args.cards))}
    if args.json:
        print(json.dumps(rows, indent=1))
    else:
        for name, row in rows.items():
            print(f"{name:6}", *(f"{key} {value:.2f}" for key, value in row.items()), sep="  ")
    return 1 if rows["found"]["p95_above_ms"] > ALLOWED_MS else 0


if __name__ == "__main__":
    sys.exit(main())
