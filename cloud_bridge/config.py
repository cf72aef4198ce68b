"""`registry.toml`, read once. Unknown keys are errors; file names are relative to the file."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from edge.domain.errors import ConfigError, WireError
from edge.wire import keys

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")
_POSTGRESQL = ("postgresql", "postgres")
_QUERY = ("host", "sslmode", "sslrootcert")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FACTOR = ("required", "optional")


@dataclass(frozen=True, slots=True)
class Console:
    """Where staff reach the console.

    `public_origin`: the https address it has behind a proxy that ends TLS; empty without
    one. `proxy`: that proxy's own address, the only one believed about how staff came.
    `second_factor`: "required", or "optional" where everything is invented anyway.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    public_origin: str = ""
    proxy: str = "127.0.0.1"
    second_factor: str = "required"

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_origin).hostname or ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it; a name that is not `localhost` is not known to."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker; TLS on both sides."""

    host: str
    port: int
    ca: Path
    cert: Path
    key: Path

    def of_worker(self, number: int) -> Broker:
        """The second worker's certificate lies beside the first's, as `bridge-2.crt`."""
        if number == 1:
            return self
        cert, key = (file.with_stem(f"{file.stem}-{number}") for file in (self.cert, self.key))
        return replace(self, cert=cert, key=key)


@dataclass(frozen=True, slots=True)
class Keys:
    """Files of the registry's own keys; each process reads only those it needs."""

    sign: Path
    seal: Path
    id: Path


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL database; `host` may be the folder of its socket. `root_cert`: None by default.

    `ssl_mode` is verify-full for another machine unless it says otherwise.
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    ssl_mode: str
    root_cert: Path | None


Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Webhooks:
    """`networks`: those not of the public internet that may be told all the same."""

    networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """`tree`: the folder of published releases that the bridge hands out; None: it does not."""

    tree: Path | None = None


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """`database`: the file of an SQLite database, or where a PostgreSQL one is."""

    path: Path
    database: Path | Postgres
    secret_key: str = field(repr=False)
    console: Console
    broker: Broker
    keys: Keys
    webhooks: Webhooks
    fleet: Fleet


def load(path: Path) -> RegistryConfig:
    """Raises `ConfigError` naming the file, the key and what is allowed."""
    reader = _Reader(path, _parsed(path))
    known = ("database", "database_password", "secret_key", "console", "broker", "keys")
    reader.only("", (*known, "webhooks", "fleet"))
    return RegistryConfig(
        path=path,
        database=_database(reader),
        secret_key=_long_enough(reader, reader.text("secret_key")),
        console=_console(reader),
        broker=_broker(reader),
        keys=_keys(reader),
        webhooks=_webhooks(reader),
        fleet=_fleet(reader),
    )


def read_key(path: Path) -> str:
    """The text of a key file (one line of base64). Raises `ConfigError`, never shows the key."""
    try:
        text = path.read_text("ascii")
        keys.decode_key(text)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, WireError) as error:
        raise ConfigError(str(path), "is not a key file: 32 bytes as one line of base64") from error
    return text


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error


def _database(reader: _Reader) -> Path | Postgres:
    text = reader.text("database")
    if not text.startswith(tuple(f"{scheme}:" for scheme in _POSTGRESQL)):
        return reader.file("database")
    try:
        url = urlsplit(text)
        return _postgres(reader, url, url.port or 5432)
    except ValueError as error:  # what it says may quote the password
        raise reader.wrong("database", "is no postgresql://user@host:port/name") from error


def _postgres(reader: _Reader, url: SplitResult, port: int) -> Postgres:
    query = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    for name in query:
        if name not in _QUERY:
            raise reader.wrong("database", f"?{name}: unknown, allowed: {', '.join(_QUERY)}")
    host = query.get("host", "") or url.hostname or ""
    name, user = unquote(url.path.strip("/")), unquote(url.username or "")
    if not host or not name:
        raise reader.wrong("database", "needs a host and a name: postgresql://user@host:port/name")
    near = host.startswith("/") or is_loopback(host)
    mode = query.get("sslmode", "prefer" if near else "verify-full")
    if mode not in _SSL_MODES:
        raise reader.wrong("database", f"?sslmode: allowed: {', '.join(_SSL_MODES)}")
    root = query.get("sslrootcert")
    return Postgres(
        host=host,
        port=port,
        name=name,
        user=user,
        password=_password(reader) or unquote(url.password or ""),
        ssl_mode=mode,
        root_cert=reader.beside(root) if root else None,
    )


def _password(reader: _Reader) -> str:
    """From the file that `database_password` names; systemd's credential of that name first."""
    if not reader.has("database_password"):
        return ""
    path = reader.file("database_password")
    credential = Path(
        os.environ.get("CREDENTIALS_DIRECTORY", "/"), reader.text("database_password")
    )
    if "CREDENTIALS_DIRECTORY" in os.environ and credential.is_file():
        path = credential
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "is no file with the database's password") from error


def _console(reader: _Reader) -> Console:
    known = ("host", "port", "allowed_hosts", "public_origin", "proxy", "second_factor")
    reader.only("console", known)
    default = Console()
    return Console(
        host=reader.text("console.host", default.host),
        port=reader.port("console.port", default.port),
        allowed_hosts=reader.texts("console.allowed_hosts", default.allowed_hosts),
        public_origin=_origin(reader),
        proxy=_address(reader, reader.text("console.proxy", default.proxy)),
        second_factor=reader.choice("console.second_factor", _FACTOR, default.second_factor),
    )


def _origin(reader: _Reader) -> str:
    """Scheme and host as a browser sends them: no path, no slash at the end."""
    if not reader.has("console.public_origin"):
        return ""
    origin = reader.text("console.public_origin")
    if not _ORIGIN.fullmatch(origin):
        raise reader.wrong("console.public_origin", 'must be like "https://console.example.cn"')
    return origin


def _address(reader: _Reader, text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise reader.wrong("console.proxy", "must be an IP address") from error


def _broker(reader: _Reader) -> Broker:
    reader.only("broker", ("host", "port", "ca", "cert", "key"))
    return Broker(
        host=reader.text("broker.host"),
        port=reader.port("broker.port"),
        ca=reader.file("broker.ca"),
        cert=reader.file("broker.cert"),
        key=reader.file("broker.key"),
    )


def _keys(reader: _Reader) -> Keys:
    reader.only("keys", ("sign", "seal", "id"))
    return Keys(reader.file("keys.sign"), reader.file("keys.seal"), reader.file("keys.id"))


def _webhooks(reader: _Reader) -> Webhooks:
    reader.only("webhooks", ("networks",))
    texts = reader.texts("webhooks.networks", ())
    try:
        return Webhooks(tuple(ip_network(text) for text in texts))
    except ValueError as error:
        why = 'must be networks like "10.1.2.0/24"'
        raise reader.wrong("webhooks.networks", why) from error


def _fleet(reader: _Reader) -> Fleet:
    reader.only("fleet", ("tree",))
    return Fleet(reader.file("fleet.tree") if reader.has("fleet.tree") else None)


def _long_enough(reader: _Reader, secret: str) -> str:
    if len(secret) < 32:
        raise reader.wrong("secret_key", "needs at least 32 characters")
    return secret


class _Reader:
    """Takes values out of the parsed file by dotted key and checks them."""

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        self._path = path
        self._values = values

    def wrong(self, key: str, why: str) -> ConfigError:
        return ConfigError(str(self._path), f"{key}: {why}")

    def only(self, table: str, allowed: Iterable[str]) -> None:
        """Refuse keys of a table that are not known."""
        values = self._get(table, {}) if table else self._values
        if not isinstance(values, dict):
            raise self.wrong(table, "must be a table")
        names = list(allowed)
        for name in values:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                key = f"{table}.{name}" if table else name
                raise self.wrong(key, f"unknown key, allowed: {', '.join(names)}{hint}")

    def has(self, key: str) -> bool:
        return self._get(key, None) is not None

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "must be a text" if value is not None else "is missing")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.wrong(key, f"must be one of {', '.join(allowed)}")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "must be a list of texts")
        return tuple(value)

    def port(self, key: str, default: int | None = None) -> int:
        value = self._get(key, default)
        if type(value) is not int or not 1 <= value <= 65535:
            raise self.wrong(key, "must be a port number, 1 to 65535")
        return value

    def file(self, key: str) -> Path:
        return self.beside(self.text(key))

    def beside(self, name: str) -> Path:
        return self._path.parent / name

    def _get(self, key: str, default: Any) -> Any:
        value: Any = self._values
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return value
