"""The doctor and the machine itself: keys, database, clock, disk, and the way to the registry."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from edge.app.clock import SystemTime
from edge.app.config import Config
from edge.app.doctor_devices import Desk
from edge.app.seal import DeviceSeal
from edge.app.sealing import Keyring
from edge.domain.errors import ConfigError, StoreError
from edge.domain.findings import Finding, Status
from edge.domain.timebase import ClockTrust
from edge.store import audit
from edge.store.database import Database
from edge.store.inbox import Inbox
from edge.store.journal import ROSTER_KIND
from edge.store.outbox import SqliteOutbox
from edge.store.records import Records
from edge.store.recovery import last_recovery
from edge.store.state import SyncState

EXPIRING_DAYS = 30
FILLING_PERCENT, FULL_PERCENT = 90, 98
TRIAL_BYTES = 65_536
OLD_HOURS = 24
TOLD_DAYS = 30
CONNECT_S = 5.0


def keys(desk: Desk) -> Finding:
    config = desk.config
    try:
        ring = Keyring.load(config)
        certificate = _certificate(config)
    except ConfigError as error:
        return Finding("keys", Status.FAILED, "bad", {"file": error.path}, error.why)
    readable = [path for path in _secrets(config) if path.stat().st_mode & 0o077]
    if readable:
        return Finding("keys", Status.WARNING, "readable", {"file": str(readable[0])})
    found = _certificate_finding(certificate, config)
    if found.status is Status.OK and not ring.certificate:
        missing = {"file": str(config.path(config.keys.receipt))}
        return Finding("keys", Status.WARNING, "no_codes", missing)
    return found


def _certificate_finding(certificate: x509.Certificate, config: Config) -> Finding:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else "–"
    if name != config.kiosk_id:
        both = {"name": name, "kiosk_id": config.kiosk_id}
        return Finding("keys", Status.FAILED, "other_kiosk", both)
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    facts = {"days": days, "day": f"{certificate.not_valid_after_utc:%Y-%m-%d}"}
    if days < 0:
        return Finding("keys", Status.FAILED, "expired", facts)
    if days < EXPIRING_DAYS:
        return Finding("keys", Status.WARNING, "expiring", facts)
    return Finding("keys", Status.OK, "well", facts)


def _certificate(config: Config) -> x509.Certificate:
    path = config.path(config.keys.tls_cert)
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), "not a readable certificate") from error


def _secrets(config: Config) -> list[Path]:
    files = config.keys
    names = (files.sign, files.open, files.card, files.data, files.template)
    return [path for path in map(config.path, names) if path.exists()]


def database(desk: Desk) -> Finding:
    """Opening it runs SQLite's own quick check; then every record is read."""
    path = desk.config.database
    if not path.exists():
        return Finding("database", Status.WARNING, "none", {"file": str(path)})
    try:
        opened = Database(path, create=False)
    except StoreError as error:
        return Finding("database", Status.FAILED, "damaged", {"file": str(path)}, str(error))
    with closing(opened):
        broken = audit.verify(opened, _seal(desk.config))
        count, recovery = Records(opened).count(), last_recovery(opened)
    if broken is not None:
        facts = {"seq": broken.seq}
        return Finding("database", Status.FAILED, "broken_chain", facts, broken.why)
    if recovery is not None and _days_since(recovery.at) <= TOLD_DAYS:
        told = {"at": recovery.at[:16], "saved": recovery.salvaged, "count": count}
        return Finding("database", Status.WARNING, "made_anew", told, recovery.reason)
    return Finding("database", Status.OK, "well", {"count": count})


def _seal(config: Config) -> DeviceSeal | None:
    """Without its key the hashes are checked all the same; the missing key is said elsewhere."""
    try:
        return DeviceSeal(config.kiosk_id, Keyring.load(config).sign)
    except ConfigError:
        return None


def _days_since(at: str) -> int:
    return (datetime.now(UTC) - datetime.fromisoformat(at)).days


def clock(desk: Desk) -> Finding:
    now = SystemTime().now()
    facts = {"time": f"{now.local:%Y-%m-%d %H:%M:%S}"}
    with suppress(ConfigError):  # said with the keys
        if now.utc < _certificate(desk.config).not_valid_before_utc:
            return Finding("clock", Status.FAILED, "behind", facts)
    if now.trust in (ClockTrust.NTP, ClockTrust.SIGNED):
        return Finding("clock", Status.OK, "well", facts)
    if now.is_sure:
        return Finding("clock", Status.OK, "battery", facts)
    return Finding("clock", Status.WARNING, "unsure", facts)


def disk(desk: Desk) -> Finding:
    folder = _existing(desk.config.database.parent)
    space = shutil.disk_usage(folder)
    percent = round(100 * (space.total - space.free) / space.total)
    facts = {"percent": percent, "free_mb": space.free // 1_000_000, "folder": str(folder)}
    try:
        _write_and_take_back(folder)
    except OSError as error:
        return Finding("disk", Status.FAILED, "read_only", facts, error.strerror or "")
    if percent >= FULL_PERCENT:
        return Finding("disk", Status.FAILED, "full", facts)
    if percent >= FILLING_PERCENT:
        return Finding("disk", Status.WARNING, "filling", facts)
    return Finding("disk", Status.OK, "well", facts)


def _write_and_take_back(folder: Path) -> None:
    trial = folder / f".doctor-{uuid.uuid4()}"
    try:
        with trial.open("xb") as file:
            file.write(bytes(TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        trial.unlink(missing_ok=True)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def link(desk: Desk) -> Finding:
    """The sync process says if it has a link; if not, the way to the broker is tried here."""
    config = desk.config
    facts = {"host": config.broker.host, "port": config.broker.port}
    if config.database.exists() and _link_is_up(config):
        return Finding("link", Status.OK, "up", facts)
    code, detail = _try_broker(config)
    status = Status.FAILED if code in ("certificate", "no_keys") else Status.WARNING
    return Finding("link", status, code, facts, detail)


def link_as_noted(desk: Desk) -> Finding:
    """For the kiosk itself, which has no network to try."""
    facts = {"host": desk.config.broker.host, "port": desk.config.broker.port}
    if desk.config.database.exists() and _link_is_up(desk.config):
        return Finding("link", Status.OK, "up", facts)
    return Finding("link", Status.WARNING, "not_linked", facts)


def _link_is_up(config: Config) -> bool:
    """A database that cannot be read, which its own check tells, knows of no link."""
    try:
        with _database(config) as database:
            return SyncState(database, SystemTime()).link_is_up()
    except StoreError:
        return False


def _try_broker(config: Config) -> tuple[str, str]:
    """As far as mutual TLS; nothing is sent."""
    address = (config.broker.host, config.broker.port)
    files = config.keys
    try:
        context = ssl.create_default_context(cafile=config.path(files.ca))
        context.load_cert_chain(config.path(files.tls_cert), config.path(files.tls_key))
    except OSError as error:
        return "no_keys", error.strerror or type(error).__name__
    try:
        with (
            socket.create_connection(address, CONNECT_S) as line,
            context.wrap_socket(line, server_hostname=config.broker.host),
        ):
            return "sync_missing", ""
    except ssl.SSLError as error:
        return "certificate", error.reason or ""
    except socket.gaierror as error:
        return "unknown_host", error.strerror or ""
    except OSError as error:
        return "unreachable", error.strerror or type(error).__name__


def roster(desk: Desk) -> Finding:
    if not desk.config.database.exists():
        return Finding("roster", Status.NOT_TRIED, "no_database")
    with _database(desk.config) as database:
        newest = "(SELECT max(version) FROM roster)"
        [(people,)] = database.rows(f"SELECT count(*) FROM roster WHERE version = {newest}")
        received = people or Inbox(database).received(ROSTER_KIND)
    if received:
        return Finding("roster", Status.OK, "well", {"people": people})
    return Finding("roster", Status.WARNING, "none")


def outbox(desk: Desk) -> Finding:
    if not desk.config.database.exists():
        return Finding("outbox", Status.NOT_TRIED, "no_database")
    with _database(desk.config) as database:
        rows = SqliteOutbox(database, SystemTime())
        depth, held, oldest = rows.depth(), rows.held(), rows.oldest()
    hours = _hours_since(oldest) if oldest else 0
    facts = {"waiting": depth, "held": held, "hours": hours}
    if held:
        return Finding("outbox", Status.WARNING, "held", facts)
    if hours >= OLD_HOURS:
        return Finding("outbox", Status.WARNING, "old", facts)
    return Finding("outbox", Status.OK, "waiting" if depth else "nothing", facts)


def _hours_since(record_id: str) -> int:
    """A record id is a UUIDv7: its first 48 bits are the milliseconds when it was made."""
    made_ms = uuid.UUID(record_id).int >> 80
    return max(0, int(datetime.now(UTC).timestamp() * 1000 - made_ms) // 3_600_000)


@contextmanager
def _database(config: Config) -> Iterator[Database]:
    opened = Database(config.database, create=False)  # a doctor makes none
    try:
        yield opened
    finally:
        opened.close()
