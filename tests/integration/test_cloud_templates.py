"""The registry on witnesses and templates: filed, looked at again, withdrawn, ordered away."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.demo import DEMO_NAME
from cloud_bridge.registry import audit, badges, people_import, rechecks, templates
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    Badge,
    Certification,
    Device,
    HeldTemplate,
    Person,
    Quarantine,
    Recheck,
    Region,
    Rehearsal,
    Task,
    TemplateEvent,
)
from edge.domain.people import PersonId
from edge.domain.record import Consent, Provenance, RecordId
from edge.domain.templates import TemplateChange
from edge.domain.templates import TemplateEvent as Event
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.wire import envelope, messages, topics
from edge.wire.messages import AckStatus
from edge.wire.templates import Deletions, event_body, parse_deletions
from tests.fixtures_cloud import NOW, TODAY, TestKiosk, TestRegistry
from tests.integration.test_cloud_worker import Bench
from tests.unit.cloud.test_cloud_console import PROVINCE, signed_in

AGREED = Consent("1", "zh", "ab" * 32, agreed=True)


@pytest.fixture
def bench(registry: TestRegistry) -> Bench:
    return Bench(registry)


def clerk(registry: TestRegistry, role: str = "clerk") -> str:
    place = Region.objects.get(pk=PROVINCE)
    new = badges.NewBadge(f"{role}一号", role, place, TODAY + timedelta(days=100))
    badge = badges.issue(new, registry.vault, "test", NOW - timedelta(days=1)).badge
    return str(badge.number)


@pytest.fixture(autouse=True)
def clerk_of_enrolments(registry: TestRegistry) -> None:
    """Whose badge stands on the enrolments below."""
    Badge.objects.filter(pk=clerk(registry)).update(number="204816", name="文员")


def person() -> Person:
    found: Person = Person.objects.get(name=DEMO_NAME)
    return found


class Told:
    """Changes of one person's template, as a kiosk tells them."""

    numbers = iter(range(1, 10_000))

    def __init__(self, kiosk: TestKiosk) -> None:
        self.kiosk = kiosk

    def payload(
        self,
        change: TemplateChange,
        minute: int = 0,
        trust: ClockTrust = ClockTrust.NTP,
        **more: Any,
    ) -> bytes:
        number = next(self.numbers)
        at = Stamp(datetime(2026, 11, 23, 2, minute, tzinfo=UTC), MonoNs(0), "b", trust)
        event = Event(
            RecordId(f"0193a5c4-7e2b-7b11-8000-{number:012d}"),
            self.kiosk.kiosk_id,
            change,
            PersonId(person().pk),
            at,
            Provenance.LIVE,
            "0.1.0",
        )
        if change is TemplateChange.ENROLLED:
            event = replace(event, badge="204816", consent=AGREED, expires=date(2028, 1, 30))
        event = replace(event, **more)
        return self.kiosk.wrap(
            event_body(event), schema=messages.TEMPLATE, message_id=event.event_id
        )


def file(registry: TestRegistry, kiosk: TestKiosk, *payloads: bytes) -> list[AckStatus]:
    arrivals = [Arrival(kiosk.kiosk_id, payload) for payload in payloads]
    return [reply.ack.status for reply in registry.ingest.ingest(arrivals, NOW)]


def witnessed(kiosk: TestKiosk, badge: str, **changes: Any) -> bytes:
    plain = {
        "method": "witness",
        "liveness": None,
        "consent": None,
        "witness": badge,
        "assisted_reason": "blind",
    }
    return kiosk.record(**{**plain, **changes})


# --- witnesses -------------------------------------------------------------------


def test_a_witnessed_record_counts_names_the_witness_and_is_looked_at_again(
    registry: TestRegistry,
) -> None:
    kiosk, badge = registry.kiosk(), clerk(registry)
    assert file(registry, kiosk, witnessed(kiosk, badge)) == [AckStatus.FILED]
    row = Certification.objects.get()
    assert (row.method, row.witness, row.assisted_reason) == ("witness", badge, "blind")
    assert row.counts
    assert not Task.objects.exists()
    again = Recheck.objects.get()
    assert (again.kind, again.record_id, again.badge) == ("witness", row.pk, badge)
    assert (again.person, again.reason, again.finding) == (person(), "blind", "")


@pytest.mark.parametrize("spoil", ["unknown", "technician", "revoked", "elsewhere"])
def test_a_badge_that_may_not_witness_certifies_nobody(registry: TestRegistry, spoil: str) -> None:
    kiosk = registry.kiosk()
    badge = (
        "999999"
        if spoil == "unknown"
        else clerk(registry, "technician" if spoil == "technician" else "clerk")
    )
    if spoil == "revoked":
        Badge.objects.update(revoked_at=NOW - timedelta(hours=2))
    if spoil == "elsewhere":
        far = Region.objects.exclude(pk__startswith=PROVINCE[:2]).exclude(level=0).first()
        far = far or Region.objects.create(code="990000000000", name="远省", level=1)
        Badge.objects.update(region=far)
    assert file(registry, kiosk, witnessed(kiosk, badge)) == [AckStatus.FILED]
    row = Certification.objects.get()
    assert not row.counts
    assert "witness" in row.doubts
    assert Task.objects.get().kind == Task.Kind.VERIFY
    assert Recheck.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [{"witness": ""}, {"assisted_reason": ""}, {"witness": "12"}, {"assisted_reason": "' OR"}],
)
def test_a_witness_without_a_name_or_a_reason_is_set_aside(
    registry: TestRegistry, changes: dict[str, str]
) -> None:
    kiosk = registry.kiosk()
    file(registry, kiosk, witnessed(kiosk, clerk(registry), **changes))
    assert not Certification.objects.exists()
    assert Quarantine.objects.count() == 1


def test_a_rehearsed_witness_is_looked_at_again_and_counts_nowhere(registry: TestRegistry) -> None:
    kiosk = registry.kiosk(demo=True)
    file(registry, kiosk, witnessed(kiosk, clerk(registry), provenance="simulated"))
    assert Rehearsal.objects.get().witness
    assert Recheck.objects.get().simulated
    assert not Certification.objects.exists()


# --- templates --------------------------------------------------------------------


def test_an_enrolment_is_filed_once_and_enters_the_queue(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    payload = Told(kiosk).payload(TemplateChange.ENROLLED, card_alike=False)
    assert file(registry, kiosk, payload) == [AckStatus.FILED]
    assert file(registry, kiosk, payload) == [AckStatus.KNOWN]
    held = HeldTemplate.objects.get()
    assert (held.person, held.device_id, held.badge) == (person(), "k-001", "204816")
    assert held.until == date(2028, 1, 30)
    assert templates.to_delete(held.device) == ()
    again = Recheck.objects.get()
    assert (again.kind, again.badge) == ("enrolment", "204816")
    assert TemplateEvent.objects.get().card_alike is False
    assert AuditEntry.objects.filter(action="template.enrolled").count() == 1
    assert audit.first_broken(registry.vault) is None


def test_f17_a_withdrawal_at_one_kiosk_is_an_order_for_every_other(registry: TestRegistry) -> None:
    here, there = registry.kiosk("k-001"), registry.kiosk("k-002")
    file(registry, here, Told(here).payload(TemplateChange.ENROLLED, 1))
    file(registry, there, Told(there).payload(TemplateChange.ENROLLED, 2))
    file(registry, here, Told(here).payload(TemplateChange.WITHDRAWN, 3))
    assert templates.to_delete(Device.objects.get(pk="k-001")) == ()
    assert templates.to_delete(Device.objects.get(pk="k-002")) == (person().pk,)
    assert Device.objects.get(pk="k-002").forget_due
    file(registry, there, Told(there).payload(TemplateChange.DELETED, 4))
    assert templates.to_delete(Device.objects.get(pk="k-002")) == ()
    assert not templates.held(person(), TODAY).exists()


def test_an_enrolment_that_comes_after_the_withdrawal_is_ordered_away(
    registry: TestRegistry,
) -> None:
    here, offline = registry.kiosk("k-001"), registry.kiosk("k-002")
    late = Told(offline).payload(TemplateChange.ENROLLED, 1)
    file(registry, here, Told(here).payload(TemplateChange.WITHDRAWN, 2))
    file(registry, offline, late)
    assert templates.to_delete(Device.objects.get(pk="k-002")) == (person().pk,)


def test_f17_a_kiosk_without_a_clock_keeps_nothing_that_was_withdrawn(
    registry: TestRegistry,
) -> None:
    """It was off the network meanwhile; nobody can tell which of the two was first."""
    here, offline = registry.kiosk("k-001"), registry.kiosk("k-002")
    late = Told(offline).payload(TemplateChange.ENROLLED, 1, ClockTrust.FLOOR)
    file(registry, here, Told(here).payload(TemplateChange.WITHDRAWN, 2))
    file(registry, offline, late)
    assert templates.to_delete(Device.objects.get(pk="k-002")) == (person().pk,)


def test_who_enrols_anew_where_they_withdrew_keeps_it_without_a_clock(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    mine = Told(kiosk)
    for change in (TemplateChange.WITHDRAWN, TemplateChange.ENROLLED):
        file(registry, kiosk, mine.payload(change, 1, ClockTrust.FLOOR))
    assert templates.to_delete(Device.objects.get(pk="k-001")) == ()
    again = mine.payload(TemplateChange.ENROLLED, 2, ClockTrust.FLOOR)
    templates.withdraw(person(), registry.vault, "wang", "at the counter", NOW + timedelta(hours=1))
    file(registry, kiosk, again)
    assert templates.to_delete(Device.objects.get(pk="k-001")) == (person().pk,)


def test_who_enrols_anew_after_a_withdrawal_keeps_it(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    told = Told(kiosk)
    changes = (TemplateChange.ENROLLED, TemplateChange.WITHDRAWN, TemplateChange.ENROLLED)
    payloads = [told.payload(change, minute) for minute, change in enumerate(changes)]
    file(registry, kiosk, *reversed(payloads))  # in whatever order they come
    assert templates.to_delete(Device.objects.get()) == ()
    assert templates.held(person(), TODAY).count() == 1


def test_a_clock_nobody_believes_withdraws_as_of_now(registry: TestRegistry) -> None:
    kiosk, other = registry.kiosk("k-001"), registry.kiosk("k-002")
    file(registry, other, Told(other).payload(TemplateChange.ENROLLED, 30))
    past = Told(kiosk).payload(TemplateChange.WITHDRAWN, 0, ClockTrust.FLOOR)
    file(registry, kiosk, past)
    assert templates.to_delete(Device.objects.get(pk="k-002")) == (person().pk,)
    assert person().template_withdrawn_at == NOW


def test_somebody_unknown_breaks_nothing(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    for change in TemplateChange:
        payload = Told(kiosk).payload(change, person_id=PersonId("p0"))
        assert file(registry, kiosk, payload) == [AckStatus.FILED]
    assert not HeldTemplate.objects.exists()
    assert TemplateEvent.objects.count() == 3


# --- the way down ------------------------------------------------------------------


def orders(bench: Bench, kiosk: TestKiosk) -> list[Deletions]:
    opened = [o for o in bench.opened(topics.FORGET) if o.header.recipient == kiosk.kiosk_id]
    return [parse_deletions(envelope.unseal(o.body, o.header, kiosk.open_key)) for o in opened]


def test_an_order_is_sealed_retained_and_repeated_until_it_is_done(
    registry: TestRegistry, bench: Bench
) -> None:
    kiosk = registry.kiosk()
    bench.turn()
    assert orders(bench, kiosk) == [], "nothing to say"
    file(registry, kiosk, Told(kiosk).payload(TemplateChange.ENROLLED, 1))
    templates.withdraw(person(), registry.vault, "wang", "asked at the counter", NOW)
    for _ in range(3):
        bench.turn()
    [order] = orders(bench, kiosk)
    assert order.people == (person().pk,)
    [(_, payload, retained)] = [row for row in bench.link.sent if row[0].endswith(topics.FORGET)]
    assert retained
    assert person().pk.encode() not in payload
    file(registry, kiosk, Told(kiosk).payload(TemplateChange.DELETED, 5))
    for _ in range(3):
        bench.turn()
    first, last = orders(bench, kiosk)
    assert last.people == ()
    assert last.version > first.version


# --- staff -----------------------------------------------------------------------


def queue_of_two(registry: TestRegistry) -> tuple[Recheck, Recheck]:
    kiosk, badge = registry.kiosk(), clerk(registry)
    file(registry, kiosk, witnessed(kiosk, badge))
    file(registry, kiosk, Told(kiosk).payload(TemplateChange.ENROLLED, badge=badge))
    by_kind = {row.kind: row for row in Recheck.objects.all()}
    return by_kind["witness"], by_kind["enrolment"]


def test_the_queue_names_the_witness_and_is_the_supervisors(registry: TestRegistry) -> None:
    witness, enrolment = queue_of_two(registry)
    client = signed_in(registry, "supervisor")
    page = client.get("/rechecks/").content.decode()
    assert witness.badge in page
    assert "clerk一号" in page
    assert DEMO_NAME in page
    assert AuditEntry.objects.filter(action="rechecks.view").exists()
    for role in ("worker", "operator", "auditor"):
        assert signed_in(registry, role).get("/rechecks/").status_code == 403
    assert enrolment.record_id not in page


def done(client: Client, row: Recheck, finding: str, note: str = "looked at the file") -> Any:
    return client.post(f"/rechecks/{row.pk}/done/", {"finding": finding, "note": note})


def test_what_is_in_order_is_marked_once_and_audited(registry: TestRegistry) -> None:
    witness, _ = queue_of_two(registry)
    client = signed_in(registry, "supervisor")
    done(client, witness, "in_order", "")
    witness.refresh_from_db()
    assert witness.finding == "", "not without a word"
    done(client, witness, "in_order")
    done(client, witness, "not_in_order")
    witness.refresh_from_db()
    assert witness.finding == "in_order"
    assert witness.checked_by
    assert Certification.objects.get().counts
    assert AuditEntry.objects.filter(action="recheck.in_order", object_kind="person").count() == 1


def test_what_is_not_in_order_counts_no_more_and_the_template_goes(registry: TestRegistry) -> None:
    witness, enrolment = queue_of_two(registry)
    client = signed_in(registry, "supervisor")
    done(client, witness, "not_in_order")
    row = Certification.objects.get()
    assert not row.counts
    assert "not_in_order" in row.doubts
    assert Task.objects.get().kind == Task.Kind.VERIFY
    done(client, enrolment, "not_in_order")
    assert templates.to_delete(Device.objects.get()) == (person().pk,)


# --- what rests on a template, or on a finding ------------------------------------


def by_template(kiosk: TestKiosk, **changes: Any) -> bytes:
    """A pass for which the face was compared with the template."""
    return kiosk.record(liveness=kiosk.body()["liveness"] | {"reference": "template"}, **changes)


def find_fault(registry: TestRegistry, kind: str) -> None:
    registry.account("kong", "supervisor")
    row = Recheck.objects.get(kind=kind)
    who = Account.objects.get(username="kong")
    assert rechecks.close(row, "not_in_order", "somebody else", registry.vault, who, NOW)


def doubts_of_last() -> list[str]:
    row = Certification.objects.order_by("-seq")[0]
    assert row.counts == (not row.doubts)
    return list(row.doubts)


def test_what_was_certified_by_a_bad_template_is_taken_back_with_it(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    file(registry, kiosk, Told(kiosk).payload(TemplateChange.ENROLLED, 1), by_template(kiosk))
    assert doubts_of_last() == []
    find_fault(registry, "enrolment")
    assert doubts_of_last() == ["not_in_order"]
    assert Task.objects.get().kind == Task.Kind.VERIFY
    file(registry, kiosk, by_template(kiosk))  # the order to delete has not come there yet
    assert doubts_of_last() == ["not_in_order"]
    file(registry, kiosk, kiosk.record())
    assert doubts_of_last() == [], "the card's own photo rests on no template"
    file(registry, kiosk, Told(kiosk).payload(TemplateChange.ENROLLED, 40), by_template(kiosk))
    assert doubts_of_last() == [], "nor does what rests on a newer one"


def test_a_badge_that_may_not_witness_enrols_nobody(registry: TestRegistry) -> None:
    kiosk, badge = registry.kiosk(), clerk(registry, "technician")
    made = Told(kiosk).payload(TemplateChange.ENROLLED, 1, badge=badge)
    passed = by_template(kiosk)
    file(registry, kiosk, passed)
    assert doubts_of_last() == []
    file(registry, kiosk, made)  # the other way round than the kiosk told it
    assert templates.to_delete(Device.objects.get()) == (person().pk,)
    assert doubts_of_last() == ["witness"]
    file(registry, kiosk, by_template(kiosk))
    assert doubts_of_last() == ["witness"]


def test_kiosks_hear_that_somebody_has_to_come_again(registry: TestRegistry) -> None:
    kiosk, badge = registry.kiosk(), clerk(registry)
    file(registry, kiosk, witnessed(kiosk, badge))
    Device.objects.update(roster_stale=False, roster_due=False)
    find_fault(registry, "witness")
    assert Device.objects.get().roster_stale


def test_a_finding_outlives_that_the_person_was_unknown(registry: TestRegistry) -> None:
    kiosk, badge = registry.kiosk(), clerk(registry)
    file(registry, kiosk, witnessed(kiosk, badge, id_number=UNKNOWN, name="周未知"))
    find_fault(registry, "witness")
    new = people_import.NewPerson("周未知", UNKNOWN, "dibao", True, person().region_id)
    people_import.add_people([new], registry.vault, "test")
    assert Certification.objects.get().person is not None
    assert doubts_of_last() == ["not_in_order"]


UNKNOWN = "100000195001010013"


def test_a_revoked_witness_gains_nothing_by_a_clock_set_back(registry: TestRegistry) -> None:
    kiosk, badge = registry.kiosk(), clerk(registry)
    long_ago, revoked = NOW - timedelta(days=30), NOW - timedelta(hours=2)
    Badge.objects.filter(pk=badge).update(issued_at=long_ago, revoked_at=revoked)
    before = (NOW - timedelta(days=2)).isoformat()
    finished = kiosk.body()["finished"] | {"utc": before, "trust": "floor"}
    file(registry, kiosk, witnessed(kiosk, badge, finished=finished, started=finished))
    assert doubts_of_last() == ["witness"]


def test_nobody_sees_the_queue_of_another_region(registry: TestRegistry) -> None:
    witness, _ = queue_of_two(registry)
    far = Region.objects.create(code="990000000000", name="远省", level=1)
    client = signed_in(registry, "supervisor")
    Account.objects.update(region=far)
    assert done(client, witness, "in_order").status_code == 404
    assert not rechecks.seen_by(Account.objects.get()).exists()


def test_f17_a_template_is_withdrawn_at_the_counter_and_audited(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    file(registry, kiosk, Told(kiosk).payload(TemplateChange.ENROLLED))
    client = signed_in(registry, "worker")
    page = client.get(f"/people/{person().pk}/").content.decode()
    assert "k-001" in page
    path = f"/people/{person().pk}/template/withdraw/"
    client.post(path, {"reason": ""})
    assert templates.to_delete(Device.objects.get()) == ()
    client.post(path, {"reason": "came herself, with her card"})
    assert templates.to_delete(Device.objects.get()) == (person().pk,)
    entry = AuditEntry.objects.get(action="template.withdraw")
    assert entry.object_id == person().pk
    assert json.dumps(entry.reason)
