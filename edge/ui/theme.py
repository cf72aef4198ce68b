"""Colours and sizes. The reference is a 10.1 inch panel: 1280 x 800 pixels, 149 dots per inch."""

from __future__ import annotations

from dataclasses import dataclass

REFERENCE_WIDTH_PX = 1280
REFERENCE_HEIGHT_PX = 800
REFERENCE_PX_PER_MM = 149 / 25.4

Colour = str
"""`#RRGGBB`, sRGB."""


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

    @property
    def written(self) -> dict[str, tuple[Colour, Colour]]:
        """Every pair of ink and ground that carries words."""
        return {
            "body": (self.ink, self.ground),
            "body quiet": (self.quiet_ink, self.ground),
            "panel": (self.ink, self.panel),
            "panel quiet": (self.quiet_ink, self.panel),
            "header": (self.header_ink, self.header),
            "footer": (self.ink, self.footer),
            "footer quiet": (self.quiet_ink, self.footer),
            "main": (self.main_ink, self.main),
            "side": (self.side_ink, self.side),
            "care": (self.care_ink, self.care),
            "urgent": (self.urgent_ink, self.urgent),
            "good": (self.good, self.ground),
            "panel good": (self.good, self.panel),
        }


WHITE: Colour = "#FFFFFF"

BAND: Colour = "#FFD400"
BAND_INK: Colour = "#000000"
"""The mark of simulated devices is no part of any palette."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Sizes in pixels for one window; letters are measured by their em square."""

    scale: float = 1.0
    palette: Palette = Palette()

    @classmethod
    def for_window(cls, width_px: float, height_px: float) -> Theme:
        """Everything grows and shrinks together with the window."""
        return cls(min(width_px / REFERENCE_WIDTH_PX, height_px / REFERENCE_HEIGHT_PX))

    def px(self, reference_px: float) -> float:
        return reference_px * self.scale


# Letters, in pixels of the reference panel. `FLOOR` and `PROMPT_FLOOR` are what
# nothing may be shrunk below: 3.8 mm and 6.4 mm.
PROMPT_PX = 64
TITLE_PX = 46
BODY_PX = 33
TABLE_PX = 38
KEY_PX = 33
HINT_PX = 27
FOOTER_PX = 26
NOTE_PX = 24
BAND_PX = 24
FLOOR_PX = 23
PROMPT_FLOOR_PX = 40

# Room, in pixels of the reference panel. A key is 20 mm high at least, the gap
# between two keys 5 mm.
KEY_HEIGHT_PX = 118
GAP_PX = 30
MARGIN_PX = 40
BAND_HEIGHT_PX = 36
BAR_HEIGHT_PX = 138
