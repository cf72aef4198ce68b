"""The two units share one folder; only the kiosk's owns it."""

from __future__ import annotations

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


def test_one_unit_only_owns_the_folder_of_both() -> None:
    """Named by two users systemd changes the owner of everything in it at each start."""
    names = [path.name for path in UNITS.glob("*.service")]
    owners = {name for name in names if settings(name)["StateDirectory"]}
    assert owners == {"edge-kiosk.service"}
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


def test_f09_what_is_in_memory_is_written_down_by_no_crash_and_no_full_memory() -> None:
    """A core dump or a page of swap would hold names, numbers and faces in clear."""
    for path in UNITS.glob("*.service"):
        found = settings(path.name)
        assert found["LimitCORE"] == ["0"], path.name
        assert found["MemorySwapMax"] == ["0"], path.name
