"""Bodies: what goes in comes out, and odd ones are refused with a reason."""

from __future__ import annotations

import contextlib
import json
import lzma
import random
from dataclasses import asdict, replace
from datetime import UTC, date, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.challenge import Action, Reason
from edge.domain.cycles import Cycle, years_on
from edge.domain.errors import WireError
from edge.domain.health import Condition, DeviceState
from edge.domain.people import CardKey, CardKind, PastProof, PersonId, RosterEntry
from edge.domain.record import (
    AssistReason,
    Consent,
    Layer,
    LayerResult,
    LayerState,
    Outcome,
    ProofRecord,
    Provenance,
    RecordId,
    Reference,
    Score,
    Subject,
    Verdict,
)
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.wire import messages, topics
from edge.wire.envelope import MAX_ENVELOPE_BYTES, Header, seal, sign
from edge.wire.keys import card_key

MOMENT = Stamp(datetime(2026, 11, 23, 3, 0, tzinfo=UTC), MonoNs(5), "boot", ClockTrust.RTC)
RECORD = ProofRecord(
    record_id=RecordId("r-1"),
    kiosk_id="K-1",
    site="测试社区",
    subject=Subject("测试", "100000194508150029", CardKind.RESIDENT),
    person_id=PersonId("p-1"),
    outcome=Outcome.NEEDS_REVIEW,
    reasons=(Reason.NOT_ALIKE,),
    consent=Consent("1", "zh", "c" * 64, agreed=True, at="2026-11-23T02:59:40.000Z"),
    verdict=Verdict(
        live=True,
        actions=(Action.LEFT, Action.UP),
        liveness=Score(0.71, 0.5, "a" * 64),
        likeness=Score(0.4111, 0.58, "b" * 64),
        reference=Reference.CHIP,
        reasons=(Reason.NOT_ALIKE,),
        frames=200,
        seconds=11.24,
        layers=(
            LayerResult(Layer.CAMERA_TRUTH, LayerState.SUSPICIOUS),
            LayerResult(Layer.PASSIVE, LayerState.CONSISTENT, 0.8123, "d" * 64),
        ),
    ),
    attempts=3,
    receipt_no="AAAA",
    reader_id="05.03",
    started=MOMENT,
    finished=MOMENT,
    provenance=Provenance.SIMULATED,
    software="0.1.0",
)
BODY = messages.record_body(RECORD)


def test_a_record_arrives_as_it_was() -> None:
    body = messages.parse_record(BODY)
    assert (body.outcome, body.provenance, body.reasons) == (
        "needs_review",
        "simulated",
        ("not_alike",),
    )
    assert body.finished == {
        "utc": "2026-11-23T03:00:00.000Z",
        "boot_ns": 5,
        "boot_id": "boot",
        "trust": "rtc",
    }
    assert body.consent == {
        "version": "1",
        "language": "zh",
        "text_sha256": "c" * 64,
        "agreed": True,
        "at": "2026-11-23T02:59:40.000Z",
    }


def test_scores_leave_as_bands_with_threshold_and_model() -> None:
    liveness = messages.parse_record(BODY).liveness
    assert liveness is not None
    assert liveness["liveness"] == {"band": "clear", "threshold": 0.5, "model": "a" * 64}
    assert liveness["likeness"]["band"] == "below"
    assert b"0.41" not in BODY


def test_layers_leave_as_states_and_a_reader_of_before_overlooks_them() -> None:
    liveness = messages.parse_record(BODY).liveness
    assert liveness is not None
    assert liveness["layers"] == [
        {"name": "camera_truth", "state": "suspicious", "model": None},
        {"name": "passive", "state": "consistent", "model": "d" * 64},
    ]
    assert b"0.81" not in BODY


def test_f09_the_repr_of_a_record_names_nobody() -> None:
    for thing in (RECORD, messages.parse_record(BODY)):
        assert "100000194508150029" not in repr(thing)
        assert "p-1" not in repr(thing)


LATER = ("helper", "named_by", "ticket", "witness", "assisted_reason")


@pytest.mark.parametrize("field", list(json.loads(BODY)))
def test_each_field_of_a_record_is_needed_and_of_its_kind(field: str) -> None:
    fields = json.loads(BODY)
    fields[field] = {"never": "valid"} if not isinstance(fields[field], dict) else 3
    with pytest.raises(WireError, match=field):
        messages.parse_record(json.dumps(fields).encode())
    del fields[field]
    if field in LATER:
        messages.parse_record(json.dumps(fields).encode())  # as an older kiosk sends it
        return
    with pytest.raises(WireError, match=field):
        messages.parse_record(json.dumps(fields).encode())


def test_a_witness_and_the_reason_stand_in_the_record() -> None:
    witnessed = replace(RECORD, witness="204816", assisted_reason=AssistReason.BLIND, verdict=None)
    body = messages.parse_record(messages.record_body(witnessed))
    assert (body.method, body.witness, body.assisted_reason) == ("witness", "204816", "blind")
    assert messages.parse_record(BODY).method == "kiosk"
    assert "204816" not in repr(body)


def test_a_newer_kiosk_may_say_more() -> None:
    fields = json.loads(BODY) | {"weather": "sunny"}
    assert messages.parse_record(json.dumps(fields).encode()).record_id == "r-1"


ENTRY = RosterEntry(
    CardKey("k"),
    PersonId("p"),
    "王*华",
    "retired",
    date(2026, 12, 31),
    date(2026, 1, 2),
    (PastProof(date(2025, 1, 2), "kiosk"),),
)


PEOPLE = tuple(replace(ENTRY, key=CardKey(f"{number:064x}")) for number in range(3))


def test_a_roster_arrives_as_it_was() -> None:
    for roster in (messages.Roster(4, PEOPLE), messages.Roster(4, ())):
        assert messages.parse_roster(messages.roster_body(roster)) == roster


def test_a_plain_roster_with_its_entries_one_by_one_is_read_too() -> None:
    roster = messages.Roster(4, PEOPLE)
    fields = json.loads(lzma.decompress(messages.roster_body(roster)))
    columns = fields.pop("columns")
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    assert messages.parse_roster(json.dumps(fields | {"entries": rows}).encode()) == roster


def test_the_rosters_of_a_whole_district_fit_into_one_message() -> None:
    """6,000 people with two earlier proofs each; random keys do not compress below 44 bytes."""
    rng = random.Random(20261123)
    entries = tuple(_invented_entry(rng) for _ in range(6000))
    header = Header(messages.ROSTER, "roster-1790000000", messages.REGISTRY, "K-0001")
    sealed = seal(
        messages.roster_body(messages.Roster(1790000000, entries)),
        header,
        X25519PrivateKey.generate().public_key(),
    )
    assert len(sign(header, sealed, Ed25519PrivateKey.generate())) <= MAX_ENVELOPE_BYTES


def _invented_entry(rng: random.Random) -> RosterEntry:
    days = [date(year, rng.randint(1, 12), rng.randint(1, 28)) for year in (2026, 2025)]
    return RosterEntry(
        key=CardKey(rng.randbytes(32).hex()),
        person_id=PersonId("p" + rng.randbytes(12).hex()),
        masked_name=rng.choice("王李张刘陈杨黄赵吴周徐孙") + "*" + chr(rng.randint(0x4E00, 0x5600)),
        category=rng.choice(["dibao", "tekun", "dibian", "retired"]),
        due_by=years_on(days[0], 1),
        certified_on=rng.choice([None, days[0]]),
        past=tuple(PastProof(day, "kiosk") for day in days),
        cycle=rng.choice(list(Cycle)),
    )


@pytest.mark.parametrize(
    "body",
    [
        lzma.compress(b" " * (messages.MAX_ROSTER_BYTES + 1)),  # 2 kB that promise 16 MB
        lzma.compress(b'{"version":4,"entries":[]}')[:-4],
        lzma.compress(b'{"version":4,"entries":[]}') + b"x",
        lzma.compress(b"{}")[:6] + b"\0" * 40,
        lzma.compress(b'{"version":4,"columns":{"key":["a"],"person":[]}}'),
        lzma.compress(b'{"version":4,"columns":[]}'),
        lzma.compress(b'{"version":4}'),
        lzma.compress(b"{}", preset=9),  # asks for 64 MB of memory
    ],
)
def test_a_compressed_roster_cannot_burst_or_be_half(body: bytes) -> None:
    with pytest.raises(WireError, match="body"):
        messages.parse_roster(body)


@pytest.mark.parametrize(
    "roster",
    [messages.Roster(-1, ()), messages.Roster(2**63, ()), messages.Roster(4, (ENTRY, ENTRY))],
    ids=["below zero", "beyond the database", "one key twice"],
)
def test_a_roster_that_no_disk_would_take_is_refused_by_the_parser(roster: messages.Roster) -> None:
    with pytest.raises(WireError, match="not of its kind"):
        messages.parse_roster(messages.roster_body(roster))


def test_half_a_surrogate_is_no_id_of_a_record() -> None:
    body = b'[{"id":"\\ud800","sha256":"","status":"filed"}]'
    with pytest.raises(WireError, match="id"):
        messages.parse_acks(body)


def test_a_roster_up_to_the_bound_is_read() -> None:
    plain = b'{"version":4,"entries":[]}'
    roomy = plain + b" " * (messages.MAX_ROSTER_BYTES - len(plain))
    assert messages.parse_roster(lzma.compress(roomy)).version == 4


def test_acknowledgements_and_presence_arrive_as_they_were() -> None:
    acks = tuple(messages.Ack("r", "h", status) for status in messages.AckStatus)
    assert messages.parse_acks(messages.acks_body(acks)) == acks
    presence = messages.Presence(True, 3, "0.1.0")
    assert messages.parse_presence(messages.presence_body(presence)) == presence


@given(
    st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(
                        [*asdict(messages.Presence(True, 1, "")), "version", "entries", "id"]
                    ),
                    inner,
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_odd_bodies_are_refused_and_nothing_else_is_raised(body: bytes) -> None:
    parsers = (
        messages.parse_record,
        messages.parse_roster,
        messages.parse_presence,
        messages.parse_acks,
    )
    for parse in parsers:
        with contextlib.suppress(WireError):
            parse(body)


@pytest.mark.parametrize("name", ["", "jz/v1/d/", "jz/v1/d/K-1", "jz/v1/d/K-1/", "x/jz/v1/d/K/up"])
def test_only_our_topics_can_be_split(name: str) -> None:
    with pytest.raises(WireError, match="topic"):
        topics.split(name)


def test_a_topic_splits_into_what_made_it() -> None:
    assert topics.split(topics.topic("K-1", topics.RECORD)) == ("K-1", "up/rec")


def test_card_keys_differ_by_kiosk_and_not_by_the_case_of_x() -> None:
    one, other = b"1" * 32, b"2" * 32
    assert card_key("10000019380101059X", one) == card_key("10000019380101059x", one)
    assert card_key("10000019380101059X", one) != card_key("10000019380101059X", other)


def test_n15_health_arrives_without_the_drivers_own_words() -> None:
    since = "2026-11-23T03:00:00.000Z"
    states = [
        DeviceState("printer", Condition.NEAR_END, "王建华", since),
        DeviceState("camera", Condition.SILENT, "100000194508150029", since),
    ]
    body = messages.health_body(states)
    assert messages.parse_health(body) == (
        messages.DeviceHealth("printer", True, "near_end", since),
        messages.DeviceHealth("camera", False, "silent", since),
    )
    assert "王建华" not in body.decode()
    assert b"100000" not in body


@given(
    st.binary(max_size=60) | st.recursive(st.none() | st.text(), st.lists).map(repr).map(str.encode)
)
def test_odd_health_is_refused_and_nothing_worse(body: bytes) -> None:
    with contextlib.suppress(WireError):
        messages.parse_health(body)


@pytest.mark.parametrize("name", ["device", "works", "word", "since"])
@pytest.mark.parametrize("value", [None, 1, [], "gone"])
def test_each_field_of_health_is_of_its_kind(name: str, value: object) -> None:
    row = {"device": "printer", "works": True, "word": "ok", "since": "s", name: value}
    if value == "gone" and name != "works":
        del row[name]
    with pytest.raises(WireError, match="body"):
        messages.parse_health(json.dumps([row]).encode())
