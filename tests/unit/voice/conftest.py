"""One build of all packs for the whole folder, and sound cards that write files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.app import voice_build
from tests.alsa_bench import SoundCards, sound_cards


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All interim packs; to be read, not changed."""
    folder = tmp_path_factory.mktemp("voices")
    for tongue in voice_build.TONGUES:
        voice_build.build(tongue, folder, None, lambda: None)
    return folder


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCards]:
    yield from sound_cards(tmp_path, monkeypatch)
