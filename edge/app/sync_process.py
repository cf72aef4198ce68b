"""The sync process put together: disk, link and loop."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.app.clock import SystemTime
from edge.app.config import Config, value_of
from edge.app.exits import EXIT_START_AGAIN
from edge.app.layers import describer, layered
from edge.domain.errors import ConfigError, StoreError, WireError
from edge.domain.settings import SETTINGS
from edge.domain.trial import TRIAL_S
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.store.inbox import Inbox
from edge.store.letters import Letters
from edge.store.outbox import SqliteOutbox
from edge.store.settings_files import AcceptedFiles, LinkFile
from edge.store.state import SyncState
from edge.store.wishes import WishBox
from edge.sync.mqtt_link import Endpoint, MqttLink
from edge.sync.service import SyncService, SyncSettings
from edge.sync.settings import LinkTrial, SettingsKeeper
from edge.sync.updates import UpdateExchange
from edge.wire import keys
from edge.wire.messages import Presence

_log = logging.getLogger(__name__)

OPEN_S = 1.0
"""How often a database that cannot be used is tried again."""

MakeKeeper = Callable[[Database], SettingsKeeper]


def run(site: Config, software: str, trial_s: float = TRIAL_S) -> int:
    """With what the centre wants over the site file; `EXIT_START_AGAIN` when that has changed."""
    times, folder = SystemTime(), site.database.parent
    of_site = {key: value_of(site, key) for key in SETTINGS if SETTINGS[key].cuts_off}
    link = LinkTrial(LinkFile(folder), of_site, times, trial_s)

    def keeper(database: Database) -> SettingsKeeper:
        files = AcceptedFiles(folder)
        return SettingsKeeper(WishBox(database), files, link, times, describer(site), software)

    return main(settings(layered(site, link.running).config, software), keeper)


def settings(config: Config, software: str) -> SyncSettings:
    """The part of the site file that the sync process may see."""
    return SyncSettings(
        kiosk_id=config.kiosk_id,
        database=config.database,
        host=config.broker.host,
        port=config.broker.port,
        ca=config.path(config.keys.ca),
        cert=config.path(config.keys.tls_cert),
        key=config.path(config.keys.tls_key),
        registry_verify_key=config.path(config.keys.registry_sign),
        software=software,
        keepalive_s=config.broker.keepalive_s,
        updates=config.path(config.update.folder) if config.update.folder else None,
    )


def main(settings: SyncSettings, keeper: MakeKeeper | None = None) -> int:
    """Run until SIGTERM or SIGINT. Raises `ConfigError` before anything is started."""
    registry_key = _registry_key(settings.registry_verify_key)
    for path in (settings.ca, settings.cert, settings.key):
        _must_exist(path)
    stop = _stop_on_signal()
    opened = _opened(settings.database, stop)
    if opened is None:
        return 0
    with closing(opened) as database:
        about_settings = keeper(database) if keeper else None
        service = _compose(settings, database, registry_key, about_settings)
        service.run(stop)
        again = service.start_again or database.is_replaced()
    _log.info("sync=stopped start_again=%s", again)
    return EXIT_START_AGAIN if again else 0


def _opened(path: Path, stop: threading.Event) -> Database | None:
    """The kiosk process makes the database and mends it; until then this one waits."""
    said = False
    while not stop.is_set():
        try:
            return Database(path, create=False)
        except StoreError as error:
            if not said:
                _log.error("database=unusable waiting=yes error=%s", error)
            said = True
            stop.wait(OPEN_S)
    return None


def _compose(
    settings: SyncSettings,
    database: Database,
    registry_key: Ed25519PublicKey,
    about_settings: SettingsKeeper | None,
) -> SyncService:
    times = SystemTime()
    state = SyncState(database, times)
    online = Presence(True, state.next_boot_seq(), settings.software)
    _log.info("sync=starting kiosk=%s boot_seq=%d", settings.kiosk_id, online.boot_seq)
    return SyncService(
        SqliteOutbox(database, times),
        Inbox(database),
        state,
        MqttLink(_endpoint(settings), online),
        registry_key,
        settings.kiosk_id,
        times,
        health=HealthTable(database).all,
        letters=Letters(database, times),
        settings=about_settings,
        is_replaced=database.is_replaced,
        updates=UpdateExchange(settings.updates) if settings.updates else None,
    )


def _stop_on_signal() -> threading.Event:
    """Set by SIGTERM (systemd) and SIGINT (Ctrl-C)."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _endpoint(settings: SyncSettings) -> Endpoint:
    return Endpoint(
        settings.kiosk_id,
        settings.host,
        settings.port,
        settings.ca,
        settings.cert,
        settings.key,
        settings.keepalive_s,
    )


def _registry_key(path: Path) -> Ed25519PublicKey:
    _must_exist(path)
    try:
        return keys.verifying_key(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, WireError) as error:
        raise ConfigError(str(path), f"not a usable key file: {error}") from error


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(str(path), "file is missing; provision this kiosk again or copy it back")
