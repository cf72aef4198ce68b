"""A repository with all its keys, releases in it, and a kiosk's folders: real TUF, no network."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud_bridge.fleet.keys import Keys
from cloud_bridge.fleet.repository import Repository
from edge.update.agent import Agent, Machine, Signs, Times
from edge.update.download import Shelf
from edge.update.fetch import Stick
from edge.update.trust import Trust
from edge.wire.envelope import sha256_hex
from edge.wire.releases import Assignment, Manifest, Part, manifest_body

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
KIOSK = "K-0001"


def wheel(name: str, **files: str) -> bytes:
    """A wheel of these modules."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for module, text in files.items():
            archive.writestr(f"{name}/{module}.py", text)
    return buffer.getvalue()


class Centre:
    """Keys, repository and releases in one folder."""

    def __init__(self, folder: Path, now: datetime = NOW) -> None:
        self.now = now
        self.keys = Keys(folder / "keys.json")
        self.folder = folder / "tree"
        self.repository = Repository(self.folder)
        self._files = folder / "files"
        if not self.folder.exists():
            self._begin(folder)

    def _begin(self, folder: Path) -> None:
        self.keys.make_files(folder)
        self.repository.begin(self.keys.public(), self.now)
        self._files.mkdir()
        self.sign_and_publish()

    def root(self) -> bytes:
        return (self.folder / "metadata" / "1.root.json").read_bytes()

    def release(self, serial: int, files: dict[str, bytes], **more: object) -> Manifest:
        """Publish a release of these files by target path."""
        manifest = self.manifest(serial, files, **more)
        self.repository.stage_release(manifest, self.paths(files), self.now)
        self.sign_and_publish()
        return manifest

    def manifest(self, serial: int, files: dict[str, bytes], **more: object) -> Manifest:
        parts = tuple(Part(path, sha256_hex(data), len(data)) for path, data in files.items())
        fields = {
            "serial": serial, "version": f"0.{serial}", "made_at": self.now,
            "machines": ("x86_64",), "launcher": 1,
            "schema_from": 1, "schema_to": 9, "parts": parts,
        }  # fmt: skip
        return Manifest(**(fields | more))  # type: ignore[arg-type]

    def paths(self, files: dict[str, bytes]) -> dict[str, Path]:
        found = {}
        for path, data in files.items():
            found[path] = self._files / hashlib.sha256(data).hexdigest()
            found[path].write_bytes(data)
        return found

    def sign_and_publish(self) -> None:
        for missing in self.repository.missing():
            for holder in self.keys.of(missing.role):
                self.repository.sign(*self.keys.signer(holder.name))
        self.repository.publish(self.keys.online(), self.now)

    def assign(self, manifest: Manifest, seq: int = 1, **more: object) -> Assignment:
        fields = {
            "kiosk_id": KIOSK, "seq": seq, "serial": manifest.serial,
            "manifest_sha256": sha256_hex(manifest_body(manifest)), "ring": 0,
            "issued_at": self.now, "not_before": self.now, "defer_until": self.now + timedelta(7),
        }  # fmt: skip
        return Assignment(**(fields | more))  # type: ignore[arg-type]


@dataclass
class Beside:
    """The kiosk next to the updater, as a test wants it."""

    served: bool = False
    well: Signs = field(default_factory=lambda: Signs(True, True, True, True, None))
    fault: str = ""
    restarts: int = 0
    tried: list[Path] = field(default_factory=list)

    def restart(self) -> None:
        self.restarts += 1

    def nobody_is_served(self) -> bool:
        return not self.served

    def signs(self) -> Signs:
        return self.well

    def try_out(self, release: Path) -> str:
        self.tried.append(release)
        return self.fault


class KioskFolders:
    """A kiosk's release folder, state and trust, with a clock that a test moves."""

    def __init__(self, folder: Path, centre: Centre) -> None:
        self.root, self.state = folder / "opt", folder / "state"
        for path in (self.root / "factory" / "site", self.state):
            path.mkdir(parents=True, exist_ok=True)
        self.centre, self.folder = centre, folder
        self.beside = Beside()
        self.now, self.mono_s = centre.now, 0.0
        self.trust = self.new_trust()

    def new_trust(self) -> Trust:
        return Trust(self.folder / "trust", self.centre.root(), lambda: self.now)

    def agent(self) -> Agent:
        return Agent(
            (self.root, self.state),
            Machine(KIOSK, "x86_64", 5),
            self.trust,
            Shelf(self.folder / "shelf", lambda: self.mono_s),
            [Stick(self.centre.folder)],
            (self.beside, self.beside),
            Times(lambda: self.now, lambda: self.mono_s),
        )
