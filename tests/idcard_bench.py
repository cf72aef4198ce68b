"""A card reader on a bench: invented cards, a clock that the test moves, a line that can be cut.

Region 100000 is not a real one; nobody owns these numbers.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from edge.domain.people import CardIdentity
from edge.domain.timebase import MonoNs
from edge.drivers.idcard_serial import SerialCardReader
from edge.drivers.sim.idcard import SamMachine, SimCard, SimLine
from edge.drivers.sim.idcard_cards import (
    FOREIGN_2017,
    FOREIGN_2023,
    PERMIT,
    RESIDENT,
    RESIDENT_X,
)

_STORED = json.loads((Path(__file__).parent / "unit/idcard/vectors.json").read_text())


@dataclass(frozen=True)
class Vector:
    """A text block, and what the whole READ reply round it must be, byte for byte."""

    text: bytes
    chk: int
    sha256: str

    @property
    def reply(self) -> bytes:
        body = bytes.fromhex("0508 000090 0100 0400") + self.text + bytes(1024)
        return bytes.fromhex("AAAAAA9669") + body + bytes([self.chk])


VECTORS = {
    name: Vector(bytes.fromhex("".join(v["text"])), int(v["chk"], 16), v["sha256"])
    for name, v in _STORED.items()
}

CARDS = {"R": RESIDENT, "R2": RESIDENT_X, "J": PERMIT, "I": FOREIGN_2017, "Y": FOREIGN_2023}


def crowd(size: int) -> list[SimCard]:
    """Invented residents who differ in everything that is read."""
    return [_somebody(i) for i in range(size)]


def _somebody(i: int) -> SimCard:
    birth = date(1930 + i % 40, 1 + i % 12, 1 + i % 28)
    first17 = f"100000{birth:%Y%m%d}{i % 1000:03d}"
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(first17, weights, strict=True))
    number = first17 + "10X98765432"[total % 11]
    return SimCard(name=f"测试{i:03d}", sex="12"[i % 2 == 0], birth=birth, number=number)


class Clock:
    """Time that passes only when somebody sleeps; things can be made to happen on the way."""

    def __init__(self) -> None:
        self.ns = 1_000_000_000
        self._plans: list[tuple[int, int, Callable[[], None]]] = []

    def mono_ns(self) -> MonoNs:
        return MonoNs(self.ns)

    @property
    def now_s(self) -> float:
        return self.ns / 1e9

    def after(self, seconds: float, deed: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (self.ns + int(seconds * 1e9), len(self._plans), deed))

    def forget_plans(self) -> None:
        self._plans.clear()

    def sleep(self, seconds: float) -> None:
        end = self.ns + max(1, int(seconds * 1e9))
        while self._plans and self._plans[0][0] <= end:
            at, _, deed = heapq.heappop(self._plans)
            self.ns = max(self.ns, at)
            deed()
        self.ns = end


@dataclass
class Bench:
    """The real driver on a simulated module, in one thread."""

    sam: SamMachine = field(default_factory=SamMachine)
    clock: Clock = field(default_factory=Clock)
    lines: list[SimLine] = field(default_factory=list)
    plugged: bool = True
    reader: SerialCardReader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = SerialCardReader(
            "bench",
            mono_ns=self.clock.mono_ns,
            sleep=self.clock.sleep,
            open_line=self._open_line,
        )

    def _open_line(self, _port: str, _rate: int) -> SimLine:
        if not self.plugged:
            raise FileNotFoundError("bench")
        line = SimLine(self.sam, self.clock.mono_ns, self.clock.sleep)
        self.lines.append(line)
        return line

    def unplug(self) -> None:
        self.plugged = False
        for line in self.lines:
            line.gone = True

    def plug_in(self) -> None:
        self.plugged = True

    def read_card(self, card: SimCard) -> CardIdentity:
        self.sam.present(card)
        assert self.reader.wait_for_card(2)
        return self.reader.read()

    def orders_since(self, mark: int) -> tuple[str, ...]:
        return self.sam.log[mark:]
