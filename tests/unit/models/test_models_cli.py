"""`python -m edge models …`: words for people, JSON for machines, exit codes for both."""

import argparse
import json
import shutil

from edge.app.models_cli import add_parser
from edge.models.manifest import specs


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
    assert [row["sha256"] for row in rows] == [spec.sha256 for spec in specs().values()]


def test_build_from_a_stick_shows_each_step(models_dir, tmp_path, capsys) -> None:
    assert run("build", "--dir", str(tmp_path), "--from", str(models_dir)) == 0
    words = capsys.readouterr().out
    assert words.count("built") == len(specs())


def test_build_from_an_empty_stick_fails_with_2(tmp_path, capsys) -> None:
    (tmp_path / "stick").mkdir()
    assert run("build", "--dir", str(tmp_path), "--from", str(tmp_path / "stick")) == 2
    assert "cannot be read" in capsys.readouterr().err
