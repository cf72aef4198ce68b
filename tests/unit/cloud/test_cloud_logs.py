"""What the centre writes to its log names nobody."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from cloud_bridge.logs import Redacting
from tests.fixtures_cloud import write_keys

NUMBER, OLD_NUMBER = "11010519491231002X", "110105491231002"


def line(message: str, *values: object, error: BaseException | None = None) -> str:
    """A record as the handler of the settings would write it."""
    how = settings.LOGGING["formatters"]["line"]
    formatter = Redacting(how["format"])
    details = (type(error), error, error.__traceback__) if error else None
    return formatter.format(
        logging.LogRecord("cloud_bridge", logging.ERROR, __file__, 1, message, values, details)
    )


def test_the_settings_use_the_formatter_that_redacts() -> None:
    assert settings.LOGGING["formatters"]["line"]["()"] == "cloud_bridge.logs.Redacting"
    assert [handler["formatter"] for handler in settings.LOGGING["handlers"].values()] == ["line"]


@pytest.mark.parametrize("number", [NUMBER, NUMBER.lower(), NUMBER[:-1] + "9", OLD_NUMBER])
@pytest.mark.parametrize("around", ["%s", "(%s)", "number=%s,", "身份证%s号", "a_%s", "-%s."])
def test_numbers_are_replaced_wherever_they_stand(number: str, around: str) -> None:
    told = line("seen " + around, number)
    assert number not in told
    assert "[number]" in told


@pytest.mark.parametrize(
    "harmless", ["a" + NUMBER, NUMBER + "1", "1" * 16, "1" * 19, "ab" * 32, "20261123", NUMBER[:-2]]
)
def test_hashes_ids_and_days_stay(harmless: str) -> None:
    assert harmless in line("seen %s", harmless)


def _raise(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        raise RuntimeError(text) from error


def test_of_an_exception_only_kind_and_places_are_told() -> None:
    with pytest.raises(RuntimeError) as caught:
        _raise(f"no row for 王建华 {NUMBER}")
    told = line("it broke", error=caught.value)
    assert "王建华" not in told
    assert NUMBER not in told
    for words in ("builtins.RuntimeError", "builtins.ValueError", "test_cloud_logs.py:", "_raise"):
        assert words in told, words


def test_an_error_that_was_its_own_cause_ends() -> None:
    one, two = ValueError("王建华"), ValueError("王建华")
    one.__cause__, two.__cause__ = two, one
    assert line("it broke", error=one).count("ValueError") == 2


def test_a_process_that_dies_names_nobody(tmp_path: Path) -> None:
    """The database is no database; whatever is raised, its text stays inside."""
    write_keys(tmp_path)
    (tmp_path / "registry.sqlite3").write_text("王建华 " * 1000)
    done = subprocess.run(
        [sys.executable, "-m", "cloud_bridge", "--config", str(tmp_path / "registry.toml"),
         "records", "list"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "file is not a database" not in done.stderr
    assert "CRITICAL cloud_bridge uncaught" in done.stderr
    assert "DatabaseError" in done.stderr
