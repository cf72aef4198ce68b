"""The site folder: complete, kept as it is, readable by those who need it."""

from __future__ import annotations

import os
import ssl
import stat
import tomllib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_bridge import config as registry_config
from edge.app import config as kiosk_config
from edge.app.sealing import Keyring
from edge.domain.errors import ConfigError
from edge.wire import keys
from provisioning.site import WORKERS, Site, make_site, revoke


def files(root: Path) -> dict[str, bytes]:
    found = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path / "site", ["k-001"], broker_port=18883, site_name='"东"街\\')


def test_kiosk_and_registry_can_read_their_files(site: Site) -> None:
    config = kiosk_config.load(site.kiosk("k-001") / "site.toml")
    assert (config.kiosk_id, config.site, config.mode) == ("k-001", '"东"街\\', "demo")
    assert config.broker.port == 18883
    assert config.database.parent.is_dir()
    keyring = Keyring.load(config)
    registry = registry_config.load(site.registry / "registry.toml")
    assert registry.broker.port == 18883
    sign = keys.signing_key(registry_config.read_key(registry.keys.sign))
    assert sign.public_key() == keyring.registry_sign
    seal = keys.opening_key(registry_config.read_key(registry.keys.seal))
    assert seal.public_key() == keyring.registry_seal
    assert registry_config.read_key(registry.keys.id)
    published = (site.kiosk("k-001") / "sign.pub").read_text()
    assert isinstance(keyring.sign, Ed25519PrivateKey)
    assert keyring.sign.public_key() == keys.verifying_key(published)


def test_again_changes_nothing_and_adds_what_is_new(site: Site) -> None:
    before = files(site.root)
    (site.root / "kiosks" / "k-001" / "sign.pub").unlink()
    make_site(site.root, ["k-001", "k-002"], broker_port=1, site_name="other")
    after = files(site.root)
    assert {name: after[name] for name in before} == before
    added = {name.rpartition("/")[0] for name in after.keys() - before.keys()}
    assert added == {"kiosks/k-002"}
    numbers = [
        tomllib.loads((site.kiosk(name) / "site.toml").read_text("utf-8"))["terminal_no"]
        for name in ("k-001", "k-002")
    ]
    assert numbers == ["001", "002"]
    assert before["kiosks/k-001/sign.key"] != after["kiosks/k-002/sign.key"]


def test_private_things_are_private(site: Site) -> None:
    secret = [*site.root.rglob("*.key"), site.registry / "registry.toml"]
    assert len(secret) == 1 + 1 + 4 + (WORKERS - 1) + 6 + 1
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert path.stat().st_uid == os.getuid()


def test_the_name_in_a_kiosks_certificate_is_its_id(site: Site) -> None:
    pem = (site.kiosk("k-001") / "tls.crt").read_bytes()
    subject = x509.load_pem_x509_certificate(pem).subject
    assert [name.value for name in subject] == ["k-001"]


def test_the_certificates_stand_up_to_the_strictest_reading(site: Site) -> None:
    """What Python 3.13 checks by default."""
    kiosk = site.kiosk("k-001")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(site.root / "broker" / "server.crt", site.root / "broker" / "server.key")
    server.load_verify_locations(site.root / "broker" / "ca.crt")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=kiosk / "ca.crt")
    client.load_cert_chain(kiosk / "tls.crt", kiosk / "tls.key")
    for context in (server, client):
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    for host in ("localhost", "127.0.0.1"):
        shake_hands(server, client, host)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(server, client, "example.org")


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """A handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_hostname=host)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [near, far, near, far]
    while waiting:
        try:
            waiting.pop(0).do_handshake()
        except ssl.SSLWantReadError:
            assert waiting
    assert near.version() is not None
    assert far.getpeercert()


@pytest.mark.parametrize("kiosk_id", ["", "a/b", "+", "#", "bridge", "k 1", "-k", "k" * 33, "健"])
def test_an_id_that_is_no_topic_level_is_refused(tmp_path: Path, kiosk_id: str) -> None:
    with pytest.raises(ConfigError, match="letters, digits"):
        make_site(tmp_path / "site", [kiosk_id])
    assert not (tmp_path / "site").exists()


def test_only_a_demonstration_lets_staff_in_without_a_phone(tmp_path: Path) -> None:
    for mode, factor in (("demo", "optional"), ("production", "required")):
        site = make_site(tmp_path / mode, ["k-1"], mode=mode)
        made = registry_config.load(site.registry / "registry.toml")
        assert made.console.second_factor == factor


def test_a_production_site_simulates_nothing(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", ["k-1"], mode="production")
    config = kiosk_config.load(site.kiosk("k-1") / "site.toml")
    assert config.mode == "production"
    assert config.devices == kiosk_config.Devices()


def serial_of(site: Site, kiosk_id: str) -> int:
    cert = (site.kiosk(kiosk_id) / "tls.crt").read_bytes()
    return x509.load_pem_x509_certificate(cert).serial_number


def serials_of(revoked: Path) -> list[int]:
    return sorted(entry.serial_number for entry in x509.load_pem_x509_crl(revoked.read_bytes()))


def new_certificate(site: Site, kiosk_id: str) -> None:
    """The kiosk was found again: without its old key and certificate it gets new ones."""
    for name in ("tls.key", "tls.crt"):
        (site.kiosk(kiosk_id) / name).unlink()
    make_site(site.root, [kiosk_id])


def test_a_kiosk_stolen_twice_is_shut_out_twice(site: Site) -> None:
    first = serial_of(site, "k-001")
    revoke(site.root, "k-001")
    new_certificate(site, "k-001")
    second = serial_of(site, "k-001")
    assert first != second
    assert serials_of(revoke(site.root, "k-001")) == sorted([first, second])


def test_a_certificate_revoked_by_an_older_program_stays_revoked(site: Site) -> None:
    """Its mark carries the kiosk's id alone."""
    marks = site.root / "ca" / "revoked"
    marks.mkdir()
    (marks / "k-001.crt").write_bytes((site.kiosk("k-001") / "tls.crt").read_bytes())
    first = serial_of(site, "k-001")
    assert serials_of(revoke(site.root, "k-001")) == [first], "once, under either name"
    new_certificate(site, "k-001")
    assert serials_of(revoke(site.root, "k-001")) == sorted([first, serial_of(site, "k-001")])


def test_revoked_certificates_add_up_and_an_old_broker_is_told_so(site: Site) -> None:
    make_site(site.root, ["k-001", "k-002"])
    for kiosk_id in ("k-001", "k-002", "k-001"):
        revoked = revoke(site.root, kiosk_id)
    assert serials_of(revoked) == sorted(serial_of(site, name) for name in ("k-001", "k-002"))
    with pytest.raises(ConfigError, match="no such kiosk"):
        revoke(site.root, "k-003")
    lines = site.broker_conf.read_text("utf-8").splitlines()
    site.broker_conf.write_text("\n".join(line for line in lines if "crlfile" not in line))
    with pytest.raises(ConfigError, match="without a list"):
        revoke(site.root, "k-001")
