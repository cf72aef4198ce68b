"""From a record to the finished bytes that will be sent, and from sealed rosters to entries."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.app.config import Config
from edge.domain.codes import SignedReceipt, method_of
from edge.domain.errors import ConfigError, WireError
from edge.domain.matters import Held, Matter
from edge.domain.opinions import Opinion
from edge.domain.people import CardKey, RosterEntry, mask_name
from edge.domain.record import ProofRecord, Provenance
from edge.domain.staff import StaffEvent
from edge.domain.templates import TemplateEvent
from edge.ports import Position
from edge.wire import keys, messages, questions, receipts, templates
from edge.wire.desired import Desired, parse_desired
from edge.wire.envelope import Chain, Envelope, Header, seal, sign, unseal, verify
from edge.wire.matters import matter_body, opinion_body
from edge.wire.questions import Ask, Told
from edge.wire.staff import event_body
from edge.wire.templates import Deletions

log = logging.getLogger("edge.keys")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The kiosk's keys, loaded once; none of them ever appears in a `repr`."""

    kiosk_id: str
    sign: Ed25519PrivateKey
    open: X25519PrivateKey
    card: bytes
    data: bytes
    registry_sign: Ed25519PublicKey
    registry_seal: X25519PublicKey
    certificate: bytes = b""  # the registry's word for `sign`; empty: receipts without a code

    def __repr__(self) -> str:
        return f"Keyring(kiosk_id={self.kiosk_id!r})"

    @classmethod
    def load(cls, config: Config) -> Keyring:
        """Raises `ConfigError` naming the file that is missing or damaged."""
        files = config.keys
        return cls(
            kiosk_id=config.kiosk_id,
            sign=keys.signing_key(_text(config.path(files.sign))),
            open=keys.opening_key(_text(config.path(files.open))),
            card=keys.decode_key(_text(config.path(files.card))),
            data=keys.decode_key(_text(config.path(files.data))),
            registry_sign=keys.verifying_key(_text(config.path(files.registry_sign))),
            registry_seal=keys.sealing_key(_text(config.path(files.registry_seal))),
            certificate=_certificate(config.path(files.receipt)),
        )

    def card_key(self, id_number: str) -> CardKey:
        return keys.card_key(id_number, self.card)

    def payload(self, record: ProofRecord, position: Position) -> bytes:
        """The envelope of a record: sealed to the registry, signed by this kiosk, in its chain."""
        header = Header(
            schema=messages.RECORD,
            message_id=record.record_id,
            sender=self.kiosk_id,
            recipient=messages.REGISTRY,
            chain=Chain(position.epoch, position.seq, position.prev_sha256),
        )
        sealed = seal(messages.record_body(record), header, self.registry_seal)
        return sign(header, sealed, self.sign)

    def receipt_code(self, record: ProofRecord, due_by: date | None, phone: str) -> str:
        """The code that proves a receipt; empty without a certificate. Raises `WireError`."""
        if not self.certificate:
            return ""
        finished = record.finished
        receipt = SignedReceipt(
            kiosk_id=self.kiosk_id,
            receipt_no=record.receipt_no,
            name=mask_name(record.subject.name),
            outcome=record.outcome,
            method=method_of(record),
            day=finished.local.date() if finished.is_sure else None,
            due_by=due_by,
            phone=phone,
            simulated=record.provenance is Provenance.SIMULATED,
        )
        return receipts.write_receipt(receipt, self.sign, self.certificate)

    def read_receipt(self, code: str) -> SignedReceipt:
        """What a receipt of any kiosk of this registry says; raises `WireError`."""
        return receipts.read_receipt(code.strip(), self.registry_sign)

    def lookup(self, letter_id: str, id_number: str) -> bytes:
        """A question about a person, sealed to the registry and signed by this kiosk."""
        header = Header(messages.LOOKUP, letter_id, self.kiosk_id, messages.REGISTRY)
        sealed = seal(questions.lookup_body(id_number), header, self.registry_seal)
        return sign(header, sealed, self.sign)

    def history_question(self, letter_id: str, id_number: str, access: str) -> bytes:
        """What is kept of somebody who proved who they are; sealed to the registry."""
        header = Header(messages.HISTORY_QUESTION, letter_id, self.kiosk_id, messages.REGISTRY)
        body = questions.history_question_body(questions.HistoryQuestion(id_number, access))
        return sign(header, seal(body, header, self.registry_seal), self.sign)

    def history(self, payload: bytes, letter_id: str) -> Held | None:
        """What the registry answers to one such question of ours; raises `WireError`."""
        envelope = self._from_registry(payload, messages.HISTORY)
        if envelope.header.message_id != letter_id:
            raise WireError("id", "an answer to another question")
        return questions.parse_history(unseal(envelope.body, envelope.header, self.open)).held

    def filed(self, what: Matter | Opinion, position: Position) -> bytes:
        """The envelope of a matter or an opinion, in the same chain as the records."""
        schema, message_id, body = told_of(what)
        header = Header(
            schema=schema,
            message_id=message_id,
            sender=self.kiosk_id,
            recipient=messages.REGISTRY,
            chain=Chain(position.epoch, position.seq, position.prev_sha256),
        )
        return sign(header, seal(body, header, self.registry_seal), self.sign)

    def told(self, letter_id: str, told: Told) -> bytes:
        header = Header(messages.TOLD, letter_id, self.kiosk_id, messages.REGISTRY)
        return sign(header, questions.told_body(told), self.sign)

    def answer(self, payload: bytes, letter_id: str) -> RosterEntry | None:
        """What the registry answers to one question of ours; raises `WireError`."""
        envelope = self._from_registry(payload, messages.ANSWER)
        if envelope.header.message_id != letter_id:
            raise WireError("id", "an answer to another question")
        return questions.parse_answer(unseal(envelope.body, envelope.header, self.open)).entry

    def ask(self, payload: bytes) -> Ask:
        """Which records the registry misses; raises `WireError`."""
        return questions.parse_ask(self._from_registry(payload, messages.ASK).body)

    def _from_registry(self, payload: bytes, schema: str) -> Envelope:
        envelope = verify(payload, {messages.REGISTRY: self.registry_sign}.get)
        if envelope.header.schema != schema or envelope.header.recipient != self.kiosk_id:
            raise WireError("recipient", f"not {schema} for this kiosk")
        return envelope

    def roster(self, payload: bytes) -> messages.Roster:
        """Open a roster meant for this kiosk; raises `WireError`."""
        envelope = verify(
            payload, lambda sender: self.registry_sign if sender == messages.REGISTRY else None
        )
        header = envelope.header
        if header.schema != messages.ROSTER or header.recipient != self.kiosk_id:
            raise WireError("recipient", "not a roster for this kiosk")
        return messages.parse_roster(unseal(envelope.body, header, self.open))

    def deed(self, event: StaffEvent, position: Position) -> bytes:
        """The envelope of what staff did; it has a place in the same chain as the records."""
        header = Header(
            schema=messages.STAFF_EVENT,
            message_id=event.event_id,
            sender=self.kiosk_id,
            recipient=messages.REGISTRY,
            chain=Chain(position.epoch, position.seq, position.prev_sha256),
        )
        return sign(header, seal(event_body(event), header, self.registry_seal), self.sign)

    def template_event(self, event: TemplateEvent, position: Position) -> bytes:
        """The envelope of what became of a template; like a deed it is in the chain."""
        header = Header(
            schema=messages.TEMPLATE,
            message_id=event.event_id,
            sender=self.kiosk_id,
            recipient=messages.REGISTRY,
            chain=Chain(position.epoch, position.seq, position.prev_sha256),
        )
        body = templates.event_body(event)
        return sign(header, seal(body, header, self.registry_seal), self.sign)

    def deletions(self, payload: bytes) -> Deletions:
        """Whose templates this kiosk is to delete; raises `WireError`."""
        envelope = self._from_registry(payload, messages.FORGET)
        return templates.parse_deletions(unseal(envelope.body, envelope.header, self.open))

    def staff(self, payload: bytes) -> bytes:
        """The body of a list of badges meant for this kiosk; raises `WireError`."""
        envelope = self._from_registry(payload, messages.STAFF)
        return unseal(envelope.body, envelope.header, self.open)

    def wish(self, payload: bytes) -> Desired:
        """What the centre wants this kiosk's settings to be; raises `WireError`."""
        envelope = verify(
            payload, lambda sender: self.registry_sign if sender == messages.REGISTRY else None
        )
        header = envelope.header
        if header.schema != messages.DESIRED or header.recipient != self.kiosk_id:
            raise WireError("recipient", "not settings for this kiosk")
        return parse_desired(envelope.body)


def _certificate(path: Path) -> bytes:
    """A kiosk from before there were codes works on as it did."""
    if not path.exists():
        log.warning("receipt_codes=none missing=%s", path.name)
        return b""
    try:
        return receipts.decode_certificate(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, WireError) as error:
        raise ConfigError(str(path), f"not a usable certificate: {error}") from error


def told_of(what: Matter | Opinion) -> tuple[str, str, bytes]:
    """Schema, id and body of what is told beside the records."""
    if isinstance(what, Matter):
        return messages.MATTER, what.matter_id, matter_body(what)
    return messages.OPINION, what.opinion_id, opinion_body(what)


def secret_key(path: Path) -> bytes:
    """32 bytes from a key file. Raises `ConfigError` naming it."""
    return keys.decode_key(_text(path))


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
        keys.decode_key(text)
    except FileNotFoundError as error:
        raise ConfigError(
            str(path), "key file is missing; provision this kiosk again or copy it back"
        ) from error
    except (OSError, UnicodeDecodeError, WireError) as error:
        raise ConfigError(str(path), f"not a usable key file: {error}") from error
    return text
