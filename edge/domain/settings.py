"""What the centre may change on a kiosk: each key, its values and when they take effect.

The one definition. The kiosk and the centre check with it, the console makes its form from it,
`docs/configuration.md` its table; the keys are those of the site file. What is not here, such as
which devices are plugged in or where keys lie, is changed by somebody who stands at the kiosk.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

Value = int | str


class Takes(Enum):
    """When a new value takes effect; always between residents."""

    LIVE = "live"
    KIOSK = "kiosk"  # the kiosk process starts again
    LINK = "link"  # the sync process starts again, with the new value on trial


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, both ends included."""

    low: int
    high: int
    unit: str = ""

    reason = "range"

    @property
    def allowed(self) -> str:
        return f"{self.low}..{self.high}{' ' + self.unit if self.unit else ''}"

    def fits(self, value: object) -> bool:
        return type(value) is int and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    reason = "choice"

    @property
    def allowed(self) -> str:
        return ", ".join(self.words)

    def fits(self, value: object) -> bool:
        return isinstance(value, str) and value in self.words


@dataclass(frozen=True, slots=True)
class Text:
    """One line, printable, without blanks at its ends. `allowed` says the pattern in words."""

    longest: int
    pattern: str
    allowed: str

    reason = "text"

    def fits(self, value: object) -> bool:
        if not isinstance(value, str) or not 1 <= len(value) <= self.longest:
            return False
        if not value.isprintable() or value != value.strip():
            return False
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Setting:
    """`downward`: a number that the centre may lower and never raise above the site file's."""

    key: str
    kind: Whole | Choice | Text
    takes: Takes
    downward: bool = False

    @property
    def cuts_off(self) -> bool:
        """Whether a wrong value could leave the kiosk without the centre; it is tried first."""
        return self.takes is Takes.LINK


_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LINE = Text(40, r"[^\[\]{}<>&\\]+", "1..40 characters, none of [ ] { } < > & \\")
_PHONE = Text(20, r"[0-9+][0-9 +-]{2,}", "3..20 digits, blanks, + and -")
_HOST = Text(253, rf"{_LABEL}(\.{_LABEL})*", "a host name or IPv4 address")

SETTINGS: Mapping[str, Setting] = {
    setting.key: setting
    for setting in (
        Setting("language", Choice(("zh", "en")), Takes.KIOSK),
        Setting("tries", Whole(1, 5), Takes.LIVE),
        Setting("agency.office", _LINE, Takes.KIOSK),
        Setting("agency.phone", _PHONE, Takes.KIOSK),
        Setting("screen.idle_s", Whole(60, 900, "s"), Takes.LIVE),
        Setting("devices.volume", Whole(0, 100, "%"), Takes.LIVE),
        Setting("devices.dialect", Choice(("none", "yue")), Takes.KIOSK),
        Setting("panel.fill_light_percent", Whole(1, 100, "%"), Takes.KIOSK),
        Setting("check.screen_light", Choice(("off", "on")), Takes.KIOSK),
        Setting("check.passive", Choice(("auto", "off")), Takes.KIOSK),
        Setting("check.passive_percent", Whole(0, 100, "%"), Takes.KIOSK),
        Setting("check.camera_truth", Choice(("off", "on")), Takes.KIOSK),
        Setting("store.retention_days", Whole(1, 30, "d"), Takes.KIOSK, downward=True),
        Setting("broker.host", _HOST, Takes.LINK),
        Setting("broker.port", Whole(1, 65535), Takes.LINK),
        Setting("broker.keepalive_s", Whole(10, 600, "s"), Takes.LINK),
    )
}

MAX_KEYS = 100
_LONGEST_KEY = 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a value is not in force. `reason` is a stable word, `detail` what is allowed instead.

    unknown   no such key; `detail` is the nearest one there is
    range, choice, text   not a value of this key
    together  does not fit with the rest of this kiosk's site file
    no_start  the kiosk did not stay up with it
    no_word   the registry was not heard over the new link
    """

    key: str
    reason: str
    detail: str = ""


def refusal(key: str, value: object) -> Refusal | None:
    """Why this value cannot be in force, if it cannot."""
    setting = SETTINGS.get(key)
    if setting is None:
        near = difflib.get_close_matches(key, SETTINGS, n=1)
        return Refusal(key[:_LONGEST_KEY], "unknown", near[0] if near else "")
    if not setting.kind.fits(value):
        return Refusal(key, setting.kind.reason, setting.kind.allowed)
    return None


def refusal_at(key: str, value: Value, own: Value) -> Refusal | None:
    """Why not at a kiosk whose site file has its `own` value."""
    setting = SETTINGS[key]
    if not setting.downward or not isinstance(setting.kind, Whole):
        return None
    if isinstance(value, int) and isinstance(own, int) and value > own:
        return Refusal(key, "range", replace(setting.kind, high=own).allowed)
    return None


def sorted_out(wanted: Mapping[str, object]) -> tuple[dict[str, Value], tuple[Refusal, ...]]:
    """The values that can be in force, and why the others cannot; each key by itself."""
    refused = {key: why for key in wanted if (why := refusal(key, wanted[key]))}
    good = {key: value for key, value in wanted.items() if key not in refused}
    return {k: v for k, v in good.items() if isinstance(v, Value)}, tuple(refused.values())


def from_text(key: str, text: str) -> Value:
    """What somebody typed, as a value of its key; `refusal` says whether it may be one."""
    setting = SETTINGS.get(key)
    if setting is not None and isinstance(setting.kind, Whole):
        return int(text) if re.fullmatch(r"-?[0-9]{1,9}", text) else text
    return text


def of_link(values: Mapping[str, Value]) -> dict[str, Value]:
    """Those that say how the sync process connects."""
    return {k: v for k, v in values.items() if k in SETTINGS and SETTINGS[k].cuts_off}


def of_kiosk(values: Mapping[str, Value]) -> dict[str, Value]:
    """All others."""
    return {k: v for k, v in values.items() if k not in SETTINGS or not SETTINGS[k].cuts_off}
