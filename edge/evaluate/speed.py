"""How long a frame and a comparison take beside the bare models, and how much memory they need.

    python -m edge.evaluate.speed MODELS_DIR

runs alone in its process, so that its memory is that of the vision part and nothing else; the
scene is one still portrait, moved a little, so that no time or memory goes into drawing. Times
are the thread's own on the processor, so that a busy machine measures the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.domain.challenge import Action, Prompt
from edge.drivers.sim.portrait import ASTRONAUT, Rgb, read_portrait
from edge.evaluate.stage import Stage
from edge.models.embedding import CHIP_PX, Embedder
from edge.models.manifest import specs
from edge.models.preprocess import picture_of
from edge.models.runtime import Model
from edge.models.watcher import Watcher
from edge.ports import WatchOrder

ROUNDS = 200
FRAMES = 300
MEGABYTE = 1 << 20
USED_BY_CHECK = ("face_detector", "face_mesh", "eye_contour", "face_embedding")


def measure(models_dir: Path) -> dict[str, Any]:
    """In a process of its own."""
    command = [sys.executable, "-m", "edge.evaluate.speed", str(models_dir)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _here(models_dir: Path) -> dict[str, Any]:
    cv2.setNumThreads(1)
    began_bytes = _resident_bytes()
    frames = {lids: _frames_ms(models_dir, lids=lids) for lids in (False, True)}
    used = _resident_bytes() - began_bytes
    bare = {name: _p50_ms(_invoke(name, models_dir)) for name in USED_BY_CHECK if name in specs()}
    embedder, chip = Embedder(models_dir), np.zeros((CHIP_PX, CHIP_PX, 3), np.uint8)
    match_ms = _p50_ms(lambda: embedder.embed_chip(chip))
    iris_ms = bare["face_mesh"] + 2 * bare["eye_contour"]
    return {
        "bare_invoke_ms_p50": bare,
        "tracked_frame_ms_p50": frames[False],
        "tracked_frame_over_bare": frames[False] / bare["face_mesh"],
        "iris_frame_ms_p50": frames[True],
        "iris_frame_over_bare": frames[True] / iris_ms,
        "match_ms_p50": match_ms,
        "match_over_bare": match_ms / (2 * bare["face_embedding"]),
        "vision_rss_mb": used / MEGABYTE,
        "process_rss_mb": _resident_bytes() / MEGABYTE,
    }


def _invoke(name: str, models_dir: Path) -> Callable[[], object]:
    model, shape = Model(name, models_dir), specs()[name].input_shape
    values = np.random.default_rng(1).random(shape, np.float32)
    return lambda: model.run(values)


def _p50_ms(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        spent.append((time.thread_time() - began) * 1e3)
    return float(np.percentile(spent, 50))


def _frames_ms(models_dir: Path, *, lids: bool) -> float:
    """From handing a frame over until the next is asked for; the median hides the rare others."""
    stage, spent, handed = Stage(), [], [0.0]
    views = _views()

    def draw(prompt: Prompt, since_s: float, at_s: float) -> Rgb:
        del prompt, since_s
        if handed[0]:
            spent.append(time.thread_time() - handed[0])
        view = views[round(at_s * 30) % len(views)]
        handed[0] = time.thread_time()
        return view

    stage.set_up(draw, 30.0)
    first = Action.BLINK if lids else Action.LEFT
    watcher = Watcher(stage, models_dir, stage.mono_ns)
    order = WatchOrder((first, Action.UP), picture_of(views[0]))
    for number, look in enumerate(watcher.watch(order)):
        stage.tell(look.progress.prompt)
        if number > FRAMES or look.result:
            break
    return float(np.percentile(spent[len(spent) // 2 :], 50) * 1e3)


def _views() -> list[Rgb]:
    """The portrait on 640 x 480, trembling by a pixel."""
    rgb = cv2.resize(read_portrait(ASTRONAUT), None, fx=1.8, fy=1.8)
    corners = [(95 + x, 20 + y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return [np.ascontiguousarray(rgb[y : y + 480, x : x + 640]) for x, y in corners]


def _resident_bytes() -> int:
    """Largest so far (VmHWM), as the kernel counts it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    row = next(line for line in lines if line.startswith("VmHWM"))
    return int(row.split()[1]) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_here(Path(sys.argv[1]))))
