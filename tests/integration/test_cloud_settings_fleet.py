"""A small run of `make settings-fleet` (F8); the large one is ten thousand kiosks."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures_cloud import TestRegistry, copy_keys
from tests.tools import settings_fleet


def test_f8_every_kiosk_ends_with_the_newest_wish_and_none_ever_goes_back(
    registry: TestRegistry, tmp_path: Path
) -> None:
    copy_keys(registry.folder)
    config = registry.folder / "registry.toml"
    config.write_text(registry.toml)
    report = settings_fleet.run(registry, 40, seed=3, root=tmp_path, config=config)
    assert report.converged == 40
    assert report.lower_applied == 0
    assert report.online < 40
    assert report.repeated > 2
