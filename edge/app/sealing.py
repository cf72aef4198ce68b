"""From a record to the finished bytes that will be sent, and from sealed rosters to entries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.app.config import Config
from edge.domain.errors import ConfigError, WireError
from edge.domain.people import CardKey, RosterEntry
from edge.domain.record import ProofRecord
from edge.domain.staff import StaffEvent
from edge.ports import Position
from edge.wire import keys, messages, questions
from edge.wire.desired import Desired, parse_desired
from edge.wire.envelope import Chain, Envelope, Header, seal, sign, unseal, verify
from edge.wire.questions import Ask, Told
from edge.wire.staff import event_body


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

    def lookup(self, letter_id: str, id_number: str) -> bytes:
        """A question about a person, sealed to the registry and signed by this kiosk."""
        header = Header(messages.LOOKUP, letter_id, self.kiosk_id, messages.REGISTRY)
        sealed = seal(questions.lookup_body(id_number), header, self.registry_seal)
        return sign(header, sealed, self.sign)

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
