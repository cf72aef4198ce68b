"""Where a webhook may point. The centre's own network must not be reached by naming it.

An address is looked at after it was resolved and is then connected to as it is, so a name that
answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LONGEST = 300
_TRANSLATED = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
"""IPv6 that carries an IPv4 address: where it really leads is not in our hands."""


class Forbidden(Exception):
    """This address may not be told anything; the word says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and under which name."""

    secure: bool
    host: str
    port: int
    path: str
    address: str = ""


def parse(url: str, allowed: Sequence[Network]) -> Target:
    """The form alone, without asking any network. Raises `Forbidden`.

    `allowed`: networks that are not of the public internet and may be told all the same.
    """
    parts = _split(url)
    host = parts.hostname or ""
    plain = parts.scheme == "http" and _is_allowed_loopback(host, allowed)
    if parts.scheme != "https" and not plain:
        raise Forbidden("scheme")
    if not host or "@" in parts.netloc or parts.fragment:
        raise Forbidden("form")
    port = parts.port or (80 if plain else 443)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(not plain, host, port, path)


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise Forbidden("form")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  asking for it is what checks it
    except ValueError as error:
        raise Forbidden("form") from error
    return parts


def resolve(target: Target, allowed: Sequence[Network]) -> Target:
    """The target with an address that may be connected to. Raises `Forbidden` or `OSError`.

    One forbidden address among several forbids the name.
    """
    rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(row[4][0]) for row in rows]
    for text in addresses:
        if not may_reach(ip_address(text.partition("%")[0]), allowed):
            raise Forbidden("address")
    if not addresses:
        raise Forbidden("address")
    return Target(target.secure, target.host, target.port, target.path, addresses[0])


def may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return may_reach(mapped, allowed)
    if any(address in network for network in allowed if network.version == address.version):
        return True
    if any(address in network for network in _TRANSLATED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast


def _is_allowed_loopback(host: str, allowed: Sequence[Network]) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and may_reach(address, allowed)
