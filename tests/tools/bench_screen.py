"""How the kiosk's window feels: start, touch, preview, idle, memory, with the real models at work.

    python -m tests.tools.bench_screen [--visits 3] [--soak 0] [--json bench/screen.json]

What is measured is one kiosk process with its window (SDL offscreen, GL in software), drivers of
real devices, models and disk. The room around it, with the devices' other ends and a person, is
a process of its own, and so is the camera, as in every kiosk. Memory is told resident (RSS, which
counts libraries that processes share) and of that what is this process' alone (USS).

`--soak 500` plays five hundred visits in one process and tells how memory grows. In these the
camera runs for half a second and recorded sessions stand in for the models, but for every
twentieth visit, which is a whole one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.headless import make_config
from tests.tools.far_room import open_room

GOALS = {
    "first_frame_s": 3.0,
    "touch_p95_s": 0.100,
    "language_max_s": 1.0,
    "preview_fps": 15.0,
    "idle_share_of_a_core": 0.03,
    "capture_rss_mb": 350.0,
    "growth": 0.02,
}
AT_LEAST = {"preview_fps"}
STARTS = 4
"""The first only warms the caches of the file system and is not counted."""
SETTLED = 20
"""Visits after which caches of letters and drawings are full."""
LIMIT_S = 3 * 3600

Numbers = dict[str, Any]


def part(site: Path, name: str, count: int = 1, bar: Progress | None = None) -> Numbers:
    """One part in a process of its own, before a person of its own."""
    with tempfile.TemporaryDirectory() as folder, open_room(Path(folder)) as door:
        return _part(site, door, name, count, bar)


def _part(site: Path, door: Path, name: str, count: int, bar: Progress | None) -> Numbers:
    env = {**os.environ, "SDL_VIDEODRIVER": "offscreen"}
    env.pop("DISPLAY", None)
    command = [sys.executable, "-m", "tests.tools.screen_child", str(site), str(door), name]
    command += [str(time.monotonic()), str(count)]
    task = bar.add_task(name, total=count) if bar else None
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        last = "{}"
        for line in child.stdout:
            last = line
            if bar and task is not None and '"visit"' in line:
                bar.advance(task)
    if child.returncode:
        raise SystemExit(f"the {name} part ended with {child.returncode}")
    if bar and task is not None:
        bar.update(task, completed=count)
    told: Numbers = json.loads(last)
    return told


def measure(folder: Path, visits: int, soak: int, bar: Progress) -> Numbers:
    starts = [part(folder, "start", bar=bar)["first_frame_s"] for _ in range(STARTS)][1:]
    idle = part(folder, "idle", bar=bar)
    visit = part(folder, "visit", visits, bar)
    touches, gaps = sorted(visit["touch_s"]), sorted(visit["preview_gaps_s"])
    figures: Numbers = {
        "first_frame_s": sorted(starts)[len(starts) // 2],
        "starts_s": starts,
        **idle,
        "touches": len(touches),
        "touch_p50_s": quantile(touches, 0.5),
        "touch_p95_s": quantile(touches, 0.95),
        "language_max_s": max(visit["language_s"], default=None),
        "preview_fps": 1 / quantile(gaps, 0.5),
        "preview_fps_p5": 1 / quantile(gaps, 0.95),
        "capture_rss_mb": visit["capture_rss_mb"],
        "capture_uss_mb": visit["capture_uss_mb"],
    }
    if soak:
        told = part(folder, "soak", soak, bar)
        figures |= {f"soak_{name}": taken for name, taken in told.items()}
        figures |= {"soak_visits": soak, "growth": growth(told["rss_mb"])}
    return figures


def growth(memory: list[float]) -> float | None:
    """From the settled process to the end of the day, as a share; both ends over ten visits."""
    if len(memory) < 2 * SETTLED:
        return None
    before, after = memory[SETTLED - 10 : SETTLED], memory[-10:]
    return sum(after) / sum(before) - 1


def quantile(ranked: list[float], share: float) -> float:
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def judged(figures: Numbers) -> dict[str, bool]:
    """Which goals were met; a figure that was not taken is not judged."""
    return {
        name: figures[name] >= goal if name in AT_LEAST else figures[name] <= goal
        for name, goal in GOALS.items()
        if figures.get(name) is not None
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("--soak", type=int, default=0, help="visits in one process (500: 20 min)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, TimeElapsedColumn()) as bar:
        config = make_config(Path(folder), models_dir_of_this_checkout())
        kiosk = Path(folder) / "site" / "kiosks" / config.kiosk_id
        figures = measure(kiosk, args.visits, args.soak, bar)
    report = {
        "made": date.today().isoformat(),
        "load": os.getloadavg()[0],
        "figures": figures,
        "goals": GOALS,
        "met": judged(figures),
    }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, met in report["met"].items():
        print(f"{'met ' if met else 'MISSED':7} {name} {figures[name]:.3f} (goal {GOALS[name]})")
    return 0 if all(report["met"].values()) else 1


def models_dir_of_this_checkout() -> Path:
    return Path(os.environ.get("JIANZAI_MODELS", ".cache/models"))


if __name__ == "__main__":
    raise SystemExit(main())
