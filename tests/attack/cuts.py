"""Cuts anywhere between fetching and confirming: exactly one whole release runs afterwards.

The updater runs in a child process that kills itself (SIGKILL) at a write, rename, link or removal
chosen at random; then the launcher starts as after a power cut, and what it would run is looked at.
A kill keeps what the kernel has; that unflushed bytes are lost, too, is tried by the chaos
campaigns of the store alone (`docs/reliability.md`).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from edge.update import launcher
from edge.update.agent import CONFIRM_S
from tests.attack.world import World, fast_folder

_WRITES = frozenset(
    {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "shutil.copyfile"}
)


def campaign(kills: int, seed: int) -> dict[str, Any]:
    """`kills` cuts; several to a world, since a kiosk may lose its power again and again."""
    chance = random.Random(seed)
    tally: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("cuts", total=kills)
        while tally["killed"] < kills:
            with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
                for _ in _cuts_of(World(Path(folder)), chance, tally, reasons):
                    progress.update(bar, completed=min(tally["killed"], kills))
    return {
        "kills": tally["killed"],
        "finished": tally["finished"],
        "bricked": tally["bricked"],
        "two_releases": tally["two"],
        "reasons": dict(reasons),
    }


def _cuts_of(
    world: World, chance: random.Random, tally: Counter[str], reasons: Counter[str]
) -> Iterator[None]:
    """Up to five cuts of one kiosk, until its update is decided."""
    for _ in range(chance.randrange(1, 6)):
        tally[cut(world, chance.randrange(1, 160))] += 1
        if trouble := after(world):
            tally[trouble] += 1
        boot = launcher.load(world.kiosk.state)
        reasons[boot.reason.partition(":")[0] or "none"] += 1
        yield
        if launcher.serial_of(boot.current) == 2 or boot.bad:
            return


def cut(world: World, at: int) -> str:
    """Run the updater in a child until its `at`-th write; whether it got that far."""
    child = os.fork()
    if child == 0:
        _child(world, at)
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else "finished"


def _child(world: World, at: int) -> None:
    left = [at]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _WRITES or (event == "open" and not _writes(arguments)):
            return
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        _everything(world)
    finally:
        os._exit(0)


def _writes(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR))


def _everything(world: World) -> None:
    """Fetch, stage, switch, start as the launcher does, confirm."""
    kiosk, wanted, agent = world.kiosk, world.assign(), world.agent()
    agent.turn(wanted)
    launcher.before_start(kiosk.root, kiosk.state)
    agent.turn(wanted)
    kiosk.mono_s += CONFIRM_S
    agent.turn(wanted)


def after(world: World) -> str:
    """Start as after a power cut; what is wrong, or nothing."""
    root, state = world.kiosk.root, world.kiosk.state
    boot = launcher.before_start(root, state)
    folder = launcher.folder_of(root, boot.running)
    if (root / "current").resolve() != folder.resolve():
        return "two"
    if boot.running == launcher.FACTORY:
        return "" if boot.reason else "bricked"
    serial = launcher.serial_of(boot.running)
    main = folder / "site" / "hello" / "__main__.py"
    whole = main.is_file() and main.read_text("utf-8") == f"print({serial})"
    model = folder / "models" / "face-1.bin"
    whole = whole and model.is_file() and model.stat().st_size == 3000
    return "" if whole else "bricked"
