"""What goes down to a kiosk: acknowledgements and the roster (名单)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from cloud_bridge.bridge.ingest import Reply
from cloud_bridge.registry import cycles
from cloud_bridge.registry.models import ROOT_REGION, Device, Person, Proof
from cloud_bridge.registry.vault import Vault, VaultError
from edge.domain.errors import WireError
from edge.domain.people import CardKey, PastProof, PersonId, RosterEntry, mask_name
from edge.wire import envelope, keys, messages
from edge.wire.envelope import MAX_ENVELOPE_BYTES, Header
from edge.wire.messages import REGISTRY, Roster

log = logging.getLogger(__name__)

SHOWN_DAMAGED = 5
PAST_PROOFS = 5
PAST_DAYS = 5 * 366


class RosterProblem(Exception):
    """No roster can be made; the text is a word of the console's labels, a blank and details."""


@dataclass(frozen=True, slots=True)
class Made:
    """A roster ready to be sent; `problem`, as in `RosterProblem`, says who is not on it."""

    payload: bytes
    problem: str


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


def roster(
    device: Device, version: int, today: date, vault: Vault, sign_key: Ed25519PrivateKey
) -> Made:
    """The kiosk's whole roster, sealed to it. Raises `RosterProblem`."""
    secret, open_key = _keys_of(device, vault)
    damaged: list[str] = []
    entries = tuple(_entries(device, secret, today, vault, damaged))
    header = Header(messages.ROSTER, f"roster-{version}", REGISTRY, device.kiosk_id)
    body = messages.roster_body(Roster(version, entries))
    payload = envelope.sign(header, envelope.seal(body, header, open_key), sign_key)
    if len(payload) > MAX_ENVELOPE_BYTES:
        raise RosterProblem(f"too_large {len(entries)}")
    shown = " ".join(damaged[:SHOWN_DAMAGED])
    return Made(payload, f"damaged_person {shown} ({len(damaged)})" if damaged else "")


def _keys_of(device: Device, vault: Vault) -> tuple[bytes, X25519PublicKey]:
    """The kiosk's secret for card keys, and the key its roster is sealed to."""
    try:
        secret = keys.decode_key(vault.open(device.card_secret_sealed, device.kiosk_id))
        return secret, keys.sealing_key(device.open_pub)
    except (VaultError, WireError) as error:
        raise RosterProblem("damaged_kiosk") from error


def _entries(
    device: Device, secret: bytes, today: date, vault: Vault, damaged: list[str]
) -> Iterable[RosterEntry]:
    """Everybody who is eligible; whose row cannot be opened is added to `damaged` and left out."""
    people = Person.objects.filter(device.site.region.within("region_id")).eligible()
    past = _past(people.values("pk"), today)
    for person in people.order_by("person_id"):
        try:
            number = vault.open(person.number_sealed, person.person_id)
        except VaultError:
            log.error("damaged row person=%s", person.person_id)
            damaged.append(person.person_id)
            continue
        proofs = past.get(person.person_id, [])
        yield _entry(person, keys.card_key(number, secret), today, proofs)


def entry_of_number(
    device: Device, number: str, today: date, vault: Vault
) -> tuple[RosterEntry | None, str]:
    """What a roster of this kiosk would say of somebody from anywhere, and their region."""
    found = Person.objects.filter(number_key=vault.lookup(number)).eligible()
    person = found.first()
    if person is None:
        return None, ROOT_REGION
    try:
        secret = keys.decode_key(vault.open(device.card_secret_sealed, device.kiosk_id))
    except (VaultError, WireError) as error:
        raise WireError("kiosk", "its key for card keys cannot be opened") from error
    past = _past([person.pk], today).get(person.person_id, [])
    return _entry(person, keys.card_key(number, secret), today, past), person.region_id


def _entry(person: Person, key: CardKey, today: date, past: Iterable[PastProof]) -> RosterEntry:
    last = person.last_pass_on
    done = cycles.need_not_come(person.rule, last, today)
    return RosterEntry(
        key=key,
        person_id=PersonId(person.person_id),
        masked_name=mask_name(person.name),
        category=person.category,
        due_by=person.due_by(today),
        certified_on=last if done else None,
        past=tuple(past),
        cycle=person.rule.cycle,
        early_days=person.rule.early_days,
        to_staff=person.dead_since is not None,
    )


def _past(people: object, today: date) -> dict[str, list[PastProof]]:
    """Proofs of the last five years by person, newest first."""
    since = today - timedelta(days=PAST_DAYS)
    rows = Proof.objects.filter(person__in=people, voided_at=None, on__gt=since)
    past: dict[str, list[PastProof]] = {}
    for row in rows.order_by("-on").values_list("person_id", "on", "method"):
        proofs = past.setdefault(row[0], [])
        if len(proofs) < PAST_PROOFS:
            proofs.append(PastProof(row[1], row[2]))
    return past
