"""One hall for the browser tests of a module; `BROWSER_OUT`: the folder their pictures go to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests import fixtures_cloud
from tests.browser.hall import CHROMIUM, Hall


class Shoot(Protocol):
    def __call__(self, tab: Any, name: str) -> None: ...


@pytest.fixture(scope="module")
def _hall(request: pytest.FixtureRequest) -> Iterator[Hall]:
    """Closed with its module: while playwright's loop runs, Django takes every test for one inside
    it and refuses, and others count the processes that they have started."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    others_need_one = bool(fixtures_cloud._HOME) and not fixtures_cloud.POSTGRESQL
    migrated = Path(request.getfixturevalue("_migrated")) if others_need_one else None
    with Hall(migrated) as hall:
        yield hall


@pytest.fixture
def hall(_hall: Hall) -> Iterator[Hall]:
    """Fails the test for any script error, foreign request or breach of the policy."""
    yield _hall
    troubles, _hall.troubles[:] = list(_hall.troubles), []
    assert troubles == []


@pytest.fixture
def shoot() -> Shoot:
    """Keeps a picture if somebody wants to look at it."""
    folder = os.environ.get("BROWSER_OUT", "")

    def keep(tab: Any, name: str) -> None:
        if folder:
            Path(folder).mkdir(exist_ok=True)
            tab.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return keep
