"""The TUF repository: one folder of signed metadata and content-addressed files.

    metadata/       what kiosks read: 1.root.json …, timestamp.json
    targets/        the files, named by their hash, never changed
    staged/         metadata that waits for signatures; kiosks never see it

Nothing is published before every threshold is met: a change is written to `staged/`, each holder
of a key adds a signature, on a machine of their own if need be, and `publish` checks the whole as a
kiosk would before it moves it in, the timestamp last. A cut in between leaves the old state.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError

from edge.wire.releases import (
    KINDS,
    MAX_MANIFEST_BYTES,
    Manifest,
    Part,
    manifest_body,
    manifest_path,
)

AnyMetadata: TypeAlias = Metadata[Any]
ROLES = ("root", "targets", *KINDS, "snapshot", "timestamp")
OFFLINE = ("root", "targets", *KINDS)
ONLINE = ("snapshot", "timestamp")
THRESHOLD: Mapping[str, int] = {"root": 2, "targets": 2}
LASTS: Mapping[str, timedelta] = {
    "root": timedelta(days=365),
    "targets": timedelta(days=120),
    "app": timedelta(days=120),
    "model": timedelta(days=120),
    "config": timedelta(days=120),
    "snapshot": timedelta(days=7),
    "timestamp": timedelta(days=2),
}


class FleetError(Exception):
    """The repository refuses; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a staged role still waits for."""

    role: str
    version: int
    signatures: int
    needed: int


class Repository:
    """One folder. Raises `FleetError`."""

    def __init__(self, folder: Path) -> None:
        self.metadata_dir = folder / "metadata"
        self.targets_dir = folder / "targets"
        self._staged_dir = folder / "staged"

    # --- beginning

    def begin(self, keys: Mapping[str, Iterable[Key]], now: datetime) -> None:
        """Stage the first version of everything. `keys` are those of each role, public parts."""
        if self.metadata_dir.exists():
            raise FleetError(f"{self.metadata_dir} is there already: a repository begins once")
        for folder in (self.metadata_dir, self.targets_dir, self._staged_dir):
            folder.mkdir(parents=True, exist_ok=True)
        root = Root(expires=_end("root", now), consistent_snapshot=True)
        for role in ("root", "targets", *ONLINE):
            for key in keys[role]:
                root.add_key(key, role)
            root.roles[role].threshold = _threshold(role)
        self._stage("root", Metadata(root))
        targets = Targets(expires=_end("targets", now))
        targets.delegations = _delegations(keys)
        self._stage("targets", Metadata(targets))
        for kind in KINDS:
            self._stage(kind, Metadata(Targets(expires=_end(kind, now))))

    # --- releases

    def stage_release(self, manifest: Manifest, files: Mapping[str, Path], now: datetime) -> None:
        """Name a release and its parts in what waits for signatures. `files` by target path."""
        newest = self.newest_serial()
        if manifest.serial <= newest:
            raise FleetError(f"serial {manifest.serial}: must be above {newest}, the newest one")
        for kind in KINDS:
            fresh = self._fresh(manifest.of_kind(kind))
            if fresh:
                self._add(kind, {path: files[path] for path in fresh}, now)
        body = manifest_body(manifest)
        if len(body) > MAX_MANIFEST_BYTES:
            raise FleetError("the manifest is too large: fewer parts")
        path = manifest_path(manifest.serial)
        described = TargetFile.from_data(path, body, ["sha256"])
        self._store(described, body)
        self._change("targets", {path: described}, now)

    def _fresh(self, parts: Iterable[Part]) -> list[str]:
        """Paths that are not published yet. A name means the same bytes forever."""
        fresh = []
        for part in parts:
            known = self._targets(part.kind).get(part.path)
            if known is None:
                fresh.append(part.path)
            elif known.hashes["sha256"] != part.sha256:
                why = "is published with other bytes; give the file a name with its version"
                raise FleetError(f"{part.path}: {why}")
        return fresh

    def newest_serial(self) -> int:
        """Of what is published or staged; 0 for none."""
        paths = [path for path in self._targets("targets") if path.startswith("rel/")]
        return max((int(path[4:-5]) for path in paths), default=0)

    def overview(self, now: datetime) -> dict[str, tuple[int, datetime, int]]:
        """Of each published role: version, when it expires, and how many days are left."""
        found = {}
        for role in ROLES:
            metadata = self._timestamp() if role == "timestamp" else self._published(role)
            if metadata is not None:
                left = (metadata.signed.expires - now).days
                found[role] = (metadata.signed.version, metadata.signed.expires, left)
        return found

    # --- signing

    def missing(self) -> list[Missing]:
        """What is staged, and how many signatures it has and needs."""
        found = []
        for role in OFFLINE:
            if (self._staged_dir / f"{role}.json").exists():
                staged = self._load_staged(role)
                valid = self._valid_signatures(role, staged)
                found.append(Missing(role, staged.signed.version, valid, _threshold(role)))
        return found

    def sign(self, role: str, signer: Signer) -> None:
        """Add a signature to a staged role."""
        staged = self._load_staged(role)
        if signer.public_key.keyid not in self._keyids(role):
            raise FleetError(f"{role}: this key is not one of the role's")
        staged.sign(signer, append=True)
        self._write(self._staged_dir / f"{role}.json", staged.to_bytes())

    def publish(self, online: Mapping[str, Signer], now: datetime) -> int:
        """Move in what is staged, if all of it is signed; returns the timestamp's version."""
        waiting = [m for m in self.missing() if m.signatures < m.needed]
        if waiting:
            names = ", ".join(f"{m.role} ({m.signatures} of {m.needed})" for m in waiting)
            raise FleetError(f"not enough signatures: {names}. Each holder runs `fleet sign`.")
        staged = {role: self._load_staged(role) for role in OFFLINE if self._is_staged(role)}
        for role, metadata in staged.items():
            name = f"{metadata.signed.version}.{role}.json"
            self._write(self.metadata_dir / name, metadata.to_bytes())
        version = self.refresh(online, now)
        for role in staged:
            (self._staged_dir / f"{role}.json").unlink()
        return version

    def refresh(self, online: Mapping[str, Signer], now: datetime) -> int:
        """A new snapshot, if anything changed, and a new timestamp, so that kiosks know it is
        not an old state that they are shown. Returns its version."""
        snapshot = self._snapshot(now)
        if snapshot is not None:
            snapshot.sign(online["snapshot"])
            name = f"{snapshot.signed.version}.snapshot.json"
            self._write(self.metadata_dir / name, snapshot.to_bytes())
        version = self._newest_version("snapshot")
        body = (self.metadata_dir / f"{version}.snapshot.json").read_bytes()
        timestamp = Timestamp(
            version=before.signed.version + 1 if (before := self._timestamp()) else 1,
            expires=_end("timestamp", now),
            snapshot_meta=MetaFile.from_data(version, body, ["sha256"]),
        )
        signed = Metadata(timestamp)
        signed.sign(online["timestamp"])
        self._write(self.metadata_dir / "timestamp.json", signed.to_bytes())
        return int(timestamp.version)

    # --- changing keys

    def stage_renewal(self, role: str, now: datetime) -> None:
        """The same content for another term; kiosks refuse what has expired."""
        self._stage(role, self._edited(role, now))

    def stage_root(self, changed: Mapping[str, Iterable[Key]], now: datetime) -> None:
        """Name other keys for some roles. The old root keys and the new ones have to sign."""
        staged = self._edited("root", now)
        root = staged.signed
        for role, keys in changed.items():
            for keyid in list(root.roles[role].keyids):
                root.revoke_key(keyid, role)
            for key in keys:
                root.add_key(key, role)
        self._stage("root", staged)

    # --- inside

    def _stage(self, role: str, metadata: AnyMetadata) -> None:
        self._write(self._staged_dir / f"{role}.json", metadata.to_bytes())

    def _is_staged(self, role: str) -> bool:
        return (self._staged_dir / f"{role}.json").exists()

    def _load_staged(self, role: str) -> AnyMetadata:
        try:
            return Metadata.from_file(str(self._staged_dir / f"{role}.json"))
        except FileNotFoundError as error:
            raise FleetError(f"{role}: nothing of it waits for a signature") from error
        except (DeserializationError, OSError) as error:
            raise FleetError(f"{role}: what is staged cannot be read ({error})") from error

    def _published(self, role: str) -> AnyMetadata | None:
        version = self._newest_version(role)
        if not version:
            return None
        return Metadata.from_file(str(self.metadata_dir / f"{version}.{role}.json"))

    def _newest_version(self, role: str) -> int:
        names = self.metadata_dir.glob(f"*.{role}.json")
        return max((int(name.name.partition(".")[0]) for name in names), default=0)

    def _timestamp(self) -> AnyMetadata | None:
        path = self.metadata_dir / "timestamp.json"
        return Metadata.from_file(str(path)) if path.exists() else None

    def _current(self, role: str) -> AnyMetadata:
        """Staged if it is, else published."""
        found = self._load_staged(role) if self._is_staged(role) else self._published(role)
        if found is None:
            raise FleetError("there is no repository here: `fleet keys` begins one")
        return found

    def _targets(self, role: str) -> Mapping[str, TargetFile]:
        targets: Mapping[str, TargetFile] = self._current(role).signed.targets
        return targets

    def _edited(self, role: str, now: datetime) -> AnyMetadata:
        """The current metadata of a role, as its next version and without signatures."""
        metadata = self._current(role)
        metadata.signed.version = self._newest_version(role) + 1
        metadata.signed.expires = _end(role, now)
        metadata.signatures.clear()
        return metadata

    def _add(self, role: str, files: Mapping[str, Path], now: datetime) -> None:
        described = {}
        for path, file in files.items():
            described[path] = TargetFile.from_file(path, str(file), ["sha256"])
            self._store(described[path], file.read_bytes())
        self._change(role, described, now)

    def _change(self, role: str, fresh: Mapping[str, TargetFile], now: datetime) -> None:
        metadata = self._edited(role, now)
        metadata.signed.targets.update(fresh)
        self._stage(role, metadata)

    def _store(self, described: TargetFile, content: bytes) -> None:
        folder, _, name = described.path.rpartition("/")
        digest = hashlib.sha256(content).hexdigest()
        self._write(self.targets_dir / folder / f"{digest}.{name}", content)

    def _snapshot(self, now: datetime) -> AnyMetadata | None:
        """The next snapshot; nothing if the last one still says all and lasts long enough."""
        roles = ("targets", *KINDS)
        meta = {f"{role}.json": MetaFile(self._newest_version(role)) for role in roles}
        last = self._published("snapshot")
        if last is None:
            return Metadata(Snapshot(expires=_end("snapshot", now), meta=meta))
        lasting = last.signed.expires - now > LASTS["snapshot"] / 2
        if last.signed.meta == meta and lasting:
            return None
        version = last.signed.version + 1
        return Metadata(Snapshot(version=version, expires=_end("snapshot", now), meta=meta))

    def _keyids(self, role: str) -> set[str]:
        """Whose signatures a staged role may bear."""
        if role == "root":
            newest = self._published("root")
            old = set(newest.signed.roles["root"].keyids) if newest else set()
            return old | set(self._current("root").signed.roles["root"].keyids)
        if role == "targets":
            return set(self._current("root").signed.roles["targets"].keyids)
        return set(self._current("targets").signed.delegations.roles[role].keyids)

    def _valid_signatures(self, role: str, staged: AnyMetadata) -> int:
        """How many of the signatures that are needed it has; for a root the lower of both."""
        delegators = [self._current("root" if role in ("root", "targets") else "targets")]
        if role == "root" and (before := self._published("root")):
            delegators.append(before)
        counts = []
        for delegator in delegators:
            result = delegator.signed.get_verification_result(
                role, staged.signed_bytes, staged.signatures
            )
            counts.append(len(result.signed))
        return min(counts)

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all, also through a power cut."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def copy_to_stick(repository: Path, stick: Path) -> None:
    """The same tree for sites without any network; the kiosk believes it no more than a server."""
    for name in ("metadata", "targets"):
        shutil.copytree(repository / name, stick / name, dirs_exist_ok=True)


def _delegations(keys: Mapping[str, Iterable[Key]]) -> Delegations:
    """One terminating role for each kind, for its own folder alone."""
    known: dict[str, Key] = {}
    roles = {}
    for kind in KINDS:
        own = list(keys[kind])
        known |= {key.keyid: key for key in own}
        ids = [key.keyid for key in own]
        roles[kind] = DelegatedRole(kind, ids, _threshold(kind), True, [f"{kind}/*"])
    return Delegations(known, roles)


def _threshold(role: str) -> int:
    return THRESHOLD.get(role, 1)


def _end(role: str, now: datetime) -> datetime:
    return (now + LASTS[role]).replace(microsecond=0)
