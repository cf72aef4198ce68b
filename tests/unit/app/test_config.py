"""A wrong setting is an error that says where, what is allowed and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.app.config import load
from edge.domain.errors import ConfigError
from edge.drivers.panel_gpio import Pins
from provisioning.site import make_site

GOOD = """\
kiosk_id = "K-1"
terminal_no = "001"
site = "测试社区"
[agency]
name = "测试中心"
office = "测试路1号"
phone = "12333"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text))
    return str(caught.value)


def test_a_small_file_is_enough_and_files_are_relative_to_it(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config.mode == "production"
    assert config.devices.camera == "opencv"
    assert config.path(config.keys.sign) == tmp_path / "sign.key"


def test_an_unknown_key_is_named_with_a_suggestion_and_what_is_allowed(tmp_path: Path) -> None:
    words = complaint(tmp_path, GOOD + "[devices]\ncamara = 'sim'\n")
    assert str(tmp_path / "site.toml") in words
    assert "unknown key devices.camara" in words
    assert "did you mean camera?" in words
    assert "printer_columns" in words


def test_a_missing_key_says_what_it_is_for(tmp_path: Path) -> None:
    words = complaint(tmp_path, GOOD.replace('phone = "12333"\n', ""))
    assert "agency.phone is missing: Help line" in words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tries = 9\n", "tries = 9 is outside 1..5"),
        ('tries = "3"\n', "tries = '3' must be of type int"),
        ('mode = "test"\n', "mode = 'test' is not one of 'demo', 'production'"),
        ("broker = 3\n", "broker must be a table: [broker]"),
        ("tries = \n", "Invalid value"),
    ],
)
def test_a_wrong_value_says_what_is_allowed(tmp_path: Path, line: str, expected: str) -> None:
    words = complaint(tmp_path, line + GOOD)
    assert expected.replace("'demo', 'production'", "") in words


DEVICES = ["card_reader", "photo_decoder", "camera", "printer", "voice", "panel", "scanner"]


@pytest.mark.parametrize("device", DEVICES)
def test_f20_a_simulated_device_is_refused_in_production(tmp_path: Path, device: str) -> None:
    words = complaint(tmp_path, GOOD + f'[devices]\n{device} = "sim"\n')
    assert f"devices.{device} is simulated" in words
    demo = 'mode = "demo"\n' + GOOD + f'[devices]\n{device} = "sim"\n'
    assert getattr(load(written(tmp_path, demo)).devices, device) == "sim"


@pytest.mark.parametrize("minutes", [0, 241])
def test_a_kiosk_cannot_be_told_never_to_start_anew(tmp_path: Path, minutes: int) -> None:
    words = complaint(tmp_path, GOOD + f"[screen]\nfresh_start_min = {minutes}\n")
    assert f"screen.fresh_start_min = {minutes} is outside 5..240" in words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("fill_light = 17", "panel.fill_light = 17 is not one of (0, 12, 13, 18, 19)"),
        ("tamper = 2", "panel.tamper = 2 is not one of"),
        ("buzzer = 28", "panel.buzzer = 28 is not one of"),
        ("buzzer = 6", "panel.call_button = 6 is already panel.buzzer"),
        ("fill_light_percent = 0", "panel.fill_light_percent = 0 is outside 1..100"),
    ],
)
def test_a_wrong_pin_says_what_is_allowed(tmp_path: Path, line: str, expected: str) -> None:
    assert expected in complaint(tmp_path, GOOD + f"[panel]\n{line}\n")


def test_pins_that_are_not_fitted_are_nought_and_may_be_many(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD + "[panel]\npresence = 0\nbuzzer = 0\n"))
    assert (config.panel.pins["presence"], config.panel.pins["buzzer"]) == (0, 0)
    assert Pins(**config.panel.pins).fill_light == 18


@pytest.mark.parametrize("port", ["socket://10.0.0.2:4000", "/dev/pts/3", "/tmp/sim/port"])
@pytest.mark.parametrize("device", ["card_reader_port", "printer_port", "scanner_port"])
def test_a_stand_in_behind_a_real_driver_is_refused_in_production(
    tmp_path: Path, device: str, port: str
) -> None:
    words = complaint(tmp_path, GOOD + f'[devices]\n{device} = "{port}"\n')
    assert f"devices.{device}" in words
    demo = 'mode = "demo"\n' + GOOD + f'[devices]\n{device} = "{port}"\n'
    assert getattr(load(written(tmp_path, demo)).devices, device) == port


def test_what_provisioning_writes_can_be_read(tmp_path: Path) -> None:
    for mode in ("demo", "production"):
        site = make_site(tmp_path / mode, ["K-9"], mode=mode)
        assert load(site.kiosk("K-9") / "site.toml").mode == mode


def edge(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )


@pytest.mark.parametrize("command", ["run", "simulate", "sync", "status"])
def test_bad_configuration_ends_with_code_2_and_one_line(tmp_path: Path, command: str) -> None:
    path = written(tmp_path, GOOD + "colour = 'red'\n")
    done = edge(command, "--site", str(path))
    assert done.returncode == 2
    assert "unknown key agency.colour" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_models_end_with_code_2_and_say_what_to_do(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", ["K-9"], mode="demo")
    done = edge(
        "simulate", "--site", str(site.kiosk("K-9") / "site.toml"), JIANZAI_MODELS=str(tmp_path)
    )
    assert done.returncode == 2, done.stderr
    assert "python -m edge models build" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", ["K-9"], mode="demo")
    (site.kiosk("K-9") / "card.key").unlink()
    done = edge("simulate", "--site", str(site.kiosk("K-9") / "site.toml"))
    assert done.returncode == 2
    assert "card.key: key file is missing" in done.stderr
