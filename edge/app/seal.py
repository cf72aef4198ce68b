"""What this kiosk signs about itself: notices in its chain of records, proofs on its own disk."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.domain.errors import WireError
from edge.domain.record import RecordId
from edge.ports import Position
from edge.store.seal import Entry
from edge.wire import messages
from edge.wire.envelope import Chain, Envelope, Header, canonical, sha256_hex, sign, verify

PROOF = "jianzai.proof"
"""A signed word that stays on the kiosk, see `edge.store.proofs`."""

RECORD_KIND = "record"


class DeviceSeal:
    """Implements `edge.store.seal.Seal` with the key that signs records."""

    def __init__(self, kiosk_id: str, key: Ed25519PrivateKey) -> None:
        self._kiosk_id = kiosk_id
        self._key = key
        self._public = key.public_key()

    def entry_of(self, payload: bytes) -> Entry | None:
        envelope = self._own(payload)
        if envelope is None or envelope.header.chain is None:
            return None
        header, chain = envelope.header, envelope.header.chain
        kind = RECORD_KIND if header.schema == messages.RECORD else header.schema
        position = Position(chain.epoch, chain.seq, chain.prev_sha256)
        return Entry(RecordId(header.message_id), kind, position)

    def sign(self, facts: Mapping[str, Any]) -> bytes:
        """The same facts are the same bytes: whoever has them on paper can check the signature."""
        body = canonical(dict(facts))
        message_id = str(uuid.UUID(sha256_hex(body)[:32]))
        header = Header(PROOF, message_id, self._kiosk_id, self._kiosk_id)
        return sign(header, body, self._key)

    def facts_of(self, payload: bytes) -> Mapping[str, Any] | None:
        envelope = self._own(payload)
        if envelope is None:
            return None
        try:
            facts = json.loads(envelope.body)
        except ValueError:
            return None  # sealed
        return facts if isinstance(facts, dict) else None

    def notice(self, schema: str, record_id: RecordId, body: bytes, place: Position) -> bytes:
        """Something the registry has to know, in clear, with a place in the chain."""
        chain = Chain(place.epoch, place.seq, place.prev_sha256)
        header = Header(schema, record_id, self._kiosk_id, messages.REGISTRY, chain=chain)
        return sign(header, body, self._key)

    def _own(self, payload: bytes) -> Envelope | None:
        try:
            return verify(payload, self._key_of)
        except WireError:
            return None  # not signed by this kiosk, or not whole

    def _key_of(self, sender: str) -> Ed25519PublicKey | None:
        return self._public if sender == self._kiosk_id else None
