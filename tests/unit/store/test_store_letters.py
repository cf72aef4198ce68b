"""Messages between the two processes that somebody waits for only so long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.database import Database
from edge.store.letters import Letters
from tests.helpers_sync import HandTurnedTime

LEAF = "up/ask-person"


@pytest.fixture
def times() -> HandTurnedTime:
    return HandTurnedTime()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "journal.db")) as opened:
        yield opened


@pytest.fixture
def letters(database: Database, times: HandTurnedTime) -> Letters:
    return Letters(database, times)


def waiting(letters: Letters) -> list[str]:
    return [letter.letter_id for letter in letters.unsent()]


def test_a_letter_goes_out_once_and_its_answer_comes_back(letters: Letters) -> None:
    letters.put("l-1", LEAF, b"sealed", 5)
    letter = letters.unsent()[0]
    assert (letter.leaf, letter.payload, letter.left_s) == (LEAF, b"sealed", 5)
    assert "sealed" not in repr(letter)
    letters.sent("l-1")
    assert waiting(letters) == []
    assert letters.answer("l-1") is None
    assert letters.answered("l-1", b"answer")
    assert letters.answer("l-1") == b"answer"
    letters.drop("l-1")
    assert letters.answer("l-1") is None


def test_an_answer_nobody_asked_for_is_not_kept(letters: Letters, times: HandTurnedTime) -> None:
    letters.put("l-1", LEAF, b"x", 5)
    assert not letters.answered("l-1", b"too early")  # never went out
    assert not letters.answered("l-2", b"made up")
    letters.sent("l-1")
    times.boot_s += 6
    assert not letters.answered("l-1", b"too late")
    assert letters.answer("l-1") is None


def test_what_nobody_waits_for_is_not_sent_and_does_not_stay(
    letters: Letters, database: Database, times: HandTurnedTime
) -> None:
    letters.put("l-1", LEAF, b"x", 5)
    times.boot_s += 6
    assert waiting(letters) == []
    letters.put("l-2", LEAF, b"x", 5)
    times.reboot()
    assert waiting(letters) == []
    letters.put("l-3", LEAF, b"x", 5)
    assert database.rows("SELECT letter_id FROM letters") == [("l-3",)]
