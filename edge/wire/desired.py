"""Settings on the wire: what the centre wants, what the kiosk says it does, and that it was heard.

    schema             topic         body         by
    jianzai.desired    dn/desired    `Desired`    the registry, signed; retained
    jianzai.reported   up/reported   `Reported`   the sync process, unsigned; retained
    jianzai.heard      dn/heard      `Heard`      the registry, signed

`Desired` is the whole wish, not a change of it: a key that is absent is as the site file has it.
Why a report is not signed is told in `docs/decisions/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum

from edge.domain.errors import WireError
from edge.domain.settings import MAX_KEYS, Refusal, Value
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need

MAX_REPORT_BYTES = 64 * 1024
_MAX_VERSION = 2**53


class SettingsState(Enum):
    """Where the newest wish stands."""

    APPLIED = "applied"
    REFUSED = "refused"  # some of its values; the others are in force
    WAITING = "waiting-for-idle"  # for the end of a resident's visit
    TRIAL = "trial"  # in force until proved or given up
    ROLLED_BACK = "rolled-back"  # what worked before is in force again


@dataclass(frozen=True, slots=True)
class Desired:
    """`version` is a time (seconds since 1970) or more; `values` as JSON has them, unchecked."""

    version: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reported:
    """`seen` and `applied` are versions, 0 for none. `values` are in force, the site file's own
    included. `ask`, if not empty, is to come back in a `Heard`."""

    seen: int
    applied: int
    state: SettingsState
    refused: tuple[Refusal, ...]
    values: Mapping[str, Value]
    software: str
    config_sha256: str
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The registry read the report that asked so, just now."""

    ask: str = field(repr=False)


def desired_body(desired: Desired) -> bytes:
    return canonical({"version": desired.version, "values": dict(desired.values)})


def parse_desired(body: bytes) -> Desired:
    """Raises `WireError("body")`. A value of a wrong kind is no error here: it is refused alone."""
    fields = json_object(body)
    version, values = fields.get("version"), fields.get("values")
    need(type(version) is int and 0 < version < _MAX_VERSION, "version")
    need(isinstance(values, dict) and len(values) <= MAX_KEYS, "values")
    return Desired(fields["version"], fields["values"])


def reported_body(reported: Reported) -> bytes:
    plain = asdict(reported) | {"state": reported.state.value, "values": dict(reported.values)}
    return canonical(plain)


def parse_reported(body: bytes) -> Reported:
    """Raises `WireError("body")`."""
    need(len(body) <= MAX_REPORT_BYTES, "size")
    fields = json_object(body)
    for name in ("seen", "applied"):
        need(type(fields.get(name)) is int and 0 <= fields[name] < _MAX_VERSION, name)
    for name in ("software", "config_sha256", "ask"):
        text = fields.get(name)
        need(isinstance(text, str) and len(text) <= 120 and text.isprintable(), name)
    return Reported(
        seen=fields["seen"],
        applied=fields["applied"],
        state=_state(fields.get("state")),
        refused=_refused(fields.get("refused")),
        values=_values(fields.get("values")),
        software=fields["software"],
        config_sha256=fields["config_sha256"],
        ask=fields["ask"],
    )


def heard_body(heard: Heard) -> bytes:
    return canonical(asdict(heard))


def parse_heard(body: bytes) -> Heard:
    """Raises `WireError("body")`."""
    ask = json_object(body).get("ask")
    need(isinstance(ask, str), "ask")
    return Heard(str(ask))


def _state(value: object) -> SettingsState:
    try:
        return SettingsState(value)
    except ValueError as error:
        raise WireError("body", "field state is not of its kind") from error


def _refused(rows: object) -> tuple[Refusal, ...]:
    need(isinstance(rows, list) and len(rows) <= 2 * MAX_KEYS, "refused")
    return tuple(_refusal(row) for row in rows)  # type: ignore[attr-defined]


def _refusal(row: object) -> Refusal:
    texts = [row.get(name) for name in ("key", "reason", "detail")] if isinstance(row, dict) else []
    shown = [text for text in texts if isinstance(text, str) and len(text) <= 300]
    need(len(shown) == 3 and all(map(str.isprintable, shown)), "refused")
    return Refusal(*shown)


def _values(value: object) -> dict[str, Value]:
    need(isinstance(value, dict) and len(value) <= MAX_KEYS, "values")
    good = {k: v for k, v in value.items() if _is_plain(v)}  # type: ignore[attr-defined]
    need(good == value, "values")
    return good


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 300 and value.isprintable()
    return type(value) is int and abs(value) < _MAX_VERSION
