"""registry.toml: what is wrong is named with file, key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_bridge import config
from edge.domain.errors import ConfigError
from tests.fixtures_cloud import TOML, write_keys


def load(folder: Path, text: str) -> config.RegistryConfig:
    path = folder / "registry.toml"
    path.write_text(text)
    return config.load(path)


def test_file_names_are_relative_to_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, TOML)
    assert loaded.database == tmp_path / "registry.sqlite3"
    assert loaded.keys.seal == tmp_path / "seal.key"
    assert loaded.broker.cert == tmp_path / "bridge.crt"
    assert (loaded.console.host, loaded.console.port) == ("127.0.0.1", 8080)
    assert "for tests only" not in repr(loaded)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('database = "registry.sqlite3"', "", "database: is missing"),
        ('database = "registry.sqlite3"', "database = 5", "database: must be a text"),
        ("database", "databse", "databse: unknown key, allowed: database, .*mean database"),
        ("port = 8883", "port = 99999", "broker.port: must be a port number, 1 to 65535"),
        ("port = 8883", 'port = "8883"', "broker.port: must be a port number"),
        ("port = 8883", "prot = 8883", "broker.prot: unknown key, allowed: host, port.*mean port"),
        ('["testserver", "127.0.0.1"]', '"testserver"', "allowed_hosts: must be a list"),
        ("for tests only, for tests only, for tests only", "short", "at least 32"),
        ("[broker]", 'public_origin = "http://c.cn"\n[broker]', "console.public_origin: must be l"),
        ("[broker]", 'public_origin = "https://c.cn/"\n[broker]', "console.public_origin: must"),
        ("[broker]", 'public_origin = ""\n[broker]', "console.public_origin: must be a text"),
        ('"optional"', '"never"', "console.second_factor: must be one of required, optional"),
        ("[broker]", 'proxy = "elsewhere"\n[broker]', "console.proxy: must be an IP address"),
        ("[keys]", "[kees]", "kees: unknown key.*mean keys"),
        ("[keys]", "[[keys]]", "keys: must be a table"),
        ("[keys]", "[keys", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in TOML
    with pytest.raises(ConfigError, match=why) as caught:
        load(tmp_path, TOML.replace(old, new))
    assert "registry.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("console.example.cn", False),
    ],
)  # fmt: skip
def test_which_hosts_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert config.is_loopback(host) is loopback


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot be read"):
        config.load(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("content", ["", "c2hvcnQ=", "\xff", "not base64 at all!"])
def test_a_key_file_is_checked_and_never_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sign.key"
    path.write_text(content, "latin-1")
    with pytest.raises(ConfigError, match=r"sign\.key: is not a key file") as caught:
        config.read_key(path)
    assert not content or content not in str(caught.value)


def test_a_good_key_file_is_read(tmp_path: Path) -> None:
    write_keys(tmp_path)
    assert len(config.read_key(tmp_path / "id.key")) == 45


def postgres(folder: Path, address: str, more: str = "") -> config.Postgres:
    found = load(folder, f"{more}\n" + TOML.replace("registry.sqlite3", address)).database
    assert isinstance(found, config.Postgres)
    return found


def test_a_postgresql_address(tmp_path: Path) -> None:
    far = postgres(tmp_path, "postgresql://reg:s%40crt@db.example:6000/county?sslrootcert=db.crt")
    assert (far.host, far.port, far.name, far.user) == ("db.example", 6000, "county", "reg")
    assert far.password == "s@crt"
    assert (far.ssl_mode, far.root_cert) == ("verify-full", tmp_path / "db.crt")
    near = postgres(tmp_path, "postgresql:///county?host=/run/postgresql")
    assert (near.host, near.port, near.user) == ("/run/postgresql", 5432, "")
    assert (near.ssl_mode, near.root_cert) == ("prefer", None)


def test_the_databases_password_comes_from_a_file_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "db.password").write_text("from the file\n")
    setting = 'database_password = "db.password"'
    found = postgres(tmp_path, "postgresql://reg@127.0.0.1/county", setting)
    assert found.password == "from the file"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "db.password").write_text("from systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    found = postgres(tmp_path, "postgresql://reg@127.0.0.1/county", setting)
    assert found.password == "from systemd"
    assert "from systemd" not in repr(config.load(tmp_path / "registry.toml"))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("postgresql://u:hidden@h:port/n", "is no postgresql://"),
        ("postgresql://u:hidden@/n", "needs a host and a name"),
        ("postgresql://u:hidden@h", "needs a host and a name"),
        ("postgresql://u:hidden@h/n?sslmode=no", r"\?sslmode: allowed: disable"),
        ("postgresql://u:hidden@h/n?passfile=x", r"\?passfile: unknown, allowed: host"),
    ],
)
def test_a_wrong_address_is_named_without_its_password(
    tmp_path: Path, address: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        postgres(tmp_path, address)
    assert "hidden" not in str(caught.value)
