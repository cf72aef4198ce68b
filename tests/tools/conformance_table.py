"""`make conformance`: what each implementation of each device was asked, and what it did.

The device is the name of the test file, the implementation the parameter of the
fixture that makes it; a test without one is about a driver alone.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

ALONE = "(driver alone)"


@dataclass
class Row:
    """One implementation of one device."""

    device: str
    implementation: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    why_skipped: str = ""


class Counts:
    """A pytest plugin. The exit code is pytest's own: 1 as soon as one test failed."""

    def __init__(self, path: Path, hardware: Sequence[str] = ()) -> None:
        self._path = path
        self._hardware = list(hardware)
        self._rows: dict[tuple[str, str], Row] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._count(item, report)
        return report

    def _count(self, item: pytest.Item, report: pytest.TestReport) -> None:
        key = (item.path.stem.removeprefix("test_"), implementation_of(item))
        row = self._rows.setdefault(key, Row(*key))
        row.seconds += report.duration
        if report.failed:
            row.failed += 1
        elif report.skipped:
            row.skipped += 1
            row.why_skipped = reason_of(report)
        elif report.when == "call":
            row.passed += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("conformance")
        for line in table(self.rows()):
            terminalreporter.write_line(line)

    def pytest_sessionfinish(self) -> None:
        rows = self.rows()
        facts = {
            "schema": "jianzai.conformance",
            "version": 1,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "hardware": self._hardware,
            "passed": sum(row.passed for row in rows),
            "failed": sum(row.failed for row in rows),
            "skipped": sum(row.skipped for row in rows),
            "rows": [asdict(row) | {"seconds": round(row.seconds, 2)} for row in rows],
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", "utf-8")

    def rows(self) -> list[Row]:
        return [self._rows[key] for key in sorted(self._rows)]


def implementation_of(item: pytest.Item) -> str:
    """The parameters of fixtures, and not those a test was parametrised with directly."""
    callspec = getattr(item, "callspec", None)
    if callspec is None:
        return ALONE
    direct = {name for mark in item.iter_markers("parametrize") for name in _names(mark)}
    made = [value for name, value in callspec.params.items() if name not in direct]
    return "-".join(map(_word, made)) or ALONE


def _names(mark: pytest.Mark) -> list[str]:
    if mark.kwargs.get("indirect"):
        return []
    names = mark.args[0] if mark.args else mark.kwargs["argnames"]
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)


def _word(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def reason_of(report: pytest.TestReport) -> str:
    """`(file, line, "Skipped: why")` is what pytest keeps of a skip."""
    longrepr = report.longrepr
    return str(longrepr[2]).removeprefix("Skipped: ") if isinstance(longrepr, tuple) else ""


def table(rows: Sequence[Row]) -> list[str]:
    wide = max((len(row.implementation) for row in rows), default=0)
    lines = [f"{'device':14} {'implementation':{wide}} passed failed skipped seconds"]
    for row in rows:
        counts = f"{row.passed:6} {row.failed:6} {row.skipped:7} {row.seconds:7.1f}"
        note = f"  {row.why_skipped}" if row.skipped and not row.passed else ""
        lines.append(f"{row.device:14} {row.implementation:{wide}} {counts}{note}")
    return lines
