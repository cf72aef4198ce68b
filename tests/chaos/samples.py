"""One good message of each kind, made by the product's own functions."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime

from edge.domain.matters import Held, HeldProof
from edge.domain.people import CardKey, PersonId, RosterEntry
from edge.domain.staff import Permission, PinVerifier, StaffEntry, StaffList
from edge.wire import (
    desired,
    fetching,
    messages,
    notices,
    questions,
    releases,
    staff,
    templates,
    updates,
)
from edge.wire.desired import Desired, Heard, Reported, SettingsState
from edge.wire.envelope import canonical
from edge.wire.messages import Ack, AckStatus, Presence, Roster
from tests.chaos.hostile import Kind
from tests.fixtures_cloud import TestKiosk

ENTRY = RosterEntry(CardKey("ab" * 32), PersonId("p-1"), "王*华", "retired", date(2026, 12, 31))
OTHER = replace(ENTRY, key=CardKey("cd" * 32))
HELD = Held(
    "王*华",
    "retired",
    "桂园",
    date(2026, 12, 31),
    None,
    (HeldProof(date(2025, 4, 9), "kiosk", "桂园", "passed", counts=True, receipt_no="K-1"),),
)
MATTER = {
    "name": "王建华", "id_number": "100000194508150010", "kind": "correction", "about": "name",
    "number": "7QF3-0XKM", "consent": None, "liveness": None, "proven": False,
}  # fmt: skip
OPINION = {"ratings": ["good", "fair", "poor"], "grievance": "", "number": ""}
WITHDRAWN = {
    "change": "withdrawn", "person": "p-1", "badge": "", "consent": None, "expires": None,
    "card_alike": None,
}  # fmt: skip
MOMENT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ASSIGNMENT = releases.Assignment("K-0001", 5, 2, "ab" * 32, 0, MOMENT, MOMENT, MOMENT)
STAMP = {"utc": "2026-11-23T03:00:00.000Z", "boot_ns": 5, "boot_id": "b", "trust": "ntp"}


def down() -> tuple[Kind, ...]:
    """What the registry says to a kiosk."""
    entries = (StaffEntry("123456", frozenset(Permission), date(2027, 1, 1), _verifier()),)
    bodies = {
        messages.ACK: messages.acks_body([Ack(str(uuid.uuid4()), "cd" * 32, AckStatus.FILED)]),
        messages.ROSTER: messages.roster_body(Roster(5, (ENTRY, OTHER))),
        messages.ANSWER: questions.answer_body(questions.Answer(ENTRY)),
        messages.HISTORY: questions.history_body(questions.History(HELD)),
        messages.STAFF: staff.staff_body(StaffList(3, MOMENT, entries)),
        messages.ASK: questions.ask_body(questions.Ask("epoch-1", ((1, 3), (7, 7)))),
        messages.DESIRED: desired.desired_body(Desired(7, {"language": "zh", "tries": 3})),
        messages.HEARD: desired.heard_body(Heard("question")),
        messages.ASSIGNMENT: releases.assignment_body(ASSIGNMENT),
        messages.CHUNK: fetching.chunk_body(fetching.Chunk(True, True, b"piece")),
        messages.FORGET: templates.deletions_body(templates.Deletions(2, (ENTRY.person_id,))),
    }
    return _kinds(bodies, up=False)


def up(kiosk: TestKiosk) -> tuple[Kind, ...]:
    """What a kiosk says to the registry."""
    reported = Reported(7, 7, SettingsState.APPLIED, (), {"language": "zh"}, "test", "ab" * 32, "q")
    health = {"device": "camera", "works": True, "word": "ok", "since": "2026-11-23T03:00:00Z"}
    event = {
        "event_id": str(uuid.uuid4()), "kiosk_id": kiosk.kiosk_id, "badge": "123456",
        "deed": "signed_in", "at": STAMP, "provenance": "simulated", "software": "test",
    }  # fmt: skip
    about = {
        "kiosk_id": kiosk.kiosk_id, "at": STAMP, "provenance": "simulated", "software": "test",
    }  # fmt: skip
    correction = notices.ClockCorrection("b", 5, "2026-11-23T03:00:00.000Z", "ntp", 10, 5)
    bodies = {
        messages.RECORD: canonical(kiosk.body(provenance="simulated")),
        messages.EPOCH: notices.notice_body(notices.NewEpoch("damaged", "epoch-0", 5, 1, 0)),
        messages.CLOCK: notices.notice_body(correction),
        messages.STAFF_EVENT: canonical(event),
        messages.PRESENCE: messages.presence_body(Presence(True, 3, "test")),
        messages.HEALTH: canonical([health]),
        messages.LOOKUP: questions.lookup_body("100000194508150010"),
        messages.HISTORY_QUESTION: questions.history_question_body(
            questions.HistoryQuestion("100000194508150010", str(uuid.uuid4()))
        ),
        messages.MATTER: canonical({**about, **MATTER, "matter_id": str(uuid.uuid4())}),
        messages.TEMPLATE: canonical({**about, **WITHDRAWN, "event_id": str(uuid.uuid4())}),
        messages.OPINION: canonical({**about, **OPINION, "opinion_id": str(uuid.uuid4())}),
        messages.TOLD: questions.told_body(questions.Told("epoch-1", ((1, 2),), ((4, 4),))),
        messages.REPORTED: desired.reported_body(reported),
        messages.UPDATE: updates.state_body(updates.UpdateState("idle", 0, 0, "")),
        messages.FETCH: fetching.fetch_body(fetching.Fetch("metadata/timestamp.json", 0)),
    }
    return _kinds(bodies, up=True)


def _kinds(bodies: dict[str, bytes], *, up: bool) -> tuple[Kind, ...]:
    return tuple(
        Kind(told.schema, told.leaf, bodies[told.schema], told.enveloped, told.sealed, told.number)
        for told in messages.MESSAGES
        if told.goes_up is up and told.schema in bodies
    )


def _verifier() -> PinVerifier:
    return PinVerifier(bytes(range(16)), bytes(range(32)))
