"""Fixtures for every test."""

import logging
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.fixtures_models", "tests.fixtures_broker", "tests.fixtures_cloud"]


@pytest.fixture(autouse=True)
def log_levels_as_they_were() -> Iterator[None]:
    """A command that was run in this process may have asked for less to be logged."""
    ours = logging.getLogger("edge")
    before = ours.level, logging.root.manager.disable
    yield
    ours.setLevel(before[0])
    logging.disable(before[1])
