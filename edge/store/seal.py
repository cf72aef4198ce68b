"""The kiosk's signature, as far as the store needs it; the key is in `edge.app.sealing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from edge.domain.record import RecordId
from edge.ports import Position


@dataclass(frozen=True, slots=True)
class Entry:
    """What an envelope of this kiosk's own says of itself, its signature checked."""

    record_id: RecordId
    kind: str
    position: Position


class Seal(Protocol):
    """Signs with the device key, and knows what was signed with it."""

    def entry_of(self, payload: bytes) -> Entry | None:
        """`None` for anything that this kiosk did not sign, or that has no place in a chain."""
        ...

    def sign(self, facts: Mapping[str, Any]) -> bytes:
        """A signed word of the kiosk's about its own disk."""
        ...

    def facts_of(self, payload: bytes) -> Mapping[str, Any] | None:
        """The body of something this kiosk signed and did not seal."""
        ...
