"""The sync process put together: disk, link and loop."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.app.clock import SystemTime
from edge.app.config import Config
from edge.domain.errors import ConfigError, WireError
from edge.store.database import Database
from edge.store.health import HealthTable
from edge.store.inbox import Inbox
from edge.store.letters import Letters
from edge.store.outbox import SqliteOutbox
from edge.store.state import SyncState
from edge.sync.mqtt_link import Endpoint, MqttLink
from edge.sync.service import SyncService, SyncSettings
from edge.wire import keys
from edge.wire.messages import Presence

_log = logging.getLogger(__name__)


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
    )


def main(settings: SyncSettings) -> int:
    """Run until SIGTERM or SIGINT. Raises `ConfigError` before anything is started."""
    registry_key = _registry_key(settings.registry_verify_key)
    for path in (settings.ca, settings.cert, settings.key):
        _must_exist(path)
    with closing(Database(settings.database)) as database:
        service = _compose(settings, database, registry_key)
        service.run(_stop_on_signal())
    _log.info("sync=stopped")
    return 0


def _compose(
    settings: SyncSettings, database: Database, registry_key: Ed25519PublicKey
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
