"""The folder shared with the sync process: assignments from there, what became of them to there."""

from __future__ import annotations

import logging
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.domain.errors import WireError
from edge.update.agent import Told
from edge.update.disk import write_whole
from edge.wire import envelope, messages
from edge.wire.releases import Assignment, parse_assignment
from edge.wire.updates import UpdateState, state_body

log = logging.getLogger("edge.update")

MAX_BYTES = 16 * 1024


class Exchange:
    """Believes nothing that the registry did not sign for this kiosk: the folder is the sync
    process's, too, and that one talks to the network."""

    def __init__(self, folder: Path, kiosk_id: str, registry_key: Ed25519PublicKey) -> None:
        self._folder = folder
        self._kiosk_id = kiosk_id
        self._registry_key = registry_key

    def assignment(self) -> Assignment | None:
        """What the registry wants this kiosk to run, if it said so."""
        try:
            payload = (self._folder / "assignment.bin").read_bytes()[:MAX_BYTES]
        except OSError:
            return None
        try:
            return self._checked(payload)
        except WireError as error:
            log.warning("assignment=ignored reason=%s", error.reason)
            return None

    def _checked(self, payload: bytes) -> Assignment:
        found = envelope.verify(payload, self._key_of)
        if found.header.schema != messages.ASSIGNMENT:
            raise WireError("schema", "is no assignment")
        if found.header.recipient != self._kiosk_id:
            raise WireError("recipient", "meant for somebody else")
        return parse_assignment(found.body)

    def _key_of(self, sender: str) -> Ed25519PublicKey | None:
        return self._registry_key if sender == messages.REGISTRY else None

    def say(self, told: Told) -> None:
        """Serials and one word; the sync process sends it whenever it changes."""
        state = UpdateState(told.phase.value, told.running, told.wanted, told.word)
        write_whole(self._folder / "state.json", state_body(state))
