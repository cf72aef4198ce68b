"""What became of templates, and which are to go, over the wire and back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from edge.domain.errors import WireError
from edge.domain.people import PersonId
from edge.domain.record import Consent, Provenance, RecordId
from edge.domain.templates import TemplateChange, TemplateEvent
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.wire.templates import (
    Deletions,
    deletions_body,
    event_body,
    parse_deletions,
    parse_event,
)

EVENT = TemplateEvent(
    RecordId("0193a5c4-7e2b-7b11-8000-000000000042"),
    "K-1",
    TemplateChange.ENROLLED,
    PersonId("p0123456789abcdef01234567"),
    Stamp(datetime(2026, 11, 23, tzinfo=UTC), MonoNs(0), "boot", ClockTrust.NTP),
    Provenance.LIVE,
    "0.1.0",
    "204816",
    Consent("1", "zh", "a" * 64, agreed=True),
    date(2028, 1, 30),
    card_alike=False,
)


@pytest.mark.parametrize("change", TemplateChange)
def test_a_change_survives(change: TemplateChange) -> None:
    event = replace(EVENT, change=change)
    found = parse_event(event_body(event))
    assert (found.event_id, found.kiosk_id, found.change) == (event.event_id, "K-1", change)
    assert (found.person_id, found.badge) == (event.person_id, "204816")
    assert found.expires == event.expires
    assert found.card_alike is False
    assert found.at == event.at.utc
    assert event.person_id not in repr(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"change": "borrowed"},
        {"person": "p' OR 1"},
        {"badge": "12"},
        {"badge": ""},
        {"consent": None},
        {"consent": {"agreed": "yes"}},
        {"expires": None},
        {"expires": "soon"},
        {"at": {}},
        {"card_alike": "yes"},
        {"provenance": "LIVE!"},
    ],
)
def test_an_odd_enrolment_is_refused(changes: dict[str, object]) -> None:
    told = json.loads(event_body(EVENT)) | changes
    with pytest.raises(WireError):
        parse_event(json.dumps(told).encode())


def test_orders_survive_and_odd_ones_are_refused() -> None:
    orders = Deletions(7, (PersonId("p-1"), PersonId("p-2")))
    assert parse_deletions(deletions_body(orders)) == orders
    assert parse_deletions(deletions_body(Deletions(8, ()))) == Deletions(8, ())
    for odd in ({"version": 1}, {"version": "1", "people": []}, {"version": 1, "people": [3]}, {}):
        with pytest.raises(WireError):
            parse_deletions(json.dumps(odd).encode())
