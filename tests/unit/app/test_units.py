"""The kiosk's two units share one folder, and so do the centre's; one unit owns each."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from edge.app.kiosk import cache_dir

UNITS = Path(__file__).parents[3] / "systemd"
FOLDER = "/var/lib/jianzai"
KIOSKS_OWN = ("templates", "ledger", "quarantine")


def settings(name: str) -> dict[str, list[str]]:
    """Every value of every setting, in order; a setting may be there more than once."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (UNITS / name).read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[key] += value.split()
    return found


def test_one_unit_only_owns_a_folder_of_two() -> None:
    """Named by two users systemd changes the owner of everything in it at each start."""
    folders = {path.name: settings(path.name)["StateDirectory"] for path in UNITS.glob("*.service")}
    owners = {name: folder for name, folder in folders.items() if folder}
    assert owners == {
        "edge-kiosk.service": ["jianzai"],
        "cloud-bridge.service": ["jianzai-centre"],
    }
    kiosk = settings("edge-kiosk.service")
    assert (kiosk["StateDirectory"], kiosk["StateDirectoryMode"]) == (["jianzai"], ["0770"])


def test_the_kiosk_keeps_fonts_where_its_unit_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else is read-only to it, the folder it starts in too."""
    kiosk = settings("edge-kiosk.service")
    assert kiosk["ProtectSystem"] == ["strict"]
    assert kiosk["CacheDirectory"] == ["jianzai"]
    monkeypatch.setenv("CACHE_DIRECTORY", "/var/cache/jianzai")
    assert cache_dir() == Path("/var/cache/jianzai")
    monkeypatch.delenv("CACHE_DIRECTORY")
    assert cache_dir() == Path(".cache")


def test_privacy_the_systems_log_is_kept_for_half_a_year_at_most() -> None:
    journal = settings("jianzai.journald.conf")
    assert journal["MaxRetentionSec"] == ["180day"]
    assert journal["Storage"] == ["persistent"]


def test_sync_writes_in_the_folder_by_its_group_and_never_into_what_is_the_kiosks() -> None:
    kiosk, sync = settings("edge-kiosk.service"), settings("edge-sync.service")
    assert sync["ReadWritePaths"] == [FOLDER]
    assert sync["Group"] == kiosk["Group"]
    assert sync["User"] != kiosk["User"]
    assert sync["UMask"] == kiosk["UMask"] == ["0007"], "what one writes the other may too"
    assert {f"-{FOLDER}/{name}" for name in KIOSKS_OWN} <= set(sync["InaccessiblePaths"])
    # Nothing but the order: sync starting again must not start a kiosk that staff have stopped.
    assert "edge-kiosk.service" in sync["After"]
    assert "edge-kiosk.service" not in sync["Wants"] + sync["Requires"]
    assert (sync["Restart"], sync["StartLimitIntervalSec"]) == (["always"], ["0"])


def test_the_console_cannot_read_what_opens_records_and_signs_orders() -> None:
    bridge, console = settings("cloud-bridge.service"), settings("cloud-console.service")
    assert console["User"] != bridge["User"]
    assert console["Group"] == bridge["Group"]
    assert console["UMask"] == bridge["UMask"] == ["0007"], "both write in one database"
    folder = "/etc/jianzai-centre"
    hidden = {f"-{folder}/{name}.key" for name in ("sign", "seal", "bridge")}
    assert set(console["InaccessiblePaths"]) == hidden
    assert console["ReadWritePaths"] == [f"/var/lib/{bridge['StateDirectory'][0]}"]
    assert (console["IPAddressDeny"], console["IPAddressAllow"]) == (["any"], ["localhost"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
def test_units_are_valid_and_locked_up(path: Path, tmp_path: Path) -> None:
    """Exposure 0 is a cage, 10 is root; the kiosk needs its devices."""
    unit = tmp_path / path.name
    text = path.read_text("utf-8").replace("/opt/jianzai/venv/bin/python", sys.executable)
    unit.write_text(text, "utf-8")
    assert analysed("verify", "--man=no", str(unit)) == ""
    exposure = analysed("security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"exposure level for \S+: ([0-9.]+)", exposure)
    assert found
    assert float(found[1]) <= (3.0 if path.name == "edge-kiosk.service" else 1.5)


@pytest.mark.parametrize("path", sorted(UNITS.glob("*.timer")), ids=lambda path: path.stem)
def test_each_timer_starts_a_command_there_is(path: Path) -> None:
    service = settings(path.with_suffix(".service").name)
    assert service["Type"] == ["oneshot"]
    assert service["ExecStart"][-1] in ("overdue", "figures")


def analysed(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    return done.stdout + done.stderr


def test_f09_what_is_in_memory_is_written_down_by_no_crash_and_no_full_memory() -> None:
    """A core dump or a page of swap would hold names, numbers and faces in clear."""
    for path in UNITS.glob("*.service"):
        found = settings(path.name)
        assert found["LimitCORE"] == ["0"], path.name
        assert found["MemorySwapMax"] == ["0"], path.name
