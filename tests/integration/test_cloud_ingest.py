"""Exactly once in effect: whatever arrives, in whatever order and however often."""

from __future__ import annotations

import dataclasses
import json
import random
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from cloud_bridge import demo
from cloud_bridge.bridge import ingest as ingest_module
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import doubts, helpers, id_number, keyring, staff
from cloud_bridge.registry.models import (
    Certification,
    ChainState,
    Device,
    Person,
    Quarantine,
    Rehearsal,
    Site,
    Task,
)
from cloud_bridge.registry.people_import import NewPerson, add_people
from cloud_bridge.registry.vault import VaultError
from edge.domain.timebase import CHINA
from edge.wire import envelope, keys
from edge.wire.envelope import Chain, sha256_hex
from edge.wire.messages import AckStatus
from tests.fixtures_cloud import ENROLLED, NOW, TODAY, TestKiosk, TestRegistry, b64, pack, unpack

FILED, KNOWN, QUARANTINED = AckStatus.FILED, AckStatus.KNOWN, AckStatus.QUARANTINED


def send(registry: TestRegistry, *payloads: bytes, kiosk_id: str = "k-001") -> list[AckStatus]:
    arrivals = [Arrival(kiosk_id, payload) for payload in payloads]
    return [reply.ack.status for reply in registry.ingest.ingest(arrivals, NOW)]


def reasons() -> list[str]:
    return list(Quarantine.objects.order_by("pk").values_list("reason", flat=True))


def demo_person() -> Person:
    return Person.objects.get(name=demo.DEMO_NAME)


def test_a_record_is_filed_and_its_person_found(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    payload = kiosk.record()
    [reply] = registry.ingest.ingest([Arrival("k-001", payload)], NOW)
    assert reply.kiosk_id == "k-001"
    assert reply.ack.status is FILED
    assert reply.ack.sha256 == sha256_hex(payload)
    row = Certification.objects.get()
    assert row.record_id == reply.ack.record_id
    assert row.person == demo_person()
    assert bytes(row.envelope) == payload
    assert row.certified_on == TODAY
    assert not row.clock_unsure
    assert demo_person().is_certified(TODAY)


def test_the_same_bytes_are_known_and_file_nothing(registry: TestRegistry) -> None:
    payload = registry.kiosk().record()
    assert send(registry, payload, payload) == [FILED, KNOWN]
    assert send(registry, payload) == [KNOWN]
    assert Certification.objects.count() == 1
    assert reasons() == []


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_and_reordering_end_with_each_record_once(
    registry: TestRegistry, seed: int
) -> None:
    kiosk = registry.kiosk()
    payloads = [kiosk.record(outcome="needs_review") for _ in range(30)]
    stream = payloads * 3
    random.Random(seed).shuffle(stream)
    statuses = [status for at in range(0, 90, 7) for status in send(registry, *stream[at : at + 7])]
    assert statuses.count(FILED) == 30
    assert statuses.count(KNOWN) == 60
    assert Certification.objects.count() == Task.objects.count() == 30
    chain = ChainState.objects.get()
    assert (chain.highest, chain.missing) == (30, [])


def test_a_crash_between_commit_and_answer_changes_nothing(registry: TestRegistry) -> None:
    payload = registry.kiosk().record(outcome="declined")
    send(registry, payload)  # the answer is lost here; the kiosk sends again
    assert send(registry, payload) == [KNOWN]
    assert Certification.objects.count() == Task.objects.count() == 1


def test_a_crash_before_the_commit_leaves_nothing(registry: TestRegistry) -> None:
    payload = registry.kiosk().record(outcome="declined")

    @transaction.atomic
    def send_and_die() -> None:
        send(registry, payload)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_and_die()
    assert Certification.objects.count() == Task.objects.count() == 0
    assert send(registry, payload) == [FILED]


def test_same_id_with_other_bytes_is_kept_aside(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    first = kiosk.body()
    second = kiosk.wrap(first | {"outcome": "declined"})
    assert send(registry, kiosk.wrap(first)) == [FILED]
    assert send(registry, second, second) == [QUARANTINED, QUARANTINED]
    assert Certification.objects.get().outcome == "passed"
    assert reasons() == ["other_bytes"]
    assert Quarantine.objects.get().times == 2
    assert Task.objects.count() == 0


def test_same_id_cannot_change_sides(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    plain = kiosk.body(provenance="simulated")
    assert send(registry, kiosk.wrap(plain)) == [FILED]
    assert send(registry, kiosk.wrap(plain | {"provenance": "live"})) == [QUARANTINED]
    assert Certification.objects.count() == 0


def test_simulated_records_never_count_and_never_make_a_task(registry: TestRegistry) -> None:
    kiosk = registry.kiosk(demo=True)
    outcomes = ("passed", "needs_review", "declined")
    payloads = [kiosk.record(provenance="simulated", outcome=outcome) for outcome in outcomes]
    assert send(registry, *payloads) == [FILED] * 3
    assert Rehearsal.objects.count() == 3
    assert Certification.objects.count() == Task.objects.count() == 0
    assert not demo_person().is_certified(TODAY)
    assert list(Person.objects.certified(TODAY)) == []
    assert demo_person().certifications.count() == 0


def test_a_demonstration_kiosk_can_never_file_a_live_record(registry: TestRegistry) -> None:
    kiosk = registry.kiosk(demo=True)
    assert send(registry, kiosk.record()) == [QUARANTINED]
    assert reasons() == ["demo_device_live"]
    assert Certification.objects.count() == Rehearsal.objects.count() == 0
    assert not demo_person().is_certified(TODAY)


@pytest.mark.parametrize("provenance", ["live", "simulated"])
@pytest.mark.parametrize(
    "changes",
    [
        {"consent": None},
        {"consent": {"agreed": False}},
        {"liveness": None},
        {"liveness": {"live": False}},
        {"liveness": {"live": "yes"}},
        {"liveness": {"reference": "none"}},
        {"liveness": {"reference": "newer"}},
        {"liveness": {"liveness": None}},
        {"liveness": {"likeness": None}},
        {"liveness": {"liveness": {"band": "below"}}},
        {"liveness": {"likeness": {"band": "below"}}},
        {"liveness": {"layers": [{"name": "camera_truth", "state": "suspicious"}]}},
        {"liveness": {"layers": [{"name": "screen_light", "state": "suspicious"}]}},
        {"method": "visit"},
    ],
)
def test_passed_needs_consent_liveness_and_likeness(
    registry: TestRegistry, changes: dict[str, Any], provenance: str
) -> None:
    kiosk = registry.kiosk()
    plain = _merged(kiosk.body(provenance=provenance), changes)
    assert send(registry, kiosk.wrap(plain)) == [QUARANTINED]
    assert reasons() == ["inconsistent"]
    assert Certification.objects.count() == Rehearsal.objects.count() == Task.objects.count() == 0
    assert not demo_person().is_certified(TODAY)


def held(registry: TestRegistry) -> Certification:
    """The only record: filed, but its person is not certified and staff have to look."""
    row = Certification.objects.get()
    assert (row.outcome, row.counts) == ("passed", False)
    assert not row.person.is_certified(TODAY)
    assert row.person not in Person.objects.certified(TODAY)
    task = Task.objects.get()
    assert (task.kind, task.person, task.record) == ("verify", row.person, row)
    assert task.region_id == row.person.region_id
    assert not Device.objects.filter(roster_stale=True).exists()
    return row


def invented(name: str) -> dict[str, str]:
    """Name and number of one of the invented people, as fields of a record."""
    from cloud_bridge.registry import demo_data

    [found] = [new for new in demo_data.invented_people() if new.name == name]
    return {"name": name, "id_number": found.number}


def test_k02_a_kiosk_of_another_region_files_but_does_not_certify(registry: TestRegistry) -> None:
    payload = registry.kiosk().record(**invented("马翠花"))  # of another county
    assert send(registry, payload) == [FILED]
    assert held(registry).doubts == ["other_region"]


@pytest.mark.parametrize("name", ["王建", "王建华华", "", "张建国", "王建Hua"])
def test_a_card_of_another_name_files_but_does_not_certify(
    registry: TestRegistry, name: str
) -> None:
    assert send(registry, registry.kiosk().record(name=name)) == [FILED]
    assert held(registry).doubts == ["other_name"]


@pytest.mark.parametrize(
    "name", ["王建华", "王 建华", "王·建华", "王\u2022建\u3000华", "王．建・华"]
)
def test_blanks_and_dots_make_no_other_name(registry: TestRegistry, name: str) -> None:
    assert send(registry, registry.kiosk().record(name=name)) == [FILED]
    assert Certification.objects.get().counts
    assert Task.objects.count() == 0


def test_a_failed_check_of_somebody_elses_is_one_task(registry: TestRegistry) -> None:
    send(registry, registry.kiosk().record(name="张", outcome="needs_review"))
    assert Task.objects.get().kind == "review"
    assert Certification.objects.get().doubts == ["other_name"]


@pytest.mark.parametrize(
    ("name", "region", "doubts"),
    [
        ("丁一", "100101001001", []),
        ("丁二", "100101001001", ["other_name"]),
        ("丁一", "100102001201", ["other_region"]),
    ],
)
def test_records_before_the_import_are_judged_at_the_import(
    registry: TestRegistry, name: str, region: str, doubts: list[str]
) -> None:
    number = id_number.make("100000", date(1950, 1, 1), 500)
    send(registry, registry.kiosk().record(id_number=number, name="丁一"))
    assert not Certification.objects.get().counts
    assert Task.objects.count() == 0
    add_people([NewPerson(name, number, "dibao", True, region)], registry.vault, "t")
    if doubts:
        assert held(registry).doubts == doubts
    else:
        assert Person.objects.get(name=name).is_certified(TODAY)
        assert Task.objects.count() == 0


@pytest.mark.parametrize("outcome", ["needs_review", "declined"])
def test_other_outcomes_claim_nothing_and_are_filed(registry: TestRegistry, outcome: str) -> None:
    kiosk = registry.kiosk()
    payload = kiosk.record(outcome=outcome, consent=None, liveness=None)
    assert send(registry, payload) == [FILED]
    assert Task.objects.count() == 1


def _merged(plain: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The changes laid over the body, dictionaries into dictionaries."""
    return plain | {
        name: _merged(plain[name], value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }


def test_n10_a_failed_face_makes_a_task_and_nothing_else(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    send(registry, kiosk.record())
    before = Person.objects.values().get(name=demo.DEMO_NAME)
    send(registry, kiosk.record(outcome="needs_review", reasons=["not_alike"]))
    task = Task.objects.get()
    assert (task.kind, task.state, task.person) == ("review", "open", demo_person())
    assert Person.objects.values().get(name=demo.DEMO_NAME) == before
    assert demo_person().is_certified(TODAY), "an earlier success is not taken away"


def test_a_passed_record_makes_no_task(registry: TestRegistry) -> None:
    send(registry, registry.kiosk().record())
    assert Task.objects.count() == 0


def test_an_unknown_person_is_filed_and_linked_once_imported(registry: TestRegistry) -> None:
    number = id_number.make("100000", date(1950, 1, 1), 500)
    kiosk = registry.kiosk()
    payload = kiosk.record(id_number=number, name="丁一", outcome="needs_review")
    assert send(registry, payload) == [FILED]
    assert Certification.objects.get().person is None
    assert Task.objects.get().region_id == demo.SITE_REGION
    add_people([NewPerson("丁一", number, "dibao", True, "100101001001")], registry.vault, "t")
    person = Person.objects.get(name="丁一")
    assert Certification.objects.get().person == person
    assert (Task.objects.get().person, Task.objects.get().region_id) == (person, person.region_id)


def tampered(payload: bytes, **changes: object) -> bytes:
    return pack(unpack(payload) | changes)


def test_forged_moved_and_foreign_envelopes_are_kept_aside(registry: TestRegistry) -> None:
    kiosk, other = registry.kiosk(), registry.kiosk("k-002")
    good = kiosk.record()
    thief = dataclasses.replace(kiosk, sign_text=keys.encode_key(b"\7" * 32))
    inner = kiosk.body()
    cases = {
        "signature": thief.record(),
        "sender": other.record(),
        "recipient": kiosk.wrap(kiosk.body(), recipient="elsewhere"),
        "schema": kiosk.wrap(kiosk.body(), schema="jianzai.other"),
        "moved": kiosk.wrap(inner, message_id=str(uuid.uuid4())),
        "moved ": kiosk.record(kiosk_id="k-002"),
        "seal": dataclasses.replace(kiosk, registry_seal=other.open_key.public_key()).record(),
        "chain": kiosk.wrap(kiosk.body(), chain=None),
        "form": b"\xff not json",
        "body": kiosk.record(outcome="dead"),
        "size": b"x" * (600 * 1024),
    }
    for reason, payload in cases.items():
        assert send(registry, payload) == [], reason
        assert reasons()[-1] == reason.strip()
    # A field of a good envelope changed on the way, and a body moved into another one.
    assert send(registry, tampered(good, id=str(uuid.uuid4()))) == []
    assert send(registry, tampered(good, body=b64(b"other"))) == []
    assert Certification.objects.count() == Rehearsal.objects.count() == Task.objects.count() == 0
    assert send(registry, good) == [FILED], "the good one is not held up"


def test_an_envelope_has_one_form_only(registry: TestRegistry) -> None:
    good = registry.kiosk().record()
    fields = unpack(good)
    spare_bits = fields["sig"][:-3] + chr(ord(fields["sig"][-3]) + 1) + "=="
    assert send(registry, good.replace(b",", b", ", 1)) == []
    assert send(registry, pack(fields | {"sig": spare_bits})) == []
    assert reasons() == ["form", "form"]
    assert send(registry, good) == [FILED]


def test_an_unknown_kiosk_is_kept_aside(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    assert send(registry, kiosk.record(), kiosk_id="k-999") == []
    assert Quarantine.objects.get().device is None


def test_a_sealed_body_cannot_move_between_kiosks(registry: TestRegistry) -> None:
    kiosk, other = registry.kiosk(), registry.kiosk("k-002")
    stolen = unpack(kiosk.record())
    fields = stolen | {"from": "k-002"}
    del fields["sig"]
    from edge.wire import envelope

    sig = other.sign_key.sign(b"jianzai envelope 1\n" + envelope.canonical(fields))
    assert send(registry, pack(fields | {"sig": b64(sig)}), kiosk_id="k-002") == []
    assert reasons() == ["seal"]


def test_quarantine_is_bounded(registry: TestRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "MAX_KEPT_PER_DEVICE", 5)
    registry.kiosk()
    send(registry, *[b"garbage %d" % n + b"x" * 100_000 for n in range(12)])
    assert Quarantine.objects.count() == 5
    assert Device.objects.get().quarantine_dropped == 7
    assert all(len(row.payload) <= ingest_module.MAX_KEPT_BYTES for row in Quarantine.objects.all())


def test_what_quarantine_cannot_keep_is_not_acknowledged(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "MAX_KEPT_PER_DEVICE", 0)
    kiosk = registry.kiosk(demo=True)
    assert send(registry, kiosk.record()) == []


def test_gaps_in_the_chain_are_remembered_until_they_close(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    payloads = [kiosk.record() for _ in range(6)]
    send(registry, payloads[0], payloads[4])
    assert ChainState.objects.get().missing == [[2, 4]]
    send(registry, payloads[2], payloads[5])
    assert ChainState.objects.get().missing == [[2, 2], [4, 4]]
    send(registry, payloads[1], payloads[3])
    chain = ChainState.objects.get()
    assert (chain.highest, chain.missing) == (6, [])


@pytest.mark.parametrize("trust", ["floor", "unknown", "sundial", None, 7])
def test_e17_an_unsure_clock_counts_for_the_day_of_filing(
    registry: TestRegistry, trust: object
) -> None:
    kiosk = registry.kiosk()
    stamp = kiosk.body()["finished"] | {"utc": "1971-01-01T00:00:00.000Z", "trust": trust}
    send(registry, kiosk.record(finished=stamp))
    row = Certification.objects.get()
    assert row.clock_unsure
    assert row.certified_on == TODAY
    assert row.finished_at.year == 1971, "the kiosk's own word is kept"
    assert Task.objects.get().kind == "clock"


def test_n01_original_times_are_kept_after_days_without_network(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    three_days_ago = (NOW - timedelta(hours=72)).isoformat()
    send(registry, kiosk.record(finished=kiosk.body()["finished"] | {"utc": three_days_ago}))
    assert Certification.objects.get().certified_on == TODAY - timedelta(days=3)


def at(kiosk: TestKiosk, moment: datetime, trust: str = "rtc", **changes: Any) -> bytes:
    """A record finished at that moment by the kiosk's own clock."""
    stamp = kiosk.body()["finished"] | {"utc": moment.isoformat(), "trust": trust}
    return kiosk.record(finished=stamp, **changes)


@pytest.mark.parametrize("trust", ["ntp", "signed", "rtc"])
@pytest.mark.parametrize(
    ("finished", "unsure"),
    [
        (NOW + timedelta(minutes=10), False),
        (NOW + timedelta(minutes=11), True),
        (NOW + timedelta(days=1), True),
        (datetime(2099, 1, 1, tzinfo=UTC), True),
        (ENROLLED, False),
        (ENROLLED - timedelta(hours=1), True),
        (datetime(1970, 1, 1, tzinfo=UTC), True),
    ],
)
def test_e17_no_grade_makes_an_impossible_time_sure(
    registry: TestRegistry, finished: datetime, unsure: bool, trust: str
) -> None:
    send(registry, at(registry.kiosk(), finished, trust))
    row = Certification.objects.get()
    assert row.clock_unsure is unsure
    assert row.certified_on == (TODAY if unsure else finished.astimezone(CHINA).date())


@pytest.mark.parametrize("together", [True, False])
def test_e17_a_record_cannot_be_older_than_the_one_before_it(
    registry: TestRegistry, together: bool
) -> None:
    kiosk = registry.kiosk()
    other = dataclasses.replace(kiosk, epoch="epoch-2")
    wrong = NOW + timedelta(days=9)  # not believed, so it is no measure for those after it
    payloads = [
        at(kiosk, NOW - timedelta(days=2), provenance="simulated"),
        at(kiosk, wrong),
        at(kiosk, NOW - timedelta(days=3)),
        at(kiosk, NOW - timedelta(days=2, minutes=9)),
        at(other, NOW - timedelta(days=30)),
    ]
    batches = [payloads] if together else [[payload] for payload in payloads]
    for batch in batches:
        send(registry, *batch)
    rows = Certification.objects.order_by("epoch", "seq")
    assert [row.clock_unsure for row in rows] == [True, True, False, False]


def test_e17_a_day_ahead_on_the_last_of_december_does_not_count_for_next_year(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    silvester = datetime(2026, 12, 31, 3, 0, tzinfo=UTC)
    payload = at(kiosk, silvester + timedelta(days=1), **invented("陈桂兰"))
    registry.ingest.ingest([Arrival("k-001", payload)], silvester)
    row = Certification.objects.get()
    assert row.certified_on == date(2026, 12, 31)
    assert row.counts
    task = Task.objects.get()
    assert (task.kind, task.low, task.record) == ("clock", True, row)


def test_an_unsure_day_that_makes_no_difference_is_no_task(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    payloads = [
        at(kiosk, NOW - timedelta(days=2), "floor", **invented("陈桂兰")),
        at(kiosk, NOW - timedelta(days=300), "floor"),  # within the twelve months of the retired
    ]
    assert send(registry, *payloads) == [FILED, FILED]
    assert Certification.objects.filter(clock_unsure=True, proof__isnull=False).count() == 2
    assert Task.objects.count() == 0


def test_adding_a_kiosk_again_does_not_make_it_younger(registry: TestRegistry) -> None:
    registry.kiosk()
    folder = registry.folder / "kiosks" / "k-001"
    new = staff.NewDevice("k-001", "s", folder, demo.SITE_REGION, live=True)
    staff.set_device(new, registry.vault, "test")
    assert Device.objects.get().created_at == ENROLLED


def test_a_record_the_database_refuses_does_not_hold_up_the_others(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk = registry.kiosk()
    poison = kiosk.body()
    columns = ingest_module._Batch._columns

    def refuse_poison(batch: object, record: object) -> dict[str, object]:
        made = columns(batch, record)  # type: ignore[arg-type]
        if made["record_id"] == poison["record_id"]:
            made["outcome"] = None
        return made

    monkeypatch.setattr(ingest_module._Batch, "_columns", refuse_poison)
    payloads = [kiosk.record(), kiosk.wrap(poison), kiosk.record()]
    assert send(registry, *payloads) == [FILED, FILED]
    assert reasons() == ["unfileable"]


def beside(kiosk: TestKiosk, seq: int, prev: str, **changes: Any) -> bytes:
    """A record at a place of the kiosk's own choice."""
    return kiosk.wrap(kiosk.body(**changes), chain=Chain(kiosk.epoch, seq, prev))


@pytest.mark.parametrize("provenance", ["live", "simulated"])
@pytest.mark.parametrize("together", [True, False])
def test_a_place_in_the_chain_is_taken_once(
    registry: TestRegistry, provenance: str, together: bool
) -> None:
    kiosk = registry.kiosk()
    first = kiosk.record()
    second = beside(kiosk, 1, "", provenance=provenance)
    batches = [[first, second]] if together else [[first], [second]]
    assert [status for batch in batches for status in send(registry, *batch)] == [
        FILED,
        QUARANTINED,
    ]
    assert reasons() == ["fork"]
    assert send(registry, first) == [KNOWN]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_a_record_that_names_another_hash_than_its_neighbours_is_kept_aside(
    registry: TestRegistry, order: tuple[int, ...]
) -> None:
    kiosk = registry.kiosk()
    first = kiosk.record()
    second = beside(kiosk, 2, sha256_hex(first))
    third = beside(kiosk, 3, "ab" * 32)  # not the hash of the second
    payloads = [first, second, third]
    statuses = [send(registry, payloads[at]) for at in order]
    assert sorted(status[0].value for status in statuses) == ["filed", "filed", "quarantined"]
    assert reasons() == ["chain"]


def test_the_same_place_in_another_epoch_or_kiosk_is_another_place(registry: TestRegistry) -> None:
    kiosk, other = registry.kiosk(), registry.kiosk("k-002")
    anew = dataclasses.replace(kiosk, epoch="epoch-2")
    assert send(registry, kiosk.record(), anew.record()) == [FILED, FILED]
    assert send(registry, other.record(), kiosk_id="k-002") == [FILED]
    began = ChainState.objects.order_by("pk").values_list("device_id", "epoch", "began_at")
    assert list(began) == [
        ("k-001", "epoch-1", NOW),
        ("k-001", "epoch-2", NOW),
        ("k-002", "epoch-1", NOW),
    ]


@pytest.mark.parametrize("error", [KeyError, TypeError, VaultError, ZeroDivisionError])
def test_a_record_that_breaks_the_program_does_not_hold_up_the_others(
    registry: TestRegistry, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    kiosk = registry.kiosk()
    poison = kiosk.body()
    judge = doubts.judge

    def break_on_poison(row: Certification, person: Person, site: Site) -> None:
        if row.record_id == poison["record_id"]:
            raise error("boom")
        judge(row, person, site)

    monkeypatch.setattr(doubts, "judge", break_on_poison)
    payloads = [kiosk.record(), kiosk.wrap(poison), kiosk.record()]
    assert send(registry, *payloads) == [FILED, FILED]
    assert reasons() == ["unfileable"]


def test_a_kiosk_whose_key_is_damaged_does_not_hold_up_the_others(registry: TestRegistry) -> None:
    hurt, well = registry.kiosk(), registry.kiosk("k-002")
    Device.objects.filter(pk="k-001").update(sign_pub="no key")
    arrivals = [Arrival("k-001", hurt.record()), Arrival("k-002", well.record())]
    [reply] = registry.ingest.ingest(arrivals, NOW)
    assert reply.kiosk_id == "k-002"
    assert reasons() == ["unfileable"]


def test_privacy_no_id_number_is_in_the_database_file(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    send(registry, kiosk.record(), kiosk.record(provenance="simulated"))
    send(registry, kiosk.record(outcome="dead"))
    bytes_on_disk = registry.stored()
    assert demo.DEMO_NAME.encode() in bytes_on_disk, "the search would find it"
    number = demo.DEMO_NUMBER
    for part in (number, number[::-1], number[6:], number[:17], b64(number.encode())[:20]):
        assert part.encode() not in bytes_on_disk


def test_a_chain_with_an_absurd_number_is_refused(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    for chain in (Chain("e", 0, ""), Chain("e", 2**63, ""), Chain("", 1, ""), Chain("e\0", 1, "")):
        assert send(registry, kiosk.wrap(kiosk.body(), chain=chain)) == []
    assert set(reasons()) == {"chain"}


def test_what_only_a_newer_kiosk_knows_is_kept(registry: TestRegistry) -> None:
    """Fields nobody knows here, inside the seal and outside, come back as they were sent."""
    kiosk = registry.kiosk()
    fields = unpack(kiosk.wrap(kiosk.body() | {"weather": ["rain", 7]})) | {"hint": {"of": 2030}}
    del fields["sig"]
    signature = kiosk.sign_key.sign(b"jianzai envelope 1\n" + pack(fields))
    payload = pack(fields | {"sig": b64(signature)})
    [reply] = registry.ingest.ingest([Arrival(kiosk.kiosk_id, payload)], NOW)
    assert reply.ack.status is AckStatus.FILED
    kept = bytes(Certification.objects.get().envelope)
    assert kept == payload
    checked = envelope.verify(kept, lambda _: kiosk.sign_key.public_key())
    assert checked.unknown == {"hint": {"of": 2030}}
    plain = envelope.unseal(checked.body, checked.header, keyring.seal_key())
    assert json.loads(plain)["weather"] == ["rain", 7]


# --- 帮亲友: the helper apart from the person ------------------------------------

HELPER = {
    "name": "王晓明助",
    "id_number": "100000197001010019",
    "card_kind": "resident",
    "flags": [],
}


def test_m17_helper_and_target_are_kept_apart_and_the_helper_nowhere_in_clear(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    assert send(registry, kiosk.record(helper=HELPER, named_by="card")) == [FILED]
    row = Certification.objects.get()
    assert row.person == demo_person()
    assert row.helper_key == registry.vault.lookup(HELPER["id_number"])
    found = helpers.of(row, registry.vault)
    assert found is not None
    assert (found.name, found.id_number) == (HELPER["name"], HELPER["id_number"])
    assert row.counts
    stored = registry.stored()
    assert HELPER["name"].encode() not in stored
    assert HELPER["id_number"].encode() not in stored


def test_m17_a_typed_target_cannot_pass_by_a_chip_nor_anybody_as_their_own_helper(
    registry: TestRegistry,
) -> None:
    kiosk = registry.kiosk()
    typed = kiosk.record(helper=HELPER, named_by="typed")
    own = kiosk.record(helper=HELPER | {"id_number": demo.DEMO_NUMBER})
    assert send(registry, typed, own) == [QUARANTINED, QUARANTINED]
    assert reasons() == ["inconsistent", "inconsistent"]
    review = kiosk.record(helper=HELPER, named_by="typed", outcome="needs_review")
    assert send(registry, review) == [FILED]


@pytest.mark.parametrize(
    "changes",
    [
        {"helper": HELPER | {"id_number": "not a number"}},
        {"helper": HELPER | {"name": "王" * 200}},
        {"helper": HELPER | {"flags": ["<b>"]}},
        {"helper": {"name": "x"}},
        {"named_by": "<script>"},
        {"ticket": "1-07; drop"},
        {"id_number": ""},
    ],
)
def test_an_odd_helper_or_ticket_is_put_aside(
    registry: TestRegistry, changes: dict[str, Any]
) -> None:
    assert send(registry, registry.kiosk().record(**changes)) == []
    assert reasons() == ["body"]


def test_feature_2_a_call_is_a_task_with_kiosk_ticket_and_time(registry: TestRegistry) -> None:
    payload = registry.kiosk().record(outcome="called", ticket="1-07", liveness=None)
    assert send(registry, payload) == [FILED]
    task = Task.objects.get()
    assert task.kind == Task.Kind.CALL
    assert task.person == demo_person()
    assert (task.record.device_id, task.record.ticket) == ("k-001", "1-07")
    assert not demo_person().is_certified(TODAY)


def test_feature_2_somebody_no_card_named_gets_a_task_at_the_site(registry: TestRegistry) -> None:
    payload = registry.kiosk().record(
        outcome="called", name="", id_number="", ticket="1-08", consent=None, liveness=None
    )
    assert send(registry, payload) == [FILED]
    task = Task.objects.get()
    assert (task.person, task.record.subject_key) == (None, "")
    assert task.region_id == demo.SITE_REGION
