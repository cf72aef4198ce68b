"""`registry.toml`, read once. Unknown keys are errors; file names are relative to the file."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from edge.domain.errors import ConfigError, WireError
from edge.wire import keys

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Console:
    """Where staff reach the console.

    `public_origin`: the https address it has behind a proxy that ends TLS; empty without
    one. `proxy`: that proxy's own address, the only one believed about how staff came.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    public_origin: str = ""
    proxy: str = "127.0.0.1"

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


@dataclass(frozen=True, slots=True)
class Keys:
    """Files of the registry's own keys; each process reads only those it needs."""

    sign: Path
    seal: Path
    id: Path


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    path: Path
    database: Path
    secret_key: str = field(repr=False)
    console: Console
    broker: Broker
    keys: Keys


def load(path: Path) -> RegistryConfig:
    """Raises `ConfigError` naming the file, the key and what is allowed."""
    reader = _Reader(path, _parsed(path))
    reader.only("", ("database", "secret_key", "console", "broker", "keys"))
    return RegistryConfig(
        path=path,
        database=reader.file("database"),
        secret_key=_long_enough(reader, reader.text("secret_key")),
        console=_console(reader),
        broker=_broker(reader),
        keys=_keys(reader),
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


def _console(reader: _Reader) -> Console:
    reader.only("console", ("host", "port", "allowed_hosts", "public_origin", "proxy"))
    default = Console()
    return Console(
        host=reader.text("console.host", default.host),
        port=reader.port("console.port", default.port),
        allowed_hosts=reader.texts("console.allowed_hosts", default.allowed_hosts),
        public_origin=_origin(reader),
        proxy=_address(reader, reader.text("console.proxy", default.proxy)),
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
        return self._path.parent / self.text(key)

    def _get(self, key: str, default: Any) -> Any:
        value: Any = self._values
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return value
