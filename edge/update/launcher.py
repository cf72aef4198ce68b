"""Starts the release that shall run, and goes back when a new one does not come up.

    python launcher.py ROOT STATE run -- -m edge run --site /etc/jianzai/site.toml
    python launcher.py ROOT STATE follow -- -m edge sync --site /etc/jianzai/site.toml

A copy of this one file belongs to the system image and is never updated with a release, so it
stands alone: standard library only, no third file. `run` counts a start of a release on trial and
writes that down before it starts it; `follow` starts whatever runs now and counts nothing. After
the last start of a trial without confirmation the release before it is current again, the serial
is never tried again, and `reason` says why. Where that one is damaged, the one in the image runs.

    ROOT/releases/<serial>-<hash8>/   whole releases; `COMPLETE` in each was written last
    ROOT/factory/                     the one in the image, never removed
    ROOT/current                      symbolic link to the one that runs
    STATE/boot.json, boot.old.json    `Boot`, each with its own hash
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

VERSION = 1
ATTEMPTS = 3
FACTORY = "factory"
COMPLETE = "COMPLETE"


@dataclass(frozen=True)
class Boot:
    """Names are folders below `releases/`, or `factory`.

    `trial` runs while `attempts_left` is not used up; `bad` serials are never tried again;
    `reason`: why the last trial ended.
    """

    current: str = FACTORY
    previous: str = FACTORY
    trial: str = ""
    attempts_left: int = 0
    bad: tuple[int, ...] = ()
    reason: str = ""

    @property
    def running(self) -> str:
        return self.trial or self.current


def serial_of(name: str) -> int:
    """0 for the factory's."""
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def folder_of(root: Path, name: str) -> Path:
    return root / FACTORY if name == FACTORY else root / "releases" / name


def is_whole(root: Path, name: str) -> bool:
    """Whether a release was finished; its files were hashed when it was made."""
    return name == FACTORY or (folder_of(root, name) / COMPLETE).is_file()


def load(state: Path) -> Boot:
    """The newest that is whole; the factory's where neither is."""
    for path in (state / "boot.json", state / "boot.old.json"):
        try:
            text = path.read_text("utf-8")
            digest, body = text.split("\n", 1)
            if hashlib.sha256(body.encode()).hexdigest() == digest:
                fields = json.loads(body)
                return Boot(**fields | {"bad": tuple(fields["bad"])})
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return Boot(reason="no state")


def save(state: Path, boot: Boot) -> None:
    """Both copies, one after the other, each on the disk before this returns."""
    body = json.dumps(asdict(boot), sort_keys=True)
    text = hashlib.sha256(body.encode()).hexdigest() + "\n" + body
    for name in ("boot.old.json", "boot.json"):
        _write(state / name, text)


def point(root: Path, name: str) -> None:
    """Let `current` name this release, in one step."""
    link = root / ".current.new"
    link.unlink(missing_ok=True)
    link.symlink_to(folder_of(root, name).relative_to(root))
    link.replace(root / "current")
    _flush(root)


def begin_trial(root: Path, state: Path, name: str) -> None:
    """From the next start on this release is tried."""
    boot = load(state)
    save(state, replace(boot, trial=name, attempts_left=ATTEMPTS, reason=""))
    point(root, name)


def confirm(state: Path) -> None:
    """The release on trial is well: it is the current one now."""
    boot = load(state)
    if boot.trial:
        save(state, Boot(boot.trial, boot.current, bad=boot.bad, reason="confirmed"))


def go_back(root: Path, state: Path, reason: str) -> Boot:
    """The trial is over; its serial is never tried again."""
    boot = load(state)
    name = boot.current if is_whole(root, boot.current) else boot.previous
    name = name if is_whole(root, name) else FACTORY
    bad = {*boot.bad, serial_of(boot.trial)} - {0} if boot.trial else set(boot.bad)
    after = Boot(name, FACTORY, bad=tuple(sorted(bad)), reason=reason)
    save(state, after)
    point(root, name)
    return after


def before_start(root: Path, state: Path) -> Boot:
    """Count this start; go back if it is one too many, or if what shall run is not whole."""
    boot = load(state)
    if boot.trial and boot.attempts_left <= 0:
        return go_back(root, state, f"{boot.reason or 'not confirmed'}: {boot.trial}")
    if not is_whole(root, boot.running):
        return go_back(root, state, f"damaged: {boot.running}")
    if boot.trial:
        boot = replace(boot, attempts_left=boot.attempts_left - 1)
        save(state, boot)
    _mend_link(root, boot.running)
    return boot


def command(root: Path, boot: Boot, arguments: list[str]) -> tuple[str, list[str], dict[str, str]]:
    """Interpreter, arguments and environment of the release that runs."""
    folder = folder_of(root, boot.running)
    release = str(serial_of(boot.running))
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "JIANZAI_RELEASE": release}
    environment["JIANZAI_RELEASE_DIR"] = str(folder)
    return sys.executable, [sys.executable, "-P", *arguments], environment


def main(argv: list[str]) -> int:
    try:
        root, state, mode, dashes, *arguments = argv
    except ValueError:
        mode, dashes, arguments = "", "", []
    if mode not in {"run", "follow"} or dashes != "--" or not arguments:
        sys.stderr.write("usage: launcher.py ROOT STATE run|follow -- PYTHON-ARGUMENTS\n")
        return 2
    places = Path(root), Path(state)
    boot = before_start(*places) if mode == "run" else load(places[1])
    if mode == "follow" and not is_whole(places[0], boot.running):
        boot = Boot(reason="damaged")
    return _become(*command(places[0], boot, arguments))


def _become(program: str, arguments: list[str], environment: dict[str, str]) -> NoReturn:
    os.execve(program, arguments, environment)


def _mend_link(root: Path, name: str) -> None:
    """A cut between writing the state and moving the link leaves the link behind."""
    wanted = folder_of(root, name).relative_to(root)
    link = root / "current"
    if not link.is_symlink() or Path(os.readlink(link)) != wanted:
        point(root, name)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _flush(path.parent)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
