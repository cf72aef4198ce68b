"""`python -m edge models …`: words for people, JSON for machines, exit codes for both."""

import argparse
import json
import shutil

import pytest

from edge.app.models_cli import add_parser
from edge.models.manifest import optional_specs, specs


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["models", *words])
    return args.run(args)


def test_verify_is_content_with_what_build_made(models_dir, capsys) -> None:
    assert run("verify", "--dir", str(models_dir)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(specs())
    assert all(line.startswith("ok") for line in lines)


def test_verify_names_the_bad_file_and_exits_with_2(models_dir, tmp_path, capsys) -> None:
    shutil.copytree(models_dir, tmp_path / "m")
    (tmp_path / "m" / "face_mesh.tflite").write_bytes(b"x")
    (tmp_path / "m" / "face_detector.tflite").unlink()
    assert run("verify", "--dir", str(tmp_path / "m")) == 2
    bad = [line for line in capsys.readouterr().out.splitlines() if line.startswith("BAD")]
    assert len(bad) == 2
    assert all("python -m edge models build" in line and "expected sha256" in line for line in bad)
    assert specs()["face_mesh"].sha256 in bad[1]


def test_verify_in_json(models_dir, tmp_path, capsys) -> None:
    assert run("verify", "--json", "--dir", str(tmp_path)) == 2
    told = json.loads(capsys.readouterr().out)
    assert [row["ok"] for row in told["models"]] == [False] * len(specs())
    assert run("verify", "--json", "--dir", str(models_dir)) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["models"]] == list(specs())


def test_list_says_source_and_licence(capsys) -> None:
    assert run("list") == 0
    words = capsys.readouterr().out
    assert "face_recognition_models 0.3.0" in words
    assert "CC0-1.0" in words
    assert run("list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["sha256"] for row in rows if row["needed"]] == [s.sha256 for s in specs().values()]
    assert [row["name"] for row in rows if not row["needed"]] == list(optional_specs())


def test_build_from_a_stick_shows_each_step(models_dir, tmp_path, capsys) -> None:
    assert run("build", "--dir", str(tmp_path), "--from", str(models_dir)) == 0
    words = capsys.readouterr().out
    assert words.count("built") == len(specs())


def test_build_from_an_empty_stick_fails_with_2(tmp_path, capsys) -> None:
    (tmp_path / "stick").mkdir()
    assert run("build", "--dir", str(tmp_path), "--from", str(tmp_path / "stick")) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.eval_data
def test_weights_are_fetched_from_a_folder_converted_and_checked(
    eval_data, models_dir, tmp_path, capsys
) -> None:
    weights = str(eval_data / "weights")
    assert run("fetch", "minifasnet", "--dir", str(tmp_path), "--from", weights) == 0
    assert "converting" in capsys.readouterr().out
    for spec in specs().values():
        shutil.copy(models_dir / spec.file, tmp_path)
    assert run("verify", "--dir", str(tmp_path)) == 0
    assert capsys.readouterr().out.count("ok ") == len(specs()) + len(optional_specs())
    (tmp_path / "minifasnet_wide.tflite").write_bytes(b"x")
    assert run("verify", "--dir", str(tmp_path)) == 2


def test_other_weights_are_refused(tmp_path, capsys) -> None:
    for spec in optional_specs().values():
        (tmp_path / spec.archive.file).write_bytes(b"not these")
    assert run("fetch", "minifasnet", "--dir", str(tmp_path / "m"), "--from", str(tmp_path)) == 2
    assert "expected sha256 a5eb02e1843f19b5" in capsys.readouterr().err
    assert list((tmp_path / "m").iterdir()) == []


def test_no_way_to_the_address_says_what_to_do(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert run("fetch", "minifasnet", "--dir", str(tmp_path)) == 2
    told = capsys.readouterr().err
    assert "2.7_80x80_MiniFASNetV2.pth elsewhere" in told
    assert "--from" in told
