"""Every screen laid out for every panel, language and size of letters, and what is wrong with it.

    python -m tests.ui_layout [OUT.json]

No window is needed: Kivy only measures letters. `tests/unit/ui/test_layout.py` runs this.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge.session.events import Button
from edge.session.states import Language, Session
from edge.ui.arrange import Plan, plan
from edge.ui.fonts import fonts
from edge.ui.kivy_app import set_up
from edge.ui.pieces import Glass, Kit, Text
from edge.ui.screen import Screen, Weight
from edge.ui.theme import GAP_MM, KEY_MM, PANELS, Panel, Theme
from edge.ui.typeset import Box
from edge.ui.viewmodel import view
from tests.ui_world import FACTS, NOW, gallery

CACHE = Path(".cache")
SLACK_MM = 0.05
FOLDED = frozenset(
    {
        *(Button.LARGE_PRINT, Button.LANGUAGE_EN, Button.LANGUAGE_ZH, Button.REPEAT),
        *(Button.HELP, Button.SCAN, Button.MORE_TIME),
    }
)
"""What a 7 inch panel beside a keypad has no room for; all of it is on the page of help or home."""


@dataclass(frozen=True, slots=True)
class Look:
    """One screen on one panel."""

    name: str
    language: str
    panel: str
    large: bool
    pages: int
    min_key_mm: float
    min_gap_mm: float
    choices: int
    footer: dict[str, tuple[int, int]]
    faults: tuple[str, ...]


def name_of(panel: Panel) -> str:
    return f"{panel.width_px}x{panel.height_px}"


def kit_of(panel: Panel, *, large: bool) -> Kit:
    from edge.ui.widgets import Ruler

    return Kit(Theme(panel, large), Ruler(fonts(CACHE / "fonts")))


def looks() -> Iterator[tuple[str, Session, Panel, bool]]:
    for language, panel, large in itertools.product(Language, PANELS, (False, True)):
        for name, session in gallery(language):
            yield name, replace(session, large=large), panel, large


def look(name: str, session: Session, panel: Panel, *, large: bool) -> Look:
    kit = kit_of(panel, large=large)
    screen = view(session, NOW, FACTS)
    first = plan(kit, screen)
    leaves = [plan(kit, replace(screen, leaf=leaf)) for leaf in range(first.pages)]
    faults = [fault for leaf in leaves for fault in faults_of(kit, leaf)]
    faults += missing(kit, screen, leaves)
    keys = [k.box for leaf in leaves for k in leaf.keys]
    small = min((min(b.w, b.h) for b in keys), default=kit.mm(99)) / kit.mm(1)
    near = min((g for leaf in leaves for g in gaps(leaf)), default=kit.mm(99)) / kit.mm(1)
    return Look(
        name, session.language.value, name_of(panel), large, first.pages,
        round(small, 2), round(near, 2), len(screen.choices), footer_of(screen, first),
        tuple(dict.fromkeys(faults)),
    )  # fmt: skip


def footer_of(screen: Screen, leaf: Plan) -> dict[str, tuple[int, int]]:
    """Where the footer's keys stand; a keypad and the first screen have an order of their own."""
    if screen.keypad or screen.name == "home":
        return {}
    buttons = {choice.button for choice in screen.footer.buttons}
    return {
        k.choice.button.value: (round(k.box.x), round(k.box.y))
        for k in leaf.keys
        if k.choice.button in buttons
    }


def gaps(leaf: Plan) -> Iterator[float]:
    for one, other in itertools.combinations(leaf.keys, 2):
        yield one.box.apart(other.box)


def faults_of(kit: Kit, leaf: Plan) -> Iterator[str]:
    panel = Box(0, 0, kit.theme.panel.width_px, kit.theme.panel.height_px)
    for piece in leaf.pieces:
        if not piece.box.within(panel):
            words = piece.words if isinstance(piece, Text) else type(piece).__name__
            yield f"off the panel: {words}"
    for text in leaf.texts:
        if not text.fits:
            yield f"clipped: {text.words}"
        if text.size_px < text.floor_px - 0.01:
            yield f"too small: {text.words}"
    for key in leaf.keys:
        if min(key.box.w, key.box.h) < kit.mm(KEY_MM - SLACK_MM):
            yield f"key of {min(key.box.w, key.box.h) / kit.mm(1):.1f} mm: {key.choice.label}"
    for one, other in itertools.combinations(leaf.keys, 2):
        if one.box.apart(other.box) < kit.mm(GAP_MM - SLACK_MM):
            yield f"too near: {one.choice.label}, {other.choice.label}"
        inside = [part for part in key.parts if isinstance(part, Text)]
        if any(a.box.apart(b.box) < -0.5 for a, b in itertools.combinations(inside, 2)):
            yield f"words on words: {key.choice.label}"
        if not all(part.box.within(key.box) for part in inside):
            yield f"words beside their key: {key.choice.label}"
    yield from overlaps(kit, leaf)
    yield from uneven(leaf)


def uneven(leaf: Plan) -> Iterator[str]:
    """Answers of equal weight stand for sizes and colours that are equal too."""
    equal = [key for key in leaf.keys if key.choice.weight is Weight.EQUAL]
    if len({(round(k.box.w, 1), round(k.box.h, 1), k.look) for k in equal}) > 1:
        yield f"unequal: {', '.join(key.choice.label for key in equal)}"


def overlaps(kit: Kit, leaf: Plan) -> Iterator[str]:
    """Words on words, words under keys, keys on a picture. A caption may stand in the mirror."""
    free = [piece for piece in leaf.pieces if isinstance(piece, Text)]
    slack = -kit.mm(0.2)
    for one, other in itertools.combinations(free, 2):
        if one.box.apart(other.box) < slack:
            yield f"words on words: {one.words} / {other.words}"
    for text, key in itertools.product(free, leaf.keys):
        if text.box.apart(key.box) < slack:
            yield f"words under a key: {text.words} / {key.choice.label}"
    for piece, key in itertools.product(leaf.pieces, leaf.keys):
        if isinstance(piece, Glass) and piece.box.apart(key.box) < slack:
            yield f"a key on the picture: {key.choice.label}"


def missing(kit: Kit, screen: Screen, leaves: list[Plan]) -> Iterator[str]:
    """Buttons nobody can press, and words that stand on no page."""
    shown = {k.choice.button for leaf in leaves for k in leaf.keys}
    small = kit.theme.panel.height_px < kit.mm(110) or kit.theme.panel.width_px < kit.mm(110)
    folded = FOLDED if screen.keypad and small else frozenset()
    for choice in screen.buttons:
        if choice.button not in shown and choice.button not in folded:
            yield f"no key: {choice.label}"
    read = "".join("".join(t.words.split()) for t in body_texts(leaves))
    dense = bool(folded)
    if screen.shows_preview and screen.advice and small:
        screen = replace(screen, lines=())  # E06: one plain thing at a time
    time_left = "" if dense and not screen.footer.urgent else screen.footer.time_left
    wanted = [screen.headline, screen.advice, screen.typed, time_left]
    wanted += (
        []
        if dense
        else [*screen.lines, screen.note, screen.caption, *itertools.chain(*screen.fields)]
    )
    if screen.keypad and dense:
        wanted.remove(screen.headline) if screen.advice else None
    for words in wanted:
        if "".join(words.split()) not in read:
            yield f"not to be read: {words}"
    whole = {text.words for leaf in leaves for text in leaf.texts}
    if screen.advice and screen.advice not in whole:
        yield f"on two pages: {screen.advice}"


def body_texts(leaves: list[Plan]) -> Iterator[Text]:
    """Texts page by page; a paragraph that goes on over the page is whole, as what stands on every
    page (title, time) comes once."""
    free = [[p for p in leaf.pieces if isinstance(p, Text)] for leaf in leaves]
    always = [t for t in free[0] if all(t in texts for texts in free)]
    yield from always
    yield from (t for texts in free for t in texts if t not in always)


def main(out: Path | None) -> list[dict[str, Any]]:
    set_up((1280, 800), False, CACHE / "kivy")
    told = [asdict(look(n, s, p, large=large)) for n, s, p, large in looks()]
    if out:
        out.write_text(json.dumps(told, ensure_ascii=False, indent=0), encoding="utf-8")
    return told


if __name__ == "__main__":
    found = main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    bad = [one for one in found if one["faults"]]
    for one in bad:
        print(
            one["name"],
            one["language"],
            one["panel"],
            "large" if one["large"] else "",
            one["faults"],
        )
    print(len(found), "looks", len(bad), "faulty", max(one["pages"] for one in found), "pages")
