"""A kiosk that runs release 1, a centre whose tree an attacker may change, and what came of it."""

from __future__ import annotations

import atexit
import copy
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata, MetaFile

from edge.update import launcher
from edge.update.agent import Agent, Machine, Phase, Times, Told
from edge.update.download import Shelf
from edge.update.fetch import Stick
from edge.update.history import History
from edge.wire.releases import Assignment, Manifest
from tests.fleet_world import KIOSK, Centre, KioskFolders, wheel

FACE = {"model/face-1.bin": b"m" * 3000}
APP_1 = {"app/jianzai-1.whl": wheel("hello", __main__="print(1)"), **FACE}
APP_2 = {"app/jianzai-2.whl": wheel("hello", __main__="print(2)"), **FACE}
EVIL = wheel("hello", __main__="print('evil')")


_STAGING = (
    *("kiosk/trust", "kiosk/shelf", "kiosk/history", "kiosk/opt/releases", "centre", "secret"),
    *("releases/2", "releases/.in"),
)


def fast_folder() -> str | None:
    """In memory where there is such a place: what is tried here is not the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Wire:
    """The tree through an attacker's hands: `bend` changes what a path gives."""

    name = "attacked"

    def __init__(self, tree: Path, tick: Callable[[], None]) -> None:
        self._stick = Stick(tree)
        self._tick = tick
        self.bend: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {}

    def fetch(self, path: str, offset: int = 0) -> Iterator[bytes]:
        for name, bent in self.bend.items():
            if name in path:
                yield from bent(self._stick.fetch(path, offset))
                return
        for chunk in self._stick.fetch(path, offset):
            self._tick()
            yield chunk


@cache
def _template() -> Path:
    """Made once: signing and flushing take longer than most attacks."""
    folder = Path(tempfile.mkdtemp(prefix="jianzai-attack-", dir=fast_folder()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    centre = Centre(folder / "centre")
    kiosk = KioskFolders(folder / "kiosk", centre)
    kiosk.agent().turn(centre.assign(centre.release(1, APP_1)))
    launcher.confirm(kiosk.state)
    centre.release(2, APP_2)
    return folder


class World:
    """Release 1 is confirmed and runs; release 2 is published. Attacks begin here."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(_template(), folder, dirs_exist_ok=True, symlinks=True)
        self.centre = Centre(folder / "centre")
        self.kiosk = KioskFolders(folder / "kiosk", self.centre)
        self.kiosk.beside.restarts = 1  # for release 1
        self.folder = folder
        self.wire = Wire(self.centre.folder, self._tick)
        self.history = History(self.kiosk.folder / "history.jsonl")
        self.seq = 1
        self.manifest = self.centre.manifest(2, APP_2)

    def _tick(self) -> None:
        self.kiosk.mono_s += 0.01

    def agent(self) -> Agent:
        kiosk = self.kiosk
        return Agent(
            (kiosk.root, kiosk.state),
            Machine(KIOSK, "x86_64", 5),
            kiosk.trust,
            Shelf(kiosk.folder / "shelf", lambda: kiosk.mono_s),
            [self.wire],
            (kiosk.beside, kiosk.beside),
            Times(lambda: kiosk.now, lambda: kiosk.mono_s),
        )

    def assign(self, manifest: Manifest | None = None, **more: object) -> Assignment:
        self.seq += 1
        return self.centre.assign(manifest or self.manifest, self.seq, **more)

    def turn(self, wanted: Assignment) -> Told:
        told = self.agent().turn(wanted)
        self.history.note(self.kiosk.now, told.phase.value, told.wanted, told.word)
        return told

    # --- an attacker's tools

    @property
    def metadata(self) -> Path:
        return self.centre.folder / "metadata"

    def stranger(self) -> Signer:
        return CryptoSigner.generate_ed25519()

    def key(self, name: str) -> Signer:
        return self.centre.keys.signer(name)[1]

    def keys_of(self, role: str) -> list[Signer]:
        return [self.key(holder.name) for holder in self.centre.keys.of(role)]

    def load(self, name: str) -> Metadata[Any]:
        return Metadata.from_file(str(self.metadata / name))

    def newest(self, role: str) -> Metadata[Any]:
        if role == "timestamp":
            return self.load("timestamp.json")
        numbers = [int(path.name.split(".")[0]) for path in self.metadata.glob(f"*.{role}.json")]
        return self.load(f"{max(numbers)}.{role}.json")

    def put(self, metadata: Metadata[Any], role: str, signers: list[Signer]) -> None:
        """Write a role as its next file, signed by these alone."""
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(signer, append=True)
        version = metadata.signed.version
        name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
        (self.metadata / name).write_bytes(metadata.to_bytes())

    def changed(
        self,
        role: str,
        change: Callable[[Any], None],
        signers: list[Signer],
        *,
        pass_on: bool = True,
    ) -> None:
        """The next version of a role; with `pass_on` the online keys vouch for it."""
        metadata = copy.deepcopy(self.newest(role))
        metadata.signed.version += 1
        change(metadata.signed)
        self.put(metadata, role, signers)
        if role not in ("root", "snapshot", "timestamp"):
            self.vouch({role: metadata.signed.version})

    def vouch(self, versions: dict[str, int]) -> None:
        """What whoever stole both online keys can say."""
        snapshot = copy.deepcopy(self.newest("snapshot"))
        snapshot.signed.version += 1
        for role, version in versions.items():
            snapshot.signed.meta[f"{role}.json"] = MetaFile(version)
        self.put(snapshot, "snapshot", self.keys_of("snapshot"))
        self.stamp()

    def stamp(self, signers: list[Signer] | None = None) -> None:
        """A timestamp over the newest snapshot."""
        snapshot = self.newest("snapshot").signed.version
        body = (self.metadata / f"{snapshot}.snapshot.json").read_bytes()
        stamp = copy.deepcopy(self.newest("timestamp"))
        stamp.signed.version += 1
        stamp.signed.snapshot_meta = MetaFile.from_data(snapshot, body, ["sha256"])
        self.put(stamp, "timestamp", signers if signers is not None else self.keys_of("timestamp"))

    def target(self, path: str) -> Path:
        """The file of a part of release 2."""
        return next(self.centre.folder.glob(f"targets/*/*.{path.rpartition('/')[2]}"))

    def later(self, days: float) -> None:
        self.kiosk.now += timedelta(days=days)


@dataclass(frozen=True)
class Outcome:
    """What became of an attack."""

    name: str
    refused: bool
    reason: str


def outcome(name: str, world: World, told: Told, before: dict[str, str]) -> Outcome:
    """Refused: nothing switched, nothing outside staging changed, and a word says why."""
    kiosk = world.kiosk
    boot = launcher.load(kiosk.state)
    still = (boot.trial == "", launcher.serial_of(boot.current) == 1, kiosk.beside.restarts == 1)
    clean = snapshot_of(world) == before
    noted = world.history.lines()[-1:] and world.history.lines()[-1]["word"] == told.word
    refused = all(still) and clean and told.phase is not Phase.TRIAL and bool(told.word) and noted
    return Outcome(name, bool(refused), told.word or told.phase.value)


def snapshot_of(world: World) -> dict[str, str]:
    """Hash of every file that an update may not touch before it is switched to."""
    found = {}
    for top in (world.folder, world.kiosk.root):
        for path in sorted(top.rglob("*")):
            name = str(path.relative_to(top))
            staging = (
                "kiosk/trust",
                "kiosk/shelf",
                "kiosk/opt/releases",
                "centre",
                "releases/2",
                "secret",
            )
            if name.startswith(staging) or name.startswith(("releases/.in", "kiosk/history")):
                continue
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file() and path.name != "boot.old.json":
                found[name] = hashlib.sha256(_steady(path)).hexdigest()
    return found


def _steady(path: Path) -> bytes:
    """A state file without the list of bad serials, which may grow."""
    if path.name == "boot.json":
        fields = json.loads(path.read_text("utf-8").split("\n", 1)[1])
        return json.dumps({**fields, "bad": [], "reason": ""}).encode()
    return path.read_bytes()
