"""Orders the machine gives and never sees done; what comes of them returns as events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from edge.domain.challenge import Action
from edge.domain.people import CardKey
from edge.domain.record import ProofRecord


@dataclass(frozen=True, slots=True)
class ArmReader:
    """Read the next card that is laid down."""


@dataclass(frozen=True, slots=True)
class LookUp:
    key: CardKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskRegistry:
    """Ask the registry about somebody from another place; answered in seconds, one way or other."""

    key: CardKey = field(repr=False)
    id_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watch:
    """Open the camera for one try; `photo` is the chip's encoded portrait."""

    watch_id: int
    actions: tuple[Action, ...]
    photo: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StopWatching:
    """Close the camera now, whatever it is doing."""


@dataclass(frozen=True, slots=True)
class Store:
    record: ProofRecord


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    record: ProofRecord
    online: bool
    due_by: date | None


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Answer with `TimerFired(timer)` after this time."""

    timer: int
    after_s: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say once more what the screen says."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop the portrait and everything else that shows the person: submitted, or gone."""


@dataclass(frozen=True, slots=True)
class Count:
    """Add one to an anonymous counter."""

    name: str


Effect = (
    ArmReader
    | LookUp
    | AskRegistry
    | Watch
    | StopWatching
    | Store
    | PrintReceipt
    | SetTimer
    | Repeat
    | Forget
    | Count
)
