"""A PostgreSQL cluster of one's own on a loopback port, run by an ordinary user, gone at the end.

    with Cluster() as cluster:
        cluster.url("registry")  # postgresql://jianzai@127.0.0.1:port/registry

Debian's package has to be installed; nothing of Debian's own cluster is touched. Nobody else on
the machine gets in: the socket's folder and a made-up password are its owner's.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.fixtures_broker import free_port

BINARIES = Path("/usr/lib/postgresql")
USER = "jianzai"
START_S = 30.0
STOP_S = 20.0


def binaries() -> Path | None:
    """The newest version's programs, if Debian's package is installed."""
    found = [path.parent for path in BINARIES.glob("*/bin/initdb")]
    return max(found, key=lambda path: float(path.parent.name), default=None)


class Cluster:
    """`durable`: as in production; otherwise nothing is flushed, for tests that lose no power."""

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self.port = free_port()
        self.password = secrets.token_hex(16)

    def __enter__(self) -> Cluster:
        self._folder = Path(tempfile.mkdtemp(prefix="jianzai-postgresql-"))
        try:
            self._make()
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        if process is not None:
            _stop(process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, name: str, *, password: bool = True) -> str:
        secret = f":{self.password}" if password else ""
        return f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template1") -> str:
        """A database; returns its address."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    def drop(self, name: str) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _make(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.password)
        _give_to_ordinary_user(self._folder, secret)
        self._command(
            "initdb", f"--pgdata={self._data}", f"--username={USER}", f"--pwfile={secret}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            "--no-instructions",
        )  # fmt: skip
        secret.unlink()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _start(self) -> None:
        log = (self._folder / "log").open("wb")
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "max_connections": 60,
            "unix_socket_directories": self._folder, "shared_buffers": "256MB",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "max_wal_size": "2GB",
        }  # fmt: skip
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log:
            self._process = subprocess.Popen(
                self._line("postgres", "-D", str(self._data), *options), stdout=log, stderr=log
            )
        self._wait()

    def _wait(self) -> None:
        import psycopg

        deadline_s = time.monotonic() + START_S
        while True:
            with suppress(psycopg.OperationalError):
                self.run("SELECT 1")
                return
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(
                    f"PostgreSQL does not start: {(self._folder / 'log').read_text()}"
                )
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)

    def _command(self, *arguments: str) -> None:
        done = subprocess.run(self._line(*arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{arguments[0]}: {done.stderr}")

    def _line(self, program: str, *arguments: str) -> list[str]:
        found = binaries()
        if found is None:
            raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
        # It dies with whoever started it, however that ends.
        return ["setpriv", *_as_ordinary_user(), "--pdeathsig=QUIT", str(found / program),
                *arguments]  # fmt: skip


def _ordinary_user() -> pwd.struct_passwd | None:
    """Whom to be instead of root, which PostgreSQL refuses; None if we are nobody special."""
    if os.getuid():
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("no user to run PostgreSQL as")


def _as_ordinary_user() -> list[str]:
    user = _ordinary_user()
    return [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []


def _give_to_ordinary_user(*paths: Path) -> None:
    user = _ordinary_user()
    for path in paths if user else ():
        os.chown(path, user.pw_uid, user.pw_gid)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Fast, and if it does not listen at once."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
            return
