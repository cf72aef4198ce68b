"""The list of staff badges on its way down, and what staff did at a kiosk on its way up."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from edge.domain.errors import WireError
from edge.domain.staff import (
    BADGE_DIGITS,
    DIGEST_BYTES,
    SALT_BYTES,
    Permission,
    PinVerifier,
    StaffEntry,
    StaffEvent,
    StaffList,
)
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need
from edge.wire.messages import stamp_fields

MAX_BADGES = 1000
_BADGE = re.compile(rf"[0-9]{{{BADGE_DIGITS}}}")
_WORD = re.compile(r"[a-z_]{1,20}")
_COSTS = {2**power for power in range(14, 18)}
_REPEATS = range(1, 5)


def staff_body(staff: StaffList) -> bytes:
    """The body of a list, ready to be sealed to one kiosk."""
    return canonical(
        {
            "version": staff.version,
            "issued": staff.issued.astimezone(UTC).isoformat(),
            "entries": [_entry(entry) for entry in staff.entries],
        }
    )


def parse_staff(body: bytes) -> StaffList:
    """Raises `WireError("body")`, also for a hash that would be too cheap or too dear."""
    fields = json_object(body)
    try:
        version, issued = fields["version"], datetime.fromisoformat(fields["issued"])
        entries = tuple(_parse_entry(row) for row in fields["entries"])
    except (ValueError, KeyError, TypeError) as error:
        raise WireError("body", "not a list of staff") from error
    need(type(version) is int and issued.tzinfo is not None, "version and issued")
    need(len({entry.badge for entry in entries}) == len(entries) <= MAX_BADGES, "entries")
    return StaffList(version, issued, entries)


def _entry(entry: StaffEntry) -> dict[str, Any]:
    verifier = entry.verifier
    return {
        "badge": entry.badge,
        "may": sorted(permission.value for permission in entry.permissions),
        "until": entry.valid_until.isoformat(),
        "salt": base64.b64encode(verifier.salt).decode(),
        "scrypt": base64.b64encode(verifier.digest).decode(),
        "n": verifier.n,
        "r": verifier.r,
        "p": verifier.p,
    }


def _parse_entry(row: dict[str, Any]) -> StaffEntry:
    known = {permission.value: permission for permission in Permission}
    badge, may = row["badge"], row["may"]
    need(isinstance(badge, str) and _BADGE.fullmatch(badge) is not None, "badge")
    need(isinstance(may, list) and all(isinstance(word, str) for word in may), "may")
    return StaffEntry(
        badge=badge,
        permissions=frozenset(known[word] for word in may if word in known),
        valid_until=date.fromisoformat(row["until"]),
        verifier=_parse_verifier(row),
    )


def _parse_verifier(row: dict[str, Any]) -> PinVerifier:
    salt = base64.b64decode(row["salt"], validate=True)
    digest = base64.b64decode(row["scrypt"], validate=True)
    need(len(salt) == SALT_BYTES and len(digest) == DIGEST_BYTES, "salt and scrypt")
    need(row["n"] in _COSTS and row["r"] == 8 and row["p"] in _REPEATS, "n, r and p")
    return PinVerifier(salt, digest, row["n"], row["r"], row["p"])


@dataclass(frozen=True, slots=True)
class StaffEventBody:
    """One deed as the registry reads it."""

    event_id: str
    kiosk_id: str
    badge: str = field(repr=False)
    deed: str
    at: datetime
    provenance: str


def event_body(event: StaffEvent) -> bytes:
    return canonical(
        {
            "event_id": event.event_id,
            "kiosk_id": event.kiosk_id,
            "badge": event.badge,
            "deed": event.deed.value,
            "at": stamp_fields(event.at),
            "provenance": event.provenance.value,
            "software": event.software,
        }
    )


def parse_event(body: bytes) -> StaffEventBody:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    for name in ("event_id", "kiosk_id", "badge", "deed", "provenance"):
        need(isinstance(fields.get(name), str), name)
    need(not fields["badge"] or _BADGE.fullmatch(fields["badge"]) is not None, "badge")
    for name in ("deed", "provenance"):
        need(_WORD.fullmatch(fields[name]) is not None, name)
    return StaffEventBody(
        event_id=fields["event_id"],
        kiosk_id=fields["kiosk_id"],
        badge=fields["badge"],
        deed=fields["deed"],
        at=_moment(fields.get("at")),
        provenance=fields["provenance"],
    )


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value["utc"])
    except (ValueError, KeyError, TypeError) as error:
        raise WireError("body", "field at is not of its kind") from error
    need(moment.tzinfo is not None and 1970 <= moment.year <= 2200, "at")
    return moment.astimezone(UTC)
