"""What a kiosk tells of itself in the chain of its records: signed, in clear, about no person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from edge.domain.errors import WireError
from edge.wire.envelope import canonical

MAX_BOOT_NS = 2**62
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """The first of a new chain: the database before it was damaged or gone.

    `last_seq`: the highest place known of the chain before it (`old_epoch`, empty if nothing of
    it was left). `salvaged` records of older chains come again; `refused` ones could be read but
    bore no signature of this kiosk.
    """

    reason: str
    old_epoch: str
    last_seq: int
    salvaged: int
    refused: int


@dataclass(frozen=True, slots=True)
class ClockCorrection:
    """What time it really was in one boot: at `boot_ns` it was `utc`, give or take `err_ms`.

    `offset_ms`: by how much the clock was behind before, as the records of that boot have it.
    """

    boot_id: str
    boot_ns: int
    utc: str
    trust: str
    offset_ms: int
    err_ms: int


def notice_body(notice: NewEpoch | ClockCorrection) -> bytes:
    return canonical(asdict(notice))


def parse_epoch(body: bytes) -> NewEpoch:
    """Raises `WireError("body")`."""
    notice = _parse(body, NewEpoch)
    _need(len(notice.reason) <= 20 and len(notice.old_epoch) <= 64)
    _need(all(0 <= n < 2**62 for n in (notice.last_seq, notice.salvaged, notice.refused)))
    return notice


def parse_correction(body: bytes) -> ClockCorrection:
    """Raises `WireError("body")`."""
    notice = _parse(body, ClockCorrection)
    _need(len(notice.boot_id) <= 64 and len(notice.trust) <= 20)
    _need(0 <= notice.boot_ns < MAX_BOOT_NS and 0 <= notice.err_ms < 2**40)
    _need(abs(notice.offset_ms) < 2**53)
    try:
        _need(datetime.fromisoformat(notice.utc).tzinfo is not None)
    except ValueError as error:
        raise WireError("body", "utc is no moment") from error
    return notice


def _parse(body: bytes, kind: type[T]) -> T:
    try:
        fields: Any = json.loads(body)
        values = {name: fields[name] for name in kind.__dataclass_fields__}  # type: ignore[attr-defined]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError("body", "not a notice") from error
    hints = {spec.name: str(spec.type) for spec in kind.__dataclass_fields__.values()}  # type: ignore[attr-defined]
    for name, value in values.items():
        _need(type(value).__name__ == hints[name])
    for value in values.values():
        _need(not isinstance(value, str) or value.isprintable())
    return kind(**values)


def _need(condition: bool) -> None:
    if not condition:
        raise WireError("body", "a field is not of its kind")
