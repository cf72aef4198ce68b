"""What a kiosk says of its own update: `jianzai.update-state` on `up/update`, plain, retained."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need
from edge.wire.releases import MAX_SERIAL

PHASES = ("idle", "fetching", "staged", "trial", "confirmed", "refused", "rolled-back")
GOOD_PHASES = frozenset({"idle", "confirmed"})
BAD_PHASES = frozenset({"refused", "rolled-back"})
_WORD = re.compile(r"[a-z-]{0,40}")


@dataclass(frozen=True, slots=True)
class UpdateState:
    """Serials are 0 for the image's own release and for nothing wanted. `word` says why."""

    phase: str
    running: int
    wanted: int
    word: str


def state_body(state: UpdateState) -> bytes:
    return canonical(asdict(state))


def parse_state(body: bytes) -> UpdateState:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    phase, word = fields.get("phase"), fields.get("word")
    need(phase in PHASES, "phase")
    need(isinstance(word, str) and bool(_WORD.fullmatch(word)), "word")
    for name in ("running", "wanted"):
        need(type(fields.get(name)) is int and 0 <= fields[name] <= MAX_SERIAL, name)
    return UpdateState(fields["phase"], fields["running"], fields["wanted"], fields["word"])
