"""The folder of a whole site: authority, broker, registry and kiosks.

Run again it adds what is missing and keeps what is there; nothing is ever
overwritten, because a new key would make old records unreadable.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.domain.errors import ConfigError
from edge.wire import keys, messages, receipts, topics
from edge.wire.envelope import MAX_ENVELOPE_BYTES
from provisioning import certificates
from provisioning.certificates import Authority

BRIDGE = "bridge"
WORKERS = 4
"""So many processes may share a registry's work; each has a certificate, and a name, of its own."""
REVOKED = "revoked.pem"
MIB = 1024 * 1024
_KIOSK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")

Mode = Literal["demo", "production"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where things lie in a site folder."""

    root: Path

    @property
    def broker_conf(self) -> Path:
        return self.root / "broker" / "mosquitto.conf"

    @property
    def registry(self) -> Path:
        return self.root / "registry"

    def kiosk(self, kiosk_id: str) -> Path:
        return self.root / "kiosks" / kiosk_id


def make_site(
    root: Path,
    kiosk_ids: Sequence[str],
    *,
    broker_port: int = 8883,
    console_port: int = 8080,
    site_name: str = "示范社区服务中心",
    agency: str = "示范市社会保险中心",
    office: str = "示范路1号 一楼大厅",
    phone: str = "12333",
    mode: Mode = "demo",
) -> Site:
    """Make or complete the folder. Raises `ConfigError` for an id that cannot be a topic level."""
    for kiosk_id in kiosk_ids:
        if not _KIOSK_ID.fullmatch(kiosk_id) or kiosk_id.startswith(BRIDGE):
            why = "a kiosk id is 1 to 32 letters, digits or -, and never begins with `bridge`"
            raise ConfigError(kiosk_id, why)
    site = Site(root.resolve())
    signer = _make_authority(site.root / "ca")
    _make_broker(site.root / "broker", signer, broker_port)
    _make_registry(site, signer, broker_port, console_port, mode)
    place = {"site": site_name, "name": agency, "office": office, "phone": phone}
    for kiosk_id in kiosk_ids:
        _make_kiosk(site, signer, kiosk_id)
        number = len(list(site.kiosk(kiosk_id).parent.iterdir()))
        text = _site_toml(kiosk_id, f"{number:03d}", place, broker_port, mode)
        _keep(site.kiosk(kiosk_id) / "site.toml", text.encode)
    return site


def revoke(root: Path, kiosk_id: str) -> Path:
    """Add a kiosk's certificate to the broker's list; returns the list's file.

    The broker has to read it again, and an open connection stays until it is started anew.
    """
    site = Site(root.resolve())
    cert = site.kiosk(kiosk_id) / "tls.crt"
    if not cert.exists() or "crlfile" not in site.broker_conf.read_text("utf-8"):
        raise ConfigError(str(cert), "no such kiosk, or a broker without a list (crlfile)")
    signer = _make_authority(site.root / "ca")
    marks = site.root / "ca" / "revoked"
    # By serial too: a kiosk that came back with a new certificate may be stolen again.
    pem = cert.read_bytes()
    _keep(marks / f"{kiosk_id}-{certificates.serial(pem):x}.crt", lambda: pem)
    certs = sorted({path.read_bytes() for path in marks.glob("*.crt")})
    revoked = site.root / "broker" / REVOKED
    _write(revoked, certificates.revocation_list(signer, certs))
    return revoked


def _make_authority(folder: Path) -> Authority:
    key = _keep(folder / "ca.key", certificates.new_key, secret=True)
    cert = _keep(
        folder / "ca.crt", lambda: certificates.authority_cert("Jianzai site authority", key)
    )
    return certificates.authority(cert, key)


def _make_broker(folder: Path, signer: Authority, port: int) -> None:
    key = _keep(folder / "server.key", certificates.new_key, secret=True)
    hosts = ("localhost", "127.0.0.1")
    _keep(folder / "server.crt", lambda: certificates.server_cert(signer, hosts, key))
    _keep(folder / "ca.crt", (folder.parent / "ca" / "ca.crt").read_bytes)
    _keep(folder / "acl", access_rules().encode)
    _keep(folder / REVOKED, lambda: certificates.revocation_list(signer, []))
    _keep(folder / "mosquitto.conf", mosquitto_conf(folder, port).encode)
    (folder / "data").mkdir(exist_ok=True, mode=0o700)


def _make_registry(
    site: Site, signer: Authority, broker_port: int, console_port: int, mode: Mode
) -> None:
    folder = site.registry
    _make_sign_pair(folder, "sign")
    _make_open_pair(folder, "seal")
    _keep(folder / "id.key", _random_key, secret=True)
    for name in workers():
        _make_client(folder, name, name, signer, site)
    text = _registry_toml(broker_port, console_port, mode)
    _keep(folder / "registry.toml", text.encode, secret=True)


def _make_kiosk(site: Site, signer: Authority, kiosk_id: str) -> None:
    folder = site.kiosk(kiosk_id)
    _make_client(folder, "tls", kiosk_id, signer, site)
    _make_sign_pair(folder, "sign")
    _make_open_pair(folder, "open")
    _keep(folder / "card.key", _random_key, secret=True)
    _keep(folder / "data.key", _random_key, secret=True)
    _keep(folder / "template.key", _random_key, secret=True)
    _keep(folder / "registry-sign.pub", (site.registry / "sign.pub").read_bytes)
    _keep(folder / "registry-seal.pub", (site.registry / "seal.pub").read_bytes)
    _keep(folder / "receipt.cert", lambda: _receipt_certificate(site, kiosk_id))
    (folder / "data").mkdir(exist_ok=True, mode=0o700)


def _receipt_certificate(site: Site, kiosk_id: str) -> bytes:
    """The registry's word for this kiosk's key, which goes onto every receipt."""
    key = keys.verifying_key((site.kiosk(kiosk_id) / "sign.pub").read_text("ascii"))
    registry = keys.signing_key((site.registry / "sign.key").read_text("ascii"))
    return receipts.encode_certificate(receipts.certify(kiosk_id, key, registry)).encode()


def _make_client(folder: Path, stem: str, name: str, signer: Authority, site: Site) -> None:
    key = _keep(folder / f"{stem}.key", certificates.new_key, secret=True)
    _keep(folder / f"{stem}.crt", lambda: certificates.client_cert(signer, name, key))
    _keep(folder / "ca.crt", (site.root / "ca" / "ca.crt").read_bytes)


def _make_sign_pair(folder: Path, stem: str) -> None:
    text = _keep(folder / f"{stem}.key", _random_key, secret=True).decode()
    private: Ed25519PrivateKey = keys.signing_key(text)
    public = private.public_key().public_bytes_raw()
    _keep(folder / f"{stem}.pub", keys.encode_key(public).encode)


def _make_open_pair(folder: Path, stem: str) -> None:
    text = _keep(folder / f"{stem}.key", _random_key, secret=True).decode()
    private: X25519PrivateKey = keys.opening_key(text)
    public = private.public_key().public_bytes_raw()
    _keep(folder / f"{stem}.pub", keys.encode_key(public).encode)


def _random_key() -> bytes:
    """Any 32 random bytes are a private key of Ed25519 and of X25519 alike."""
    return keys.encode_key(secrets.token_bytes(keys.KEY_BYTES)).encode()


def _keep(path: Path, make: Callable[[], bytes], *, secret: bool = False) -> bytes:
    """The file's bytes; made first if there is none. Never left half written."""
    if path.exists():
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = make()
    _write(path, content, secret=secret)
    return content


def _write(path: Path, content: bytes, *, secret: bool = False) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    mode = 0o600 if secret else 0o644
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def workers() -> list[str]:
    return [BRIDGE, *(f"{BRIDGE}-{number}" for number in range(2, WORKERS + 1))]


def access_rules() -> str:
    """Who may write and read which topics."""
    leaves = dict.fromkeys(message.leaf for message in messages.MESSAGES if message.goes_up)
    up = "\n".join(f"pattern write {topics.ROOT}/%u/{leaf}" for leaf in leaves)
    bridges = "\n".join(
        f"user {name}\ntopic read {topics.BRIDGE_FILTER}\ntopic write {topics.ROOT}/+/dn/#\n"
        for name in workers()
    )
    return f"""\
# A kiosk (its user name is the CN of its certificate) writes up and reads down, under its own id.
# It writes the topics there are and no others: retained messages under names that somebody with
# a stolen kiosk makes up would fill the broker's memory, which all share.
{up}
pattern read {topics.ROOT}/%u/dn/#

{bridges}"""


def mosquitto_conf(folder: Path, port: int) -> str:
    """The broker's settings; `folder` is where its files lie."""
    # Started as root, mosquitto would drop to a user who may not read these
    # files; so it stays whoever owns them. Not started as root it ignores the line.
    owner = pwd.getpwuid(os.getuid()).pw_name
    return f"""\
# Made by `python -m provisioning site`. Start with: mosquitto -c {folder}/mosquitto.conf
user {owner}
listener {port} 127.0.0.1
cafile {folder}/ca.crt
certfile {folder}/server.crt
keyfile {folder}/server.key
# Certificates of kiosks that were stolen; `python -m provisioning revoke` adds to them.
crlfile {folder}/{REVOKED}
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
# The client id is the name in the certificate too: nobody can evict another kiosk.
use_username_as_clientid true
allow_anonymous false
acl_file {folder}/acl
# Refused messages and wills are told as `debug`. The log holds topics and sizes, no bodies,
# and no topic names a person.
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
log_type unsubscribe
log_type debug

persistence true
persistence_location {folder}/data/
autosave_interval 5
# A kiosk drops a record only on the registry's signed word, so these may overflow.
max_queued_messages 10000
max_queued_bytes {64 * MIB}
# A kiosk asks for 20 at a time; the bridge, which serves them all, for 200.
max_inflight_messages 200
max_packet_size {MAX_ENVELOPE_BYTES + 4096}
memory_limit {512 * MIB}
max_keepalive 600
persistent_client_expiration 7d
"""


def _registry_toml(broker_port: int, console_port: int, mode: Mode) -> str:
    factor = "optional" if mode == "demo" else "required"
    return f"""\
# Made by `python -m provisioning site`. File names are relative to this folder.
database = "registry.sqlite3"
secret_key = "{secrets.token_urlsafe(48)}"

[console]
host = "127.0.0.1"
port = {console_port}
# "required": nobody gets in without a code from a phone. "optional": for demonstrations only.
second_factor = "{factor}"

[broker]
host = "127.0.0.1"
port = {broker_port}
ca = "ca.crt"
cert = "bridge.crt"
key = "bridge.key"

[keys]
sign = "sign.key"
seal = "seal.key"
id = "id.key"
"""


def _site_toml(
    kiosk_id: str, terminal_no: str, place: dict[str, str], broker_port: int, mode: Mode
) -> str:
    return f"""\
# Made by `python -m provisioning site`; every key is explained in docs/configuration.md.
# File names are relative to this folder.
kiosk_id = {_toml(kiosk_id)}
terminal_no = {_toml(terminal_no)}
site = {_toml(place["site"])}
mode = {_toml(mode)}
language = "zh"
data = "data"

[agency]
name = {_toml(place["name"])}
office = {_toml(place["office"])}
phone = {_toml(place["phone"])}

[broker]
host = "127.0.0.1"
port = {broker_port}

[keys]
ca = "ca.crt"
tls_cert = "tls.crt"
tls_key = "tls.key"
sign = "sign.key"
open = "open.key"
card = "card.key"
data = "data.key"
template = "template.key"
registry_sign = "registry-sign.pub"
registry_seal = "registry-seal.pub"
receipt = "receipt.cert"
{_SIMULATED if mode == "demo" else ""}"""


_SIMULATED = """
[store]
reserve_mb = 1
[devices]
card_reader = "sim"
photo_decoder = "sim"
camera = "sim"
printer = "sim"
voice = "sim"

[screen]
fullscreen = false
"""


def _toml(text: str) -> str:
    """A TOML string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)
