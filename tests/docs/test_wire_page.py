"""The page about the wire says what the program sends."""

from __future__ import annotations

from pathlib import Path

from edge.wire.messages import MESSAGES
from tests.tools.wire_page import BODIES, page

PAGE = Path(__file__).parents[2] / "docs" / "wire.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page() + "\n", (
        "run: python tests/tools/wire_page.py > docs/wire.md"
    )


def test_every_message_is_told_and_drawn() -> None:
    text = page()
    for message in MESSAGES:
        assert f"| `{message.leaf}` | `{message.schema}`, {message.number} |" in text
        assert f"{message.leaf} (QoS 1" in text
    known = {message.schema for message in MESSAGES}
    assert {message.answers for message in MESSAGES} - {""} <= known
    assert set(BODIES) <= known
