"""The model files for tests: built once into the project's cache, then only checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.models.build import build


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """A folder that holds every model of the manifest."""
    return build()
