"""Before the sync process starts: every missing or damaged file is named, with what to do."""

from __future__ import annotations

import threading
from dataclasses import fields
from pathlib import Path

import pytest

from edge.app import config, sync_process
from edge.domain.errors import ConfigError
from edge.store.database import Database
from edge.sync.service import SyncSettings
from provisioning.site import make_site


@pytest.fixture
def settings(tmp_path: Path) -> SyncSettings:
    site = make_site(tmp_path, ["k-001"])
    return sync_process.settings(config.load(site.kiosk("k-001") / "site.toml"), "test")


@pytest.mark.parametrize("name", ["ca", "cert", "key", "registry_verify_key"])
def test_a_missing_file_is_named_with_what_to_do(settings: SyncSettings, name: str) -> None:
    path: Path = getattr(settings, name)
    path.unlink()
    with pytest.raises(ConfigError, match=r"missing; provision this kiosk again") as caught:
        sync_process.main(settings)
    assert caught.value.path == str(path)
    assert not settings.database.exists()


@pytest.mark.parametrize("name", ["ca", "cert", "key", "registry_verify_key"])
def test_a_damaged_file_is_a_config_error(settings: SyncSettings, name: str) -> None:
    Database(settings.database).close()
    path: Path = getattr(settings, name)
    path.write_text("nonsense")
    with pytest.raises(ConfigError, match=r"not (a )?usable"):
        sync_process.main(settings)


def test_a_damaged_database_is_waited_for_and_none_is_made(
    settings: SyncSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.database.write_bytes(b"nonsense" * 1000)
    stop = _TwoTries(settings.database)
    opened = sync_process._opened(settings.database, stop)
    assert opened is not None
    opened.close()
    assert stop.tries == 2
    assert caplog.text.count("database=unusable") == 1
    assert "not a database" in caplog.text


class _TwoTries(threading.Event):
    """Between two tries somebody takes the file away, and the next time puts in a sound one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.tries = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.tries += 1
        if self.tries == 1:
            self._path.unlink()
        else:
            assert not self._path.exists()
            Database(self._path).close()
        return False


def test_settings_name_no_key_of_the_kiosk_process(settings: SyncSettings) -> None:
    paths = [getattr(settings, f.name) for f in fields(settings)]
    names = {path.name for path in paths if isinstance(path, Path)}
    assert names == {"journal.db", "ca.crt", "tls.crt", "tls.key", "registry-sign.pub"}
