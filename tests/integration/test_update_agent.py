"""Releases from the keys to the kiosk: fetched, tried, kept, or sent back (feature 14)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.update import launcher
from edge.update.agent import CONFIRM_S, GIVE_UP_S, Phase, Signs
from edge.wire.releases import Window
from tests.fleet_world import Centre, KioskFolders, wheel

MODEL = {"model/face.bin": b"m" * 5000}
APP_1 = {"app/jianzai-1.whl": wheel("hello", __main__="print('one')"), **MODEL}
APP_2 = {"app/jianzai-2.whl": wheel("hello", __main__="print('two')"), **MODEL}
BROKEN = {"app/a.whl": wheel("hello", __main__="raise SystemExit(1)")}


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path / "centre")


@pytest.fixture
def kiosk(tmp_path: Path, centre: Centre) -> KioskFolders:
    return KioskFolders(tmp_path / "kiosk", centre)


def run_current(kiosk: KioskFolders) -> str:
    """What the launcher starts."""
    command = [sys.executable, launcher.__file__, str(kiosk.root), str(kiosk.state), "run"]
    done = subprocess.run(
        [*command, "--", "-m", "hello"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_f14_a_release_is_fetched_tried_confirmed_and_runs(
    centre: Centre, kiosk: KioskFolders
) -> None:
    wanted = centre.assign(centre.release(1, APP_1))
    agent = kiosk.agent()
    assert agent.turn(wanted).phase is Phase.TRIAL
    assert kiosk.beside.restarts == 1
    assert run_current(kiosk) == "one"
    assert agent.turn(wanted).phase is Phase.TRIAL
    kiosk.mono_s += CONFIRM_S
    assert agent.turn(wanted).phase is Phase.CONFIRMED
    assert agent.turn(wanted).phase is Phase.IDLE
    boot = launcher.load(kiosk.state)
    assert (launcher.serial_of(boot.current), boot.trial) == (1, "")


def test_f14_only_what_changed_is_fetched_again(centre: Centre, kiosk: KioskFolders) -> None:
    first = centre.release(1, APP_1)
    second = centre.release(2, APP_2)
    agent = kiosk.agent()
    agent.turn(centre.assign(first))
    shelf = kiosk.folder / "shelf"
    before = {path.name for path in shelf.iterdir()}
    kiosk.mono_s += CONFIRM_S
    agent.turn(None)
    kiosk.mono_s += CONFIRM_S
    agent.turn(None)
    agent.turn(centre.assign(second, 2))
    fresh = {path.name for path in shelf.iterdir()} - before
    assert len(fresh) == 1, "the model was there already"
    assert run_current(kiosk) == "two"


def test_f14_no_switch_while_somebody_is_served_nor_outside_the_window(
    centre: Centre, kiosk: KioskFolders
) -> None:
    night = Window(1, 2)
    wanted = centre.assign(centre.release(1, APP_1), window=night)
    agent = kiosk.agent()
    assert agent.turn(wanted).phase is Phase.STAGED
    kiosk.now += timedelta(days=8)
    kiosk.beside.served = True
    assert agent.turn(wanted).phase is Phase.STAGED
    kiosk.beside.served = False
    assert agent.turn(wanted).phase is Phase.TRIAL


def test_f14_three_starts_without_confirmation_bring_the_old_one_back(
    centre: Centre, kiosk: KioskFolders
) -> None:
    wanted = centre.assign(centre.release(1, BROKEN))
    agent = kiosk.agent()
    agent.turn(wanted)
    for _ in range(launcher.ATTEMPTS):
        assert launcher.before_start(kiosk.root, kiosk.state).trial
    boot = launcher.before_start(kiosk.root, kiosk.state)
    assert (boot.running, boot.bad) == (launcher.FACTORY, (1,))
    told = kiosk.agent().turn(wanted)
    assert (told.phase, told.word) == (Phase.BACK, "bad"), "it is never tried again"


def test_f14_without_signs_of_life_it_goes_back_by_itself(
    centre: Centre, kiosk: KioskFolders
) -> None:
    wanted = centre.assign(centre.release(1, APP_1))
    agent = kiosk.agent()
    agent.turn(wanted)
    kiosk.beside.well = Signs(True, False, True, True)
    agent.turn(wanted)
    kiosk.mono_s += GIVE_UP_S
    told = agent.turn(wanted)
    assert (told.phase, told.details) == (Phase.BACK, "no sign of life: camera")
    assert kiosk.beside.restarts == 2


def test_f14_what_fails_its_own_check_is_never_switched_to(
    centre: Centre, kiosk: KioskFolders
) -> None:
    kiosk.beside.fault = "golden"
    told = kiosk.agent().turn(centre.assign(centre.release(1, APP_1)))
    assert (told.phase, told.word) == (Phase.REFUSED, "golden")
    assert launcher.load(kiosk.state).bad == (1,)
    assert kiosk.beside.restarts == 0


def test_f14_refused_assignments(centre: Centre, kiosk: KioskFolders) -> None:
    good = centre.release(3, APP_1)
    agent = kiosk.agent()
    foreign = centre.assign(good, kiosk_id="K-0002")
    assert agent.turn(foreign).word == "foreign"
    other = centre.assign(good, manifest_sha256="0" * 64)
    assert agent.turn(other).word == "mix-and-match"
    assert agent.turn(centre.assign(replace(good, serial=9), 2)).word == "unsigned"
    wrong = centre.release(4, APP_1, machines=("riscv64",))
    assert agent.turn(centre.assign(wrong, 3)).word == "hardware"
    assert agent.turn(centre.assign(good, 2)).word == "replayed"
    assert kiosk.beside.restarts == 0


def test_f14_an_emptied_cache_and_a_replayed_repository_are_no_way_back(
    centre: Centre, kiosk: KioskFolders, tmp_path: Path
) -> None:
    """The attack that plain python-tuf falls for: a power cut, then an old mirror."""
    shutil.copytree(centre.folder, tmp_path / "old")
    manifest = centre.release(1, APP_1)
    kiosk.agent().turn(centre.assign(manifest))
    for path in (kiosk.folder / "trust").rglob("*.json"):
        if path.name != "marks.json" and not path.is_symlink():
            path.write_bytes(b"")
    shutil.rmtree(centre.folder)
    shutil.copytree(tmp_path / "old", centre.folder)
    kiosk.trust = kiosk.new_trust()
    launcher.save(kiosk.state, launcher.Boot())
    shutil.rmtree(kiosk.root / "releases")
    assert kiosk.agent().turn(centre.assign(manifest, 2)).word == "rollback"


def test_f14_a_clock_in_the_past_does_not_make_stale_metadata_fresh(
    centre: Centre, kiosk: KioskFolders
) -> None:
    manifest = centre.release(1, APP_1)
    kiosk.trust.not_before(centre.now + timedelta(days=30))
    kiosk.now = centre.now - timedelta(days=9000)
    assert kiosk.agent().turn(centre.assign(manifest)).word == "expired"


def test_a_cut_between_state_and_link_is_mended_at_the_next_start(
    centre: Centre, kiosk: KioskFolders
) -> None:
    kiosk.agent().turn(centre.assign(centre.release(1, APP_1)))
    launcher.point(kiosk.root, launcher.FACTORY)
    assert run_current(kiosk) == "one"
    assert (kiosk.root / "current").resolve().name.startswith("1-")


def test_damaged_state_leads_to_the_other_copy_then_to_the_factory(kiosk: KioskFolders) -> None:
    launcher.save(kiosk.state, launcher.Boot(current="factory", reason="kept"))
    (kiosk.state / "boot.json").write_text("0" * 64 + "\n{}")
    assert launcher.load(kiosk.state).reason == "kept"
    (kiosk.state / "boot.old.json").write_text(json.dumps({}))
    assert launcher.load(kiosk.state).running == launcher.FACTORY


def test_the_launcher_stands_alone_and_is_short() -> None:
    text = Path(launcher.__file__).read_text("utf-8")
    assert len(text.splitlines()) <= 200
    assert "edge." not in text.partition('"""')[2].partition('"""')[2]
