"""Only the pinned files are models."""

import pytest

from edge.domain.errors import ModelError
from edge.models.manifest import default_dir, read_verified, specs


def test_every_model_says_where_it_comes_from_and_what_it_eats() -> None:
    assert list(specs()) == ["face_detector", "face_mesh", "eye_contour", "face_embedding"]
    for spec in specs().values():
        assert all((spec.what, spec.licence, spec.member, spec.archive.version))
        assert len(spec.sha256) == len(spec.member_sha256) == len(spec.archive.sha256) == 64
        assert len(spec.input_shape) == 4
        assert spec.input_shape[3] == 3
        assert spec.colour == "RGB"
        assert spec.value_range[0] < spec.value_range[1]
        assert spec.output_shapes


def test_a_missing_file_is_refused_with_what_to_do(tmp_path) -> None:
    spec = specs()["face_mesh"]
    with pytest.raises(ModelError) as refusal:
        read_verified(tmp_path, spec)
    words = str(refusal.value)
    assert str(tmp_path / "face_mesh.tflite") in words
    assert spec.sha256 in words
    assert "python -m edge models build" in words


def test_a_changed_file_is_refused_with_both_hashes(tmp_path, models_dir) -> None:
    spec = specs()["face_detector"]
    data = bytearray((models_dir / spec.file).read_bytes())
    data[1000] ^= 1
    (tmp_path / spec.file).write_bytes(data)
    with pytest.raises(ModelError) as refusal:
        read_verified(tmp_path, spec)
    words = str(refusal.value)
    assert spec.sha256 in words
    assert words.count("sha256") == 1
    assert "found" in words
    assert "python -m edge models build" in words


def test_the_folder_can_be_named_by_the_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("JIANZAI_MODELS", str(tmp_path))
    assert default_dir() == tmp_path
    monkeypatch.delenv("JIANZAI_MODELS")
    assert default_dir().parts[-2:] == (".cache", "models")
