"""What Django is told of either database. Both keep an acknowledged record through a power cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cloud_bridge.config import Postgres

BUSY_S = 5
LOCK_MS = 10_000


def of(database: Path | Postgres) -> dict[str, Any]:
    """The entry of `DATABASES`."""
    return _postgresql(database) if isinstance(database, Postgres) else _sqlite(database)


def _sqlite(path: Path) -> dict[str, Any]:
    """IMMEDIATE: a transaction that reads first and writes later would otherwise fail at once
    when another process has written in between, whatever the timeout."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": BUSY_S,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }


def _postgresql(database: Postgres) -> dict[str, Any]:
    """`lock_timeout`: who waits longer than this is told so and tries again, as on SQLite."""
    options: dict[str, Any] = {
        "sslmode": database.ssl_mode,
        "connect_timeout": BUSY_S,
        "prepare_threshold": 5,
        "options": f"-c synchronous_commit=on -c lock_timeout={LOCK_MS}",
    }
    if database.root_cert is not None:
        options["sslrootcert"] = str(database.root_cert)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.name,
        "USER": database.user,
        "PASSWORD": database.password,
        "HOST": database.host,
        "PORT": database.port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
