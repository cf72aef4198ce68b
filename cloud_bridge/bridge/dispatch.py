"""What goes down to a kiosk: acknowledgements and the roster (名单)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_bridge.bridge.ingest import Reply
from cloud_bridge.registry import cycles
from cloud_bridge.registry.models import Certification, Device, Person
from cloud_bridge.registry.vault import Vault
from edge.domain.people import PastProof, PersonId, RosterEntry, mask_name
from edge.wire import envelope, keys, messages
from edge.wire.envelope import MAX_ENVELOPE_BYTES, Header
from edge.wire.messages import REGISTRY, Roster

PAST_PROOFS = 5
PAST_DAYS = 5 * 366


class RosterTooLarge(Exception):
    """The roster does not fit into one message."""


def ack_envelopes(replies: Iterable[Reply], sign_key: Ed25519PrivateKey) -> dict[str, bytes]:
    """One signed message per kiosk with all its acknowledgements."""
    by_kiosk: dict[str, list[messages.Ack]] = {}
    for reply in replies:
        by_kiosk.setdefault(reply.kiosk_id, []).append(reply.ack)
    return {
        kiosk_id: envelope.sign(
            Header(messages.ACK, str(uuid.uuid4()), REGISTRY, kiosk_id),
            messages.acks_body(acks),
            sign_key,
        )
        for kiosk_id, acks in by_kiosk.items()
    }


def roster_envelope(
    device: Device, version: int, today: date, vault: Vault, sign_key: Ed25519PrivateKey
) -> bytes:
    """The kiosk's whole roster, sealed to it. Raises `RosterTooLarge`."""
    roster = Roster(version, tuple(_entries(device, today, vault)))
    header = Header(messages.ROSTER, f"roster-{version}", REGISTRY, device.kiosk_id)
    sealed = envelope.seal(messages.roster_body(roster), header, keys.sealing_key(device.open_pub))
    payload = envelope.sign(header, sealed, sign_key)
    if len(payload) > MAX_ENVELOPE_BYTES:
        raise RosterTooLarge(f"{len(roster.entries)} people need {len(payload)} bytes")
    return payload


def _entries(device: Device, today: date, vault: Vault) -> Iterable[RosterEntry]:
    secret = keys.decode_key(vault.open(device.card_secret_sealed, device.kiosk_id))
    people = Person.objects.filter(device.site.region.within("region_id"), covered=True)
    past = _past(people.values("pk"), today)
    for person in people.with_last_pass().order_by("person_id"):
        number = vault.open(person.number_sealed, person.person_id)
        last = person.last_pass_day()
        done = cycles.need_not_come(person.category, last, today)
        yield RosterEntry(
            key=keys.card_key(number, secret),
            person_id=PersonId(person.person_id),
            masked_name=mask_name(person.name),
            category=person.category,
            due_by=person.due_by(today),
            certified_on=last if done else None,
            past=tuple(past.get(person.person_id, ())),
            cycle=cycles.cycle_of(person.category),
        )


def _past(people: object, today: date) -> dict[str, list[PastProof]]:
    """Counting certifications of the last five years by person, newest first."""
    rows = Certification.objects.filter(
        person__in=people, counts=True, certified_on__gt=today - timedelta(days=PAST_DAYS)
    )
    past: dict[str, list[PastProof]] = {}
    for row in rows.order_by("-certified_on").values_list("person_id", "certified_on", "method"):
        proofs = past.setdefault(row[0], [])
        if len(proofs) < PAST_PROOFS:
            proofs.append(PastProof(row[1], row[2]))
    return past
