"""Questions both ways: who somebody from another place is, and where missing records are.

Neither is ever needed for a record to be filed. A question that is odd, unsigned or asked
too often gets no answer, and the kiosk goes on without one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cloud_bridge.bridge import dispatch
from cloud_bridge.bridge.throttle import Throttle
from cloud_bridge.registry import audit, gaps
from cloud_bridge.registry.held import held_of
from cloud_bridge.registry.models import ROOT_REGION, ChainState, Device, Person
from cloud_bridge.registry.vault import Vault
from edge.domain.errors import WireError
from edge.domain.timebase import CHINA
from edge.wire import envelope, keys, messages, questions
from edge.wire.envelope import Envelope, Header
from edge.wire.messages import REGISTRY
from edge.wire.questions import Answer, Ask, History

log = logging.getLogger(__name__)

LOOKUPS = 20.0
LOOKUPS_PER_S = 1 / 30
"""Somebody with a kiosk's keys must not be able to ask for one number after the other."""

FIRST_ASK_S = 120.0
"""Records overtake each other; what is missing this long after it was first missed is asked for."""
ASK_AGAIN_S = float(messages.ASK_S)


class Questions:
    """Answers the kiosks' questions, and asks those of the registry."""

    def __init__(
        self, vault: Vault, sign_key: Ed25519PrivateKey, seal_key: X25519PrivateKey
    ) -> None:
        self._vault = vault
        self._sign_key = sign_key
        self._seal_key = seal_key
        self._lookups = Throttle(LOOKUPS, LOOKUPS_PER_S)
        self._ask_at_s: dict[int, float] = {}

    def answer(self, kiosk_id: str, payload: bytes, now: datetime, now_s: float) -> Answered:
        """The answer to a lookup, and the id of the question. Raises `WireError`."""
        device = _device(kiosk_id)
        asked, body = self._asked(device, payload, messages.LOOKUP, now_s)
        number = questions.parse_lookup(body)
        today = now.astimezone(CHINA).date()
        entry, region = dispatch.entry_of_number(device, number, today, self._vault)
        self._write_down(kiosk_id, entry.person_id if entry else "", region)
        header = Header(messages.ANSWER, asked, REGISTRY, kiosk_id)
        return asked, self._sealed(device, header, questions.answer_body(Answer(entry)))

    def history(self, kiosk_id: str, payload: bytes, now: datetime, now_s: float) -> Answered:
        """What is kept of somebody who proved who they are to this kiosk. Raises `WireError`.

        One bucket for both kinds of question. The look names the proof it was made for, which
        the kiosk filed, signed, before it asked.
        """
        device = _device(kiosk_id)
        asked, body = self._asked(device, payload, messages.HISTORY_QUESTION, now_s)
        question = questions.parse_history_question(body)
        found = Person.objects.filter(number_key=self._vault.lookup(question.id_number))
        person = found.first()
        held = held_of(person, now.astimezone(CHINA).date()) if person else None
        self._write_history_down(kiosk_id, person, question.access)
        header = Header(messages.HISTORY, asked, REGISTRY, kiosk_id)
        return asked, self._sealed(device, header, questions.history_body(History(held)))

    def _asked(self, device: Device, payload: bytes, schema: str, now_s: float) -> Answered:
        """Id and body of a question that this kiosk may ask just now."""
        checked = _checked(device, payload, schema)
        self._count(device.kiosk_id, now_s)
        body = envelope.unseal(checked.body, checked.header, self._seal_key)
        return checked.header.message_id, body

    def _sealed(self, device: Device, header: Header, body: bytes) -> bytes:
        sealed = envelope.seal(body, header, keys.sealing_key(device.open_pub))
        return envelope.sign(header, sealed, self._sign_key)

    def told(self, kiosk_id: str, payload: bytes) -> None:
        """File a kiosk's word that records are gone; it is not asked for them again."""
        checked = _checked(_device(kiosk_id), payload, messages.TOLD)
        told = questions.parse_told(checked.body)
        row = ChainState.objects.filter(device_id=kiosk_id, epoch=told.epoch).first()
        if row is None:
            raise WireError("epoch", "a chain nobody knows")
        missing = gaps.within(row.gaps, (*told.pruned, *told.unknown))
        gone = gaps.merged((*missing, *row.gone))
        if len(gone) > gaps.MAX_RANGES:
            raise WireError("body", "more holes than a chain can have")
        row.gone = gone
        row.save(update_fields=["gone"])
        log.warning("gone kiosk=%s epoch=%s places=%d", kiosk_id, told.epoch, gaps.count(missing))

    def to_ask(self, now_s: float) -> list[tuple[str, bytes]]:
        """Kiosk and signed question, for every chain with places that are missed long enough."""
        rows = ChainState.objects.exclude(missing=[]).order_by("pk")
        open_ = [(row, spans) for row in rows if (spans := gaps.without(row.gaps, row.gone))]
        self._forget(row.pk for row, _ in open_)
        return [
            (row.device_id, self._question(row, spans))
            for row, spans in open_
            if self._is_due(row.pk, now_s)
        ]

    def _question(self, row: ChainState, spans: gaps.Gaps) -> bytes:
        ask = Ask(row.epoch, questions.bounded(spans))
        header = Header(messages.ASK, str(uuid.uuid4()), REGISTRY, row.device_id)
        log.info("asking kiosk=%s places=%d", row.device_id, gaps.count(ask.spans))
        return envelope.sign(header, questions.ask_body(ask), self._sign_key)

    def _is_due(self, chain: int, now_s: float) -> bool:
        at_s = self._ask_at_s.setdefault(chain, now_s + FIRST_ASK_S)
        if now_s < at_s:
            return False
        self._ask_at_s[chain] = now_s + ASK_AGAIN_S
        return True

    def _forget(self, still_open: Iterable[int]) -> None:
        """A gap that closed and one that opens later are two."""
        keep = set(still_open)
        self._ask_at_s = {pk: at_s for pk, at_s in self._ask_at_s.items() if pk in keep}

    def _count(self, kiosk_id: str, now_s: float) -> None:
        if not self._lookups.admits(kiosk_id, now_s):
            raise WireError("rate", "this kiosk asks for too many people")
        self._lookups.charge(kiosk_id, 1.0, now_s)

    def _write_history_down(self, kiosk_id: str, person: Person | None, access: str) -> None:
        target = ("person", person.pk) if person else ("device", kiosk_id)
        audit.write(
            self._vault,
            f"kiosk {kiosk_id}"[:60],
            "person.history",
            target,
            reason=f"access {access}",
            region_code=person.region_id if person else ROOT_REGION,
        )

    def _write_down(self, kiosk_id: str, person_id: str, region: str) -> None:
        """A question is a look at a person, whoever stands before the kiosk."""
        target = ("person", person_id) if person_id else ("device", kiosk_id)
        why = "found" if person_id else "not found"
        who = f"kiosk {kiosk_id}"[:60]
        audit.write(self._vault, who, "person.lookup", target, reason=why, region_code=region)


Answered = tuple[str, bytes]
"""The id of a question, and the bytes that go with it."""


def _device(kiosk_id: str) -> Device:
    device: Device | None = Device.objects.filter(pk=kiosk_id).first()
    if device is None:
        raise WireError("sender", "a kiosk nobody knows")
    return device


def _checked(device: Device, payload: bytes, schema: str) -> Envelope:
    """An envelope that this kiosk signed, for the registry, of this kind."""

    def key_of(sender: str) -> Ed25519PublicKey | None:
        return keys.verifying_key(device.sign_pub) if sender == device.kiosk_id else None

    checked = envelope.verify(payload, key_of)
    if checked.header.recipient != REGISTRY:
        raise WireError("recipient", "meant for somebody else")
    if checked.header.schema != schema or checked.header.version != 1:
        raise WireError("schema", "does not belong on this topic")
    if len(checked.header.message_id) > 64:
        raise WireError("form", "id too long")
    return checked
