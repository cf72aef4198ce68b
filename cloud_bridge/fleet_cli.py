"""`python -m cloud_bridge fleet`: keys, releases, signatures; much of it on other machines."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_bridge.fleet import releases
from cloud_bridge.fleet.keys import Keys
from cloud_bridge.fleet.repository import OFFLINE, FleetError, Repository, copy_to_stick
from edge.wire.envelope import sha256_hex
from edge.wire.releases import manifest_body

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2

_EXAMPLES = """\
examples:
  … fleet keys                                    a key file for every role, and an empty tree
  … fleet keys --token root --name root-wang      the token that is plugged in (PKCS11LIB=…)
  … fleet release build/7 --version 0.2.0         name a release; it waits for signatures
  … fleet sign targets-1                          by whoever holds that key
  … fleet publish                                 move in what is signed
  … fleet refresh                                 a fresh timestamp; every day, by a timer
  … fleet status --json
  … fleet stick /media/usb

A folder (--fleet, default fleet/) holds keys.json, the key files that are here, and tree/, which
any web server may show and the bridge hands out over MQTT. Take root and targets keys elsewhere:
copy keys.json and tree/ to the machine of a holder, sign there, and bring tree/staged back.
None of these needs --config.
"""

_Run = Callable[[argparse.Namespace], dict[str, Any]]


def add_parser(commands: _Commands) -> None:
    words = "releases for the kiosks: keys, signatures, what is published"
    parser = commands.add_parser(
        "fleet",
        help=words,
        description=words,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    keys = _add(group, "keys", "make key files, or name a token; begin the tree", _keys)
    keys.add_argument("--token", metavar="ROLE", choices=OFFLINE, help="add a PKCS#11 token's key")
    keys.add_argument("--name", help="of the holder of that token")
    release = _add(group, "release", "name a release in what waits for signatures", _release)
    release.add_argument("folder", type=Path, help="with app/, model/ and config/ below it")
    release.add_argument("--version", required=True)
    release.add_argument("--serial", type=int, help="default: one above the newest")
    release.add_argument("--machine", action="append", help="uname -m; again for more (aarch64)")
    release.add_argument("--schema", default="1..1000", help="FROM..TO of the kiosk's database")
    release.add_argument("--launcher", type=int, default=1, help="least version of the launcher")
    release.add_argument("--dry-run", action="store_true", help="build and check, stage nothing")
    sign = _add(group, "sign", "add signatures to what waits for them", _sign)
    sign.add_argument("name", nargs="*", help="of keys; default: every key file that is here")
    _add(group, "publish", "move in what is signed by enough holders", _publish)
    _add(group, "refresh", "sign that nothing newer is kept from the kiosks", _refresh)
    _add(group, "status", "what is published, what waits for whom", _status)
    stick = _add(group, "stick", "copy the tree for a site without any network", _stick)
    stick.add_argument("folder", type=Path)


def _add(group: _Commands, name: str, words: str, run: _Run) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=words, description=words)
    parser.set_defaults(run=lambda options: _guarded(run, options), needs_config=False)
    parser.add_argument("--fleet", type=Path, default=Path("fleet"), metavar="DIR")
    parser.add_argument("--json", action="store_true")
    return parser


def _guarded(run: _Run, options: argparse.Namespace) -> int:
    try:
        told = run(options)
    except FleetError as error:
        sys.stderr.write(f"cloud_bridge: fleet: {error}\n")
        return EXIT_FAILED
    except OSError as error:
        sys.stderr.write(f"cloud_bridge: fleet: {error.filename}: {error.strerror}\n")
        return EXIT_FAILED
    if options.json:
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(told))
    return EXIT_OK


def _lines(told: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in told.items():
        rows = value if isinstance(value, list) else [value]
        lines += [f"{name:12} {_words(row)}" for row in rows]
    return lines


def _words(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {word}" for key, word in value.items())
    return str(value)


def _open(options: argparse.Namespace) -> tuple[Keys, Repository]:
    return Keys(options.fleet / "keys.json"), Repository(options.fleet / "tree")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _keys(options: argparse.Namespace) -> dict[str, Any]:
    options.fleet.mkdir(parents=True, exist_ok=True)
    keys, repository = _open(options)
    if options.token:
        if not options.name:
            raise FleetError("--token needs --name, so that everybody knows whose it is")
        keys.add_token(options.token, options.name)
        return {"keys": [holder.name for holder in keys.holders]}
    keys.make_files(options.fleet)
    if not repository.metadata_dir.exists():
        repository.begin(keys.public(), _now())
    return {"keys": [holder.name for holder in keys.holders], **_waiting(repository)}


def _release(options: argparse.Namespace) -> dict[str, Any]:
    _, repository = _open(options)
    lowest, _, highest = options.schema.partition("..")
    if not (lowest.isdecimal() and highest.isdecimal()):
        raise FleetError("--schema: FROM..TO, two numbers")
    facts = releases.Facts(
        serial=options.serial or repository.newest_serial() + 1,
        version=options.version,
        made_at=_now(),
        machines=tuple(options.machine or ("aarch64",)),
        launcher=options.launcher,
        schema_from=int(lowest),
        schema_to=int(highest),
    )
    manifest, files = releases.build(options.folder, facts)
    if not options.dry_run:
        repository.stage_release(manifest, files, facts.made_at)
    return {
        "serial": manifest.serial,
        "manifest": sha256_hex(manifest_body(manifest)),
        "parts": len(manifest.parts),
        "bytes": manifest.size_bytes,
        **({} if options.dry_run else _waiting(repository)),
    }


def _sign(options: argparse.Namespace) -> dict[str, Any]:
    keys, repository = _open(options)
    waiting = {missing.role for missing in repository.missing()}
    names = options.name or [h.name for h in keys.holders if h.uri.startswith("file2:")]
    done = []
    for name in names:
        role, signer = keys.signer(name, lambda secret: getpass.getpass(f"{secret}: "))
        if role in waiting:
            repository.sign(role, signer)
            done.append(name)
    return {"signed": done, **_waiting(repository)}


def _publish(options: argparse.Namespace) -> dict[str, Any]:
    keys, repository = _open(options)
    version = repository.publish(keys.online(), _now())
    return {"timestamp": version, "newest": repository.newest_serial()}


def _refresh(options: argparse.Namespace) -> dict[str, Any]:
    keys, repository = _open(options)
    return {"timestamp": repository.refresh(keys.online(), _now())}


def _status(options: argparse.Namespace) -> dict[str, Any]:
    _, repository = _open(options)
    found = {role: _row(*row) for role, row in repository.overview(_now()).items()}
    return {"newest": repository.newest_serial(), **found, **_waiting(repository)}


def _row(version: int, expires: datetime, left_days: int) -> dict[str, Any]:
    return {"version": version, "expires": f"{expires:%Y-%m-%d}", "days": left_days}


def _waiting(repository: Repository) -> dict[str, Any]:
    rows = [
        {"role": missing.role, "signatures": f"{missing.signatures} of {missing.needed}"}
        for missing in repository.missing()
    ]
    return {"waits": rows} if rows else {}


def _stick(options: argparse.Namespace) -> dict[str, Any]:
    copy_to_stick(options.fleet / "tree", options.folder)
    return {"copied": str(options.folder)}
