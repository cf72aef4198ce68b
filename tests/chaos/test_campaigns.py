"""Every campaign of `make chaos` in its short form."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import psutil
import pytest

from tests.chaos import campaign, faketime
from tests.chaos.campaign import CAMPAIGNS, Quiet, Size
from tests.leftovers import open_files

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_the_promises_hold_in_short_form(name: str) -> None:
    before = left_over()
    section = campaign.play(name, Size(), Quiet())
    assert section["broken"] == []
    json.dumps(section)
    assert left_over() == before
    if section.get("not_run"):
        pytest.skip("; ".join(section["not_run"]))


def left_over() -> tuple[int, set[str], list[str]]:
    """Open files, threads and processes; a campaign ends all of its own."""
    children = psutil.Process().children(recursive=True)
    threads = {thread.name for thread in threading.enumerate()}
    return open_files(), threads, [child.name() for child in children]


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_every_campaign_says_what_it_is(name: str) -> None:
    assert campaign.title(name).endswith(".")


def test_a_broken_promise_is_named_with_its_campaign() -> None:
    sections = {"kills": {"broken": ["a record was lost"]}, "offline": {"broken": []}}
    assert campaign.broken(sections) == ["kills: a record was lost"]


def test_one_campaign_run_alone_keeps_what_the_others_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "CAMPAIGNS", ("kills", "offline"))
    path = tmp_path / "chaos" / "report.json"
    campaign.merge(path, {"offline": {"hours": 72}}, {"date": "old"})
    report = campaign.merge(path, {"kills": {"lost": 0}}, {"date": "new"})
    assert report == {"date": "new", "kills": {"lost": 0}, "offline": {"hours": 72}}
    assert json.loads(path.read_text()) == report


def test_a_part_that_this_machine_cannot_play_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(faketime, "LIBRARY", "no/such/library")
    matrix = faketime.play(Size(), Quiet())
    assert matrix == {"not_run": faketime.MISSING, "broken": []}
    sections = {"clocks": {"not_run": [matrix["not_run"]]}, "kills": {}}
    assert campaign.not_run(sections) == [f"clocks: {faketime.MISSING}"]
