"""The list of staff and their deeds, there and back, and what is refused on the way."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from edge.domain.errors import WireError
from edge.domain.record import Provenance
from edge.domain.staff import Deed, Permission, PinVerifier, StaffEntry, StaffEvent, StaffList
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.wire.staff import event_body, parse_event, parse_staff, staff_body

ISSUED = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
ENTRIES = tuple(
    StaffEntry(badge, frozenset(may), date(2027, 1, 31), PinVerifier(b"s" * 16, b"d" * 32))
    for badge, may in (("204816", Permission), ("000001", ()))
)
LIST = StaffList(7, ISSUED, ENTRIES)
EVENT = StaffEvent(
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "K-1",
    "204816",
    Deed.SIGNED_IN,
    Stamp(ISSUED, MonoNs(5), "boot", ClockTrust.NTP),
    Provenance.LIVE,
    "0.1.0",
)


def test_a_list_comes_out_as_it_went_in() -> None:
    assert parse_staff(staff_body(LIST)) == LIST
    assert parse_staff(staff_body(StaffList(1, ISSUED, ()))).entries == ()


def spoilt(**changes: Any) -> bytes:
    fields = json.loads(staff_body(LIST))
    row = changes.pop("row", None)
    fields |= changes
    if row is not None:
        fields["entries"][0] |= row
    return json.dumps(fields).encode()


def test_a_newer_registry_may_say_more() -> None:
    row = {"may": ["service", "conjure"], "colour": "blue"}
    assert parse_staff(spoilt(row=row, news=1)).entries[0].permissions == {Permission.SERVICE}


@pytest.mark.parametrize(
    "row",
    [
        {"badge": "20481"}, {"badge": "20481六"}, {"badge": 204816}, {"badge": "000001"},
        {"may": "service"}, {"may": [1]}, {"until": "soon"}, {"until": None},
        {"salt": "AA=="}, {"salt": "!"}, {"salt": None}, {"scrypt": "AA=="},
        {"n": 2}, {"n": 2**30}, {"n": "32768"}, {"r": 1}, {"p": 0}, {"p": 99},
    ],
)  # fmt: skip
def test_odd_entries_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(WireError, match="body"):
        parse_staff(spoilt(row=row))


@pytest.mark.parametrize(
    "changes",
    [{"version": "7"}, {"issued": "2026-11-01T03:00:00"}, {"issued": 7}, {"entries": None},
     {"entries": [1]}, {"entries": {"badge": "204816"}}],
)  # fmt: skip
def test_odd_lists_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WireError, match="body"):
        parse_staff(spoilt(**changes))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"[" * 5000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    for parse in (parse_staff, parse_event):
        with pytest.raises(WireError):
            parse(body)


def test_a_deed_comes_out_as_it_went_in() -> None:
    told = parse_event(event_body(EVENT))
    assert (told.event_id, told.kiosk_id, told.badge) == (EVENT.event_id, "K-1", "204816")
    assert (told.deed, told.at, told.provenance) == ("signed_in", ISSUED, "live")
    assert "204816" not in repr(told)


@pytest.mark.parametrize(
    "changes",
    [{"badge": "王"}, {"badge": "2048161"}, {"deed": "Fire!"}, {"deed": 1}, {"deed": ""},
     {"at": None}, {"at": {"utc": "2026-11-01T03:00:00"}}, {"at": {"utc": "9999-01-01T00:00:00Z"}},
     {"event_id": 1}, {"provenance": "x" * 21}],
)  # fmt: skip
def test_odd_deeds_are_refused(changes: dict[str, object]) -> None:
    body = json.dumps(json.loads(event_body(EVENT)) | changes).encode()
    with pytest.raises(WireError, match="body"):
        parse_event(body)
