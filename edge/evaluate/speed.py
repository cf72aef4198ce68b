"""How long a frame and a comparison take beside the bare models, and how much memory they need.

    python -m edge.evaluate.speed MODELS_DIR

runs alone in its process, so that its memory is that of the vision part and nothing else; the
scene is one still portrait, moved a little, so that no time or memory goes into drawing. Times
are the thread's own on the processor, so that a busy machine measures nearly the same. A frame
is measured from handing it over until the next is asked for, and against the `invoke()` times of
the models that ran on that very frame.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.domain.challenge import Action
from edge.domain.errors import DeviceError
from edge.domain.record import Provenance
from edge.domain.timebase import MonoNs
from edge.drivers.sim.portrait import ASTRONAUT, read_portrait
from edge.models import watcher
from edge.models.embedding import CHIP_PX, Embedder
from edge.models.liveness import Check
from edge.models.preprocess import Image, Square, picture_of
from edge.models.runtime import Model
from edge.models.seam import Seam
from edge.models.watcher import Watcher
from edge.ports import Frame, Health, Picture, WatchOrder

ROUNDS = 200
FRAMES = 240  # within the window of the first movement, which never comes
WARM_UP = 40
FRAME_NS = 33_333_333
MEGABYTE = 1 << 20
USED_BY_CHECK = ("face_detector", "face_mesh", "eye_contour", "face_embedding")
TRACKED, IRIS = ("face_mesh",), ("face_mesh", "eye_contour", "eye_contour")
# What a tracked frame consists of besides the model, and where each part is found.
PARTS: dict[str, tuple[Any, str]] = {
    "cut_out": (Square, "cut"),
    "into_and_out_of_network": (Model, "run_on"),
    "seam": (Seam, "see"),
    "pose_and_light": (watcher, "view_of"),
    "check": (Check, "see"),
}


def measure(models_dir: Path) -> dict[str, Any]:
    """In a process of its own."""
    command = [sys.executable, "-m", "edge.evaluate.speed", str(models_dir)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _here(models_dir: Path) -> dict[str, Any]:
    cv2.setNumThreads(1)
    began_bytes = _resident_bytes()
    tracked = _frames(models_dir, Action.LEFT, TRACKED)
    iris = _frames(models_dir, Action.BLINK, IRIS)
    used = _resident_bytes() - began_bytes
    bare = {name: _p50_ms(Model(name, models_dir).invoke) for name in USED_BY_CHECK}
    return {
        "bare_invoke_ms_p50": bare,
        **{f"tracked_frame_{name}": value for name, value in tracked.items()},
        "tracked_frame_parts_ms_p50": _parts(models_dir),
        **{f"iris_frame_{name}": value for name, value in iris.items()},
        **_match(models_dir),
        "vision_rss_mb": used / MEGABYTE,
        "process_rss_mb": _resident_bytes() / MEGABYTE,
    }


class _Camera:
    """Hands over finished frames and notes what is done with each until the next is asked for."""

    name = "camera"
    provenance = Provenance.SIMULATED

    def __init__(self, clock: _Clock) -> None:
        self._pictures = _views()
        self._clock = clock
        self._at_ns = MonoNs(0)
        self.seen: list[tuple[float, _Clock]] = []  # ms, and what of it was spent where

    def open(self) -> None: ...

    def close(self) -> None: ...

    def health(self) -> Health:
        return Health(True, "finished frames")

    def lock_exposure(self, locked: bool = True) -> bool:  # noqa: ARG002
        return False

    def nudge_exposure(self, stops: float) -> bool:  # noqa: ARG002
        return False

    def identity(self) -> str:
        return ""

    def mono_ns(self) -> MonoNs:
        return self._at_ns

    @contextlib.contextmanager
    def stream(self) -> Iterator[Iterator[Frame]]:
        yield self._frames()

    def _frames(self) -> Iterator[Frame]:
        for number in range(FRAMES):
            self._at_ns = MonoNs(self._at_ns + FRAME_NS)
            frame = Frame(self._pictures[number % len(self._pictures)], self._at_ns)
            self._clock.clear()
            began = time.thread_time()
            yield frame
            spent_ms = (time.thread_time() - began) * 1e3
            if number >= WARM_UP:
                self.seen.append((spent_ms, self._clock.copy()))


class _Clock(defaultdict[str, float]):
    """Milliseconds by name; `ran` are the models that ran."""

    def __init__(self) -> None:
        super().__init__(float)
        self.ran: tuple[str, ...] = ()

    def clear(self) -> None:
        super().clear()
        self.ran = ()

    def copy(self) -> _Clock:
        other = _Clock()
        other.update(self)
        other.ran = self.ran
        return other


@contextlib.contextmanager
def _timed(clock: _Clock, places: dict[str, tuple[Any, str]]) -> Iterator[None]:
    """Every call of these functions is counted."""
    plain = {name: getattr(owner, call) for name, (owner, call) in places.items()}
    for name, (owner, call) in places.items():
        setattr(owner, call, _counted(clock, name, plain[name]))
    try:
        yield
    finally:
        for name, (owner, call) in places.items():
            setattr(owner, call, plain[name])


def _counted(clock: _Clock, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*args: Any, **named: Any) -> Any:
        began = time.thread_time()
        found = plain(*args, **named)
        clock[name] += (time.thread_time() - began) * 1e3
        if name == "invoke":
            clock.ran += (args[0].spec.name,)
        return found

    return counted


INVOKE: dict[str, tuple[Any, str]] = {"invoke": (Model, "invoke")}


def _watched(
    models_dir: Path, first: Action, ran: tuple[str, ...], places: dict[str, tuple[Any, str]]
) -> list[tuple[float, _Clock]]:
    """The frames of a try on which just these models ran."""
    clock = _Clock()
    camera = _Camera(clock)
    eyes = Watcher(camera, models_dir, camera.mono_ns)
    order = WatchOrder((first, Action.UP), _views()[0])
    with _timed(clock, places), contextlib.suppress(DeviceError):  # at the end of the frames
        for look in eyes.watch(order):
            if look.result:
                break
    return [(spent_ms, own) for spent_ms, own in camera.seen if own.ran == ran]


def _frames(models_dir: Path, first: Action, ran: tuple[str, ...]) -> dict[str, float]:
    rows = _watched(models_dir, first, ran, INVOKE)
    whole = _median([spent_ms for spent_ms, _ in rows])
    bare = _median([clock["invoke"] for _, clock in rows])
    return {
        "ms_p50": whole,
        "invokes_ms_p50": bare,
        "over_bare": whole / bare,
        "count": len(rows),
    }


def _parts(models_dir: Path) -> dict[str, float]:
    """A round of its own, because looking at the clock takes time too."""
    rows = _watched(models_dir, Action.LEFT, TRACKED, INVOKE | PARTS)
    found = {name: _median([clock[name] for _, clock in rows]) for name in INVOKE | PARTS}
    found["into_and_out_of_network"] -= found["invoke"]
    found["all_else"] = _median([spent_ms for spent_ms, _ in rows]) - sum(found.values())
    return found


def _match(models_dir: Path) -> dict[str, float]:
    """One face and its mirror image, as for every embedding."""
    embedder, clock, spent = Embedder(models_dir), _Clock(), list[tuple[float, float]]()
    chip = np.random.default_rng(1).integers(0, 256, (CHIP_PX, CHIP_PX, 3), np.uint8)
    with _timed(clock, INVOKE):
        for _ in range(ROUNDS):
            clock.clear()
            began = time.thread_time()
            embedder.embed_chip(chip)
            spent.append(((time.thread_time() - began) * 1e3, clock["invoke"]))
    whole, bare = (_median([row[which] for row in spent]) for which in (0, 1))
    return {"match_ms_p50": whole, "match_invokes_ms_p50": bare, "match_over_bare": whole / bare}


def _p50_ms(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        spent.append((time.thread_time() - began) * 1e3)
    return _median(spent)


def _median(values: list[float]) -> float:
    return float(np.percentile(values, 50))


def _views() -> list[Picture]:
    """The portrait on 640 x 480, trembling by a pixel."""
    rgb: Image = cv2.resize(read_portrait(ASTRONAUT), None, fx=1.8, fy=1.8)
    corners = [(95 + x, 20 + y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return [picture_of(rgb[y : y + 480, x : x + 640]) for x, y in corners]


def _resident_bytes() -> int:
    """Largest so far (VmHWM), as the kernel counts it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    row = next(line for line in lines if line.startswith("VmHWM"))
    return int(row.split()[1]) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_here(Path(sys.argv[1])), indent=1) + "\n")
