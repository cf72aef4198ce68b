"""Charts as inline SVG: no script, no style of their own, nothing loaded from anywhere.

Each has a title and its figures as a text for who cannot see it; the page puts a table below.
Bars are told apart by what is written at them, and hatched, so that print needs no colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH = 720
_LABEL_WIDTH, _VALUE_WIDTH = 205, 135
_BAR_HEIGHT, _BAR_GAP = 22, 10
_LINE_HEIGHT, _LEFT, _BOTTOM, _TOP = 250, 60, 30, 12
_LONGEST_LABEL = 24
"""In half a Chinese character, as wide as a Latin letter."""
_DATES_SHOWN = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """`value` None is a bar that is not shown; `words` stand beside it either way."""

    label: str
    value: float | None
    words: str


def bars(name: str, title: str, rows: Sequence[Bar], full: float | None = None) -> SafeString:
    """Lying bars, one below the other. `full`: the value of a whole bar (default: the longest).

    `name` is for ids, so no two on one page are the same.
    """
    if not rows:
        return SafeString("")
    top = full or max((bar.value or 0 for bar in rows), default=0) or 1
    height = len(rows) * (_BAR_HEIGHT + _BAR_GAP) + _BAR_GAP
    drawn = format_html_join("", "{}", ((_bar(name, n, bar, top),) for n, bar in enumerate(rows)))
    text = "; ".join(f"{bar.label}: {bar.words}" for bar in rows)
    return _svg(name, title, text, height, drawn)


def _bar(name: str, number: int, bar: Bar, top: float) -> SafeString:
    y = _BAR_GAP + number * (_BAR_HEIGHT + _BAR_GAP)
    full = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    width = round(full * min((bar.value or 0) / top, 1), 1)
    label = _short(bar.label)
    return format_html(
        '<text x="{}" y="{}" text-anchor="end">{}</text>'
        '<rect class="rail" x="{}" y="{}" width="{}" height="{}"/>'
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}" fill="url(#{}-hatch)"/>'
        '<text x="{}" y="{}">{}</text>',
        *(_LABEL_WIDTH - 8, y + 17, label),
        *(_LABEL_WIDTH, y, full, _BAR_HEIGHT),
        *(_LABEL_WIDTH, y, width, _BAR_HEIGHT, name),
        *(_LABEL_WIDTH + width + 8, y + 17, bar.words),
    )


def _short(label: str) -> str:
    """Cut to what fits beside the bars; the table below has the whole."""
    ends = list(accumulate(2 if ord(letter) > 0x2E7F else 1 for letter in label))
    if not ends or ends[-1] <= _LONGEST_LABEL:
        return label
    return label[: sum(end <= _LONGEST_LABEL - 2 for end in ends)] + "…"


def lines(name: str, title: str, points: Sequence[tuple[str, float]], text: str) -> SafeString:
    """One line through values from left to right, with the labels of some; `text` for the ear."""
    if not points:
        return SafeString("")
    top = _round_up(max(value for _, value in points))
    spots = [(_x(n, len(points)), _y(value, top)) for n, (_, value) in enumerate(points)]
    path = " ".join(f"{x},{y}" for x, y in spots)
    floor = _y(0, top)
    drawn = format_html(
        '{}{}<polygon points="{},{} {} {},{}" fill="url(#{}-hatch)" class="area"/>'
        '<polyline class="line" points="{}"/>',
        _grid(top),
        _dates([label for label, _ in points], floor),
        *(spots[0][0], floor, path, spots[-1][0], floor, name),
        path,
    )
    return _svg(name, title, text, _LINE_HEIGHT, drawn)


def _grid(top: float) -> SafeString:
    return format_html_join("", "{}", ((_step(top * part / 4, top),) for part in range(5)))


def _step(value: float, top: float) -> SafeString:
    y = _y(value, top)
    return format_html(
        '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text x="{}" y="{}" text-anchor="end">{}</text>',
        *(_LEFT, WIDTH - 10, y, y),
        *(_LEFT - 8, y + 5, f"{value:g}"),
    )


def _dates(labels: Sequence[str], floor: float) -> SafeString:
    count = min(_DATES_SHOWN, len(labels))
    numbers = sorted({round(n * (len(labels) - 1) / max(count - 1, 1)) for n in range(count)})
    spots = ((n, _x(n, len(labels))) for n in numbers)
    return format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="{}">{}</text>',
        ((x, floor + 22, _anchor(n, len(labels)), labels[n]) for n, x in spots),
    )


def _anchor(number: int, count: int) -> str:
    return "end" if number == count - 1 and count > 1 else "middle" if number else "start"


def _x(number: int, count: int) -> float:
    return round(_LEFT + (WIDTH - 10 - _LEFT) * number / max(count - 1, 1), 1)


def _y(value: float, top: float) -> float:
    return round(_TOP + (_LINE_HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 1)


def _round_up(value: float) -> float:
    """The next 4, 8, 20, 40, 80, 200 …: the four steps of the grid are then whole numbers."""
    top = 4
    while top < value:
        top = next(t for t in (top * 2, top * 5 // 2) if str(t)[0] in "248")
    return top


def _svg(name: str, title: str, text: str, height: int, drawn: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart" role="img" aria-labelledby="{0}-title {0}-text" viewBox="0 0 {1} {2}">'
        '<title id="{0}-title">{3}</title><desc id="{0}-text">{4}</desc>'
        '<defs><pattern id="{0}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="ground" width="6" height="6"/>'
        '<line class="stripe" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>{5}</svg>',
        *(name, WIDTH, height, title, text, drawn),
    )
