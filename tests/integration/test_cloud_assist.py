"""From a clerk at the kiosk to the supervisor's queue, and from the counter to the kiosk's disk."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import timezone

from cloud_bridge.registry import templates
from cloud_bridge.registry.models import (
    Badge,
    Device,
    HeldTemplate,
    Person,
    Quarantine,
    Recheck,
    Rehearsal,
)
from edge.domain.people import PersonId
from edge.domain.record import Consent
from edge.domain.templates import TemplateChange
from edge.session.assist_states import AssistCard, AssistConfirm, AssistReasons, Vouching
from edge.session.events import Button
from edge.session.states import Finished, Home
from tests.fixtures_cloud import TestRegistry
from tests.headless import KIOSK
from tests.integration.test_cloud_staff import Kiosk, kiosk
from tests.unit.cloud.test_cloud_console import PROVINCE, signed_in, text_of

__all__ = ["kiosk"]
pytestmark = pytest.mark.timeout(150)


def clerks_badge(registry: TestRegistry) -> tuple[str, str]:
    until = timezone.localdate() + timedelta(days=90)
    values = {"name": "李办事员", "role": "clerk", "region": PROVINCE}
    page = text_of(
        signed_in(registry, "supervisor").post(
            "/badges/", values | {"valid_until": until.isoformat()}
        )
    )
    pin = re.search(r'class="digits number">(\d{3}) (\d{3})<', page)
    assert pin is not None
    return str(Badge.objects.get().number), pin[1] + pin[2]


def wait(met: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not met():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_witness_at_the_kiosk_is_in_the_supervisors_queue(
    kiosk: Kiosk, registry: TestRegistry
) -> None:
    badge, pin = clerks_badge(registry)
    kiosk.sync()
    kiosk.sign_in(badge, pin)
    kiosk.press(Button.ASSIST)
    kiosk.until(lambda s: isinstance(s, AssistCard))
    kiosk.world.sam.present(kiosk.world.card)
    kiosk.until(lambda s: isinstance(s, AssistConfirm))
    kiosk.press(Button.CONFIRM, Button.VOUCH)
    kiosk.until(lambda s: isinstance(s, AssistReasons))
    kiosk.press(Button.REASON_HOLD_STILL)
    kiosk.until(lambda s: isinstance(s, Vouching))
    kiosk.press(Button.CONFIRM)
    kiosk.until(lambda s: isinstance(s, Finished))
    kiosk.press(Button.EXIT)
    kiosk.until(lambda s: isinstance(s, Home))
    kiosk.sync()
    kiosk.sync()
    assert not Quarantine.objects.exists()
    row = Rehearsal.objects.get()
    assert (row.witness, row.assisted_reason, row.outcome) == (badge, "hold_still", "passed")
    again = Recheck.objects.get()
    assert (again.record_id, again.badge, again.simulated) == (row.pk, badge, True)
    page = text_of(signed_in(registry, "supervisor").get("/rechecks/"))
    assert "李办事员" in page
    assert not kiosk.outbox.due(10), "all acknowledged"


def test_f17_a_withdrawal_at_the_counter_reaches_the_kiosk_that_holds_the_template(
    kiosk: Kiosk, registry: TestRegistry
) -> None:
    kiosk.sync()
    person = Person.objects.first()
    assert person is not None
    book = kiosk.parts.templates
    assert book is not None
    context = kiosk.runner._context()
    consent = Consent("1", "zh", "ab" * 32, agreed=True)
    made = context.template_event(
        TemplateChange.ENROLLED, PersonId(person.pk), consent, badge="204816"
    )
    book.keep(replace(made, expires=date(2030, 1, 1)), b"\x3f" * 512)
    assert book.face_of(PersonId(person.pk), context.now)
    kiosk.sync()
    held = HeldTemplate.objects.get()
    assert (held.device_id, held.person) == (KIOSK, person)

    client = signed_in(registry, "worker")
    path = f"/people/{person.pk}/template/withdraw/"
    client.post(path, {"reason": "asked by telephone, called back"})
    kiosk.sync()
    arrived_s = time.monotonic()
    wait(lambda: not book.face_of(PersonId(person.pk), context.now), timeout_s=5)
    assert time.monotonic() - arrived_s < 5
    wait(lambda: bool(kiosk.outbox.due(10)), timeout_s=5)
    kiosk.sync()
    held.refresh_from_db()
    assert held.gone_at is not None
    assert templates.to_delete(Device.objects.get(pk=KIOSK)) == ()
    kiosk.sync()
    assert not kiosk.outbox.due(10)
    assert not Quarantine.objects.exists()
