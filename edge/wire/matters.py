"""What residents do with their own data, and what people say of the service, on the way up.

Both have a place in the chain of a kiosk's records and are acknowledged as those are. A matter
names its person and is sealed; an opinion names nobody and is sealed as well, because what was
said at which minute before which kiosk is nobody's business on the way.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from edge.domain.errors import WireError
from edge.domain.matters import Matter
from edge.domain.opinions import QUESTIONS, Opinion
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need
from edge.wire.messages import stamp_fields, verdict_fields

_WORD = re.compile(r"[a-z_]{1,20}")
_NUMBER = re.compile(r"[0-9A-Z-]{0,60}")
_BADGE = re.compile(r"[0-9]{0,20}")
_ID_NUMBER = re.compile(r"[0-9A-Z]{1,20}")
MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class MatterBody:
    """One matter as the registry reads it; `about` and `number` are empty where there is none.

    `badge`: of staff who vouched for the person at the kiosk; older kiosks say nothing of it.
    """

    matter_id: str
    kiosk_id: str
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    kind: str
    about: str
    number: str
    consent: dict[str, Any] | None
    liveness: dict[str, Any] | None
    proven: bool
    at: datetime
    provenance: str
    software: str
    badge: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class OpinionBody:
    """One opinion as the registry reads it: `ratings` of a questionnaire, or a `grievance`."""

    opinion_id: str
    kiosk_id: str
    ratings: tuple[str, ...]
    grievance: str
    number: str
    at: datetime
    provenance: str
    software: str


def matter_body(matter: Matter) -> bytes:
    return canonical(
        {
            "matter_id": matter.matter_id,
            "kiosk_id": matter.kiosk_id,
            "name": matter.subject.name,
            "id_number": matter.subject.id_number,
            "kind": matter.kind.value,
            "about": matter.about.value if matter.about else "",
            "number": matter.number,
            "consent": asdict(matter.consent) if matter.consent else None,
            "liveness": verdict_fields(matter.verdict) if matter.verdict else None,
            "proven": matter.verdict is not None and matter.verdict.passed,
            "at": stamp_fields(matter.at),
            "provenance": matter.provenance.value,
            "software": matter.software,
            "badge": matter.badge,
        }
    )


def parse_matter(body: bytes) -> MatterBody:
    """Raises `WireError("body")`."""
    fields = _fields(body, ("matter_id", "kiosk_id", "name", "id_number", "kind", "about"))
    need(_WORD.fullmatch(fields["kind"]) is not None, "kind")
    need(_WORD.fullmatch(fields["about"] or "none") is not None, "about")
    need(_ID_NUMBER.fullmatch(fields["id_number"].upper()) is not None, "id_number")
    need(len(fields["name"]) <= MAX_NAME and fields["name"].isprintable(), "name")
    for name in ("consent", "liveness"):
        need(fields.get(name) is None or isinstance(fields[name], dict), name)
    need(type(fields.get("proven")) is bool, "proven")
    badge = fields.get("badge", "")
    need(isinstance(badge, str) and _BADGE.fullmatch(badge) is not None, "badge")
    kept = {**_kept(fields, MatterBody), "at": _moment(fields.get("at")), "badge": badge}
    return MatterBody(**kept)


def opinion_body(opinion: Opinion) -> bytes:
    return canonical(
        {
            "opinion_id": opinion.opinion_id,
            "kiosk_id": opinion.kiosk_id,
            "ratings": [rating.value for rating in opinion.ratings],
            "grievance": opinion.grievance.value if opinion.grievance else "",
            "number": opinion.number,
            "at": stamp_fields(opinion.at),
            "provenance": opinion.provenance.value,
            "software": opinion.software,
        }
    )


def parse_opinion(body: bytes) -> OpinionBody:
    """Raises `WireError("body")`."""
    fields = _fields(body, ("opinion_id", "kiosk_id", "grievance"))
    ratings: Any = fields.get("ratings")
    need(isinstance(ratings, list) and len(ratings) <= len(QUESTIONS), "ratings")
    words = [*ratings, fields["grievance"] or "none"]
    need(all(isinstance(word, str) and _WORD.fullmatch(word) for word in words), "ratings")
    kept = _kept(fields, OpinionBody)
    return OpinionBody(**{**kept, "ratings": tuple(ratings), "at": _moment(fields.get("at"))})


def _fields(body: bytes, texts: tuple[str, ...]) -> dict[str, Any]:
    fields = json_object(body)
    for name in (*texts, "number", "provenance", "software"):
        need(isinstance(fields.get(name), str), name)
    need(_NUMBER.fullmatch(fields["number"]) is not None, "number")
    need(len(fields["software"]) <= MAX_NAME and fields["software"].isprintable(), "software")
    return fields


def _kept(fields: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    return {name: fields.get(name) for name in kind.__dataclass_fields__}


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value["utc"])
    except (ValueError, KeyError, TypeError) as error:
        raise WireError("body", "field at is not of its kind") from error
    need(moment.tzinfo is not None and 1970 <= moment.year <= 2200, "at")
    return moment.astimezone(UTC)
