"""Many sessions on all cores, each kept on the disk as soon as it is played.

A session is found again by its kind and seed under a fingerprint of everything it depends on,
so an interrupted campaign goes on where it was, and a changed check starts anew.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import threading
import zlib
from collections.abc import Callable, Container
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path

import cv2
import numpy as np

from edge.evaluate import people
from edge.evaluate.scenes import attacks
from edge.evaluate.scenes.cast import Group, in_turn
from edge.evaluate.scenes.living import living
from edge.evaluate.scenes.sitters import Sitter
from edge.evaluate.stage import Played, Theatre
from edge.models.manifest import specs
from edge.session import challenges

GROUP = 5  # sessions with the same heads, see `Group`
LIVE = "live"
GENERATORS = {LIVE: living, **attacks.KINDS}
_EDGE = Path(__file__).parents[1]
DEPENDS_ON = (
    *("domain/challenge.py", "session/challenges.py", "models"),
    *(f"evaluate/{name}" for name in ("scenes", "stage.py", "people.py", "campaign.py")),
    *(f"drivers/sim/{name}.py" for name in ("head", "lids_and_lips", "portrait", "scenery")),
)


@dataclass(frozen=True, slots=True)
class Company:
    """Whose photographs a process loads: `data` is the evaluation material, if there is any.

    `players` names the photographs that make a head that turns, see `people.who_can_play`.
    """

    models_dir: Path
    data: Path | None
    names: tuple[str, ...]
    players: tuple[str, ...] = ()

    def sitters(self) -> list[Sitter]:
        found = people.packaged()
        if self.data:
            found += people.photographed(self.data, self.names, self.models_dir)
        return found

    def with_players(self, kept: Path) -> Company:
        """Tried out once, which takes a second each, and kept in that file."""
        if not kept.exists():
            found = people.who_can_play(self.sitters(), self.models_dir)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps([one.photo for one in found]), encoding="utf-8")
        return replace(self, players=tuple(json.loads(kept.read_text(encoding="utf-8"))))


@dataclass(frozen=True, slots=True)
class Job:
    """Sessions of one kind whose seeds share a group."""

    kind: str
    seeds: tuple[int, ...]


def fingerprint(company: Company) -> str:
    """Of the models, the code that plays and judges, and the people."""
    digest = hashlib.sha256()
    for spec in specs().values():
        digest.update(spec.sha256.encode())
    for part in DEPENDS_ON:
        for path in _sources(_EDGE / part):
            digest.update(path.name.encode() + path.read_bytes())
    digest.update(repr((company.data is not None, company.names)).encode())
    return digest.hexdigest()[:16]


def _sources(path: Path) -> list[Path]:
    """What the outcome of a session depends on; how it is reported is not part of it."""
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


class Archive:
    """Sessions played so far: one file per kind, one line per session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, kind: str) -> dict[int, Played]:
        path = self._folder / f"{kind}.jsonl"
        if not path.exists():
            return {}
        rows = map(_played, path.read_text(encoding="utf-8").splitlines())
        return {row.seed: row for row in rows if row}

    def add(self, played: list[Played]) -> None:
        """All of one kind. A line torn by a crash stays alone on its line."""
        lines = "".join(json.dumps(asdict(one)) + "\n" for one in played)
        with (self._folder / f"{played[0].kind}.jsonl").open("a", encoding="utf-8") as file:
            file.write("\n" + lines)


def _played(line: str) -> Played | None:
    """`None` for a line that was torn: that session is played again."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    return Played(**{**row, **lists})


# --- playing ---------------------------------------------------------------------


class Player:
    """Plays the sessions of one process."""

    def __init__(self, company: Company) -> None:
        cv2.setNumThreads(1)  # processes share the cores among themselves
        self._sitters = company.sitters()
        self._players = [one for one in self._sitters if one.photo in company.players]
        self._theatre = Theatre(company.models_dir)
        self._orders = challenges.sequences()

    def play(self, job: Job) -> list[Played]:
        """A photograph is prepared at once, so every session of stills has another."""
        if job.kind.startswith(attacks.OF_STILLS):
            return [self._one(job.kind, seed, self._group(job.kind, seed)) for seed in job.seeds]
        group = self._group(job.kind, job.seeds[0] // GROUP)
        return [self._one(job.kind, seed, group) for seed in job.seeds]

    def _group(self, kind: str, number: int) -> Group:
        cast = self._sitters if kind.startswith(attacks.OF_STILLS) else self._players
        return Group(in_turn(cast, number), self._sitters, _rng(kind, "group", number))

    def _one(self, kind: str, seed: int, group: Group) -> Played:
        rng = _rng(kind, "session", seed)
        order = self._orders[int(rng.integers(len(self._orders)))]
        return self._theatre.play(kind, seed, GENERATORS[kind](group, rng), order)


def _rng(kind: str, what: str, number: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(f"{kind} {what}".encode()), number])


def jobs(kind: str, first: int, count: int, done: Container[int]) -> list[Job]:
    """What is still to be played of `count` sessions from seed `first` on."""
    left = [seed for seed in range(first, first + count) if seed not in done]
    groups = itertools.groupby(left, lambda seed: seed // GROUP)
    return [Job(kind, tuple(seeds)) for _, seeds in groups]


_player: Player | None = None


def _start(company: Company) -> None:
    global _player
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _player = Player(company)


def _end_with_parent() -> None:
    """A campaign that is killed leaves no workers that wait for its next job."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _play(job: Job) -> list[Played]:
    if _player is None:
        raise RuntimeError("the process was not started")
    return _player.play(job)


def run(
    company: Company, work: list[Job], workers: int, keep: Callable[[list[Played]], object]
) -> None:
    """Play all of it; `keep` is called in this process as soon as a job is done."""
    if not work:
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(company,)) as pool:
        futures = [pool.submit(_play, job) for job in work]
        try:
            for future in as_completed(futures):
                keep(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
