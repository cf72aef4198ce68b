"""What stands on a screen: pieces in boxes, every line already broken. Pure: no window is needed.

`arrange` makes them, `widgets` draws them, the layout check measures them. Boxes
come in pixels from the top left corner of the panel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

from edge.ui.drawings import Strokes
from edge.ui.screen import Choice
from edge.ui.theme import Colour, Role, Theme
from edge.ui.typeset import Box, tears_words, wrap

Measure = Callable[[bool, float, str], float]
"""Width in pixels of a text: bold, pixels of the em square, the words."""

LINE_HEIGHT = 1.32
SHRINK = 0.95
"""How fast letters give way when there is too little room."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What every piece needs to be laid out."""

    theme: Theme
    measure: Measure

    def mm(self, millimetres: float) -> float:
        return self.theme.mm(millimetres)


# --- texts -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Style:
    """How a text looks: the size wanted and the smallest allowed, in dp."""

    size_dp: float
    floor_dp: float
    ink: Colour
    bold: bool = False
    align: str = "left"


def style(kit: Kit, role: Role, ink: Colour, *, bold: bool = False, align: str = "left") -> Style:
    return Style(*kit.theme.letters_dp(role), ink, bold, align)


@dataclass(frozen=True, slots=True)
class Setting:
    """A text broken into lines at one size of letters."""

    lines: tuple[str, ...] = field(repr=False)
    size_px: float
    width_px: float

    @property
    def height_px(self) -> float:
        return self.size_px * LINE_HEIGHT * len(self.lines)

    def fits(self, width_px: float, height_px: float) -> bool:
        return self.width_px <= width_px + 0.5 and self.height_px <= height_px + 0.5


def typeset(kit: Kit, words: str, look: Style, width_px: float, shrunk: float = 1.0) -> Setting:
    """Break `words` to a width, with letters `shrunk` as far as the style's floor allows."""
    size_dp = max(look.size_dp * shrunk, look.floor_dp)
    smallest = size_dp <= look.floor_dp
    size_px = kit.theme.dp(size_dp)
    return _typeset(kit.measure, words, look.bold, size_px, round(width_px, 1), smallest)


@lru_cache(16384)
def _typeset(
    measure: Measure, words: str, bold: bool, size_px: float, width_px: float, smallest: bool
) -> Setting:
    """A whole line may be a pixel or two wider than its pieces: then it is broken once more. A
    number that even the smallest letters do not fit in goes on to a second line."""
    em = partial(measure, bold, size_px)
    lines = wrap(words, width_px, em, tear_numbers=smallest)
    widest = max(map(em, lines))
    if widest > width_px:
        lines = wrap(words, 2 * width_px - widest - 1, em, tear_numbers=smallest)
    return Setting(tuple(lines), size_px, max(map(em, lines)))


def forget() -> None:
    """Drop what was measured: it holds what was shown, and so names and numbers."""
    _typeset.cache_clear()


def fitted(kit: Kit, words: str, look: Style, box: Box, *, whole: bool = False) -> Setting:
    """The largest setting that fits the box, or the smallest allowed. Where it can be, `whole`
    keeps words together and leaves no character alone, at the price of smaller letters."""
    shrunk = 1.0
    setting = typeset(kit, words, look, box.w)
    torn: Setting | None = None
    while look.size_dp * shrunk > look.floor_dp:
        if setting.fits(box.w, box.h):
            if not whole or not _torn(words, setting):
                return setting
            torn = torn or setting
        shrunk *= SHRINK
        setting = typeset(kit, words, look, box.w, shrunk)
    good = setting.fits(box.w, box.h) and not _torn(words, setting)
    return setting if good or torn is None else torn


def _torn(words: str, setting: Setting) -> bool:
    alone = len(setting.lines) > 1 and min(map(len, setting.lines)) == 1
    return alone or tears_words(words, setting.lines)


# --- pieces ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Words in a box, vertically centred. `floor_px` is the smallest its letters may be."""

    box: Box
    words: str = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)
    size_px: float
    ink: Colour
    bold: bool
    align: str
    fits: bool
    floor_px: float

    @property
    def height_px(self) -> float:
        """Of its lines, whatever the box."""
        return self.size_px * LINE_HEIGHT * len(self.lines)


def text(kit: Kit, words: str, look: Style, box: Box, *, whole: bool = False) -> Text:
    setting = fitted(kit, words, look, box, whole=whole)
    fits = setting.fits(box.w, box.h)
    floor_px = kit.theme.dp(look.floor_dp)
    return Text(
        box, words, setting.lines, setting.size_px, look.ink, look.bold, look.align, fits, floor_px
    )


@dataclass(frozen=True, slots=True)
class Ground:
    """A filled box with round corners; with `edge_px`, an outline."""

    box: Box
    fill: Colour
    edge: Colour = ""
    edge_px: float = 0.0
    radius_px: float = 0.0


@dataclass(frozen=True, slots=True)
class Stripes:
    """Slanted bars, as on the edge of something not to be mistaken."""

    box: Box
    step_px: float


@dataclass(frozen=True, slots=True)
class Sketch:
    """A drawing in the largest square that fits the middle of a box."""

    box: Box
    strokes: Strokes


@dataclass(frozen=True, slots=True)
class Glass:
    """The camera's picture (`mirrored`, with an `oval` for a face) or the picture taken."""

    box: Box
    mirrored: bool
    oval: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code, as large as its box allows."""

    box: Box
    modules: tuple[tuple[bool, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Look:
    """Colours of a key, at rest and under the finger."""

    fill: Colour
    ink: Colour
    edge: Colour
    pressed: Colour


@dataclass(frozen=True, slots=True)
class Key:
    """A button with what stands on it; `reach_px` is how far beside it a finger may still lift."""

    box: Box
    choice: Choice
    look: Look
    parts: tuple[Ground | Sketch | Text, ...]
    edge_px: float
    radius_px: float
    reach_px: float


Piece = Ground | Stripes | Sketch | Glass | Code | Text | Key
