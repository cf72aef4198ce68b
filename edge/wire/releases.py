"""Releases: what was tested together and is installed together, and who shall run which.

A release is known by its manifest, a TUF target `rel/<serial>.json` that the offline keys sign.
It names every part (wheels, models, settings) by path, length and hash; the parts are TUF targets
of delegated roles, so that a part has to be named twice, by two keys, before a kiosk takes it.

An `Assignment` tells one kiosk which release to run and when. The registry signs it with a key of
its own, so whoever owns the registry can only choose among releases that the offline keys signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from edge.domain.errors import WireError
from edge.wire.envelope import canonical
from edge.wire.fields import json_object, need

KINDS = ("app", "model", "config")
"""What a part may be. The first folder of its path, and the role that signs it."""
MAX_MANIFEST_BYTES = 512 * 1024
MAX_PARTS = 1000
MAX_PART_BYTES = 512 * 1024 * 1024
MAX_SERIAL = 2**31
_PATH = re.compile(r"(app|model|config)/[A-Za-z0-9][A-Za-z0-9._+-]{0,150}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA256_OR_NONE = re.compile(r"([0-9a-f]{64})?")
_MACHINE = re.compile(r"[a-z0-9_]{1,20}")
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_MINUTES_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Part:
    """One file: `path` is its TUF target path, its last piece the name it is kept by."""

    path: str
    sha256: str
    length: int

    @property
    def kind(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`serial` only ever grows. `machines`: what `uname -m` may say. `launcher`: the least version
    of the launcher that can start it. `schema_from`..`schema_to`: versions of the kiosk's database
    that it can open; `made_at` moves the kiosk's time floor."""

    serial: int
    version: str
    made_at: datetime
    machines: tuple[str, ...]
    launcher: int
    schema_from: int
    schema_to: int
    parts: tuple[Part, ...]

    def of_kind(self, kind: str) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.kind == kind)

    @property
    def size_bytes(self) -> int:
        return sum(part.length for part in self.parts)


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day, the kiosk's local time, in which it may be switched; past midnight if
    it ends before it begins. Equal ends: any time."""

    begins: int = 0
    ends: int = 0

    def holds(self, minute: int) -> bool:
        if self.begins == self.ends:
            return True
        if self.begins < self.ends:
            return self.begins <= minute < self.ends
        return minute >= self.begins or minute < self.ends


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one kiosk shall run. `seq` only ever grows; `manifest_sha256` binds what was decided
    about to what is installed.

    `defer_until`: from then on the window is waited for no longer; a resident's visit always is.
    Serial 0, without a hash: the release of the image, so nothing is to be installed.
    """

    kiosk_id: str
    seq: int
    serial: int
    manifest_sha256: str
    ring: int
    issued_at: datetime
    not_before: datetime
    defer_until: datetime
    window: Window = Window()


def manifest_path(serial: int) -> str:
    return f"rel/{serial}.json"


def manifest_body(manifest: Manifest) -> bytes:
    return canonical(asdict(manifest) | {"made_at": _written(manifest.made_at)})


def parse_manifest(body: bytes) -> Manifest:
    """Raises `WireError("body")` for whatever is not a manifest to the letter."""
    need(len(body) <= MAX_MANIFEST_BYTES, "size")
    fields = json_object(body)
    serial, launcher = _number(fields, "serial", 1), _number(fields, "launcher", 1)
    schema = [_number(fields, name, 0) for name in ("schema_from", "schema_to")]
    need(schema[0] <= schema[1], "schema_to")
    machines = fields.get("machines")
    need(isinstance(machines, list) and 0 < len(machines) <= 10, "machines")
    return Manifest(
        serial=serial,
        version=_text(fields.get("version"), "version", _VERSION),
        made_at=_time(fields, "made_at"),
        machines=tuple(_text(machine, "machines", _MACHINE) for machine in fields["machines"]),
        launcher=launcher,
        schema_from=schema[0],
        schema_to=schema[1],
        parts=_parts(fields.get("parts")),
    )


def assignment_body(assignment: Assignment) -> bytes:
    times = ("issued_at", "not_before", "defer_until")
    written = {name: _written(getattr(assignment, name)) for name in times}
    return canonical(asdict(assignment) | written)


def parse_assignment(body: bytes) -> Assignment:
    """Raises `WireError("body")`."""
    fields = json_object(body)
    kiosk_id = fields.get("kiosk_id")
    need(isinstance(kiosk_id, str) and 0 < len(kiosk_id) <= 64, "kiosk_id")
    return Assignment(
        kiosk_id=fields["kiosk_id"],
        seq=_number(fields, "seq", 1, 2**53),
        serial=_number(fields, "serial", 0),
        manifest_sha256=_text(fields.get("manifest_sha256"), "manifest_sha256", _SHA256_OR_NONE),
        ring=_number(fields, "ring", 0, 100),
        issued_at=_time(fields, "issued_at"),
        not_before=_time(fields, "not_before"),
        defer_until=_time(fields, "defer_until"),
        window=_window(fields.get("window")),
    )


def _window(found: object) -> Window:
    if not isinstance(found, dict):
        raise WireError("body", "field window is not of its kind")
    ends = [_number(found, name, 0, _MINUTES_OF_DAY) for name in ("begins", "ends")]
    return Window(*ends)


def _parts(found: object) -> tuple[Part, ...]:
    need(isinstance(found, list) and 0 < len(found) <= MAX_PARTS, "parts")
    parts = tuple(_part(row) for row in _rows(found))
    need(len({part.name.casefold() for part in parts}) == len(parts), "parts")
    need(any(part.kind == "app" for part in parts), "parts")
    return parts


def _rows(found: object) -> Iterable[dict[str, Any]]:
    for row in found if isinstance(found, list) else ():
        need(isinstance(row, dict), "parts")
        yield row


def _part(row: dict[str, Any]) -> Part:
    return Part(
        path=_text(row.get("path"), "path", _PATH),
        sha256=_text(row.get("sha256"), "sha256", _SHA256),
        length=_number(row, "length", 0, MAX_PART_BYTES),
    )


def _text(found: object, name: str, form: re.Pattern[str]) -> str:
    if not isinstance(found, str) or not form.fullmatch(found):
        raise WireError("body", f"field {name} is not of its kind")
    return found


def _number(fields: dict[str, Any], name: str, least: int, most: int = MAX_SERIAL) -> int:
    found = fields.get(name)
    if type(found) is not int or not least <= found <= most:
        raise WireError("body", f"field {name} is not of its kind")
    return found


def _time(fields: dict[str, Any], name: str) -> datetime:
    found = fields.get(name)
    try:
        moment = datetime.strptime(str(found), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError as error:
        raise WireError("body", f"field {name} is not of its kind") from error
    return moment.replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
