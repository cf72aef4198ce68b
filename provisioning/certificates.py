"""A small certificate authority for the broker, its bridge and the kiosks. EC P-256.

The extensions are those that Python 3.13 insists on (RFC 5280 checked strictly).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
LEAF_DAYS = 825
# A kiosk without a battery clock boots in the past; it must not find its
# certificate "not yet valid".
EARLY_DAYS = 30

_DIGITAL_SIGNATURE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
_CERTIFICATE_SIGNING = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Authority:
    """Certificate and key of the authority."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_key() -> bytes:
    """A private key as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def authority(cert_pem: bytes, key_pem: bytes) -> Authority:
    return Authority(x509.load_pem_x509_certificate(cert_pem), load_key(key_pem))


def authority_cert(name: str, key_pem: bytes) -> bytes:
    """A certificate that signs itself and others, as PEM."""
    key = load_key(key_pem)
    subject = _subject(name)
    builder = (
        _builder(subject, subject, key.public_key(), key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CERTIFICATE_SIGNING, critical=True)
    )
    return _signed(builder, key)


def server_cert(signer: Authority, hosts: Sequence[str], key_pem: bytes) -> bytes:
    """A broker's certificate for names and addresses, as PEM."""
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    builder = _leaf(signer, hosts[0], key_pem, ExtendedKeyUsageOID.SERVER_AUTH)
    return _signed(builder.add_extension(names, critical=False), signer.key)


def client_cert(signer: Authority, name: str, key_pem: bytes) -> bytes:
    """A certificate whose CN is the user name at the broker, as PEM."""
    return _signed(_leaf(signer, name, key_pem, ExtendedKeyUsageOID.CLIENT_AUTH), signer.key)


def serial(cert: bytes) -> int:
    """Which of an authority's certificates (PEM) this is."""
    return x509.load_pem_x509_certificate(cert).serial_number


def revocation_list(signer: Authority, certs: Sequence[bytes]) -> bytes:
    """The certificates (PEM) that are worth nothing any more, as PEM.

    Valid as long as the authority: a broker lets nobody in whose list has run out.
    """
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.cert.subject)
        .last_update(now - timedelta(days=EARLY_DAYS))
        .next_update(now + timedelta(days=AUTHORITY_DAYS))
    )
    for pem in certs:
        entry = x509.RevokedCertificateBuilder().serial_number(serial(pem)).revocation_date(now)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _leaf(
    signer: Authority, name: str, key_pem: bytes, usage: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    public = load_key(key_pem).public_key()
    issuer = signer.cert.subject
    return (
        _builder(_subject(name), issuer, public, signer.key.public_key(), LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_DIGITAL_SIGNATURE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=EARLY_DAYS))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(by, critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
