"""The doctor: honest about each part, asks before it disturbs, and names nobody."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app import compose, doctor_devices
from edge.app.clock import SystemTime
from edge.app.compose import disk_of
from edge.app.config import Config, load
from edge.app.doctor import DEVICES, PARTS, Order, doctor, padded
from edge.app.ids import new_record_id
from edge.app.seal import DeviceSeal
from edge.app.sealing import Keyring
from edge.app.world import DEMO_NAME, DEMO_NUMBER, World, make_world
from edge.domain import findings
from edge.domain.errors import ConfigError
from edge.domain.findings import CODES, COMMON, Finding, Status, of_state
from edge.domain.health import Condition, DeviceState
from edge.domain.record import RecordId
from edge.drivers.sim.camera import SimCamera
from edge.drivers.sim.printer import Fault, SimPrinter
from edge.drivers.sim.voice import SimVoice
from edge.ports import Picture
from edge.session.states import Language
from edge.store.journal import SqliteJournal
from edge.ui.findings import told
from edge.ui.texts import catalogue, placeholders
from edge.wire import messages
from provisioning.site import make_site
from tests.leftovers import open_files
from tests.unit.app.test_lock import held

ZH, EN = catalogue(Language.ZH), catalogue(Language.EN)
KIOSK = "K-9"
ASKING = ("camera_picture", "printer_slip", "voice_sound")


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    loaded = load(make_site(tmp_path / "site", [KIOSK]).kiosk(KIOSK) / "site.toml")
    return replace(loaded, models=str(models_dir))


@pytest.fixture(autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    threads, files = set(threading.enumerate()), open_files()
    yield
    assert set(threading.enumerate()) <= threads
    assert open_files() <= files


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The worlds the doctor makes, to look at afterwards or to spoil beforehand."""
    made: list[World] = []

    def making(*args: Any) -> World:
        made.append(make_world(*args))
        return made[-1]

    monkeypatch.setattr("edge.app.doctor.make_world", making)
    return made


def examined(
    config: Config, *only: str, yes: bool = False, ask: Callable[[str], bool] | None = None
) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    code = doctor(config, Order(Language.ZH, only, as_json=True, yes=yes), out, ask)
    told_all = json.loads(out.getvalue())
    told_all["parts"] = {row["part"]: row for row in told_all["parts"]}
    return code, told_all


def statuses(config: Config, *only: str, **how: Any) -> dict[str, tuple[str, str]]:
    _, report = examined(config, *only, **how)
    return {part: (row["status"], row["code"]) for part, row in report["parts"].items()}


def with_devices(config: Config, **changes: Any) -> Config:
    return replace(config, devices=replace(config.devices, **changes))


def written(config: Config) -> SqliteJournal:
    return SqliteJournal(config.database, bytes(32), SystemTime())


# --- words ---


@pytest.mark.parametrize("part", CODES)
@pytest.mark.parametrize("language", Language)
def test_each_finding_has_words_and_each_trouble_a_way_out(part: str, language: Language) -> None:
    class Anything(dict[str, object]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    for code in (*CODES[part], *COMMON):
        for status in (Status.OK, Status.FAILED):
            row = told(Finding(part, status, code, Anything()), language)
            assert row.part
            assert row.state
            assert row.tried


GOOD = ("well", "working", "up", "nothing", "waiting", "heard", "said", "battery")


@pytest.mark.parametrize("part", CODES)
def test_every_trouble_says_what_to_do(part: str) -> None:
    for words in (ZH, EN):
        for code in CODES[part]:
            if code not in GOOD:
                own, common = f"doctor.{part}.{code}.fix", f"doctor.any.{code}.fix"
                assert words.get(own) or words.get(common), own


def test_no_words_of_the_doctor_are_left_over() -> None:
    used = {"title", "demo", "running", "asked_kiosk", "tried", "fix", "slip.title", "slip.line"}
    used |= {f"status.{status.value}" for status in Status}
    used |= {f"result.{name}" for name in ("ok", "warning", "failed")}
    used |= {"voice_sound.heard.ask", *(f"{part}.ask" for part in ASKING)}
    for part, codes in CODES.items():
        used |= {part, f"{part}.tried"}
        for code in codes:
            used |= {f"{part}.{code}", f"{part}.{code}.fix"}
    for code in (*COMMON, *findings.FAULTS):
        used |= {f"any.{code}", f"any.{code}.fix"}
    mine = {key.removeprefix("doctor.") for key in ZH if key.startswith("doctor.")}
    assert mine - used == set()


def test_words_in_braces_are_given_by_the_checks() -> None:
    """Those a check does not know would stand as an error in a technician's face."""
    for key, words in ZH.items():
        if key.startswith("doctor.") and key.split(".")[1] == "any":
            assert placeholders(words) == set(), key


def test_every_part_has_a_check_and_codes() -> None:
    assert list(PARTS) == list(CODES)


def test_columns_are_counted_as_a_terminal_does() -> None:
    assert padded("读卡器a", 10) == "读卡器a   "


# --- all well, and asking ---


def test_a_kiosk_in_order(config: Config, world: list[World]) -> None:
    code, report = examined(config, yes=True)
    assert code == 0
    found = {part: row["status"] for part, row in report["parts"].items()}
    assert [
        row["fix"] for row in report["parts"].values() if row["status"] == "ok" and row["fix"]
    ] == []
    assert {part for part in DEVICES if part in found} == {
        part for part, status in found.items() if status == "ok" and part in DEVICES
    }
    assert "读卡" in world[0].printer.text or "打印测试" in world[0].printer.text
    assert world[0].sam.log
    assert "panel" not in found


def test_the_shape_of_the_json_is_stable(config: Config) -> None:
    _, report = examined(config, "disk")
    assert set(report) == {
        "schema", "version", "kiosk_id", "software", "at", "kiosk_running", "result", "parts",
    }  # fmt: skip
    assert (report["schema"], report["version"], report["kiosk_id"]) == ("jianzai.doctor", 1, KIOSK)
    assert report["kiosk_running"] is False
    [row] = report["parts"].values()
    kinds = {name: type(value).__name__ for name, value in row.items()}
    assert kinds == {
        "part": "str", "status": "str", "code": "str", "state": "str", "tried": "str",
        "fix": "str", "detail": "str", "seconds": "float",
    }  # fmt: skip


def test_without_anybody_to_ask_nothing_is_disturbed(
    config: Config, world: list[World], counted: dict[str, int]
) -> None:
    found = statuses(config)
    assert {found[part] for part in ASKING} == {("not_tried", "unasked")}
    assert counted == {"frames": 0, "words": 0}
    assert world[0].printer.sheets == ()


def test_a_no_is_a_no_and_each_thing_is_asked_by_itself(
    config: Config, world: list[World], counted: dict[str, int]
) -> None:
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    found = statuses(config, ask=no)
    assert {found[part] for part in ASKING} == {("not_tried", "declined")}
    assert asked == [ZH[f"doctor.{part}.ask"] for part in ASKING]
    assert counted == {"frames": 0, "words": 0}
    assert world[0].printer.sheets == ()


def test_whoever_says_yes_is_asked_what_they_heard(config: Config) -> None:
    heard = ZH["doctor.voice_sound.heard.ask"]
    assert statuses(config, "voice_sound", ask=lambda _: True) == {"voice_sound": ("ok", "heard")}
    deaf = statuses(config, "voice_sound", ask=lambda question: question != heard)
    assert deaf == {"voice_sound": ("failed", "unheard")}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """How many frames left the camera and how many sentences the loudspeaker."""
    cameras: list[SimCamera] = []
    voices: list[SimVoice] = []
    camera, voice = compose.camera, compose.voice

    def seeing(*args: Any) -> Any:
        cameras.append(camera(*args))  # type: ignore[arg-type]
        return cameras[-1]

    def hearing(*args: Any) -> Any:
        voices.append(voice(*args))  # type: ignore[arg-type]
        return voices[-1]

    monkeypatch.setattr(compose, "camera", seeing)
    monkeypatch.setattr(compose, "voice", hearing)
    counts = Counts(cameras, voices)
    yield counts
    assert cameras or voices


class Counts(dict[str, int]):
    def __init__(self, cameras: list[SimCamera], voices: list[SimVoice]) -> None:
        self._cameras, self._voices = cameras, voices

    def __eq__(self, other: object) -> bool:
        frames = sum(camera.delivered for camera in self._cameras)
        words = sum(len(voice.utterances) for voice in self._voices)
        return {"frames": frames, "words": words} == other

    __hash__ = None  # type: ignore[assignment]


# --- something is broken ---


@pytest.mark.parametrize(
    ("part", "changes", "code"),
    [
        ("card_reader", {"card_reader": "sam-serial", "card_reader_port": "/dev/none"}, "absent"),
        ("camera", {"camera": "opencv", "camera_source": "99"}, "absent"),
        ("camera_picture", {"camera": "opencv", "camera_source": "99"}, "absent"),
        ("printer", {"printer": "escpos-serial", "printer_port": "/dev/none"}, "absent"),
        ("printer_slip", {"printer": "escpos-serial", "printer_port": "/dev/none"}, "absent"),
        ("photo_decoder", {"photo_decoder": "vendor", "photo_library": "none.so"}, "absent"),
    ],
)
def test_a_device_that_is_not_there_fails_and_says_what_to_do(
    config: Config, part: str, changes: dict[str, str], code: str
) -> None:
    exit_code, report = examined(with_devices(config, **changes), part, yes=True)
    row = report["parts"][part]
    assert exit_code == 1
    assert (row["status"], row["code"]) == ("failed", code)
    assert row["fix"]
    assert row["detail"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.SILENT, "failed", "silent"),
        (Fault.PAPER_OUT, "failed", "empty"),
        (Fault.COVER_OPEN, "failed", "refused"),
        (Fault.RUBBISH, "failed", "garbled"),
        (Fault.NEAR_END, "warning", "near_end"),
    ],
)
def test_a_printer_in_trouble(
    config: Config, monkeypatch: pytest.MonkeyPatch, fault: Fault, status: str, code: str
) -> None:
    def in_trouble(*args: Any) -> World:
        made = make_world(*args)
        made.printer.add(fault)
        return made

    monkeypatch.setattr("edge.app.doctor.make_world", in_trouble)
    exit_code, report = examined(config, "printer", yes=True)
    rows = report["parts"]
    assert (rows["printer"]["status"], rows["printer"]["code"]) == (status, code)
    assert exit_code == (1 if status == "failed" else 0)
    slip = {"failed": ("not_tried", "down"), "warning": ("ok", "well")}[status]
    assert (rows["printer_slip"]["status"], rows["printer_slip"]["code"]) == slip


def test_a_printer_that_never_confirms_has_not_printed(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.drivers.printer_escpos.PRINT_S", 0.5)
    monkeypatch.setattr(
        "edge.app.doctor.make_world", lambda *args: _spoiled(make_world(*args), Fault.NO_END_MARK)
    )
    assert statuses(config, "printer_slip", yes=True) == {"printer_slip": ("failed", "silent")}


def _spoiled(world: World, fault: Fault) -> World:
    printer: SimPrinter = world.printer
    printer.add(fault)
    return world


def test_a_camera_that_hangs_and_one_that_is_covered(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dark:
        def picture(self, now_ns: int) -> Any:  # dark at all times
            import numpy as np

            return np.zeros((48, 64, 3), np.uint8)

    def covered(*_: Any) -> SimCamera:
        return SimCamera(Dark(), compose.mono_ns, fps=200)

    def hanging(*_: Any) -> SimCamera:
        camera = covered()
        camera.freeze()
        return camera

    monkeypatch.setattr(compose, "camera", covered)
    assert statuses(config, "camera_picture", yes=True)["camera_picture"] == ("warning", "dark")
    monkeypatch.setattr("edge.drivers.sim.camera.HANG_S", 0.1)
    monkeypatch.setattr(compose, "camera", hanging)
    found = statuses(config, "camera_picture", yes=True)
    assert found == {"camera_picture": ("failed", "silent")}
    found = statuses(config, "camera", yes=True)
    assert found == {"camera": ("failed", "silent"), "camera_picture": ("not_tried", "down")}


def test_a_missing_model_and_a_changed_one(config: Config, tmp_path: Path) -> None:
    assert statuses(replace(config, models=str(tmp_path)), "models")["models"] == ("failed", "bad")


def test_a_bug_in_one_check_leaves_the_others(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> Finding:
        raise RuntimeError(DEMO_NAME)

    monkeypatch.setattr("edge.app.doctor.PARTS", {**PARTS, "keys": broken})
    exit_code, report = examined(config, "keys", "disk")
    assert exit_code == 1
    assert report["parts"]["keys"]["code"] == "crash"
    assert report["parts"]["disk"]["status"] == "ok"
    assert DEMO_NAME not in json.dumps(report, ensure_ascii=False) + caplog.text


def test_a_part_that_this_kiosk_does_not_have(config: Config) -> None:
    with pytest.raises(ConfigError, match="no scanner"):
        examined(config, "scanner")
    fitted = with_devices(config, panel="sim", scanner="sim")
    assert set(statuses(fitted, "panel", "scanner").values()) == {("ok", "well")}


def test_an_open_housing(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*args: Any) -> World:
        made = make_world(*args)
        made.panel.happen(tamper_open=True)
        return made

    monkeypatch.setattr("edge.app.doctor.make_world", opened)
    assert statuses(with_devices(config, panel="sim"), "panel")["panel"] == (
        "failed",
        "tamper_open",
    )


# --- the machine itself ---


def test_keys_that_are_missing_readable_or_anothers(config: Config) -> None:
    assert statuses(config, "keys") == {"keys": ("ok", "well")}
    assert statuses(replace(config, kiosk_id="K-8"), "keys") == {"keys": ("failed", "other_kiosk")}
    secret = config.base / "card.key"
    secret.chmod(0o644)
    assert statuses(config, "keys") == {"keys": ("warning", "readable")}
    secret.chmod(0o600)
    certificate = config.path(config.keys.receipt).rename(config.base / "elsewhere")
    assert statuses(config, "keys") == {"keys": ("warning", "no_codes")}
    certificate.rename(config.path(config.keys.receipt))
    assert statuses(config, "keys") == {"keys": ("ok", "well")}
    words = secret.read_text()
    secret.unlink()
    _, report = examined(config, "keys")
    row = report["parts"]["keys"]
    assert (row["status"], row["code"]) == ("failed", "bad")
    assert "card.key" in row["state"]
    assert words.strip() not in json.dumps(report)


def test_the_database(config: Config) -> None:
    assert statuses(config, "database", "roster", "outbox") == {
        "database": ("warning", "none"),
        "roster": ("not_tried", "no_database"),
        "outbox": ("not_tried", "no_database"),
    }
    assert not config.database.exists()
    with closing(written(config)) as journal:
        for _ in range(3):
            sign_one(config, journal)
    assert statuses(config, "database", "roster", "outbox") == {
        "database": ("ok", "well"),
        "roster": ("warning", "none"),
        "outbox": ("ok", "waiting"),
    }
    with closing(sqlite3.connect(config.database)) as db, db:
        db.execute("DROP TRIGGER records_never_change")
        db.execute("UPDATE records SET payload = x'79' WHERE seq = 2")
    _, report = examined(config, "database")
    assert report["parts"]["database"]["code"] == "broken_chain"
    assert "2" in report["parts"]["database"]["state"]
    config.database.write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert statuses(config, "database") == {"database": ("failed", "damaged")}
    disk_of(config, Keyring.load(config), SystemTime()).close()  # a kiosk that starts
    _, report = examined(config, "database")
    row = report["parts"]["database"]
    assert (row["status"], row["code"]) == ("warning", "made_anew")


def sign_one(config: Config, journal: SqliteJournal) -> None:
    seal, record_id = DeviceSeal(config.kiosk_id, Keyring.load(config).sign), new_record_id()
    journal.commit(
        record_id,
        messages.CLOCK,
        lambda place: seal.notice(messages.CLOCK, record_id, b"{}", place),
    )


def test_an_old_and_a_held_record(config: Config) -> None:
    old = RecordId("018bb000-bc87-7026-9a9e-aa17876f4f00")
    with closing(written(config)) as journal:
        row = journal.commit(old, "record", lambda position: b"x")
        assert statuses(config, "outbox") == {"outbox": ("warning", "old")}
        with journal.database.write() as db:
            db.execute("UPDATE outbox SET quarantined = 1")
    assert row.record_id == old
    assert statuses(config, "outbox") == {"outbox": ("warning", "held")}


def test_a_disk_that_cannot_be_written_and_one_that_is_full(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from collections import namedtuple

    space = namedtuple("space", "total used free")
    for free, expected in ((50, "well"), (9, "filling"), (1, "full")):
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: space(100, 100 - free, free))
        assert statuses(config, "disk")["disk"][1] == expected
    assert list(config.database.parent.iterdir()) == [config.database.parent / "devices.lock"]

    def refuse(_: int) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.fsync", refuse)
    assert statuses(config, "disk") == {"disk": ("failed", "read_only")}
    assert list(config.database.parent.iterdir()) == [config.database.parent / "devices.lock"]


def test_the_way_to_the_registry(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = replace(config, broker=replace(config.broker, host="127.0.0.1", port=1))
    assert statuses(nobody, "link") == {"link": ("warning", "unreachable")}
    (config.base / "tls.key").rename(config.base / "tls.away")
    assert statuses(nobody, "link") == {"link": ("failed", "no_keys")}
    with closing(written(config)) as journal:
        journal._state.link_seen()
    assert statuses(nobody, "link") == {"link": ("ok", "up")}


def test_a_clock_before_the_certificate(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    class Past(SystemTime):
        def now(self) -> Any:
            stamp = super().now()
            return replace(stamp, utc=stamp.utc.replace(year=2019))

    assert statuses(config, "clock")["clock"][0] in ("ok", "warning")
    monkeypatch.setattr("edge.app.doctor_system.SystemTime", Past)
    assert statuses(config, "clock") == {"clock": ("failed", "behind")}


# --- a kiosk is running ---


def test_a_running_kiosk_keeps_its_devices_and_is_asked(config: Config, world: list[World]) -> None:
    since = "2026-11-23T02:00:00.000Z"
    with closing(written(config)) as journal:
        journal.note_health(DeviceState("printer", Condition.EMPTY, "", since))
        journal.note_health(DeviceState("card_reader", Condition.OK, "", since))
    with held(config) as other:
        exit_code, report = examined(config, yes=True)
        out = io.StringIO()
        doctor(config, Order(Language.ZH, ("printer",), as_json=False, yes=True), out, None)
    assert world == []
    assert exit_code == 1
    assert report["kiosk_running"] is True
    rows = {part: (row["status"], row["code"]) for part, row in report["parts"].items()}
    assert rows["printer"] == ("failed", "empty")
    assert rows["card_reader"] == ("ok", "well")
    assert rows["camera"] == ("not_tried", "unheard_of")
    assert {rows[part] for part in ("camera_picture", "voice_sound")} == {("not_tried", "busy")}
    assert rows["printer_slip"] == ("not_tried", "down")
    assert rows["database"] == ("ok", "well")
    assert "2026-11-23 10:00:00" in report["parts"]["printer"]["tried"]
    assert f"进程 {other.pid}" in out.getvalue()


def test_beside_a_kiosk_whose_database_is_gone_none_is_made(config: Config) -> None:
    """An empty one would hide from the kiosk that there were records."""
    with held(config):
        rows = statuses(config, "card_reader", "database")
    assert rows == {"card_reader": ("not_tried", "unheard_of"), "database": ("warning", "none")}
    assert not config.database.exists()


@pytest.mark.parametrize(
    ("part", "status"), [("link", "warning"), ("roster", "failed"), ("outbox", "failed")]
)
def test_a_database_that_goes_while_the_doctor_looks_is_not_made_anew(
    config: Config, part: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.database.parent.mkdir(exist_ok=True)
    looks = [config.database]  # it was there once, then it was set aside

    def exists(path: Path) -> bool:
        return os.path.exists(path) or (path in looks and looks.remove(path) is None)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", exists)
        assert statuses(config, part)[part][0] == status
    assert looks == []
    assert not config.database.exists()


@pytest.mark.parametrize(("kind", "code"), [("camera", "silent"), ("sim", "absent")])
def test_a_scanner_that_borrows_the_camera_is_as_well_as_that(
    config: Config, world: list[World], kind: str, code: str
) -> None:
    since = "2026-11-23T02:00:00.000Z"
    with closing(written(config)) as journal:
        journal.note_health(DeviceState("camera", Condition.SILENT, "", since))
        journal.note_health(DeviceState("scanner", Condition.ABSENT, "", since))
    with held(config):
        found = statuses(with_devices(config, scanner=kind), "scanner")
    assert found == {"scanner": ("failed", code)}


# --- the command ---


def edge(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", "doctor", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


def test_exit_codes_and_languages_of_the_command(config: Config) -> None:
    site = str(config.base / "site.toml")
    well = edge("--site", site, "--only", "disk", "--only", "printer")
    assert (well.returncode, well.stderr) == (0, "")
    assert re.search(r"^正常 +磁盘 +已用", well.stdout, re.MULTILINE)
    assert re.search(r"^未测 +打印测试", well.stdout, re.MULTILINE)
    english = edge("--site", site, "--only", "disk", "--lang", "en")
    assert re.search(r"^ok +disk +\d+ % used", english.stdout, re.MULTILINE)
    (config.base / "sign.key").unlink()
    bad = edge("--site", site, "--only", "keys", "--json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["result"] == "failed"
    assert edge("--site", site, "--only", "toaster").returncode == 2
    assert edge("--site", site + "x").returncode == 2


def test_nobody_is_named_in_any_output(config: Config) -> None:
    """The simulated card lies in the world the doctor makes, and on the roster; still."""
    with closing(written(config)):
        pass
    out = io.StringIO()
    for as_json in (False, True):
        doctor(config, Order(Language.ZH, (), as_json=as_json, yes=True), out, None)
    assert not re.search(r"\d{17}[\dX]", out.getvalue())
    for secret in (DEMO_NAME, DEMO_NUMBER, DEMO_NUMBER[6:14]):
        assert secret not in out.getvalue()


def test_frames_of_the_camera_are_dropped(config: Config, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert statuses(config, "camera_picture", yes=True)["camera_picture"][0] == "ok"
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in after - before} <= {"devices.lock"}
    assert not any(isinstance(value, Picture) for value in vars(doctor_devices).values())


# --- what the running kiosk knows ---


@pytest.mark.parametrize("condition", Condition)
@pytest.mark.parametrize(
    "device", ["card_reader", "camera", "printer", "voice", "panel", "scanner", "disk"]
)
def test_every_state_of_a_device_has_words(device: str, condition: Condition) -> None:
    found = of_state(DeviceState(device, condition, "x", "2026-11-23T02:00:00.000Z"))
    assert (found.status is Status.FAILED) == (not condition.works)
    assert (found.status is Status.OK) == (condition is Condition.OK)
    for language in Language:
        row = told(found, language)
        assert row.state
        assert row.fix or condition is Condition.OK
