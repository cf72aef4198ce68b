"""A registry of a test's own: keys, an empty database, kiosks that can sign and seal.

With REGISTRY_ENGINE=postgresql in the environment the same tests run on a private cluster of
PostgreSQL (`tests.postgres`); otherwise on SQLite.

The kiosks here are written against the wire contract alone, so that a mistake
shared with `edge.app` would not go unseen.
"""

from __future__ import annotations

import atexit
import base64
import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cloud_bridge.demo import DEMO_NAME, DEMO_NUMBER
from edge.wire import envelope, keys, messages
from edge.wire.envelope import Chain, Header
from tests.postgres import Cluster

POSTGRESQL = os.environ.get("REGISTRY_ENGINE") == "postgresql"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
ENROLLED = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
TOML = """\
database = "registry.sqlite3"
secret_key = "for tests only, for tests only, for tests only"
[console]
allowed_hosts = ["testserver", "127.0.0.1"]
second_factor = "optional"
[broker]
host = "127.0.0.1"
port = 8883
ca = "ca.crt"
cert = "bridge.crt"
key = "bridge.key"
[keys]
sign = "sign.key"
seal = "seal.key"
id = "id.key"
"""


def toml(database: str = "registry.sqlite3") -> str:
    return TOML.replace("registry.sqlite3", database)


def write_keys(folder: Path) -> None:
    """A registry folder as provisioning makes it, without the certificates."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("sign", "seal", "id"):
        (folder / f"{name}.key").write_text(keys.encode_key(os.urandom(32)))
    public = keys.signing_key((folder / "sign.key").read_text()).public_key().public_bytes_raw()
    (folder / "sign.pub").write_text(keys.encode_key(public))
    database = _cluster().url("template") if POSTGRESQL else "registry.sqlite3"
    (folder / "registry.toml").write_text(toml(database))


def copy_keys(folder: Path) -> None:
    """The run's registry keys in another folder, for a process that reads the same database."""
    for name in ("sign.key", "sign.pub", "seal.key", "id.key"):
        shutil.copy(_HOME[0] / name, folder / name)


def random_text() -> str:
    return keys.encode_key(os.urandom(32))


@dataclass
class TestKiosk:
    """The far end of the wire: signs and seals what a test tells it to."""

    __test__ = False

    kiosk_id: str
    registry_seal: Any
    sign_text: str = field(default_factory=random_text)
    open_text: str = field(default_factory=random_text)
    card_text: str = field(default_factory=random_text)
    epoch: str = "epoch-1"
    site: str = "东风街道便民服务中心"

    def __post_init__(self) -> None:
        self._seqs = itertools.count(1)
        self._prev_sha256 = ""

    @property
    def sign_key(self) -> Ed25519PrivateKey:
        return keys.signing_key(self.sign_text)

    @property
    def open_key(self) -> X25519PrivateKey:
        return keys.opening_key(self.open_text)

    def write_keys(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.key").write_text(self.card_text)
        for name, public in (
            ("sign", self.sign_key.public_key().public_bytes_raw()),
            ("open", self.open_key.public_key().public_bytes_raw()),
        ):
            (folder / f"{name}.pub").write_text(keys.encode_key(public))
        return folder

    def body(self, **changes: Any) -> dict[str, Any]:
        """The body of a live record that was passed, with some fields changed."""
        stamp = {
            "utc": "2026-11-23T02:59:30.000Z",
            "boot_ns": 120_000_000_000,
            "boot_id": "b-1",
            "trust": "ntp",
        }
        score = {"band": "clear", "threshold": 0.5, "model": "ab" * 32}
        plain: dict[str, Any] = {
            "record_id": str(uuid.uuid4()),
            "kiosk_id": self.kiosk_id,
            "site": self.site,
            "name": DEMO_NAME,
            "id_number": DEMO_NUMBER,
            "card_kind": "resident",
            "flags": [],
            "person_id": None,
            "outcome": "passed",
            "reasons": [],
            "method": "kiosk",
            "consent": {
                "version": "2026-01",
                "language": "zh",
                "text_sha256": "cd" * 32,
                "agreed": True,
            },
            "liveness": {
                "live": True,
                "actions": ["left", "up"],
                "liveness": score,
                "likeness": score | {"band": "pass", "threshold": 0.6},
                "reference": "chip",
                "frames": 142,
                "seconds": 9.5,
            },
            "attempts": 1,
            "receipt_no": "001-20261123-0001",
            "reader_id": "0501.1234",
            "started": stamp | {"utc": "2026-11-23T02:58:50.000Z"},
            "finished": stamp,
            "provenance": "live",
            "software": "jianzai 0.1.0",
        }
        return plain | changes

    def wrap(self, plain: dict[str, Any] | bytes, **changes: Any) -> bytes:
        """Seal and sign a body; `changes` are of the header."""
        record_id = plain["record_id"] if isinstance(plain, dict) else str(uuid.uuid4())
        fields: dict[str, Any] = {
            "schema": messages.RECORD,
            "message_id": record_id,
            "sender": self.kiosk_id,
            "recipient": messages.REGISTRY,
            "chain": Chain(self.epoch, next(self._seqs), self._prev_sha256),
        }
        header = Header(**(fields | changes))
        data = envelope.canonical(plain) if isinstance(plain, dict) else plain
        sealed = envelope.seal(data, header, self.registry_seal)
        payload = envelope.sign(header, sealed, self.sign_key)
        self._prev_sha256 = envelope.sha256_hex(payload)
        return payload

    def record(self, **changes: Any) -> bytes:
        return self.wrap(self.body(**changes))


@dataclass
class TestRegistry:
    """A migrated database of its own, with the regions and people of `cloud_bridge.demo`."""

    __test__ = False

    folder: Path

    @property
    def config(self) -> Path:
        return _HOME[0] / "registry.toml"

    @property
    def toml(self) -> str:
        """What another process in this folder reads to find the same database."""
        return toml(_cluster().url(database_name()) if POSTGRESQL else "registry.sqlite3")

    def stored(self) -> bytes:
        """Everything that is in the database, as a thief would find it."""
        from django.db import connection

        if not POSTGRESQL:
            return b"".join(it.read_bytes() for it in self.folder.glob("registry.sqlite3*"))
        found = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f'SELECT * FROM "{table}"')
                found += [value for row in cursor.fetchall() for value in row]
        plain = (
            bytes(it) if isinstance(it, memoryview | bytes) else str(it).encode() for it in found
        )
        return b"\n".join(plain)

    @property
    def vault(self) -> Any:
        from cloud_bridge.registry import keyring

        return keyring.vault()

    @property
    def ingest(self) -> Any:
        from cloud_bridge.bridge.ingest import Ingest
        from cloud_bridge.registry import keyring

        return Ingest(keyring.seal_key(), self.vault)

    def fill(self) -> None:
        """Regions and people, without accounts."""
        from cloud_bridge import demo
        from cloud_bridge.registry import demo_data, people_import

        people_import.add_regions(demo.REGIONS, self.vault, "test")
        people_import.add_people(demo_data.invented_people(), self.vault, "test")

    def kiosk(self, kiosk_id: str = "k-001", *, demo: bool = False) -> TestKiosk:
        """Add a kiosk at the site of the demonstration's district."""
        from cloud_bridge import demo as data
        from cloud_bridge.registry import keyring, staff

        kiosk = TestKiosk(kiosk_id, keyring.seal_key().public_key())
        folder = kiosk.write_keys(self.folder / "kiosks" / kiosk_id)
        new = staff.NewDevice(
            kiosk_id, kiosk.site, folder, data.SITE_REGION, demo=demo, live=not demo
        )
        device = staff.set_device(new, self.vault, "test")
        type(device).objects.filter(pk=kiosk_id).update(created_at=ENROLLED)
        return kiosk

    def account(self, name: str, role: str, region: str = "0" * 12) -> None:
        from cloud_bridge.registry import staff

        staff.set_account(name, role, region, PASSWORD, self.vault, "test")


_HOME: list[Path] = []


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """Models can only be imported by a Django that is set up; other tests need not pay for it."""
    if module_path.name.startswith("test_cloud_") and not _HOME:
        _HOME.append(set_up_django())


def set_up_django() -> Path:
    """A folder of keys and configuration for the whole run; removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="test-cloud-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_keys(folder)
    os.environ["CLOUD_BRIDGE_CONFIG"] = str(folder / "registry.toml")
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django

    django.setup()
    return folder


_STACK = ExitStack()
_CLUSTER: list[Cluster] = []


def _cluster() -> Cluster:
    """One for the whole run, stopped at its end."""
    if not _CLUSTER:
        _CLUSTER.append(_STACK.enter_context(Cluster()))
        _CLUSTER[0].create("template")
        atexit.register(_STACK.close)
    return _CLUSTER[0]


def database_name() -> str:
    from django.db import connection

    return str(connection.settings_dict["NAME"])


def use_database(name: str) -> None:
    """From here on Django's connection is to this file, or this database of the cluster."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


@pytest.fixture(scope="session")
def _migrated() -> str:
    """The file, or name, of an empty, migrated database."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    if not POSTGRESQL:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return database_name()


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[str]:
    """Name of a database that holds nothing; Django's connection is to it."""
    before = database_name()
    yield from used_copy("template0" if POSTGRESQL else "", tmp_path, before)


@pytest.fixture
def registry(_migrated: str, tmp_path: Path) -> Iterator[TestRegistry]:
    """A registry with the invented people and no kiosks."""
    for _name in used_copy(_migrated, tmp_path, _migrated):
        running = TestRegistry(tmp_path)
        running.fill()
        yield running


def used_copy(template: str, folder: Path, before: str) -> Iterator[str]:
    """A copy of `template`, in use; afterwards the one before."""
    name, drop = _copy(template, folder)
    use_database(name)
    yield name
    use_database(before)
    drop()


def _copy(template: str, folder: Path) -> tuple[str, Callable[[], None]]:
    if POSTGRESQL:
        name = f"t{uuid.uuid4().hex}"
        _cluster().create(name, template)
        return name, lambda: _cluster().drop(name)
    path = folder / "registry.sqlite3"
    if template:
        shutil.copy(template, path)
    return str(path), lambda: None


def unpack(payload: bytes) -> dict[str, Any]:
    """An envelope as plain JSON, for tests that tamper with one."""
    import json

    fields: dict[str, Any] = json.loads(payload)
    return fields


def pack(fields: dict[str, Any]) -> bytes:
    return envelope.canonical(fields)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
