"""The page of items names what there is; every item has a test, or a word why it has none."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tools.branches_page import FEATURES, FEATURES_NOT_DELIVERED, NOT_DELIVERED, WHAT, shown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "branches.md"
WANTED = [
    f"{kind}{number:02d}"
    for kind, last in (("K", 41), ("M", 17), ("E", 17), ("STR", 17), ("S", 36))
    for number in range(1, last + 1)
]


def rows() -> list[tuple[str, list[str]]]:
    """Item and cells of every row, features left out."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if re.match(r"\| [A-Z]+\d\d \|", line)]
    return [(row[0], row) for row in cells]


def test_every_item_has_a_row_of_its_own() -> None:
    assert sorted(item for item, _ in rows()) == sorted(WANTED)
    assert sorted(WHAT) == sorted(WANTED)


def test_every_item_has_a_test_or_is_said_not_to_be_delivered() -> None:
    served = {item for item, names in shown().items() if names}
    assert set(WANTED) - served - set(NOT_DELIVERED) == set()
    assert set(NOT_DELIVERED) & served == set(), "what has a test is delivered"
    assert {f"F{n}" for n in FEATURES} - served == {f"F{n}" for n in FEATURES_NOT_DELIVERED}


def test_each_row_names_what_serves_its_item_or_says_why_nothing_does() -> None:
    found = shown()
    for item, cells in rows():
        named = set(re.findall(r"`(\w+)`", " ".join(cells[-2:])))
        serving = {one.name.partition(":")[2] for one in found.get(item, [])}
        if item in NOT_DELIVERED:
            assert "not delivered" in cells[-1], item
        else:
            assert named, f"{item} names no test; run: make pages"
            assert named <= serving, f"{item} names what is not there; run: make pages"


def test_every_item_of_the_console_is_seen_in_a_browser() -> None:
    found = shown()
    items = [item for item in WANTED if re.fullmatch(r"S\d\d", item)]
    assert len(items) == 36
    assert [s for s in items if not any(one.is_in_a_browser for one in found.get(s, []))] == []


def test_every_branch_is_touched_through_in_a_window() -> None:
    found = shown()
    windows = ("tests/window/journeys/",)
    branches = [item for item in WANTED if item.startswith("E")]
    unseen = [
        item
        for item in branches
        if not any(one.name.startswith(windows) for one in found.get(item, []))
    ]
    assert unseen == []
