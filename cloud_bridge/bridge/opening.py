"""From bytes on a topic to a record that can be filed, or a reason why not. Pure.

Everything that arrives is hostile until the signature says which kiosk wrote
it, and even then it may be nonsense: what leaves here fits the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.domain.errors import WireError
from edge.domain.record import (
    Layer,
    LayerResult,
    LayerState,
    NamedBy,
    Outcome,
    Provenance,
    Reference,
)
from edge.domain.staff import BADGE_DIGITS
from edge.wire import envelope, matters, messages, staff, templates
from edge.wire.envelope import Chain, Envelope, sha256_hex
from edge.wire.matters import MatterBody, OpinionBody
from edge.wire.messages import RecordBody, ScoreBand
from edge.wire.notices import ClockCorrection, NewEpoch, parse_correction, parse_epoch
from edge.wire.staff import StaffEventBody
from edge.wire.templates import TemplateBody

MAX_TEXT = 120
MAX_SHORT = 60
MAX_ATTEMPTS = 1000
MAX_SEQ = 2**62

_NOTICES: Mapping[str, Callable[[bytes], NewEpoch | ClockCorrection]] = {
    messages.EPOCH: parse_epoch,
    messages.CLOCK: parse_correction,
}
_SCHEMAS = {
    *(messages.RECORD, messages.STAFF_EVENT, messages.MATTER, messages.OPINION),
    messages.TEMPLATE,
    *_NOTICES,
}
_REFERENCES = {Reference.CHIP.value, Reference.TEMPLATE.value}
_PASSING = {ScoreBand.CLEAR.value, ScoreBand.PASS.value}
_DECIDING = {
    layer.value for layer in Layer if LayerResult(layer, LayerState.SUSPICIOUS).calls_for_a_person
}
_RECORD_ID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_ID_NUMBER = re.compile(r"[0-9A-Z]{1,20}")
_BADGE = re.compile(rf"[0-9]{{{BADGE_DIGITS}}}")
_AT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)?")
_TICKET = re.compile(r"[0-9A-Za-z-]{0,20}")
_ODD = re.compile(rb"\\u|NaN|Infinity|[:\[,]\s*-?[\d.]+[eE]|\xed|\0")
"""Without any of these (escapes, no numbers or huge ones, half characters) JSON can be stored."""
_WORD = re.compile(r"[a-z0-9_]{1,20}")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as the broker gave it: the topic's kiosk, which the broker vouches for."""

    kiosk_id: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A record whose signature, seal and form were checked."""

    kiosk_id: str
    payload: bytes = field(repr=False)
    sha256: str
    chain: Chain
    body: RecordBody = field(repr=False)
    outcome: Outcome
    provenance: Provenance
    finished_at: datetime

    @property
    def record_id(self) -> str:
        return self.body.record_id


@dataclass(frozen=True, slots=True)
class OpenedDeed:
    """What staff did at a kiosk, checked as a record is; it has a place in the same chain."""

    kiosk_id: str
    payload: bytes = field(repr=False)
    sha256: str
    chain: Chain
    body: StaffEventBody = field(repr=False)
    provenance: Provenance

    @property
    def record_id(self) -> str:
        return self.body.event_id


@dataclass(frozen=True, slots=True)
class OpenedNotice:
    """What a kiosk tells of itself, about nobody; it has a place in the same chain.

    `about`: which chain came before, or in which boot the clock was wrong.
    """

    kiosk_id: str
    payload: bytes = field(repr=False)
    sha256: str
    chain: Chain
    record_id: str
    schema: str
    body: NewEpoch | ClockCorrection
    provenance: Provenance | None = None

    @property
    def about(self) -> str:
        return self.body.old_epoch if isinstance(self.body, NewEpoch) else self.body.boot_id


@dataclass(frozen=True, slots=True)
class OpenedMatter:
    """What somebody did with their own data, checked as a record is."""

    kiosk_id: str
    payload: bytes = field(repr=False)
    sha256: str
    chain: Chain
    body: MatterBody = field(repr=False)
    provenance: Provenance

    @property
    def record_id(self) -> str:
        return self.body.matter_id


@dataclass(frozen=True, slots=True)
class OpenedOpinion:
    """What somebody said of the service, checked as a record is."""

    kiosk_id: str
    payload: bytes = field(repr=False)
    sha256: str
    chain: Chain
    body: OpinionBody = field(repr=False)
    provenance: Provenance

    @property
    def record_id(self) -> str:
        return self.body.opinion_id


@dataclass(frozen=True, slots=True)
class OpenedTemplate:
    """What became of a face template, checked as a record is."""

    kiosk_id: str
    payload: bytes = field(repr=False)
    sha256: str
    chain: Chain
    body: TemplateBody = field(repr=False)
    provenance: Provenance

    @property
    def record_id(self) -> str:
        return self.body.event_id


AnyOpened = Opened | OpenedDeed | OpenedNotice | OpenedMatter | OpenedOpinion | OpenedTemplate


class Refused(Exception):
    """Not a record we file; `reason` is a short stable word for staff and alarms."""

    def __init__(self, reason: str, record_id: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.record_id = record_id


def open_arrival(
    arrival: Arrival, sign_key: Ed25519PublicKey | None, seal_key: X25519PrivateKey
) -> AnyOpened:
    """Raises `Refused`. `sign_key` is that of the kiosk whose topic this came on, if it has one."""
    checked = _verified(arrival, sign_key)
    record_id = checked.header.message_id
    try:
        if checked.header.schema == messages.STAFF_EVENT:
            return _open_deed(arrival, checked, seal_key)
        if checked.header.schema == messages.MATTER:
            return _open_matter(arrival, checked, seal_key)
        if checked.header.schema == messages.OPINION:
            return _open_opinion(arrival, checked, seal_key)
        if checked.header.schema == messages.TEMPLATE:
            return _open_template(arrival, checked, seal_key)
        if checked.header.schema in _NOTICES:
            return _open_notice(arrival, checked)
        body = _body(checked, seal_key)
    except WireError as error:
        raise Refused(error.reason, record_id) from error
    if body.kiosk_id != arrival.kiosk_id or body.record_id != record_id:
        raise Refused("moved", record_id)
    return _opened(arrival, _chain(checked.header.chain, record_id), body)


def _open_deed(arrival: Arrival, checked: Envelope, seal_key: X25519PrivateKey) -> OpenedDeed:
    header = checked.header
    body = staff.parse_event(envelope.unseal(checked.body, header, seal_key))
    if body.kiosk_id != arrival.kiosk_id or body.event_id != header.message_id:
        raise Refused("moved", header.message_id)
    try:
        provenance = Provenance(body.provenance)
    except ValueError as error:
        raise Refused("body", header.message_id) from error
    return OpenedDeed(
        kiosk_id=arrival.kiosk_id,
        payload=arrival.payload,
        sha256=sha256_hex(arrival.payload),
        chain=_chain(header.chain, header.message_id),
        body=body,
        provenance=provenance,
    )


def _open_matter(arrival: Arrival, checked: Envelope, seal_key: X25519PrivateKey) -> OpenedMatter:
    header = checked.header
    body = matters.parse_matter(envelope.unseal(checked.body, header, seal_key))
    _belongs(arrival, header.message_id, body.kiosk_id, body.matter_id)
    _storable({"consent": body.consent, "liveness": body.liveness, "name": body.name})
    return OpenedMatter(
        kiosk_id=arrival.kiosk_id,
        payload=arrival.payload,
        sha256=sha256_hex(arrival.payload),
        chain=_chain(header.chain, header.message_id),
        body=body,
        provenance=_provenance(body.provenance, header.message_id),
    )


def _open_opinion(arrival: Arrival, checked: Envelope, seal_key: X25519PrivateKey) -> OpenedOpinion:
    header = checked.header
    body = matters.parse_opinion(envelope.unseal(checked.body, header, seal_key))
    _belongs(arrival, header.message_id, body.kiosk_id, body.opinion_id)
    return OpenedOpinion(
        kiosk_id=arrival.kiosk_id,
        payload=arrival.payload,
        sha256=sha256_hex(arrival.payload),
        chain=_chain(header.chain, header.message_id),
        body=body,
        provenance=_provenance(body.provenance, header.message_id),
    )


def _open_template(
    arrival: Arrival, checked: Envelope, seal_key: X25519PrivateKey
) -> OpenedTemplate:
    header = checked.header
    body = templates.parse_event(envelope.unseal(checked.body, header, seal_key))
    _belongs(arrival, header.message_id, body.kiosk_id, body.event_id)
    _storable({"consent": body.consent})
    return OpenedTemplate(
        kiosk_id=arrival.kiosk_id,
        payload=arrival.payload,
        sha256=sha256_hex(arrival.payload),
        chain=_chain(header.chain, header.message_id),
        body=body,
        provenance=_provenance(body.provenance, header.message_id),
    )


def _belongs(arrival: Arrival, message_id: str, kiosk_id: str, own_id: str) -> None:
    if kiosk_id != arrival.kiosk_id or own_id != message_id:
        raise Refused("moved", message_id)


def _provenance(word: str, message_id: str) -> Provenance:
    try:
        return Provenance(word)
    except ValueError as error:
        raise Refused("body", message_id) from error


def _open_notice(arrival: Arrival, checked: Envelope) -> OpenedNotice:
    """Signed and in clear: there is nothing in it to hide."""
    header = checked.header
    return OpenedNotice(
        kiosk_id=arrival.kiosk_id,
        payload=arrival.payload,
        sha256=sha256_hex(arrival.payload),
        chain=_chain(header.chain, header.message_id),
        record_id=header.message_id,
        schema=header.schema,
        body=_NOTICES[header.schema](checked.body),
    )


def _verified(arrival: Arrival, sign_key: Ed25519PublicKey | None) -> Envelope:
    """An envelope may be signed by the topic's own kiosk only."""

    def key_of(sender: str) -> Ed25519PublicKey | None:
        return sign_key if sender == arrival.kiosk_id else None

    try:
        checked = envelope.verify(arrival.payload, key_of)
    except WireError as error:
        raise Refused(error.reason) from error
    header = checked.header
    if header.recipient != messages.REGISTRY:
        raise Refused("recipient")
    if header.schema not in _SCHEMAS or header.version != 1:
        raise Refused("schema")
    if not _RECORD_ID.fullmatch(header.message_id):
        raise Refused("form")
    return checked


def _body(checked: Envelope, seal_key: X25519PrivateKey) -> RecordBody:
    plain = envelope.unseal(checked.body, checked.header, seal_key)
    body = messages.parse_record(plain)
    if _ODD.search(plain):
        _storable({name: getattr(body, name) for name in RecordBody.__dataclass_fields__})
    for text in (body.name, body.site, body.software):
        _need(len(text) <= MAX_TEXT)
    for text in (body.receipt_no, body.reader_id):
        _need(len(text) <= MAX_SHORT)
    for word in (body.card_kind, body.method, *body.flags, *body.reasons):
        _need(_is_word(word))
    _need(len(body.flags) <= 20 and len(body.reasons) <= 20)
    if body.id_number or body.outcome != Outcome.CALLED.value:
        _need(_ID_NUMBER.fullmatch(body.id_number.upper()) is not None)
    _need(not body.witness or _BADGE.fullmatch(body.witness) is not None)
    _need(not body.assisted_reason or _is_word(body.assisted_reason))
    _need(_is_word(body.named_by) and _TICKET.fullmatch(body.ticket) is not None)
    if body.helper is not None:
        _check_helper(body.helper)
    _need(0 <= body.attempts <= MAX_ATTEMPTS)
    if body.consent is not None:
        _check_consent(body.consent)
    if body.liveness is not None:
        _check_liveness(body.liveness)
    return body


def _check_helper(helper: dict[str, Any]) -> None:
    _need(len(helper["name"]) <= MAX_TEXT and len(helper["flags"]) <= 20)
    _need(_ID_NUMBER.fullmatch(helper["id_number"].upper()) is not None)
    _need(all(map(_is_word, (helper["card_kind"], *helper["flags"]))))


def _check_consent(consent: dict[str, Any]) -> None:
    _need(isinstance(consent.get("agreed"), bool))
    for name in ("version", "language", "text_sha256"):
        _need(isinstance(consent.get(name), str) and len(consent[name]) <= MAX_TEXT)
    _need(_AT.fullmatch(str(consent.get("at", ""))) is not None)


def _check_liveness(check: dict[str, Any]) -> None:
    """What the console shows has to be of its kind; fields we do not know may be anything."""
    actions = check.get("actions")
    _need(isinstance(actions, list) and len(actions) <= 20 and all(map(_is_word, actions)))
    _need(_is_word(check.get("reference")))
    _need(_is_number(check.get("frames")) and _is_number(check.get("seconds")))
    for score in (check.get("liveness"), check.get("likeness")):
        if score is not None:
            _need(isinstance(score, dict) and _is_word(score.get("band")))
            _need(_is_number(score.get("threshold")) and isinstance(score.get("model"), str))
    layers = check.get("layers", [])  # kiosks of before say nothing of them
    _need(isinstance(layers, list) and len(layers) <= 20)
    for layer in layers:
        _need(isinstance(layer, dict) and _is_word(layer.get("name")))
        _need(_is_word(layer.get("state")))
        _need(layer.get("model") is None or isinstance(layer["model"], str))


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1_000_000


def _opened(arrival: Arrival, chain: Chain, body: RecordBody) -> Opened:
    try:
        outcome, provenance = Outcome(body.outcome), Provenance(body.provenance)
        finished_at = _time(body.finished["utc"])
        _time(body.started["utc"])
    except (ValueError, OverflowError) as error:
        raise Refused("body", body.record_id) from error
    return Opened(
        kiosk_id=arrival.kiosk_id,
        payload=arrival.payload,
        sha256=sha256_hex(arrival.payload),
        chain=chain,
        body=body,
        outcome=outcome,
        provenance=provenance,
        finished_at=finished_at,
    )


def is_borne_out(record: Opened) -> bool:
    """Whether a record that says PASSED holds what a pass is made of; others claim nothing.

    A kiosk with a fault, or somebody with its key, must not certify by the one word alone. What
    a witness says is looked at again by somebody else, each time.
    """
    if record.outcome is not Outcome.PASSED:
        return True
    if record.body.method == "witness":
        return bool(record.body.witness and record.body.assisted_reason)
    consent, check = record.body.consent or {}, record.body.liveness or {}
    scores = [check.get("liveness") or {}, check.get("likeness") or {}]
    return (
        record.body.method == "kiosk"
        and consent.get("agreed") is True
        and check.get("live") is True
        and check.get("reference") in _REFERENCES
        and all(score.get("band") in _PASSING for score in scores)
        and _is_the_targets(record.body)
        and not any(map(_calls_for_a_person, check.get("layers", [])))
    )


def _calls_for_a_person(layer: dict[str, Any]) -> bool:
    return layer["name"] in _DECIDING and layer["state"] == LayerState.SUSPICIOUS.value


def _is_the_targets(body: RecordBody) -> bool:
    """Nobody helps themselves, and who was only typed has no chip to be compared with."""
    typed = body.named_by != NamedBy.CARD.value
    chip = (body.liveness or {}).get("reference") == Reference.CHIP.value
    own = body.helper is not None and body.helper["id_number"].upper() == body.id_number.upper()
    return not own and not (typed and chip)


def _chain(chain: Chain | None, record_id: str) -> Chain:
    if chain is None or not 1 <= chain.seq <= MAX_SEQ:
        raise Refused("chain", record_id)
    if not 1 <= len(chain.epoch) <= 64 or len(chain.prev_sha256) > 64:
        raise Refused("chain", record_id)
    if "\0" in chain.epoch + chain.prev_sha256:
        raise Refused("chain", record_id)
    return chain


def _time(text: str) -> datetime:
    """An aware moment in UTC; a year at the edge of the calendar is refused with ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year <= 2200:
        raise ValueError("not a moment we can file")
    return moment.astimezone(UTC)


def _storable(value: Any) -> None:
    """JSON of the body must go through UTF-8 and a strict JSON column without loss."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise WireError("body", "holds something that cannot be stored") from error
    _need("\\u0000" not in text)


def _need(condition: bool) -> None:
    if not condition:
        raise WireError("body", "a field is too long or not of its kind")
