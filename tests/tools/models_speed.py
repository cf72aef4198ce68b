"""How long the models take here: run `python tests/tools/models_speed.py`.

The scene is the drawn head of the simulated resident, 640 x 480, slowly turning; one
thread. Prints the median and the 95th percentile in milliseconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from edge.drivers.sim import head, portrait
from edge.models import geometry
from edge.models.build import build
from edge.models.embedding import Embedder
from edge.models.faces import Follower, Lids
from edge.models.manifest import specs
from edge.models.runtime import Model

ROUNDS = 200


def timed(work: Callable[[int], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and 95th percentile of one call, ms."""
    spent = []
    for index in range(rounds):
        start = time.perf_counter()
        work(index)
        spent.append((time.perf_counter() - start) * 1e3)
    return float(np.percentile(spent, 50)), float(np.percentile(spent, 95))


def main() -> None:
    models_dir = build()
    drawn = head.Head(portrait.ASTRONAUT)
    images = [drawn.render(head.Pose(yaw)) for yaw in np.linspace(-20, 20, 41)]
    images += images[::-1]
    rows = {name: timed(_invoke(name, models_dir)) for name in specs()}
    print("bare invoke (with copies in and out)")
    _show(rows)
    print(f"{'sum':24}{sum(p50 for p50, _ in rows.values()):8.2f}")
    print("whole steps")
    _show(_steps(models_dir, images))


def _invoke(name: str, models_dir: Path) -> Callable[[int], object]:
    model, values = Model(name, models_dir), np.zeros(specs()[name].input_shape, np.float32)
    return lambda _: model.run(values)


def _steps(models_dir: Path, images: list[np.ndarray]) -> dict[str, tuple[float, float]]:
    follower, lids, embedder = Follower(models_dir), Lids(models_dir), Embedder(models_dir)
    mesh = follower.find_one(images[0])

    def tracked(index: int) -> None:
        sight = follower.look(images[index % len(images)])
        points = sight.mesh.points
        geometry.pose_of(points)
        geometry.rigid_points(points)
        geometry.light_of(sight.mesh.cut)

    return {
        "tracked frame": timed(tracked),
        "first frame (detect)": timed(lambda _: follower.find_one(images[0])),
        "lids of both eyes": timed(lambda _: lids.opening(images[0], mesh)),
        "embedding, both sides": timed(lambda _: embedder.embed(images[0], mesh.points)),
    }


def _show(rows: dict[str, tuple[float, float]]) -> None:
    for name, (p50, p95) in rows.items():
        print(f"{name:24}{p50:8.2f}{p95:8.2f}")


if __name__ == "__main__":
    main()
