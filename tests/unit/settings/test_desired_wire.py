"""Bodies of the messages about settings, good and odd."""

from __future__ import annotations

import json

import pytest

from edge.domain.errors import WireError
from edge.domain.settings import Refusal
from edge.wire.desired import (
    Desired,
    Heard,
    Reported,
    SettingsState,
    desired_body,
    heard_body,
    parse_desired,
    parse_heard,
    parse_reported,
    reported_body,
)

REPORT = Reported(
    seen=7,
    applied=6,
    state=SettingsState.WAITING,
    refused=(Refusal("tries", "range", "1..5"),),
    values={"tries": 3, "agency.office": "示范路1号"},
    software="0.1.0",
    config_sha256="ab" * 32,
    ask="00ff",
)


def test_what_is_written_is_read() -> None:
    wish = Desired(7, {"tries": 2, "odd": [1, None]})
    assert parse_desired(desired_body(wish)) == wish
    assert parse_reported(reported_body(REPORT)) == REPORT
    assert parse_heard(heard_body(Heard("00ff"))) == Heard("00ff")


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"version":0,"values":{}}', b'{"version":true,"values":{}}',
     b'{"version":1,"values":[]}', b'{"version":9007199254740993,"values":{}}',
     json.dumps({"version": 1, "values": {str(n): n for n in range(101)}}).encode()],
)  # fmt: skip
def test_an_odd_wish_is_none(body: bytes) -> None:
    with pytest.raises(WireError, match="body"):
        parse_desired(body)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seen", -1),
        ("applied", "6"),
        ("state", "fine"),
        ("state", []),
        ("refused", {}),
        ("refused", [["tries", "range", ""]]),
        ("refused", [{"key": "a", "reason": "b"}]),
        ("refused", [{"key": "a\n", "reason": "b", "detail": ""}]),
        ("values", []),
        ("values", {"tries": 1.5}),
        ("values", {"tries": True}),
        ("values", {"agency.office": "\x1b[2J"}),
        ("software", "x" * 121),
        ("ask", None),
    ],
)
def test_an_odd_report_is_none(name: str, value: object) -> None:
    fields = json.loads(reported_body(REPORT)) | {name: value}
    with pytest.raises(WireError, match="body"):
        parse_reported(json.dumps(fields).encode())
