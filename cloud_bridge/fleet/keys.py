"""Whose keys sign what, and where the private parts are: files, or tokens over PKCS#11.

`keys.json` holds public keys and addresses of private ones (`file2:PATH`, `hsm:…`), never a private
key. A holder's own machine needs this file and that holder's key, nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, HSMSigner, Key, Signer, SSlibKey

from cloud_bridge.fleet.repository import ONLINE, ROLES, FleetError

COPIES: Mapping[str, int] = {"root": 3, "targets": 2}
"""How many keys a role begins with; one where nothing is said."""
PinOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Holder:
    """One key of one role. `uri` tells a signer where the private part is."""

    role: str
    name: str
    key: Key
    uri: str


class Keys:
    """What `keys.json` says. Raises `FleetError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.holders: list[Holder] = []
        if path.exists():
            self.holders = _read(path)

    def of(self, role: str) -> list[Holder]:
        return [holder for holder in self.holders if holder.role == role]

    def public(self) -> dict[str, list[Key]]:
        return {role: [holder.key for holder in self.of(role)] for role in ROLES}

    def make_files(self, folder: Path) -> None:
        """A new key file for every role that has none yet; mode 0600, never over another."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for role in ROLES:
            for number in range(len(self.of(role)) + 1, COPIES.get(role, 1) + 1):
                self.holders.append(_new_file(folder, role, f"{role}-{number}"))
        self.save()

    def add_token(self, role: str, name: str) -> Holder:
        """The signing key of the token that is plugged in (PKCS11LIB names its library)."""
        uri, key = HSMSigner.import_()
        holder = Holder(role, name, key, uri)
        self.holders.append(holder)
        self.save()
        return holder

    def drop(self, name: str) -> None:
        self.holders = [holder for holder in self.holders if holder.name != name]
        self.save()

    def save(self) -> None:
        rows = [
            {
                "role": holder.role,
                "name": holder.name,
                "uri": holder.uri,
                "keyid": holder.key.keyid,
                "key": holder.key.to_dict(),
            }
            for holder in self.holders
        ]
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
        draft.replace(self._path)

    def signer(self, name: str, pin_of: PinOf | None = None) -> tuple[str, Signer]:
        """Role and signer of the holder of this name."""
        found = [holder for holder in self.holders if holder.name == name]
        if not found:
            names = ", ".join(holder.name for holder in self.holders)
            raise FleetError(f"{name}: no such key; there are {names or 'none, see `fleet keys`'}")
        return found[0].role, self._signer(found[0], pin_of)

    def online(self) -> dict[str, Signer]:
        """The two that sign by themselves, for freshness alone."""
        return {role: self._signer(self.of(role)[0], None) for role in ONLINE}

    def _signer(self, holder: Holder, pin_of: PinOf | None) -> Signer:
        uri = holder.uri
        if uri.startswith("file2:") and not uri[6:].startswith("/"):
            uri = f"file2:{self._path.parent / uri[6:]}"
        try:
            return Signer.from_priv_key_uri(uri, holder.key, pin_of)
        except (OSError, ValueError) as error:
            raise FleetError(f"{holder.name}: the private key cannot be used ({error})") from error


def _new_file(folder: Path, role: str, name: str) -> Holder:
    signer = CryptoSigner.generate_ed25519()
    path = folder / f"{name}.pem"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(signer.private_bytes)
    return Holder(role, name, signer.public_key, f"file2:{path.name}")


def _read(path: Path) -> list[Holder]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return [
            Holder(
                row["role"],
                row["name"],
                SSlibKey.from_dict(row["keyid"], dict(row["key"])),
                row["uri"],
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FleetError(f"{path}: is no list of keys ({type(error).__name__})") from error
