"""The configuration page says what the program reads."""

from __future__ import annotations

from pathlib import Path

from tests.tools.config_page import page

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: python tests/tools/config_page.py > docs/configuration.md"
    )


def test_every_key_has_words() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert all(len(row.split("|")[-2].strip()) >= 6 for row in rows)
