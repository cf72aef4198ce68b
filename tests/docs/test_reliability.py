"""The figures on the page are those of the report that is kept beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.campaign import CAMPAIGNS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
REPORT = max((ROOT / "docs" / "reports").glob("chaos-*.json"))


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))
    return found


def figures(report: dict[str, Any]) -> list[str]:
    """As the page has to word them."""
    cuts, disk, kills = report["power_cuts"], report["disk_full"], report["kills"]
    away, clocks, real = report["offline"], report["clocks"], report["real_kiosk"]
    salvage, faults = cuts["salvage"], disk["store_faults"] + disk["kiosk_faults"]
    return [
        f"{cuts['cuts']:,} cuts: {cuts['corrupt']} damaged, {cuts['lost']} lost",
        f"{salvage['cuts']:,} cuts: at most {salvage['worst']} record lost by each, "
        f"{salvage['saved_share']:.1%} saved",
        f"{faults:,} faults: {disk['half_done']} half-done, {disk['untrue']} false words, "
        f"{disk['stuck']} stuck",
        f"{kills['kills']} kills at {kills['points']} points: {kills['lost']} lost, "
        f"{kills['doubled']} doubled",
        f"{away['hours']} hours, {away['power_cuts']} cuts: {away['registry']} of "
        f"{away['certifications']} arrived",
        f"{clocks['records']:,} records: {clocks['false']} false times",
        f"{clocks['faketime']['cases']} wrong clocks: {clocks['faketime']['kept']} visits served",
        f"{real['runs']} runs, {real['kills']} kills: {real['lost']} lost, "
        f"{real['doubled']} doubled",
    ]


def test_the_page_quotes_the_kept_report(report: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"reports/{REPORT.name}" in text
    assert [words for words in figures(report) if words not in text] == []


def test_every_campaign_in_it_was_run_in_full_and_kept_its_promises(report: dict[str, Any]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in CAMPAIGNS:
        if name in report:
            assert report[name]["form"] == "full", name
            assert report[name]["broken"] == [], name
            assert f"tests/chaos/campaigns/{name}.py" in text
