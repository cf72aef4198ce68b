"""What an incoming message changes. Doing it twice changes nothing more.

Whatever is not signed by the registry, meant for this kiosk and of a kind we
know costs one log line and nothing else: the broker is not trusted.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.domain.errors import WireError
from edge.domain.record import RecordId
from edge.ports import Incoming, Letter, Outbox
from edge.wire import messages, topics
from edge.wire.desired import parse_desired, parse_heard
from edge.wire.envelope import Envelope, verify
from edge.wire.messages import Ack, AckStatus

_log = logging.getLogger(__name__)

_SCHEMA_OF_LEAF = {
    message.leaf: message.schema for message in messages.MESSAGES if not message.goes_up
}

_ANSWERS = (messages.ANSWER, messages.HISTORY)
"""Somebody stands there and waits for them."""


class Inbox(Protocol):
    """Where messages wait that only the kiosk process can open."""

    def put(self, kind: str, payload: bytes) -> bool: ...


class Letters(Protocol):
    """What the kiosk process wants carried, and where the answers wait for it."""

    def unsent(self) -> Sequence[Letter]: ...

    def sent(self, letter_id: str) -> None: ...

    def answered(self, letter_id: str, payload: bytes) -> bool: ...


class Settings(Protocol):
    """Who looks after the settings; `edge.sync.settings.SettingsKeeper` is one."""

    def wish(self, version: int, payload: bytes) -> bool: ...

    def heard(self, ask: str) -> None: ...


class Updates(Protocol):
    """Where assignments and pieces of releases go; `edge.sync.updates.UpdateExchange` is one."""

    def take(self, body: bytes, payload: bytes) -> None: ...

    def answered(self, errand_id: bytes, payload: bytes) -> bool: ...


class Receiver:
    """Checks messages and files what they say."""

    def __init__(
        self,
        kiosk_id: str,
        registry_key: Ed25519PublicKey,
        outbox: Outbox,
        inbox: Inbox,
        letters: Letters | None,
        settings: Settings | None = None,
        updates: Updates | None = None,
    ) -> None:
        self._kiosk_id = kiosk_id
        self._registry_key = registry_key
        self._outbox = outbox
        self._inbox = inbox
        self._letters = letters
        self._settings = settings
        self._updates = updates

    def take(self, message: Incoming) -> Sequence[RecordId]:
        """File one message; returns the records the registry answered. Raises only `StoreError`."""
        try:
            if message.topic == topics.topic(self._kiosk_id, topics.CHUNK):
                self._piece(message)
                return []
            envelope = self._checked(message)
            if envelope.header.schema == messages.ACK:
                acks = messages.parse_acks(envelope.body)
                with self._outbox.at_once():
                    return [self._settle(ack) for ack in acks]
            if envelope.header.schema in _ANSWERS and self._letters is not None:
                self._answered(envelope.header.message_id, message)
                return []
            if envelope.header.schema in (messages.DESIRED, messages.HEARD):
                self._about_settings(envelope, message.payload)
                return []
            if envelope.header.schema == messages.ASSIGNMENT:
                self._assigned(envelope.body, message.payload)
                return []
        except WireError as error:
            # Whatever the broker made up, it is one line of the log and not a long one.
            _log.warning("message=ignored topic=%r reason=%s", message.topic[:80], error.reason)
            return []
        if self._inbox.put(envelope.header.schema, message.payload):
            _log.info("message=stored kind=%s", envelope.header.schema)
        return []

    def _checked(self, message: Incoming) -> Envelope:
        kiosk_id, leaf = topics.split(message.topic)
        if kiosk_id != self._kiosk_id or leaf not in _SCHEMA_OF_LEAF:
            raise WireError("topic", "nothing we listen to")
        envelope = verify(message.payload, self._key_of)
        if envelope.header.recipient != self._kiosk_id:
            raise WireError("recipient", "meant for somebody else")
        if envelope.header.schema != _SCHEMA_OF_LEAF[leaf]:
            raise WireError("schema", "does not belong on this topic")
        return envelope

    def _key_of(self, sender: str) -> Ed25519PublicKey | None:
        return self._registry_key if sender == messages.REGISTRY else None

    def _answered(self, letter_id: str, message: Incoming) -> None:
        """The signed id says which question it answers; the broker's word must agree."""
        if message.correlation != letter_id.encode():
            raise WireError("correlation", "does not fit the answer")
        assert self._letters is not None
        ours = self._letters.answered(letter_id, message.payload)
        _log.info("answer=%s ours=%s", letter_id, ours)

    def _about_settings(self, envelope: Envelope, payload: bytes) -> None:
        if self._settings is None:
            return
        if envelope.header.schema == messages.HEARD:
            self._settings.heard(parse_heard(envelope.body).ask)
            return
        version = parse_desired(envelope.body).version
        news = self._settings.wish(version, payload)
        _log.info("settings=%s version=%d", "filed" if news else "known", version)

    def _piece(self, message: Incoming) -> None:
        """Unsigned: the updater checks the whole of what it is a piece of."""
        if self._updates is None or not self._updates.answered(
            message.correlation, message.payload
        ):
            _log.info("chunk=ignored")

    def _assigned(self, body: bytes, payload: bytes) -> None:
        if self._updates is not None:
            self._updates.take(body, payload)
            _log.info("assignment=kept")

    def _settle(self, ack: Ack) -> RecordId:
        record_id = RecordId(ack.record_id)
        if ack.status is AckStatus.QUARANTINED:
            ours = self._outbox.quarantined(record_id, ack.sha256)
        else:
            ours = self._outbox.acknowledged(record_id, ack.sha256)
        well = ours and ack.status is not AckStatus.QUARANTINED
        level = logging.INFO if well else logging.WARNING
        _log.log(level, "ack=%s record=%s ours=%s", ack.status.value, record_id, ours)
        return record_id
