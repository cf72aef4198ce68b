"""What became of face templates on its way up, and which are to be deleted on its way down.

No template and nothing made of a face is in any of these: only whose, and what was agreed to.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from edge.domain.errors import WireError
from edge.domain.people import PersonId
from edge.domain.staff import BADGE_DIGITS
from edge.domain.templates import TemplateChange, TemplateEvent
from edge.domain.timebase import ClockTrust
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need
from edge.wire.messages import stamp_fields

MAX_PEOPLE = 10_000
_BADGE = re.compile(rf"[0-9]{{{BADGE_DIGITS}}}")
_PERSON = re.compile(r"[0-9A-Za-z-]{1,32}")
_WORD = re.compile(r"[a-z_]{1,20}")
_MAX_VERSION = 2**53
_SURE = {trust.value for trust in (ClockTrust.NTP, ClockTrust.SIGNED, ClockTrust.RTC)}


@dataclass(frozen=True, slots=True)
class TemplateBody:
    """One change as the registry reads it."""

    event_id: str
    kiosk_id: str
    change: TemplateChange
    person_id: str = field(repr=False)
    badge: str = field(repr=False)
    consent: dict[str, Any] | None
    expires: date | None
    card_alike: bool | None
    at: datetime
    sure: bool  # whether the kiosk's clock was
    provenance: str


def event_body(event: TemplateEvent) -> bytes:
    return canonical(
        {
            "event_id": event.event_id,
            "kiosk_id": event.kiosk_id,
            "change": event.change.value,
            "person": event.person_id,
            "badge": event.badge,
            "consent": asdict(event.consent) if event.consent else None,
            "expires": event.expires.isoformat() if event.expires else None,
            "card_alike": event.card_alike,
            "at": stamp_fields(event.at),
            "provenance": event.provenance.value,
            "software": event.software,
        }
    )


def parse_event(body: bytes) -> TemplateBody:
    """Raises `WireError("body")`."""
    told = json_object(body)
    try:
        moment = datetime.fromisoformat(told["at"]["utc"])
        expires = date.fromisoformat(told["expires"]) if told["expires"] else None
        found = TemplateBody(
            event_id=told["event_id"],
            kiosk_id=told["kiosk_id"],
            change=TemplateChange(told["change"]),
            person_id=told["person"],
            badge=told["badge"],
            consent=told["consent"],
            expires=expires,
            card_alike=told["card_alike"],
            at=moment,
            sure=told["at"].get("trust") in _SURE,
            provenance=told["provenance"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise WireError("body", "not a change of a template") from error
    _check(found)
    return found


def _check(found: TemplateBody) -> None:
    for text in (found.event_id, found.kiosk_id):
        need(isinstance(text, str), "event_id and kiosk_id")
    need(isinstance(found.person_id, str), "person")
    need(_PERSON.fullmatch(found.person_id) is not None, "person")
    need(isinstance(found.badge, str), "badge")
    need(not found.badge or _BADGE.fullmatch(found.badge) is not None, "badge")
    need(isinstance(found.provenance, str), "provenance")
    need(_WORD.fullmatch(found.provenance) is not None, "provenance")
    need(found.card_alike in (None, True, False), "card_alike")
    need(found.at.tzinfo is not None and 1970 <= found.at.astimezone(UTC).year <= 2200, "at")
    need(found.consent is None or _is_consent(found.consent), "consent")
    if found.change is TemplateChange.ENROLLED:
        agreed = found.consent is not None and found.consent["agreed"]
        need(bool(agreed and found.badge and found.expires), "enrolment")


def _is_consent(consent: object) -> bool:
    if not isinstance(consent, dict) or not isinstance(consent.get("agreed"), bool):
        return False
    texts = (consent.get(name) for name in ("version", "language", "text_sha256"))
    return all(isinstance(text, str) and len(text) <= 120 for text in texts)


@dataclass(frozen=True, slots=True)
class Deletions:
    """Everybody whose template this kiosk has to delete and did not yet say that it has.

    The list replaces the one before it as a whole.
    """

    version: int
    people: tuple[PersonId, ...] = field(repr=False)


def deletions_body(deletions: Deletions) -> bytes:
    return canonical({"version": deletions.version, "people": list(deletions.people)})


def parse_deletions(body: bytes) -> Deletions:
    """Raises `WireError("body")`."""
    told = json_object(body)
    version, people = told.get("version"), told.get("people")
    need(type(version) is int and 0 <= version < _MAX_VERSION, "version")
    need(isinstance(people, list) and len(people) <= MAX_PEOPLE, "people")
    named = all(isinstance(who, str) and _PERSON.fullmatch(who) for who in people or ())
    need(named, "people")
    return Deletions(version or 0, tuple(PersonId(who) for who in people or ()))
