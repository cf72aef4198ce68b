"""What residents do with their own data, opinions, and E05, from the wire to the console."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest

from cloud_bridge import demo
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import keyring, queries
from cloud_bridge.registry.held import held_of
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    Certification,
    Matter,
    Opinion,
    Person,
    Quarantine,
    Task,
)
from edge.domain.matters import Held
from edge.wire import envelope, messages, questions, topics
from edge.wire.envelope import Header
from edge.wire.messages import AckStatus
from tests.fixtures_cloud import NOW, TODAY, TestKiosk, TestRegistry
from tests.integration.test_cloud_templates import clerk
from tests.integration.test_cloud_worker import Bench, bench, quiet
from tests.unit.cloud.test_cloud_console import PROVINCE, signed_in, text_of

__all__ = ["bench"]

AT = {"utc": "2026-11-23T02:59:30.000Z", "boot_ns": 5, "boot_id": "b-1", "trust": "ntp"}
CONSENT = {"version": "1", "language": "zh", "text_sha256": "cd" * 32, "agreed": True}


def matter(kiosk: TestKiosk, **changes: Any) -> dict[str, Any]:
    plain = {
        "matter_id": str(uuid.uuid4()),
        "kiosk_id": kiosk.kiosk_id,
        "name": demo.DEMO_NAME,
        "id_number": demo.DEMO_NUMBER,
        "kind": "access",
        "about": "",
        "number": "",
        "consent": CONSENT,
        "liveness": {"live": True},
        "proven": True,
        "at": AT,
        "provenance": "live",
        "software": "jianzai 0.1.0",
        "badge": "",
    }
    return plain | changes


def opinion(kiosk: TestKiosk, **changes: Any) -> dict[str, Any]:
    plain = {
        "opinion_id": str(uuid.uuid4()),
        "kiosk_id": kiosk.kiosk_id,
        "ratings": ["good", "fair", "poor"],
        "grievance": "",
        "number": "",
        "at": AT,
        "provenance": "live",
        "software": "jianzai 0.1.0",
    }
    return plain | changes


def wrapped(kiosk: TestKiosk, plain: dict[str, Any]) -> bytes:
    schema = messages.MATTER if "matter_id" in plain else messages.OPINION
    message_id = plain.get("matter_id") or plain["opinion_id"]
    return kiosk.wrap(envelope.canonical(plain), schema=schema, message_id=message_id)


def filed(registry: TestRegistry, kiosk: TestKiosk, *payloads: bytes) -> list[AckStatus]:
    arrivals = [Arrival(kiosk.kiosk_id, payload) for payload in payloads]
    return [reply.ack.status for reply in registry.ingest.ingest(arrivals, NOW)]


def person() -> Person:
    found: Person = Person.objects.get(name=demo.DEMO_NAME)
    return found


# --- matters -----------------------------------------------------------------------


def test_an_access_is_filed_once_with_its_consent_and_stands_in_the_audit_log(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    payload = wrapped(kiosk, matter(kiosk))
    assert filed(registry, kiosk, payload) == [AckStatus.FILED]
    assert filed(registry, kiosk, payload) == [AckStatus.KNOWN]
    row = Matter.objects.get()
    assert (row.person, row.consent["agreed"], row.proven) == (person(), True, True)
    entry = AuditEntry.objects.get(action="self.access")
    assert (entry.who, entry.object_id) == ("kiosk k-001", person().pk)
    assert entry.reason.endswith(" proven")
    assert not Task.objects.exists()
    assert not Certification.objects.exists()


@pytest.mark.parametrize("known", [True, False])
def test_feature22_a_look_that_staff_vouched_for_names_their_badge(
    registry: TestRegistry, known: bool
) -> None:
    kiosk = registry.kiosk()
    badge = clerk(registry) if known else "999999"
    told = matter(kiosk, badge=badge, consent=None, liveness=None, proven=False)
    assert filed(registry, kiosk, wrapped(kiosk, told)) == [AckStatus.FILED]
    row = Matter.objects.get()
    assert (row.badge, row.proven, row.consent) == (badge, False, None)
    entry = AuditEntry.objects.get(action="staff.access")
    assert entry.object_id == person().pk
    assert entry.reason.split(" ", 1)[1] == f"vouched badge {badge}" + ("" if known else " may not")
    page = text_of(signed_in(registry, "auditor", PROVINCE).get("/audit/"))
    assert "工作人员在终端打开居民的信息" in page
    assert badge in page


@pytest.mark.parametrize("known", [True, False])
def test_feature22_a_correction_becomes_one_task_that_staff_can_open_and_close(
    registry: TestRegistry, known: bool
) -> None:
    kiosk = registry.kiosk()
    changes = {} if known else {"id_number": "110101194912310029", "name": "外来客"}
    told = matter(kiosk, kind="correction", about="birth", number="7QF3-0XKM", **changes)
    payload = wrapped(kiosk, told)
    filed(registry, kiosk, payload)
    filed(registry, kiosk, payload)
    row = Task.objects.get()
    assert (row.kind, row.urgent) == (Task.Kind.CORRECTION, False)
    client = signed_in(registry, "supervisor", PROVINCE)
    for page in ("/tasks/", f"/tasks/{row.pk}/"):
        shown = text_of(client.get(page))
        assert "反映登记信息有误" in shown
        assert "出生日期" in shown
        assert (demo.DEMO_NAME if known else "外来客") in shown
    assert "7QF3-0XKM" in text_of(client.get(f"/tasks/{row.pk}/"))
    client.post(f"/tasks/{row.pk}/close/", {"note": "核对户口本，已更正"})
    row.refresh_from_db()
    assert row.state == Task.State.DONE


def test_what_was_rehearsed_gives_nobody_work(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    told = matter(kiosk, kind="correction", about="name", provenance="simulated")
    filed(registry, kiosk, wrapped(kiosk, told))
    assert Matter.objects.get().simulated
    assert not Task.objects.exists()
    assert "simulated" in AuditEntry.objects.get(action="self.correction").reason


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "Access!"}, {"kind": 3}, {"about": "x" * 21}, {"id_number": "1 or 1=1"},
        {"name": "x" * 121}, {"name": "a\nb"}, {"number": "../.."}, {"consent": "yes"},
        {"proven": "yes"}, {"at": {"utc": "never"}}, {"provenance": "dream"}, {"kiosk_id": "k-9"},
        {"consent": {"agreed": "\ud800"}}, {"software": 1},
    ],
)  # fmt: skip
def test_an_odd_matter_is_put_aside_and_changes_nothing(
    registry: TestRegistry, changes: dict[str, Any]
) -> None:
    kiosk = registry.kiosk()
    payload = wrapped(kiosk, matter(kiosk))
    plain = matter(kiosk, **changes)
    import json

    payload = kiosk.wrap(
        json.dumps(plain).encode(), schema=messages.MATTER, message_id=plain["matter_id"]
    )
    filed(registry, kiosk, payload)
    assert not Matter.objects.exists()
    assert not Task.objects.exists()
    assert Quarantine.objects.count() == 1


# --- opinions ----------------------------------------------------------------------


def test_m07_opinions_are_filed_once_without_a_person_and_listed(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    survey = wrapped(kiosk, opinion(kiosk))
    complaint = opinion(kiosk, ratings=[], grievance="waiting", number="7QF3-0XKM")
    payloads = (survey, wrapped(kiosk, complaint))
    assert filed(registry, kiosk, *payloads) == [AckStatus.FILED] * 2
    assert filed(registry, kiosk, *payloads) == [AckStatus.KNOWN] * 2
    assert Opinion.objects.count() == 2
    columns = {field.name for field in Opinion._meta.get_fields()}
    assert not columns & {"person", "subject_name", "subject_key"}
    shown = text_of(signed_in(registry, "worker", PROVINCE).get("/opinions/"))
    for words in ("好 / 一般 / 不好", "等候太久", "7QF3-0XKM"):
        assert words in shown
    elsewhere = text_of(signed_in(registry, "auditor").get("/opinions/"))
    assert "等候太久" not in elsewhere


@pytest.mark.parametrize(
    "changes", [{"ratings": ["good"] * 4}, {"ratings": "good"}, {"grievance": "<b>"}, {"number": 1}]
)
def test_an_odd_opinion_is_put_aside(registry: TestRegistry, changes: dict[str, Any]) -> None:
    kiosk = registry.kiosk()
    filed(registry, kiosk, wrapped(kiosk, opinion(kiosk, **changes)))
    assert not Opinion.objects.exists()
    assert Quarantine.objects.count() == 1


# --- the history -------------------------------------------------------------------


def question(kiosk: TestKiosk, number: str, **fields: Any) -> bytes:
    header = Header(
        **{
            "schema": messages.HISTORY_QUESTION,
            "message_id": str(uuid.uuid4()),
            "sender": kiosk.kiosk_id,
            "recipient": messages.REGISTRY,
        }
        | fields
    )
    body = questions.history_question_body(questions.HistoryQuestion(number, "access-1"))
    sealed = envelope.seal(body, header, kiosk.registry_seal)
    return envelope.sign(header, sealed, kiosk.sign_key)


def asked(running: Bench, kiosk: TestKiosk, *payloads: bytes) -> list[Held | None]:
    """What the kiosk can open of the answers, checked as it checks them."""
    for payload in payloads:
        running.link.bring(topics.topic(kiosk.kiosk_id, topics.ASK_HISTORY), payload)
        running.turn()
    found = []
    for topic, payload, expires_s, correlation in running.link.told:
        assert topic == topics.topic(kiosk.kiosk_id, topics.HISTORY)
        assert expires_s == messages.LOOKUP_S
        checked = envelope.verify(payload, {messages.REGISTRY: running.sign_key.public_key()}.get)
        assert checked.header.message_id.encode() == correlation
        assert checked.header.schema == messages.HISTORY
        plain = envelope.unseal(checked.body, checked.header, kiosk.open_key)
        found.append(questions.parse_history(plain).held)
    return found


def test_feature22_the_history_has_every_year_masked_and_the_look_names_its_proof(
    registry: TestRegistry,
    bench: Bench,
) -> None:
    kiosk = registry.kiosk()
    quiet()
    for year, outcome in ((2024, "passed"), (2025, "needs_review"), (2026, "declined")):
        stamp = AT | {"utc": f"{year}-04-09T02:00:00.000Z"}
        changes = {"outcome": outcome, "finished": stamp, "receipt_no": f"K1-{year}"}
        filed(registry, kiosk, kiosk.record(started=stamp, **changes))
    [held] = asked(bench, kiosk, question(kiosk, demo.DEMO_NUMBER))
    assert held is not None
    assert held.masked_name == "王*华"
    assert demo.DEMO_NAME not in repr(questions.history_body(questions.History(held)).decode())
    assert [(p.receipt_no, p.place, p.method) for p in held.proofs] == [
        ("K1-2025", kiosk.site, "kiosk"),
        ("K1-2024", kiosk.site, "kiosk"),
    ]
    assert [p.result for p in held.proofs] == ["needs_review", "passed"]
    assert not held.proofs[0].counts
    look = AuditEntry.objects.get(action="person.history")
    assert (look.who, look.object_id) == ("kiosk k-001", person().pk)
    assert look.reason == "access access-1"


def test_the_history_of_nobody_is_an_answer_and_a_look(
    registry: TestRegistry,
    bench: Bench,
) -> None:
    kiosk = registry.kiosk()
    quiet()
    assert asked(bench, kiosk, question(kiosk, "110101194912310029")) == [None]
    assert AuditEntry.objects.get(action="person.history").object_id == "k-001"


def test_history_and_lookup_share_one_bucket(
    registry: TestRegistry,
    bench: Bench,
) -> None:
    kiosk = registry.kiosk()
    quiet()
    bench.turn = lambda: bench.worker.turn(bench.stop)  # type: ignore[method-assign]
    found = asked(bench, kiosk, *(question(kiosk, demo.DEMO_NUMBER) for _ in range(25)))
    assert len(found) == 20
    assert AuditEntry.objects.filter(action="person.history").count() == 20


def test_odd_questions_get_no_answer_and_leave_no_look(
    registry: TestRegistry,
    bench: Bench,
) -> None:
    kiosk, other = registry.kiosk(), registry.kiosk("k-002")
    quiet()
    odd = (
        question(other, demo.DEMO_NUMBER),
        question(kiosk, demo.DEMO_NUMBER, schema=messages.LOOKUP),
        question(kiosk, demo.DEMO_NUMBER, recipient="k-002"),
        b"nothing of the kind",
    )
    assert asked(bench, kiosk, *odd) == []
    assert not AuditEntry.objects.filter(action="person.history").exists()


def test_forty_records_at_most_the_newest_first(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    payloads = [
        kiosk.record(finished=AT | {"utc": f"{1980 + n}-04-09T02:00:00.000Z"}) for n in range(45)
    ]
    filed(registry, kiosk, *payloads)
    held = held_of(person(), TODAY)
    assert len(held.proofs) == questions.MAX_PROOFS
    assert held.proofs[0].day >= held.proofs[-1].day
    questions.parse_history(questions.history_body(questions.History(held)))


# --- E05 ---------------------------------------------------------------------------


def mark_dead() -> None:
    Person.objects.filter(pk=person().pk).update(dead_since=date(2026, 5, 1), covered=False)


@pytest.mark.parametrize("outcome", ["needs_review", "passed", "declined"])
def test_e05_who_is_registered_as_dead_is_filed_never_counts_and_is_the_first_task(
    registry: TestRegistry, outcome: str
) -> None:
    kiosk = registry.kiosk()
    other = kiosk.record(name="李四", id_number="110101194912310029", outcome="declined")
    mark_dead()
    assert filed(registry, kiosk, other) == [AckStatus.FILED]
    assert filed(registry, kiosk, kiosk.record(outcome=outcome)) == [AckStatus.FILED]
    row = Certification.objects.get(person=person())
    assert not row.counts
    assert "registered_dead" in row.doubts
    registry.account("head", "supervisor", PROVINCE)
    first = queries.tasks(Account.objects.get(username="head")).first()
    assert (first.kind, first.urgent, first.record) == (Task.Kind.ALIVE, True, row)
    assert "紧急" in text_of(signed_in(registry, "supervisor", PROVINCE).get("/tasks/"))


def test_e05_the_kiosk_is_told_to_call_staff_and_never_why(registry: TestRegistry) -> None:
    from cloud_bridge.bridge import dispatch
    from cloud_bridge.registry.models import Device

    registry.kiosk()
    device = Device.objects.select_related("site__region").get()
    before, _ = dispatch.entry_of_number(device, demo.DEMO_NUMBER, TODAY, registry.vault)
    assert before is not None
    assert not before.to_staff
    mark_dead()
    entry, _ = dispatch.entry_of_number(device, demo.DEMO_NUMBER, TODAY, registry.vault)
    assert entry is not None
    assert entry.to_staff
    made = dispatch.roster(device, 7, TODAY, registry.vault, keyring.sign_key())
    assert not made.problem
    said = repr(messages.entry_fields(entry))
    assert "dead" not in said
    assert "2026-05-01" not in said
