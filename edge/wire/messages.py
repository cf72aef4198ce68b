"""The messages themselves: which there are (`MESSAGES`), and what a body holds, both ways.

A body is JSON. Readers ignore fields they do not know and keep the bytes, so
that a newer kiosk may say more to an older registry and the other way round.
The bodies of questions and their answers are in `edge.wire.questions`, those about settings
in `edge.wire.desired`, those about releases in `edge.wire.releases`, `updates` and `fetching`.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from enum import Enum
from typing import Any

from edge.domain.cycles import Cycle
from edge.domain.errors import WireError
from edge.domain.health import DeviceState
from edge.domain.people import CardKey, PastProof, PersonId, RosterEntry
from edge.domain.record import LayerResult, ProofRecord, Score, Subject, Verdict
from edge.domain.timebase import Stamp
from edge.wire import topics
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need

RECORD = "jianzai.record"
PRESENCE = "jianzai.presence"
HEALTH = "jianzai.health"
LOOKUP = "jianzai.lookup"
TOLD = "jianzai.told"
ACK = "jianzai.ack"
ROSTER = "jianzai.roster"
ANSWER = "jianzai.answer"
ASK = "jianzai.ask"
EPOCH = "jianzai.epoch"
CLOCK = "jianzai.clock-correction"
STAFF = "jianzai.staff"
STAFF_EVENT = "jianzai.staff-event"
DESIRED = "jianzai.desired"
REPORTED = "jianzai.reported"
TEMPLATE = "jianzai.template"
FORGET = "jianzai.forget"
HEARD = "jianzai.heard"
MATTER = "jianzai.matter"
OPINION = "jianzai.opinion"
HISTORY_QUESTION = "jianzai.history-question"
HISTORY = "jianzai.history"
FETCH = "jianzai.fetch"
CHUNK = "jianzai.chunk"
UPDATE = "jianzai.update-state"
ASSIGNMENT = "jianzai.assignment"

MAX_ROSTER_BYTES = 16 * 1024 * 1024
MAX_EARLY_DAYS = 366
_XZ = b"\xfd7zXZ\0"
"""How a compressed body begins; JSON begins otherwise."""
_XZ_MEMORY_BYTES = 32 * 1024 * 1024
_MAX_VERSION = 2**53
"""What a database takes; a number beyond it would only fail there, again and again."""

REGISTRY = "registry"
"""Sender and recipient name of the centre."""


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message, as `docs/wire.md` tells it.

    `schema` and `number` stand in every envelope; a plain message (presence, health) has no
    envelope. `expires_s`: the broker throws it away after that long, `None`: never.
    """

    schema: str
    leaf: str
    holds: str
    number: int = 1
    enveloped: bool = True
    sealed: bool = False
    retained: bool = False
    expires_s: int | None = None
    answers: str = ""

    @property
    def goes_up(self) -> bool:
        return self.leaf.startswith("up/")


LOOKUP_S = 5
"""A person who waits before the screen is told after this long that nobody answered."""
ASK_S = 3600
"""What is still missing after this long is asked for again."""

FETCH_S = 30
"""The updater asks again; an answer that comes later is nobody's."""

HEARD_S = 300
"""No longer than the trial of a new link lasts, see `edge.domain.trial`."""

MESSAGES = (
    Message(RECORD, topics.RECORD, "one finished session", sealed=True),
    Message(EPOCH, topics.RECORD, "a new chain begins: the database before it was damaged"),
    Message(CLOCK, topics.RECORD, "what time it really was in one boot of the kiosk"),
    Message(
        PRESENCE,
        topics.PRESENCE,
        "whether the kiosk is connected; also its last will",
        enveloped=False,
        retained=True,
    ),
    Message(HEALTH, topics.HEALTH, "how each device is", enveloped=False, retained=True),
    Message(
        LOOKUP,
        topics.LOOKUP,
        "the number of a person who is not on the roster",
        sealed=True,
        expires_s=LOOKUP_S,
    ),
    Message(STAFF_EVENT, topics.RECORD, "what staff did at the kiosk", sealed=True),
    Message(MATTER, topics.RECORD, "what a resident did with their own data", sealed=True),
    Message(OPINION, topics.RECORD, "what somebody says of the service; names nobody", sealed=True),
    Message(
        HISTORY_QUESTION,
        topics.ASK_HISTORY,
        "the number of a person who proved who they are, and that proof",
        sealed=True,
        expires_s=LOOKUP_S,
    ),
    Message(TEMPLATE, topics.RECORD, "what became of a face template", sealed=True),
    Message(
        TOLD,
        topics.TOLD,
        "asked-for places of the chain that are gone",
        expires_s=ASK_S,
        answers=ASK,
    ),
    Message(ACK, topics.ACK, "the registry's word on records", answers=RECORD),
    Message(
        ROSTER, topics.ROSTER, "everybody who is expected at the site", sealed=True, retained=True
    ),
    Message(
        ANSWER,
        topics.ANSWER,
        "one roster entry, or none",
        sealed=True,
        expires_s=LOOKUP_S,
        answers=LOOKUP,
    ),
    Message(
        HISTORY,
        topics.HISTORY,
        "what is kept of that person, masked",
        sealed=True,
        expires_s=LOOKUP_S,
        answers=HISTORY_QUESTION,
    ),
    Message(STAFF, topics.STAFF, "badges and PINs of staff", sealed=True, retained=True),
    Message(
        FORGET, topics.FORGET, "whose face template is to be deleted", sealed=True, retained=True
    ),
    Message(ASK, topics.ASK, "places of the chain that never arrived", expires_s=ASK_S),
    Message(DESIRED, topics.DESIRED, "what the kiosk's settings shall be", retained=True),
    Message(
        REPORTED,
        topics.REPORTED,
        "which settings are in force, which were refused and why",
        enveloped=False,
        retained=True,
    ),
    Message(ASSIGNMENT, topics.ASSIGNMENT, "which release the kiosk shall run", retained=True),
    Message(
        UPDATE,
        topics.UPDATE,
        "which release runs, and where its update stands",
        enveloped=False,
        retained=True,
    ),
    Message(
        FETCH,
        topics.FETCH,
        "a piece of a release that is wanted",
        enveloped=False,
        expires_s=FETCH_S,
    ),
    Message(
        CHUNK,
        topics.CHUNK,
        "that piece",
        enveloped=False,
        expires_s=FETCH_S,
        answers=FETCH,
    ),
    Message(
        HEARD,
        topics.HEARD,
        "that a report over a new link was read just now",
        expires_s=HEARD_S,
        answers=REPORTED,
    ),
)


class ScoreBand(Enum):
    """What leaves the kiosk instead of the raw score (data minimisation)."""

    CLEAR = "clear"  # at least a tenth of the scale above the threshold
    PASS = "pass"  # at or above it
    BELOW = "below"

    @classmethod
    def of(cls, score: Score) -> ScoreBand:
        if score.value >= score.threshold + 0.1:
            return cls.CLEAR
        return cls.PASS if score.passed else cls.BELOW


class AckStatus(Enum):
    """The registry's word on one record."""

    FILED = "filed"  # committed now
    KNOWN = "known"  # was there already, same bytes
    QUARANTINED = "quarantined"  # kept aside for staff; the kiosk keeps its copy too


@dataclass(frozen=True, slots=True)
class Ack:
    """Answer to one envelope: `sha256` is of the whole payload as it was received."""

    record_id: str
    sha256: str
    status: AckStatus


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a kiosk's sync process is connected; `boot_seq` keeps an old will from winning."""

    online: bool
    boot_seq: int
    software: str


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """One device of a kiosk. `word` is a `Condition`'s value, or one that a newer kiosk knows.

    What a driver says in its own words stays in the kiosk: nobody checks free text
    for names. `since` is RFC 3339 in UTC, by the kiosk's clock.
    """

    device: str
    works: bool
    word: str
    since: str


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is expected at one site; replaces the roster before it as a whole."""

    version: int
    entries: tuple[RosterEntry, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordBody:
    """A finished session as the registry reads it; the plain contract of `jianzai.record`.

    Fields with a default came later: older kiosks do not send them.
    """

    record_id: str
    kiosk_id: str
    site: str
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    card_kind: str
    flags: tuple[str, ...]
    person_id: str | None = field(repr=False)
    outcome: str
    reasons: tuple[str, ...]
    method: str
    consent: dict[str, Any] | None
    liveness: dict[str, Any] | None
    attempts: int
    receipt_no: str
    reader_id: str
    started: dict[str, Any]
    finished: dict[str, Any]
    provenance: str
    software: str
    helper: dict[str, Any] | None = field(repr=False, default=None)
    named_by: str = "card"
    ticket: str = ""
    witness: str = field(repr=False, default="")
    assisted_reason: str = ""


def record_body(record: ProofRecord) -> bytes:
    """The body of a record, ready to be sealed."""
    consent = record.consent
    body = RecordBody(
        record_id=record.record_id,
        kiosk_id=record.kiosk_id,
        site=record.site,
        name=record.subject.name,
        id_number=record.subject.id_number,
        card_kind=record.subject.card_kind.value,
        flags=tuple(flag.value for flag in record.subject.flags),
        person_id=record.person_id,
        outcome=record.outcome.value,
        reasons=tuple(reason.value for reason in record.reasons),
        method="witness" if record.witness else "kiosk",
        consent=asdict(consent) if consent else None,
        liveness=verdict_fields(record.verdict) if record.verdict else None,
        attempts=record.attempts,
        receipt_no=record.receipt_no,
        reader_id=record.reader_id,
        started=stamp_fields(record.started),
        finished=stamp_fields(record.finished),
        provenance=record.provenance.value,
        software=record.software,
        helper=_helper(record.helper) if record.helper else None,
        named_by=record.named_by.value,
        ticket=record.ticket,
        witness=record.witness,
        assisted_reason=record.assisted_reason.value if record.assisted_reason else "",
    )
    return canonical(asdict(body))


def _helper(helper: Subject) -> dict[str, Any]:
    return {
        "name": helper.name,
        "id_number": helper.id_number,
        "card_kind": helper.card_kind.value,
        "flags": [flag.value for flag in helper.flags],
    }


def parse_record(body: bytes) -> RecordBody:
    """Read a record's body; raises `WireError("body")` when a field is missing or odd."""
    told = json_object(body)
    try:
        known = {
            each.name: told[each.name]
            if each.default is MISSING
            else told.get(each.name, each.default)
            for each in fields(RecordBody)
        }
    except KeyError as error:
        raise WireError("body", f"field {error.args[0]} is missing") from error
    known["flags"] = _texts(known["flags"], "flags")
    known["reasons"] = _texts(known["reasons"], "reasons")
    for name in ("record_id", "kiosk_id", "site", "name", "id_number", "card_kind"):
        need(isinstance(known[name], str), name)
    for name in ("outcome", "method", "receipt_no", "reader_id", "provenance", "software"):
        need(isinstance(known[name], str), name)
    for name in ("named_by", "ticket", "witness", "assisted_reason"):
        need(isinstance(known[name], str), name)
    for name in ("started", "finished"):
        need(isinstance(known[name], dict) and isinstance(known[name].get("utc"), str), name)
    for name in ("consent", "liveness"):
        need(known[name] is None or isinstance(known[name], dict), name)
    need(known["person_id"] is None or isinstance(known["person_id"], str), "person_id")
    need(type(known["attempts"]) is int, "attempts")
    need(known["helper"] is None or _is_helper(known["helper"]), "helper")
    return RecordBody(**known)


def _is_helper(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("flags"), list):
        return False
    texts = (*(value.get(name) for name in ("name", "id_number", "card_kind")), *value["flags"])
    return all(isinstance(text, str) for text in texts)


def acks_body(acks: Sequence[Ack]) -> bytes:
    return canonical(
        [{"id": a.record_id, "sha256": a.sha256, "status": a.status.value} for a in acks]
    )


def parse_acks(body: bytes) -> tuple[Ack, ...]:
    """Raises `WireError("body")`."""
    try:
        acks = tuple(
            Ack(str(row["id"]), str(row["sha256"]), AckStatus(row["status"]))
            for row in json.loads(body)
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError("body", "not a list of acknowledgements") from error
    # Half a surrogate is a text to JSON and none to a database.
    need(all(ack.record_id.isprintable() and ack.sha256.isprintable() for ack in acks), "id")
    return acks


def presence_body(presence: Presence) -> bytes:
    return canonical(asdict(presence))


def parse_presence(body: bytes) -> Presence:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    need(isinstance(fields.get("online"), bool), "online")
    need(type(fields.get("boot_seq")) is int, "boot_seq")
    need(isinstance(fields.get("software"), str), "software")
    return Presence(fields["online"], fields["boot_seq"], fields["software"])


def health_body(states: Sequence[DeviceState]) -> bytes:
    """All devices of a kiosk as they are now; unsigned and retained, like presence."""
    return canonical(
        [
            {
                "device": state.device,
                "works": state.condition.works,
                "word": state.condition.value,
                "since": state.since,
            }
            for state in states
        ]
    )


def parse_health(body: bytes) -> tuple[DeviceHealth, ...]:
    """Raises `WireError("body")`."""
    try:
        rows = json.loads(body)
        found = [DeviceHealth(r["device"], r["works"], r["word"], r["since"]) for r in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError("body", "not a list of devices") from error
    for row in found:
        need(type(row.works) is bool, "works")
        for name in ("device", "word", "since"):
            need(isinstance(getattr(row, name), str), name)
    return tuple(found)


def roster_body(roster: Roster) -> bytes:
    """The body of a roster, compressed and ready to be sealed to one kiosk.

    By columns, because like compresses best beside like: some 80 bytes a person as sent.
    """
    rows = [entry_fields(entry) for entry in roster.entries]
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    return lzma.compress(canonical({"version": roster.version, "columns": columns}))


def parse_roster(body: bytes) -> Roster:
    """Raises `WireError("body")`. Also reads a plain one with its `entries` one by one."""
    fields = json_object(_inflated(body))
    version = fields.get("version")
    need(type(version) is int and 0 <= version < _MAX_VERSION, "version")
    try:
        rows = fields["entries"] if "entries" in fields else _rows(fields["columns"])
        entries = tuple(parse_entry(row) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError("body", "not a roster") from error
    need(len({entry.key for entry in entries}) == len(entries), "entries")
    return Roster(fields["version"], entries)


def _inflated(body: bytes) -> bytes:
    """Never more than `MAX_ROSTER_BYTES`, however little it takes to promise them."""
    if not body.startswith(_XZ):
        return body
    stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)
    try:
        plain = stream.decompress(body, MAX_ROSTER_BYTES)
    except lzma.LZMAError as error:
        raise WireError("body", "cannot be decompressed") from error
    if not stream.eof or stream.unused_data:
        raise WireError("body", "compressed data too long, cut off or not alone")
    return plain


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    cells = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in cells]


def entry_fields(entry: RosterEntry) -> dict[str, Any]:
    """A roster entry as it is written, alone or in a roster."""
    return {
        "key": entry.key,
        "person": entry.person_id,
        "name": entry.masked_name,
        "category": entry.category,
        "due": entry.due_by.isoformat(),
        "certified": entry.certified_on.isoformat() if entry.certified_on else None,
        "cycle": entry.cycle.value,
        "early": entry.early_days,
        "past": [[proof.day.isoformat(), proof.method] for proof in entry.past],
        "staff": entry.to_staff,
    }


def parse_entry(row: dict[str, Any]) -> RosterEntry:
    """Raises `KeyError`, `ValueError`, `TypeError` or `AttributeError` for anything else."""
    certified = row["certified"]
    return RosterEntry(
        key=CardKey(str(row["key"])),
        person_id=PersonId(str(row["person"])),
        masked_name=str(row["name"]),
        category=str(row["category"]),
        due_by=date.fromisoformat(row["due"]),
        certified_on=date.fromisoformat(certified) if certified else None,
        past=tuple(PastProof(date.fromisoformat(day), str(how)) for day, how in row["past"]),
        cycle=Cycle(row["cycle"]),
        early_days=_early(row.get("early")),
        to_staff=row.get("staff") is True,
    )


def _early(days: Any) -> int | None:
    """Registries of before say nothing of it."""
    if days is None:
        return None
    if type(days) is not int or not 0 <= days <= MAX_EARLY_DAYS:
        raise ValueError("early")
    return days


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it leaves the kiosk: bands instead of scores."""
    return {
        "live": verdict.live,
        "actions": [action.value for action in verdict.actions],
        "liveness": _score(verdict.liveness),
        "likeness": _score(verdict.likeness),
        "reference": verdict.reference.value,
        "card_photo": _score(verdict.card_photo),
        "frames": verdict.frames,
        "seconds": round(verdict.seconds, 1),
        "layers": [_layer(layer) for layer in verdict.layers],
    }


def _layer(layer: LayerResult) -> dict[str, Any]:
    """The state is the band of its score; older registries overlook all of it."""
    return {"name": layer.name.value, "state": layer.state.value, "model": layer.model_sha256}


def _score(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    band = ScoreBand.of(score).value
    return {"band": band, "threshold": round(score.threshold, 4), "model": score.model_sha256}


def stamp_fields(stamp: Stamp) -> dict[str, Any]:
    return {
        "utc": stamp.iso,
        "boot_ns": stamp.boot_ns,
        "boot_id": stamp.boot_id,
        "trust": stamp.trust.value,
    }


def _texts(value: Any, name: str) -> tuple[str, ...]:
    need(isinstance(value, list) and all(isinstance(item, str) for item in value), name)
    return tuple(value)
