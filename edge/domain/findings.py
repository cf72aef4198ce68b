"""What is found of the kiosk's parts, by the doctor or by the kiosk while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from edge.domain.errors import Fault
from edge.domain.health import Condition, DeviceState
from edge.domain.timebase import CHINA

FAULTS = tuple(fault.value for fault in Fault)

CODES: Mapping[str, tuple[str, ...]] = {
    "card_reader": ("well", *FAULTS),
    "photo_decoder": ("well", "none", *FAULTS),
    "camera": ("well", *FAULTS),
    "camera_picture": ("well", "dark", *FAULTS),
    "models": ("well", "bad"),
    "printer": ("well", "near_end", *FAULTS),
    "printer_slip": ("well", "unready", *FAULTS),
    "voice": ("well", *FAULTS),
    "voice_sound": ("heard", "unheard", "said", *FAULTS),
    "panel": ("well", "tamper_open", "paper_low", *FAULTS),
    "scanner": ("well", *FAULTS),
    "keys": ("well", "bad", "readable", "no_codes", "expired", "expiring", "other_kiosk"),
    "database": ("well", "none", "made_anew", "damaged", "broken_chain"),
    "clock": ("well", "battery", "unsure", "behind"),
    "disk": ("well", "filling", "full", "read_only", "working", "strained", *FAULTS),
    "link": (
        *("up", "not_linked", "sync_missing", "unknown_host", "unreachable"),
        *("certificate", "no_keys"),
    ),
    "roster": ("well", "none"),
    "outbox": ("nothing", "waiting", "old", "held"),
}
"""Each part, in the order of the table, with what may be found of it."""

COMMON = (
    "unwell",
    "setting",
    "crash",
    "declined",
    "unasked",
    "down",
    "busy",
    "unheard_of",
    "no_database",
)
"""What may be found of any part."""


class Status(Enum):
    """`WARNING` works but wants somebody; `NOT_TRIED` says nothing either way."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True)
class Finding:
    """One row. `facts` fill the catalogue's placeholders; `detail` is a driver's own words."""

    part: str
    status: Status
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    detail: str = ""

    def __post_init__(self) -> None:
        if self.code not in (*CODES[self.part], *COMMON):
            raise ValueError(f"{self.part} has no words for {self.code}")


_CODES = {
    ("disk", Condition.OK): "working",
    ("panel", Condition.HOUSING_OPEN): "tamper_open",
    ("panel", Condition.NEAR_END): "paper_low",
    ("printer", Condition.NEAR_END): "near_end",
}


def of_state(state: DeviceState) -> Finding:
    """What a running kiosk knows of a device; `facts` have since when."""
    since = datetime.fromisoformat(state.since).astimezone(CHINA)
    facts = {"since": f"{since:%Y-%m-%d %H:%M:%S}"}
    code = _CODES.get((state.device, state.condition), state.condition.value)
    if state.condition is Condition.OK and code == "ok":
        code = "well"
    if code not in (*CODES[state.device], *COMMON):
        code = "unwell"
    return Finding(state.device, _status(state.condition), code, facts, state.detail)


def _status(condition: Condition) -> Status:
    if condition is Condition.OK:
        return Status.OK
    return Status.WARNING if condition.works else Status.FAILED
