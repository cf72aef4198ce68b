"""What the doctor found, part by part, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from edge.domain.errors import Fault
from edge.session.states import Language
from edge.ui.texts import catalogue

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
    "keys": ("well", "bad", "readable", "expired", "expiring", "other_kiosk"),
    "database": ("well", "none", "damaged", "broken_chain"),
    "clock": ("well", "battery", "unsure", "behind"),
    "disk": ("well", "filling", "full", "read_only"),
    "link": ("up", "sync_missing", "unknown_host", "unreachable", "certificate", "no_keys"),
    "roster": ("well", "none"),
    "outbox": ("nothing", "waiting", "old", "held"),
}
"""Each part, in the order of the table, with what may be found of it."""

COMMON = ("setting", "crash", "declined", "unasked", "down", "busy", "unheard_of", "no_database")
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


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in a technician's words; `fix` is empty where there is nothing to do."""

    part: str
    status: str
    state: str
    tried: str
    fix: str


def told(found: Finding, language: Language) -> Told:
    words = catalogue(language)
    own = f"doctor.{found.part}.{found.code}"
    state = words.get(own) or words[f"doctor.any.{found.code}"]
    fix = words.get(f"{own}.fix") or words.get(f"doctor.any.{found.code}.fix", "")
    return Told(
        part=words[f"doctor.{found.part}"],
        status=words[f"doctor.status.{found.status.value}"],
        state=state.format_map(found.facts),
        tried=_tried(found, words).format_map(found.facts),
        fix="" if found.status is Status.OK else fix.format_map(found.facts),
    )


def _tried(found: Finding, words: Mapping[str, str]) -> str:
    if found.status is Status.NOT_TRIED:
        return ""
    if "since" in found.facts:
        return words["doctor.asked_kiosk"]
    return words[f"doctor.{found.part}.tried"]
