"""The one definition of what the centre may change, and that it fits the site file."""

from __future__ import annotations

import typing
from dataclasses import is_dataclass
from typing import Any, Literal

import pytest

from edge.app.config import Config
from edge.domain.settings import (
    SETTINGS,
    Choice,
    Text,
    Whole,
    from_text,
    of_kiosk,
    of_link,
    refusal,
    sorted_out,
)


def hint_of(key: str) -> Any:
    kind: Any = Config
    for name in key.split("."):
        assert is_dataclass(kind), key
        kind = typing.get_type_hints(kind)[name]
    return kind


@pytest.mark.parametrize("key", SETTINGS)
def test_every_key_is_one_of_the_site_file_and_of_its_kind(key: str) -> None:
    hint = hint_of(key)
    match SETTINGS[key].kind:
        case Whole():
            assert hint is int
        case Text():
            assert hint is str
        case Choice(words):
            assert typing.get_origin(hint) is Literal
            assert set(words) == set(typing.get_args(hint))


def test_nothing_that_needs_hands_can_be_changed_from_afar() -> None:
    forbidden = ("keys.", "mode", "kiosk_id", "terminal_no", "data", "models", "devices.camera")
    assert not [key for key in SETTINGS if key.startswith(forbidden)]


def test_only_the_link_could_cut_the_kiosk_off() -> None:
    assert {k for k in SETTINGS if SETTINGS[k].cuts_off} == {
        key for key in SETTINGS if key.startswith("broker.")
    }
    values = {"broker.port": 8884, "tries": 2, "gone": 1}
    assert of_link(values) == {"broker.port": 8884}
    assert of_kiosk(values) == {"tries": 2, "gone": 1}


@pytest.mark.parametrize(
    ("key", "value", "reason", "detail"),
    [
        ("tries", 0, "range", "1..5"),
        ("tries", 6, "range", "1..5"),
        ("tries", True, "range", "1..5"),
        ("tries", 3.0, "range", "1..5"),
        ("tries", "3", "range", "1..5"),
        ("screen.idle_s", 59, "range", "60..900 s"),
        ("language", "fr", "choice", "zh, en"),
        ("language", ["zh"], "choice", "zh, en"),
        ("agency.phone", "call me", "text", SETTINGS["agency.phone"].kind.allowed),
        ("agency.office", "a\nb", "text", SETTINGS["agency.office"].kind.allowed),
        ("agency.office", " a", "text", SETTINGS["agency.office"].kind.allowed),
        ("agency.office", "[b]x", "text", SETTINGS["agency.office"].kind.allowed),
        ("broker.host", "a..b", "text", SETTINGS["broker.host"].kind.allowed),
        ("broker.host", "-a", "text", SETTINGS["broker.host"].kind.allowed),
        ("broker.host", None, "text", SETTINGS["broker.host"].kind.allowed),
        ("devices.volum", 5, "unknown", "devices.volume"),
        ("keys.sign", "x", "unknown", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(
    key: str, value: object, reason: str, detail: str
) -> None:
    why = refusal(key, value)
    assert why is not None
    assert (why.reason, why.detail) == (reason, detail)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tries", 1),
        ("tries", 5),
        ("agency.office", "示范路1号 一楼大厅"),
        ("agency.phone", "+86 10-12333"),
        ("broker.host", "10.0.0.7"),
        ("broker.host", "mq-2.example.org"),
    ],
)
def test_what_can_be_is_not_refused(key: str, value: object) -> None:
    assert refusal(key, value) is None


def test_a_bad_value_does_not_hold_up_the_good_ones() -> None:
    good, refused = sorted_out({"tries": 2, "language": "fr", "nonsense": 1})
    assert good == {"tries": 2}
    assert [(why.key, why.reason) for why in refused] == [
        ("language", "choice"),
        ("nonsense", "unknown"),
    ]


def test_what_somebody_typed_becomes_a_value_of_its_key() -> None:
    assert from_text("tries", "4") == 4
    assert from_text("tries", "four") == "four"
    assert from_text("agency.phone", "12333") == "12333"
    assert refusal("tries", from_text("tries", "4.0")) is not None
