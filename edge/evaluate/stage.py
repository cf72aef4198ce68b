"""One session: a scene before the product's own eyes, which it hears and sees as a person would."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.domain.challenge import Action, Hint, Prompt, WatchProgress
from edge.domain.errors import DeviceError
from edge.domain.record import Provenance, Verdict
from edge.domain.timebase import NS_PER_S, MonoNs
from edge.evaluate.scenes.bodies import RESTING
from edge.evaluate.scenes.cast import Draw, Facts, Show
from edge.evaluate.tape import CardWatcher, FilmWatcher, once
from edge.models.preprocess import picture_of
from edge.models.watcher import Watcher
from edge.ports import Frame, Health, Look, WatchOrder

Order = tuple[Action, ...]
LIMIT_S = 150.0  # a session that takes longer ends with its camera
PATIENCE_S = 6.0  # and one in which nothing is asked for so long: more of the same would come


class Stage:
    """The camera of the evaluation. Its clock is counted in frames, so nothing waits."""

    name = "evaluation"
    provenance = Provenance.SIMULATED

    def __init__(self) -> None:
        self._draw: Draw | None = None
        self._step_s = 0.1
        self._frame = 0
        self._prompt, self._shown_s = Prompt.FRAME_FACE, 0.0
        self._asked = self._repeated = False

    def set_up(self, draw: Draw, fps: float) -> None:
        self._draw, self._step_s, self._frame = draw, 1 / fps, 0
        self._prompt, self._shown_s = Prompt.FRAME_FACE, 0.0
        self._asked = self._repeated = False

    @property
    def at_s(self) -> float:
        return self._frame * self._step_s

    def mono_ns(self) -> MonoNs:
        return MonoNs(int(self.at_s * NS_PER_S))

    def tell(self, prompt: Prompt, *, again: bool = False) -> None:
        """What the kiosk asks for now; what is new, or said once more, is new from this moment."""
        if prompt is not self._prompt or (again and not self._repeated):
            self._prompt, self._shown_s = prompt, self.at_s
            self._asked = self._asked or prompt not in RESTING
        self._repeated = again

    def open(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    def health(self) -> Health:
        return Health(True, "plays a scene of the evaluation")

    def lock_exposure(self, locked: bool = True) -> bool:  # noqa: ARG002
        return False

    def nudge_exposure(self, stops: float) -> bool:  # noqa: ARG002
        return False

    def identity(self) -> str:
        return "stage"

    @contextmanager
    def stream(self) -> Generator[Iterator[Frame]]:
        yield self._frames()

    def _frames(self) -> Iterator[Frame]:
        while self._draw is not None and self.at_s < (LIMIT_S if self._asked else PATIENCE_S):
            self._frame += 1
            rgb = self._draw(self._prompt, self.at_s - self._shown_s, self.at_s)
            yield Frame(picture_of(rgb), self.mono_ns())


NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Played:
    """One session and what came of it. `live` is the liveness check alone, `passed` all of it."""

    kind: str
    seed: int
    render: int  # sessions with the same number saw the same pixels
    people: tuple[str, ...]
    facts: Facts
    slow: bool  # the pace of the kiosk
    fps: float
    order: tuple[str, ...]
    presented: bool
    asked: int  # movements the kiosk got as far as asking for; 0: it never responded
    done: tuple[str, ...]
    live: bool
    passed: bool
    reasons: tuple[str, ...]
    evidence: float | None
    likeness: float | None
    seconds: float
    frames: int
    spent_s: float = field(compare=False)


class Theatre:
    """The product's watcher with a stage before it; models are loaded once."""

    def __init__(self, models_dir: Path) -> None:
        self._stage = Stage()
        self._watcher = CardWatcher(self._stage, models_dir, self._stage.mono_ns)
        self._films = FilmWatcher(self._stage, models_dir, self._stage.mono_ns)

    def play(self, kind: str, seed: int, show: Show, order: tuple[Action, ...]) -> Played:
        return self._played(self._watcher, kind, (seed, seed), show, order)

    def play_film(
        self, kind: str, film: int, show: Show, orders: Iterable[tuple[int, Order, bool]]
    ) -> Iterator[Played]:
        """One film before many tries: seed, order and pace of each."""
        self._films.change_film()
        show = replace(show, draw=once(show.draw))
        for seed, order, slow in orders:
            once_more = replace(show, slow=slow)
            yield self._played(self._films, kind, (seed, film), once_more, order)

    def _played(
        self, watcher: Watcher, kind: str, which: tuple[int, int], show: Show, order: Order
    ) -> Played:
        began = time.process_time()
        self._stage.set_up(show.draw, show.fps)
        prompts: list[Prompt] = []
        last: Look | None = None
        try:
            for look in watcher.watch(WatchOrder(order, picture_of(show.card), show.slow)):
                prompts.append(look.progress.prompt)
                again = look.progress.hint is Hint.AGAIN
                self._stage.tell(_heard(look.progress), again=again)
                last = look
        except DeviceError:
            last = None  # the stage ended the stream, see `LIMIT_S` and `PATIENCE_S`
        verdict = last.result.verdict if last and last.result else None
        spent_s = time.process_time() - began
        return _played(kind, which, show, order, prompts, verdict, self._stage.at_s, spent_s)


def _heard(progress: WatchProgress) -> Prompt:
    """A movement that was not seen in one piece has to be made again, from the middle."""
    if progress.hint is Hint.LOOK_AT_CAMERA:
        return Prompt.LOOK_AHEAD
    return progress.prompt


def _played(
    kind: str,
    which: tuple[int, int],
    show: Show,
    order: Order,
    prompts: list[Prompt],
    verdict: Verdict | None,
    seconds: float,
    spent_s: float,
) -> Played:
    asked = set(prompts) & {Prompt.of(action) for action in order}
    return Played(
        kind=kind,
        seed=which[0],
        render=which[1],
        people=show.people,
        facts=show.facts,
        slow=show.slow,
        fps=show.fps,
        order=tuple(action.value for action in order),
        presented=show.presented(),
        asked=len(asked),
        done=tuple(action.value for action in verdict.actions) if verdict else (),
        live=bool(verdict and verdict.live),
        passed=bool(verdict and verdict.passed),
        reasons=tuple(reason.value for reason in verdict.reasons) if verdict else (NO_ANSWER,),
        evidence=verdict.liveness.value if verdict and verdict.liveness else None,
        likeness=verdict.likeness.value if verdict and verdict.likeness else None,
        seconds=round(seconds, 3),
        frames=len(prompts),
        spent_s=round(spent_s, 4),
    )
