"""Files what became of face templates, each with its place in its kiosk's chain."""

from __future__ import annotations

from datetime import datetime

from cloud_bridge.bridge.opening import OpenedTemplate
from cloud_bridge.registry import rechecks, templates
from cloud_bridge.registry.models import Device, Person, TemplateEvent
from cloud_bridge.registry.vault import Vault
from edge.domain.record import Provenance
from edge.domain.templates import TemplateChange


def file(told: OpenedTemplate, device: Device, vault: Vault, now: datetime) -> None:
    """A moment that nobody believes, or that is still to come, becomes that of filing."""
    body = told.body
    believed = body.sure and body.at <= now
    row = TemplateEvent.objects.create(
        record_id=told.record_id,
        device=device,
        person=Person.objects.filter(pk=body.person_id).first(),
        change=body.change.value,
        badge=body.badge,
        consent=body.consent,
        expires=body.expires,
        card_alike=body.card_alike,
        at=body.at if believed else now,
        simulated=told.provenance is Provenance.SIMULATED,
        epoch=told.chain.epoch,
        seq=told.chain.seq,
        prev_sha256=told.chain.prev_sha256,
        sha256=told.sha256,
        envelope=told.payload,
        filed_at=now,
    )
    templates.take_in(row, believed, vault, now)
    if body.change is TemplateChange.ENROLLED:
        rechecks.of_enrolment(row, now)
