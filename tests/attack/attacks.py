"""The attacks. Each takes a fresh `World`, does its worst, and returns what the updater said."""

from __future__ import annotations

import copy
import io
import itertools
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tuf.api.metadata import DelegatedRole, MetaFile, TargetFile

from edge.update import launcher, staging
from edge.update.agent import Told
from edge.update.fetch import Stick
from edge.wire.envelope import sha256_hex
from edge.wire.releases import Manifest, Part, manifest_body, manifest_path
from tests.attack.world import APP_1, APP_2, EVIL, FACE, World

Attack = Callable[[World], Told]
ATTACKS: dict[str, Attack] = {}


def attack(name: str) -> Callable[[Attack], Attack]:
    def named(function: Attack) -> Attack:
        ATTACKS[name] = function
        return function

    return named


def _go(world: World) -> Told:
    return world.turn(world.assign())


# --- root


@attack("root signed by strangers")
def _(world: World) -> Told:
    strangers = [world.stranger(), world.stranger()]
    world.changed("root", lambda root: None, strangers)
    return _go(world)


@attack("root with one signature of two")
def _(world: World) -> Told:
    world.changed("root", lambda root: None, world.keys_of("root")[:1])
    return _go(world)


@attack("root that names a stranger's targets key, signed by one old key twice")
def _(world: World) -> Told:
    stranger = world.stranger()
    twice = world.keys_of("root")[:1] * 2
    world.changed("root", lambda root: root.add_key(stranger.public_key, "targets"), twice)
    return _go(world)


@attack("root with a lower threshold, signed by one")
def _(world: World) -> Told:
    def lower(root: Any) -> None:
        root.roles["root"].threshold = root.roles["targets"].threshold = 1

    world.changed("root", lower, world.keys_of("root")[:1])
    return _go(world)


@attack("root whose file holds an older version")
def _(world: World) -> Told:
    old = world.metadata / "1.root.json"
    (world.metadata / "2.root.json").write_bytes(old.read_bytes())
    return _go(world)


@attack("expired root")
def _(world: World) -> Told:
    world.later(400)
    return _go(world)


@attack("root without end")
def _(world: World) -> Told:
    world.wire.bend["2.root.json"] = _endless
    (world.metadata / "2.root.json").write_bytes(b" ")
    return _go(world)


# --- timestamp


@attack("timestamp signed by a stranger")
def _(world: World) -> Told:
    world.stamp([world.stranger()])
    return _go(world)


@attack("timestamp without any signature")
def _(world: World) -> Told:
    world.stamp([])
    return _go(world)


@attack("rollback of the timestamp")
def _(world: World) -> Told:
    old = (world.metadata / "timestamp.json").read_bytes()
    world.stamp()
    world.agent().turn(world.assign(world.manifest, serial=1, manifest_sha256="0" * 64))
    _see(world)
    (world.metadata / "timestamp.json").write_bytes(old)
    return _go(world)


def _see(world: World) -> None:
    """Let the kiosk learn the newest metadata without installing anything."""
    world.kiosk.trust.refresh(Stick(world.centre.folder))


@attack("freeze: a timestamp of three days ago")
def _(world: World) -> Told:
    world.later(3)
    return _go(world)


@attack("freeze by a clock in the past")
def _(world: World) -> Told:
    world.kiosk.trust.not_before(world.kiosk.now + timedelta(days=10))
    world.later(-9000)
    return _go(world)


@attack("a clock ten years ahead installs nothing")
def _(world: World) -> Told:
    world.later(3650)
    return _go(world)


@attack("timestamp without end")
def _(world: World) -> Told:
    world.wire.bend["timestamp.json"] = _endless
    return _go(world)


@attack("timestamp that is no JSON")
def _(world: World) -> Told:
    (world.metadata / "timestamp.json").write_bytes(b"\xff\xfe{")
    return _go(world)


@attack("timestamp nested ten thousand deep")
def _(world: World) -> Told:
    (world.metadata / "timestamp.json").write_bytes(b'{"signed":' + b"[" * 10_000)
    return _go(world)


@attack("a part dripping one byte at a time")
def _(world: World) -> Told:
    world.wire.bend["jianzai-2.whl"] = lambda chunks: _slow(world, chunks)
    return _go(world)


# --- snapshot


@attack("snapshot signed by a stranger")
def _(world: World) -> Told:
    snapshot = copy.deepcopy(world.newest("snapshot"))
    snapshot.signed.version += 1
    world.put(snapshot, "snapshot", [world.stranger()])
    world.stamp()
    return _go(world)


@attack("rollback of the snapshot by a stolen timestamp key")
def _(world: World) -> Told:
    _see(world)
    stamp = copy.deepcopy(world.newest("timestamp"))
    stamp.signed.version += 1
    body = (world.metadata / "1.snapshot.json").read_bytes()
    stamp.signed.snapshot_meta = MetaFile.from_data(1, body, ["sha256"])
    world.put(stamp, "timestamp", world.keys_of("timestamp"))
    return _go(world)


@attack("snapshot that is another file than the timestamp's")
def _(world: World) -> Told:
    newest = world.newest("snapshot").signed.version
    path = world.metadata / f"{newest}.snapshot.json"
    path.write_bytes(path.read_bytes() + b" ")
    return _go(world)


@attack("snapshot that forgets the targets")
def _(world: World) -> Told:
    snapshot = copy.deepcopy(world.newest("snapshot"))
    snapshot.signed.version += 1
    del snapshot.signed.meta["targets.json"]
    world.put(snapshot, "snapshot", world.keys_of("snapshot"))
    world.stamp()
    return _go(world)


@attack("expired snapshot under a fresh timestamp")
def _(world: World) -> Told:
    world.later(8)
    stamp = copy.deepcopy(world.newest("timestamp"))
    stamp.signed.version += 1
    stamp.signed.expires = world.kiosk.now + timedelta(days=2)
    world.put(stamp, "timestamp", world.keys_of("timestamp"))
    return _go(world)


# --- targets and delegated roles; the online keys are stolen


@attack("targets signed by a stranger, vouched for by stolen online keys")
def _(world: World) -> Told:
    world.changed("targets", lambda targets: None, [world.stranger(), world.stranger()])
    return _go(world)


@attack("targets with one signature of two")
def _(world: World) -> Told:
    world.changed("targets", lambda targets: None, world.keys_of("targets")[:1])
    return _go(world)


@attack("rollback of the targets by stolen online keys")
def _(world: World) -> Told:
    _see(world)
    world.vouch({"targets": 1})
    return _go(world)


@attack("rollback of a delegated role by stolen online keys")
def _(world: World) -> Told:
    _see(world)
    world.vouch({"app": 1})
    return _go(world)


@attack("expired targets under fresh online roles")
def _(world: World) -> Told:
    world.later(130)
    _fresh_online(world)
    return _go(world)


def _fresh_online(world: World) -> None:
    for role in ("snapshot", "timestamp"):
        metadata = copy.deepcopy(world.newest(role))
        metadata.signed.version += 1
        metadata.signed.expires = world.kiosk.now + timedelta(days=2)
        if role == "timestamp":
            number = world.newest("snapshot").signed.version
            body = (world.metadata / f"{number}.snapshot.json").read_bytes()
            metadata.signed.snapshot_meta = MetaFile.from_data(number, body, ["sha256"])
        world.put(metadata, role, world.keys_of(role))


@attack("application signed by the key for models")
def _(world: World) -> Told:
    world.changed("app", lambda app: None, world.keys_of("model"))
    return _go(world)


@attack("stolen app key: other bytes under a name of the release")
def _(world: World) -> Told:
    def swap(app: Any) -> None:
        app.targets["app/jianzai-2.whl"] = TargetFile.from_data(
            "app/jianzai-2.whl", EVIL, ["sha256"]
        )

    world.changed("app", swap, world.keys_of("app"))
    folder = world.centre.folder / "targets" / "app"
    (folder / f"{sha256_hex(EVIL)}.jianzai-2.whl").write_bytes(EVIL)
    return _go(world)


@attack("stolen model key names an application")
def _(world: World) -> Told:
    def name(model: Any) -> None:
        model.targets["app/evil.whl"] = TargetFile.from_data("app/evil.whl", EVIL, ["sha256"])

    world.changed("model", name, world.keys_of("model"))
    manifest = _forged(world, {"app/evil.whl": EVIL})
    return world.turn(world.assign(manifest))


@attack("stolen app and online keys: a manifest of one's own")
def _(world: World) -> Told:
    return world.turn(world.assign(_forged(world, {"app/evil.whl": EVIL}, sign=("app",))))


def _forged(world: World, files: dict[str, bytes], sign: tuple[str, ...] = ()) -> Manifest:
    """A release that nobody with a targets key has seen, as far as stolen keys can bring it."""
    manifest = world.centre.manifest(9, files)
    body = manifest_body(manifest)
    path = world.centre.folder / "targets" / "rel" / f"{sha256_hex(body)}.9.json"
    path.write_bytes(body)
    for role in sign:

        def name(signed: Any) -> None:
            for path_, data in files.items():
                signed.targets[path_] = TargetFile.from_data(path_, data, ["sha256"])

        world.changed(role, name, world.keys_of(role))
    return manifest


@attack("a delegation of one's own, by stolen online keys")
def _(world: World) -> Told:
    stranger = world.stranger()

    def delegate(targets: Any) -> None:
        key = stranger.public_key
        targets.delegations.keys[key.keyid] = key
        role = DelegatedRole("evil", [key.keyid], 1, True, ["app/*"])
        targets.delegations.roles = {"evil": role, **targets.delegations.roles}

    world.changed("targets", delegate, [stranger])
    return _go(world)


# --- releases


@attack("mix-and-match: the manifest of 2 with the parts of 1")
def _(world: World) -> Told:
    mixed = world.centre.manifest(3, APP_2)
    parts = [Part(part.path, sha256_hex(EVIL), len(EVIL)) for part in mixed.parts]
    return world.turn(world.assign(_published(world, replace(mixed, parts=tuple(parts)))))


def _published(world: World, manifest: Manifest) -> Manifest:
    """By the offline keys themselves, deceived or careless."""
    path = manifest_path(manifest.serial)
    body = manifest_body(manifest)
    described = TargetFile.from_data(path, body, ["sha256"])
    folder = world.centre.folder / "targets" / "rel"
    (folder / f"{sha256_hex(body)}.{manifest.serial}.json").write_bytes(body)
    world.changed(
        "targets",
        lambda targets: targets.targets.update({path: described}),
        world.keys_of("targets"),
    )
    return manifest


@attack("a release that calls itself by another serial")
def _(world: World) -> Told:
    manifest = world.centre.manifest(4, APP_2)
    body = manifest_body(manifest)
    described = TargetFile.from_data("rel/5.json", body, ["sha256"])
    path = world.centre.folder / "targets" / "rel" / f"{sha256_hex(body)}.5.json"
    path.write_bytes(body)
    world.changed(
        "targets",
        lambda targets: targets.targets.update({"rel/5.json": described}),
        world.keys_of("targets"),
    )
    return world.turn(world.assign(manifest, serial=5))


@attack("a release for other machines")
def _(world: World) -> Told:
    manifest = world.centre.release(3, APP_2, machines=("armv6l",))
    return world.turn(world.assign(manifest))


@attack("a release for a newer launcher")
def _(world: World) -> Told:
    manifest = world.centre.release(3, APP_2, launcher=launcher.VERSION + 1)
    return world.turn(world.assign(manifest))


@attack("a release that cannot open the database")
def _(world: World) -> Told:
    return world.turn(world.assign(world.centre.release(3, APP_2, schema_from=6)))


@attack("a manifest of other bytes than were signed")
def _(world: World) -> Told:
    path = next(world.centre.folder.glob("targets/rel/*.2.json"))
    path.write_bytes(path.read_bytes().replace(b'"0.2"', b'"0.9"'))
    return _go(world)


@attack("a manifest that is too large")
def _(world: World) -> Told:
    path = "rel/6.json"
    body = b" " * 600_000
    described = TargetFile.from_data(path, body, ["sha256"])
    (world.centre.folder / "targets/rel" / f"{sha256_hex(body)}.6.json").write_bytes(body)
    world.changed(
        "targets",
        lambda targets: targets.targets.update({path: described}),
        world.keys_of("targets"),
    )
    wanted = world.assign(serial=6, manifest_sha256=sha256_hex(body))
    return world.turn(wanted)


@attack("a part named outside its folder")
def _(world: World) -> Told:
    return _with_part(world, Part("app/../../rel/1.json", "0" * 64, 10))


@attack("two parts that differ in upper and lower case")
def _(world: World) -> Told:
    return _with_part(world, Part("app/JIANZAI-2.whl", "0" * 64, 10))


@attack("a part in letters that look like ours")
def _(world: World) -> Told:
    return _with_part(world, Part("app/jіanzai-2.whl", "0" * 64, 10))


@attack("a part of a kind that does not exist")
def _(world: World) -> Told:
    return _with_part(world, Part("boot/cmdline.txt", "0" * 64, 10))


@attack("a part of eight exabytes")
def _(world: World) -> Told:
    return _with_part(world, Part("app/huge.whl", "0" * 64, 2**63))


def _with_part(world: World, part: Part) -> Told:
    manifest = world.centre.manifest(3, APP_2)
    broken = replace(manifest, parts=(*manifest.parts, part))
    return world.turn(world.assign(_published(world, broken)))


# --- bytes on the way


@attack("other bytes for a part")
def _(world: World) -> Told:
    path = world.target("app/jianzai-2.whl")
    path.write_bytes(EVIL.ljust(path.stat().st_size, b"\0")[: path.stat().st_size])
    return _go(world)


@attack("a part cut short")
def _(world: World) -> Told:
    path = world.target("app/jianzai-2.whl")
    path.write_bytes(path.read_bytes()[:-5])
    return _go(world)


@attack("a part without end")
def _(world: World) -> Told:
    world.wire.bend["jianzai-2.whl"] = _endless
    return _go(world)


@attack("slow retrieval")
def _(world: World) -> Told:
    world.wire.bend["jianzai-2.whl"] = lambda chunks: _slow(world, chunks, 40.0)
    return _go(world)


@attack("a part that leads out of the stick by a link")
def _(world: World) -> Told:
    secret = world.folder / "secret"
    secret.write_bytes(b"not for the updater")
    path = world.target("app/jianzai-2.whl")
    path.unlink()
    path.symlink_to(secret)
    return _go(world)


@attack("a stick of last month")
def _(world: World) -> Told:
    world.later(31)
    return _go(world)


@attack("two parts exchanged")
def _(world: World) -> Told:
    one, two = world.target("app/jianzai-2.whl"), world.target("model/face-1.bin")
    world.kiosk.folder.joinpath("shelf", sha256_hex(FACE["model/face-1.bin"])).unlink()
    one_bytes, two_bytes = one.read_bytes(), two.read_bytes()
    one.write_bytes(two_bytes)
    two.write_bytes(one_bytes)
    return _go(world)


def _endless(_chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from itertools.repeat(b"x" * 65536)


def _slow(world: World, chunks: Iterator[bytes], pause_s: float = 5.0) -> Iterator[bytes]:
    for byte in b"".join(chunks):
        world.kiosk.mono_s += pause_s
        yield bytes([byte])


# --- assignments


@attack("an assignment for another kiosk")
def _(world: World) -> Told:
    return world.turn(world.assign(kiosk_id="K-0002"))


@attack("a replayed assignment")
def _(world: World) -> Told:
    agent = world.agent()
    old, newer = world.assign(), world.assign(serial=1)
    agent.turn(newer)
    told = agent.turn(old)
    world.history.note(world.kiosk.now, told.phase.value, told.wanted, told.word)
    return told


@attack("a downgrade by assignment")
def _(world: World) -> Told:
    """The kiosk runs 1; there is nothing below it but the image's own."""
    boot = launcher.load(world.kiosk.state)
    launcher.save(world.kiosk.state, replace(boot, current=boot.current.replace("1-", "1-")))
    zero = replace(world.manifest, serial=0)
    return world.turn(world.assign(zero))


@attack("an assignment to a release that nobody signed")
def _(world: World) -> Told:
    return world.turn(world.assign(replace(world.manifest, serial=77)))


@attack("an assignment whose hash is not the release's")
def _(world: World) -> Told:
    return world.turn(world.assign(manifest_sha256="f" * 64))


@attack("a release that failed here before")
def _(world: World) -> Told:
    boot = launcher.load(world.kiosk.state)
    launcher.save(world.kiosk.state, replace(boot, bad=(2,), reason="not confirmed: 2"))
    return _go(world)


@attack("metadata dated into the future moves no clock")
def _(world: World) -> Told:
    """A floor is only raised by what is signed by offline keys or the registry's."""
    wanted = world.assign(kiosk_id="K-0002", issued_at=datetime(2099, 1, 1, tzinfo=UTC))
    told = world.turn(wanted)
    floor = world.kiosk.trust.floor
    return told if floor.year < 2099 else replace(told, word="")


# --- power cuts before an attack


@attack("emptied metadata and an old mirror")
def _(world: World) -> Told:
    old = {path: path.read_bytes() for path in world.metadata.iterdir()}
    world.stamp()
    _see(world)
    for path in (world.kiosk.folder / "trust").rglob("*.json"):
        if path.name != "marks.json" and not path.is_symlink():
            path.write_bytes(b"")
    for path, content in old.items():
        path.write_bytes(content)
    world.kiosk.trust = world.kiosk.new_trust()
    return _go(world)


@attack("removed metadata and an old mirror")
def _(world: World) -> Told:
    import shutil

    old = {path: path.read_bytes() for path in world.metadata.iterdir()}
    world.stamp()
    _see(world)
    shutil.rmtree(world.kiosk.folder / "trust" / "kept")
    for path, content in old.items():
        path.write_bytes(content)
    world.kiosk.trust = world.kiosk.new_trust()
    return _go(world)


# --- wheels that were signed by somebody deceived


def _wheel(world: World, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Told:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in members:
            archive.writestr(info, data)
    return _raw(world, buffer.getvalue())


def _raw(world: World, content: bytes) -> Told:
    manifest = world.centre.release(3, {"app/odd-3.whl": content, **FACE})
    return world.turn(world.assign(manifest))


@attack("a wheel that climbs out of its folder")
def _(world: World) -> Told:
    return _wheel(world, ("../../../factory/site/evil.py", b"x"))


@attack("a wheel with an absolute path")
def _(world: World) -> Told:
    return _wheel(world, ("/etc/cron.d/evil", b"x"))


@attack("a wheel with backslashes")
def _(world: World) -> Told:
    info = zipfile.ZipInfo("a")
    info.filename = "..\\..\\evil.py"
    return _wheel(world, (info, b"x"))


@attack("a wheel with a link")
def _(world: World) -> Told:
    info = zipfile.ZipInfo("site/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return _wheel(world, (info, b"/etc/passwd"))


@attack("a wheel with a device")
def _(world: World) -> Told:
    info = zipfile.ZipInfo("site/device")
    info.external_attr = (stat.S_IFBLK | 0o666) << 16
    return _wheel(world, (info, b""))


@attack("a wheel that unpacks without end")
def _(world: World) -> Told:
    bytes_before = staging.MAX_UNPACKED_BYTES
    staging.MAX_UNPACKED_BYTES = 1 << 20
    try:
        return _wheel(world, ("hello/bomb.bin", b"\0" * (8 << 20)))
    finally:
        staging.MAX_UNPACKED_BYTES = bytes_before


@attack("a wheel of a hundred thousand files")
def _(world: World) -> Told:
    files_before = staging.MAX_FILES
    staging.MAX_FILES = 100
    try:
        return _wheel(world, *((f"hello/{number}", b"") for number in range(200)))
    finally:
        staging.MAX_FILES = files_before


@attack("a wheel whose second file replaces the first")
def _(world: World) -> Told:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _wheel(world, ("hello/a.py", b"good"), ("hello/a.py", b"evil"))


@attack("a wheel that is no zip")
def _(world: World) -> Told:
    return _raw(world, b"PK\x03\x04 and then nothing")


@attack("a wheel with a broken file inside")
def _(world: World) -> Told:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello/a.py", b"a" * 500)
    return _raw(world, buffer.getvalue().replace(b"a" * 400, b"b" * 400))


__all__ = ["APP_1", "ATTACKS"]
