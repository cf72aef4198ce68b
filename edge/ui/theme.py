"""Panels, colours and sizes. Room is thought of in millimetres, letters in dp (1/160 inch)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MM_PER_INCH = 25.4
DP_PER_INCH = 160

Colour = str
"""`#RRGGBB`, sRGB."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A touch panel as it is built in; `dpi` are its true dots per inch."""

    width_px: int
    height_px: int
    dpi: float

    def seen_at(self, width_px: float, height_px: float) -> Panel:
        """A desktop window of another size is a smaller or larger picture of the same panel."""
        share = min(width_px / self.width_px, height_px / self.height_px)
        return Panel(round(width_px), round(height_px), self.dpi * share)


PANELS = (
    Panel(800, 480, 133),  # 7 inch
    Panel(1024, 600, 118),  # 10.1 inch
    Panel(1280, 800, 149),  # 10.1 inch
    Panel(720, 1280, 210),  # 7 inch, upright
)
"""The panels every screen is laid out, drawn and checked for."""


def rgb(colour: Colour) -> tuple[float, float, float]:
    """Red, green, blue in 0..1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of WCAG 2.2, 1..21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@dataclass(frozen=True, slots=True)
class Palette:
    """Named by use. Each `..._ink` is written on the colour it is named after."""

    ground: Colour = "#F3F6FA"
    ink: Colour = "#12233D"
    quiet_ink: Colour = "#3B4C66"
    panel: Colour = "#FFFFFF"
    edge: Colour = "#B9C6D8"
    header: Colour = "#0B3B66"
    header_ink: Colour = "#FFFFFF"
    footer: Colour = "#E2E9F2"
    main: Colour = "#0B5CA8"
    main_ink: Colour = "#FFFFFF"
    side: Colour = "#FFFFFF"
    side_ink: Colour = "#0B3B66"
    care: Colour = "#FFF0CC"
    care_ink: Colour = "#553600"
    care_edge: Colour = "#B87800"
    urgent: Colour = "#FFC93C"
    urgent_ink: Colour = "#241A00"
    good: Colour = "#16703C"
    bad: Colour = "#A3201A"
    skin: Colour = "#FBE6D2"
    sky: Colour = "#CFE1F5"
    pressed: Colour = "#CFE1F5"
    focus: Colour = "#FFC93C"

    @property
    def written(self) -> dict[str, tuple[Colour, Colour]]:
        """Every pair of ink and ground that carries words."""
        return {
            "body": (self.ink, self.ground),
            "body quiet": (self.quiet_ink, self.ground),
            "panel": (self.ink, self.panel),
            "panel quiet": (self.quiet_ink, self.panel),
            "header": (self.header_ink, self.header),
            "header pressed": (self.header_ink, self.main),
            "footer": (self.ink, self.footer),
            "footer quiet": (self.quiet_ink, self.footer),
            "main": (self.main_ink, self.main),
            "main pressed": (self.main_ink, self.header),
            "side": (self.side_ink, self.side),
            "side pressed": (self.side_ink, self.pressed),
            "care": (self.care_ink, self.care),
            "urgent": (self.urgent_ink, self.urgent),
            "urgent pressed": (self.urgent_ink, self.care),
            "good": (self.good, self.ground),
            "panel good": (self.good, self.panel),
            "band": (BAND_INK, BAND),
        }


WHITE: Colour = "#FFFFFF"

BAND: Colour = "#FFD400"
BAND_INK: Colour = "#000000"
"""The mark of simulated devices is no part of any palette."""

ELDER = Palette(
    ground="#FFFFFF",
    ink="#000000",
    quiet_ink="#1F2A3A",
    edge="#3B4C66",
    header="#06264A",
    footer="#E8EDF4",
    main="#0A4A8C",
    side_ink="#06264A",
    care_ink="#3A2400",
    care_edge="#7A4E00",
    good="#0B5229",
    bad="#8A1510",
)
"""Elder mode: nothing that is written stands out by less than 7:1."""


class Role(Enum):
    """What letters are for. `(usual, its floor), (elder mode, its floor)` in dp."""

    PROMPT = (69, 40), (72, 60)  # the movement asked for
    TITLE = (49, 32), (60, 40)
    TYPED = (60, 34), (60, 40)
    LEAD = (41, 28), (48, 40)
    BODY = (36, 24), (44, 40)
    HINT = (29, 24), (40, 40)
    NOTE = (26, 24), (30, 28)  # small print for staff
    KEY = (36, 24), (42, 28)
    TILE = (44, 28), (54, 30)
    FRAME = (28, 24), (34, 24)  # footer and language strip
    BAND = (26, 24), (26, 24)


@dataclass(frozen=True, slots=True)
class Theme:
    """How one panel is drawn; `large` is elder mode."""

    panel: Panel
    large: bool = False

    @property
    def palette(self) -> Palette:
        return ELDER if self.large else Palette()

    def mm(self, millimetres: float) -> float:
        """Pixels."""
        return millimetres * self.panel.dpi / MM_PER_INCH

    def dp(self, dp: float) -> float:
        """Pixels."""
        return dp * self.panel.dpi / DP_PER_INCH

    def letters_dp(self, role: Role) -> tuple[float, float]:
        """The size wanted and what it may be shrunk to."""
        return role.value[self.large]


KEY_MM = 20.0
GAP_MM = 5.0
"""A key is no smaller, two keys are no nearer: a shaking finger is 15 mm wide."""
