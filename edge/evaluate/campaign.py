"""Many sessions on all cores, each kept on the disk as soon as it is played.

A session is found again by its kind and seed under a fingerprint of everything it depends on,
so an interrupted campaign goes on where it was, and a changed check starts anew.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import os
import threading
import zlib
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.domain.challenge import Action
from edge.evaluate import people
from edge.evaluate.scenes import attacks
from edge.evaluate.scenes.cast import Group, in_turn
from edge.evaluate.scenes.living import living
from edge.evaluate.scenes.sitters import Sitter
from edge.evaluate.stage import Played, Theatre
from edge.models.manifest import specs
from edge.session import challenges

GROUP = 5  # sessions of a kind with the same heads, see `Group`
SHOWINGS = 40  # tries that one film of `AGAIN` is shown to
FILMS = 5  # with the same heads
LIVE, REPLAY, AGAIN = "live", "replay", "replay_again"
GENERATORS = {LIVE: living, **attacks.KINDS, AGAIN: attacks.KINDS[REPLAY]}
SLOW_PACE = 0.2  # of the attackers ask for it
EYES = (
    *("continuity", "embedding", "faces", "gate", "geometry", "liveness", "mixture"),
    *("movement", "observation", "preprocess", "quality", "runtime", "seam", "watcher"),
)
_EDGE = Path(__file__).parents[1]
DEPENDS_ON = (  # whatever can change a session's pixels or its verdict, and nothing else
    *("domain/challenge", "session/challenges"),
    *(f"models/{name}" for name in EYES),
    *(f"evaluate/{name}" for name in ("stage", "tape", "people", "campaign")),
    *(f"evaluate/scenes/{path.stem}" for path in sorted((_EDGE / "evaluate/scenes").glob("*.py"))),
    *(f"drivers/sim/{name}" for name in ("head", "lids_and_lips", "portrait", "scenery")),
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


Act = tuple[str, int]
"""A session before it is played: kind and seed."""
Job = tuple[Act, ...]
"""Acts that one process plays one after the other, because they share heads or a film."""


def fingerprint(company: Company) -> str:
    """Of the models, the code that plays and judges, and the people."""
    digest = hashlib.sha256()
    for spec in specs().values():
        digest.update(spec.sha256.encode())
    for part in DEPENDS_ON:
        digest.update(part.encode() + _meaning(_EDGE / f"{part}.py").encode())
    digest.update(repr((company.data is not None, company.names)).encode())
    return digest.hexdigest()[:16]


def _meaning(path: Path) -> str:
    """The code without comments, docstrings and layout."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_words(one)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_words(node: ast.stmt) -> bool:
    said = node.value if isinstance(node, ast.Expr) else None
    return isinstance(said, ast.Constant) and isinstance(said.value, str)


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
        """A line torn by a crash stays alone on its line."""
        for kind, rows in itertools.groupby(played, lambda one: one.kind):
            lines = "".join(json.dumps(asdict(one)) + "\n" for one in rows)
            with (self._folder / f"{kind}.jsonl").open("a", encoding="utf-8") as file:
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

    def play(self, job: Job) -> list[Played]:
        groups: dict[int, Group] = {}
        played: list[Played] = []
        for (kind, render), acts in itertools.groupby(job, _render):
            seeds = [seed for _, seed in acts]
            group = self._group(kind, render, groups)
            if kind == AGAIN:
                played += self._film(render, seeds, group)
            else:
                played += [self._one(kind, seed, group) for seed in seeds]
        return played

    def _group(self, kind: str, render: int, groups: dict[int, Group]) -> Group:
        """A photograph is prepared at once, so every session of stills has another."""
        if kind.startswith(attacks.OF_STILLS):
            return self._of(self._sitters, render, _rng(kind, "group", render))
        number = render // (FILMS if kind == AGAIN else GROUP)
        if number not in groups:
            groups[number] = self._of(self._players, number, _rng("heads", "group", number))
        return groups[number]

    def _of(self, cast: list[Sitter], number: int, rng: np.random.Generator) -> Group:
        return Group(in_turn(cast, number), self._sitters, rng)

    def _one(self, kind: str, seed: int, group: Group) -> Played:
        rng = _rng(kind, "session", seed)
        show = GENERATORS[kind](group, rng)
        if kind != LIVE:
            show.slow = _asks_for_time(rng)
        return self._theatre.play(kind, seed, show, _order(rng))

    def _film(self, film: int, seeds: Iterable[int], group: Group) -> Iterable[Played]:
        show = GENERATORS[AGAIN](group, _rng(AGAIN, "film", film))
        chances = ((seed, _rng(AGAIN, "session", seed)) for seed in seeds)
        tries = ((seed, _order(rng), _asks_for_time(rng)) for seed, rng in chances)
        return self._theatre.play_film(AGAIN, film, show, tries)


def _render(act: Act) -> Act:
    """Kind and number of what is drawn for this session."""
    kind, seed = act
    return kind, seed // SHOWINGS if kind == AGAIN else seed


def _order(rng: np.random.Generator) -> tuple[Action, ...]:
    return challenges.draw(lambda equals: equals[int(rng.integers(len(equals)))])


def _asks_for_time(rng: np.random.Generator) -> bool:
    return bool(rng.random() < SLOW_PACE)


def _rng(kind: str, what: str, number: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(f"{kind} {what}".encode()), number])


def jobs(kinds: Mapping[str, int], first: int, done: Mapping[str, Container[int]]) -> list[Job]:
    """What is still to be played: of each kind so many sessions from seed `first` on."""
    shared: dict[tuple[str, int], list[Act]] = {}
    for kind, count in kinds.items():
        for seed in range(first, first + count):
            if seed not in done[kind]:
                shared.setdefault(_company_of(kind, seed), []).append((kind, seed))
    return [tuple(acts) for acts in shared.values()]


def _company_of(kind: str, seed: int) -> tuple[str, int]:
    """Acts of which this is the same go into one job."""
    if kind == AGAIN:
        return AGAIN, seed // (SHOWINGS * FILMS)
    alone = kind.startswith(attacks.OF_STILLS)
    return (kind if alone else "heads"), seed // GROUP


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
    company: Company,
    work: list[Job],
    workers: int,
    keep: Callable[[list[Played]], object],
    errands: Mapping[str, Callable[[], Any]],
) -> dict[str, Any]:
    """Play all of it; `keep` is called in this process as soon as a job is done.

    `errands` are what else there is to work out, by name; they go first, and what each returns
    is returned under its name.
    """
    found: dict[str, Any] = {}
    if not work and not errands:
        return found
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(company,)) as pool:
        names = {pool.submit(errand): name for name, errand in errands.items()}
        futures = [*names, *(pool.submit(_play, job) for job in work)]
        try:
            for future in as_completed(futures):
                if future in names:
                    found[names[future]] = future.result()
                else:
                    keep(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found
