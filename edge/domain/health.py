"""How the kiosk's devices are, in words stable enough to store, send and translate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge.domain.errors import Fault


class Condition(Enum):
    """What is known of a device: it works, it works but wants something, or its fault."""

    OK = "ok"
    NEAR_END = "near_end"  # the paper roll
    HOUSING_OPEN = "housing_open"  # or the wire of the tamper loop is cut
    STRAINED = "strained"  # the disk: its reserve is in use, or a database was made anew
    ABSENT = Fault.ABSENT.value
    SILENT = Fault.SILENT.value
    GARBLED = Fault.GARBLED.value
    EMPTY = Fault.EMPTY.value
    REFUSED = Fault.REFUSED.value

    @property
    def works(self) -> bool:
        return self in (
            Condition.OK,
            Condition.NEAR_END,
            Condition.HOUSING_OPEN,
            Condition.STRAINED,
        )


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device, named after its port (`card_reader`, `camera`, `printer` …).

    `detail` is the driver's own word for a technician and never leaves the kiosk;
    `since` is when it became so, RFC 3339 in UTC, by the kiosk's clock.
    """

    device: str
    condition: Condition
    detail: str
    since: str
