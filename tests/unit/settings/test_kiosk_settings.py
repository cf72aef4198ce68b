"""The kiosk process's keeper: judging, applying, starting, giving up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.app.config import Config, load
from edge.app.layers import in_force, layered
from edge.app.settings import MAX_STARTS, PROVED_S, REST_S, KioskSettings
from edge.domain.errors import StoreError
from edge.domain.settings import SETTINGS
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.session.machine import Policy
from edge.store.settings_files import Accepted, AcceptedFiles
from edge.wire.desired import Desired
from provisioning.site import make_site


@pytest.fixture
def site(tmp_path: Path) -> Config:
    made = make_site(tmp_path / "site", ["k-001"])
    return load(made.kiosk("k-001") / "site.toml")


class Bench:
    """One kiosk's settings, with a clock to turn and wishes to make."""

    def __init__(self, site: Config) -> None:
        self.site = site
        self.now_s = 100.0
        self.wish: Desired | None = None
        self.volumes: list[int] = []
        self.boot()

    def boot(self) -> None:
        self.settings = KioskSettings(self.site, lambda: MonoNs(int(self.now_s * NS_PER_S)))
        self.settings.wishes = self
        self.settings.live["devices.volume"] = self.volumes.append
        self.config = self.settings.start()

    def newest(self) -> Desired | None:
        return self.wish

    def wants(self, version: int, **values: object) -> bool:
        self.now_s += REST_S
        self.wish = Desired(version, {key.replace("__", "."): v for key, v in values.items()})
        return self.settings.take_in()

    @property
    def kept(self) -> Accepted:
        return AcceptedFiles(self.site.database.parent).load()


@pytest.fixture
def bench(site: Config) -> Bench:
    return Bench(site)


def test_live_values_hold_at_once_and_need_no_start(bench: Bench) -> None:
    assert not bench.wants(5, tries=2, screen__idle_s=60, devices__volume=30)
    assert bench.settings.policy() == Policy(2, 60)
    assert bench.volumes == [30]
    assert bench.kept == Accepted(5, {"tries": 2, "screen.idle_s": 60, "devices.volume": 30})


def test_a_value_taken_back_is_the_site_files_again(bench: Bench) -> None:
    bench.wants(5, tries=2, devices__volume=30)
    assert not bench.wants(6)
    assert bench.settings.policy() == Policy(bench.site.tries, bench.site.screen.idle_s)
    assert bench.volumes == [30, bench.site.devices.volume]


def test_bad_values_are_refused_one_by_one(bench: Bench) -> None:
    bench.wants(5, tries=9, screen__idle_s=60, tires=1, language=["zh"])
    assert bench.settings.policy() == Policy(bench.site.tries, 60)
    assert [(why.key, why.reason, why.detail) for why in bench.kept.refused] == [
        ("tries", "range", "1..5"),
        ("tires", "unknown", "tries"),
        ("language", "choice", "zh, en"),
    ]


@pytest.mark.parametrize("version", [4, 5])
def test_an_older_or_repeated_wish_changes_nothing(bench: Bench, version: int) -> None:
    bench.wants(5, tries=2)
    assert not bench.wants(version, tries=4)
    bench.boot()
    assert not bench.wants(version, tries=4)
    assert bench.settings.policy().tries == 2


def test_what_needs_a_start_holds_after_it_and_is_good_once_it_ran(bench: Bench) -> None:
    bench.wants(4, tries=2)
    assert bench.wants(5, tries=2, agency__office="新地址2号")
    assert not bench.kept.proven
    bench.boot()
    assert bench.config.agency.office == "新地址2号"
    assert in_force(bench.site) == bench.config
    bench.settings.prove()
    assert not bench.kept.proven
    bench.now_s += PROVED_S
    bench.settings.prove()
    assert bench.kept.proven
    assert AcceptedFiles(bench.site.database.parent).last_good().version == 5


def test_two_starts_for_settings_are_not_close_together(bench: Bench) -> None:
    assert bench.wants(5, language="en")
    bench.boot()
    bench.wish = Desired(6, {"language": "zh"})
    assert not bench.settings.take_in()
    assert bench.kept.version == 5
    bench.now_s += REST_S
    assert bench.settings.take_in()


def test_a_kiosk_that_comes_down_with_them_gets_the_last_good_ones(bench: Bench) -> None:
    bench.wants(4, tries=2)
    bench.wants(5, tries=3, agency__office="新地址2号")
    for _ in range(MAX_STARTS):
        bench.boot()
        assert bench.config.agency.office == "新地址2号"
    bench.boot()
    assert bench.config.agency.office == bench.site.agency.office
    assert bench.settings.policy().tries == 2
    assert bench.kept.rolled_back
    assert [(why.key, why.reason) for why in bench.kept.refused] == [
        ("agency.office", "no_start"),
        ("tries", "no_start"),
    ]
    assert not bench.wants(5, tries=3, agency__office="新地址2号")  # never the same one again
    bench.boot()
    assert bench.config.agency.office == bench.site.agency.office


def test_a_live_wish_before_the_kiosk_has_proved_itself_proves_nothing(bench: Bench) -> None:
    bench.wants(5, language="en")
    bench.boot()
    bench.wants(6, language="en", tries=2)
    assert not bench.kept.proven
    for _ in range(MAX_STARTS):
        bench.boot()
    assert bench.config.language == bench.site.language


def test_the_links_values_are_not_the_kiosk_processs_business(bench: Bench) -> None:
    assert not bench.wants(5, broker__port=8884)
    bench.boot()
    assert bench.config.broker == bench.site.broker
    assert bench.kept.values == {"broker.port": 8884}
    assert bench.kept.proven


def test_a_damaged_file_is_mended_by_the_wish_that_is_still_there(bench: Bench) -> None:
    bench.wants(4, tries=2)
    bench.wants(5, tries=4)
    folder = bench.site.database.parent
    for name in ("settings.json", "settings-last-good.json"):
        (folder / name).write_bytes(b"\0" * 100)
    bench.boot()
    assert bench.settings.policy().tries == bench.site.tries
    bench.settings.take_in()
    assert bench.settings.policy().tries == 4


def test_a_disk_that_takes_nothing_leaves_everything_as_it_was(bench: Bench) -> None:
    draft = bench.site.database.parent / "settings.json.new"
    draft.mkdir()
    with pytest.raises(StoreError):
        bench.wants(5, tries=2)
    assert bench.settings.policy().tries == bench.site.tries
    draft.rmdir()
    assert not bench.settings.take_in()
    assert bench.settings.policy().tries == 2


def test_a_start_that_cannot_be_counted_is_made_with_the_last_good_ones(bench: Bench) -> None:
    bench.wants(4, tries=2)
    bench.wants(5, tries=2, language="en")
    (bench.site.database.parent / "settings.json.new").mkdir()
    bench.boot()
    assert bench.config.language == bench.site.language
    assert bench.settings.policy().tries == 2


def test_a_value_of_a_newer_program_in_the_file_does_not_stop_an_older_one(bench: Bench) -> None:
    files = AcceptedFiles(bench.site.database.parent)
    files.save(Accepted(9, {"tries": 77, "of.the.future": 1, "screen.idle_s": 60}))
    bench.boot()
    assert bench.settings.policy() == Policy(bench.site.tries, 60)


def test_a_value_that_does_not_fit_with_the_site_is_refused(
    site: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site file that somebody broke later: no value goes over it, and nothing is raised."""
    broken = replace(site, mode="production")
    after = layered(broken, {"tries": 2})
    assert after.config == broken
    assert [why.reason for why in after.refused] == ["together"]


def test_what_is_kept_can_be_kept_shorter_and_never_longer_than_the_site_says(
    site: Config,
) -> None:
    stricter = replace(site, store=replace(site.store, retention_days=10))
    assert layered(stricter, {"store.retention_days": 7}).config.store.retention_days == 7
    after = layered(stricter, {"store.retention_days": 11})
    assert after.config.store.retention_days == 10
    assert [(why.reason, why.detail) for why in after.refused] == [("range", "1..10 d")]


def test_every_setting_can_be_applied(site: Config) -> None:
    good = {"language": "en", "agency.office": "B", "agency.phone": "120", "devices.dialect": "yue"}
    good |= {"broker.host": "b.example", "screen.idle_s": 90, "check.screen_light": "on"}
    good |= {"check.passive": "off", "check.camera_truth": "off"}
    wanted = {key: good.get(key, 50) for key in SETTINGS} | {"tries": 1, "store.retention_days": 5}
    after = layered(site, wanted)
    assert after.refused == ()
    assert after.values == wanted
