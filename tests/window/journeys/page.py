"""Every journey with a picture of each step, on one page for reviewers.

python -m tests.window.journeys.page [--out FOLDER] [--groups GROUP...]
"""

from __future__ import annotations

import argparse
import html
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import track

from edge.models.build import build

ROOT = Path(__file__).parents[3]
GROUPS = ("residents", "branches", "helping", "own_data", "codes", "staff", "real_eyes")
AT_ONCE = 3
MODULE = ("-W", "error::ResourceWarning", "-m", "tests.window.journeys")
OFFSCREEN = {"SDL_VIDEODRIVER": "offscreen"}
GROUP_S = 240.0

HEAD = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>Journeys</title><style>
body{font:15px/1.5 sans-serif;margin:0;background:#e9edf2;color:#12233d}
section{padding:6px 20px 14px}h2{margin:14px 0 4px}.failed{color:#8a1510;white-space:pre-wrap}
figure{display:inline-block;margin:0 14px 10px 0;vertical-align:top;width:512px}
figcaption{color:#3b4c66}img{display:block;border:1px solid #8795a8;width:512px}</style>"""


def play_group(
    group: str,
    pictures: Path | None = None,
    names: tuple[str, ...] = (),
    *,
    environment: Mapping[str, str] = OFFSCREEN,
    **folders: Path | None,
) -> Any:
    """A process with a window of its own; what it told on its last line."""
    given = {"pictures": pictures, **folders}
    options = [word for name, folder in given.items() for word in _option(name, folder)]
    done = subprocess.run(
        [sys.executable, *MODULE, group, *names, *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=GROUP_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{group}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


DEATHS = {
    "dies_before_submit": "back_before_submit",
    "dies_when_committed": "back_when_committed",
    "dies_before_the_receipt": "back_before_the_receipt",
}


def play_restart(death: str, data: Path, pictures: Path | None = None) -> Any:
    """A visit that ends in SIGKILL, and what the next process makes of its data."""
    command = (*MODULE, "restart", death, "--data", str(data))
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **OFFSCREEN},
        capture_output=True, text=True, timeout=GROUP_S, check=False,
    )  # fmt: skip
    if done.returncode != -signal.SIGKILL:
        raise RuntimeError(f"{death} lives: {done.stdout} {done.stderr[-3000:]}")
    return play_group("restart", pictures, (DEATHS[death],), data=data)


def _option(name: str, folder: Path | None) -> tuple[str, ...]:
    return (f"--{name}", str(folder)) if folder else ()


def page(played: list[dict[str, Any]]) -> str:
    return HEAD + "".join(map(_section, played))


def _section(journey: dict[str, Any]) -> str:
    steps = "".join(_figure(journey["name"], n, step) for n, step in enumerate(journey["steps"], 1))
    failed = f'<p class="failed">{html.escape(journey["failed"])}</p>' if journey["failed"] else ""
    title = f"{html.escape(journey['title'])} · <code>{journey['name']}</code>"
    return f'<section id="{journey["name"]}"><h2>{title}</h2>{failed}{steps}</section>'


def _figure(journey: str, number: int, step: dict[str, Any]) -> str:
    where = f"{journey}/{step['picture']}"
    words = f"{number}. {html.escape(step['title'])} · {step['screen']} {' '.join(step['serves'])}"
    image = f'<img loading="lazy" src="{where}" alt="">'
    return f"<figure>{image}<figcaption>{words}</figcaption></figure>"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("journeys"))
    parser.add_argument("--groups", nargs="*", default=(*GROUPS, "restart"))
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    played: list[dict[str, Any]] = []
    models, out = build(), told.out.resolve()

    def play(group: str) -> Any:
        if group != "restart":
            return play_group(group, out, models=models)
        with tempfile.TemporaryDirectory(prefix="restart-") as data:
            return [one for death in DEATHS for one in play_restart(death, Path(data), out)]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        groups = pool.map(play, told.groups)
        for journeys in track(groups, "journeys", total=len(told.groups)):
            played += journeys
    (told.out / "index.html").write_text(page(played), encoding="utf-8")
    report = {
        "journeys": len(played),
        "steps": sum(len(journey["steps"]) for journey in played),
        "failed": [journey["name"] for journey in played if journey["failed"]],
        "seconds": {journey["name"]: journey["seconds"] for journey in played},
    }
    (told.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({**report, "seconds": round(sum(report["seconds"].values()))}))
    return bool(report["failed"])


if __name__ == "__main__":
    sys.exit(main())
