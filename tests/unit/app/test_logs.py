"""Logs name nobody, whatever somebody passes in by mistake."""

from __future__ import annotations

import io
import logging

import pytest

from edge.app import logs

NUMBER = "100000194508150029"


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Redacting("%(message)s"))
    logger = logging.getLogger("canary")
    logger.handlers, logger.propagate = [handler], False
    return stream


@pytest.mark.parametrize("number", [NUMBER, "10000019380101059X", "100000450815002"])
def test_f09_identity_numbers_never_reach_a_log(lines: io.StringIO, number: str) -> None:
    logging.getLogger("canary").warning("reader said %s twice: %s", number, number)
    assert number not in lines.getvalue()
    assert lines.getvalue().count("[number]") == 2


@pytest.mark.parametrize("around", ["身份证{}号", "id_{}", "({})", "{}。"])
def test_f09_not_even_beside_chinese_words_or_in_an_exception(
    lines: io.StringIO, around: str
) -> None:
    logging.getLogger("canary").warning(around.format(NUMBER))
    try:
        raise ValueError(around.format(NUMBER))
    except ValueError:
        logging.getLogger("canary").exception("failed")
    assert NUMBER not in lines.getvalue()
    assert lines.getvalue().count("[number]") == 2


def test_ordinary_numbers_stay(lines: io.StringIO) -> None:
    logging.getLogger("canary").warning("waited_ns=1234567890123456789 seq=12")
    assert "1234567890123456789" in lines.getvalue()


def test_a_crash_line_tells_the_place_and_not_the_message(lines: io.StringIO) -> None:
    try:
        raise ValueError(f"no such person: {NUMBER}")
    except ValueError as error:
        logs.crash(logging.getLogger("canary"), "vision", error)
    assert "type=ValueError" in lines.getvalue()
    assert "test_a_crash_line" in lines.getvalue()
    assert "person" not in lines.getvalue()
