"""Draw every pose of the simulated residents on a sheet and say what the public mesh reads.

    python tests/tools/resident_sheet.py MODELS_DIR OUT_DIR

Look at the sheets after every change to `edge/drivers/sim/head.py` or `lids_and_lips.py`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from edge.drivers.sim.head import Head, Pose, cut_scene
from edge.drivers.sim.portrait import ADMIRAL, ASTRONAUT, PortraitSpec, Rgb
from edge.drivers.sim.resident import DOWN_DEG, SIZE, UP_DEG, YAW_DEG, PrintedPhoto, Sensor
from tests.sim_clock import HandClock
from tests.tools.face_mesh import (
    FaceMesh,
    LidLines,
    Points,
    lid_gap,
    mouth_openness,
    nose_parallax,
    turn_deg,
)

POSES = [
    Pose(),
    *(Pose(yaw_deg=a) for a in (15, 30, YAW_DEG, -15, -30, -YAW_DEG)),
    *(Pose(pitch_deg=a) for a in (15, UP_DEG, -15, -DOWN_DEG)),
    *(Pose(lids=a) for a in (0.5, 1)),
    *(Pose(mouth=a) for a in (0.5, 1)),
]
TILTS = ((0, 0), (45, 0), (-45, 0), (0, 40), (0, -40))


def main() -> None:
    models, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    mesh, lids = FaceMesh(models / "face_mesh.tflite"), LidLines(models / "eye_contour.tflite")
    for spec in (ASTRONAUT, ADMIRAL):
        print(f"\n{spec.name}")
        _sheet(out / f"{spec.name}.png", _resident(spec, mesh, lids))
        _sheet(out / f"{spec.name}_print.png", _prints(spec, mesh))


def _resident(spec: PortraitSpec, mesh: FaceMesh, lids: LidLines) -> list[Rgb]:
    began = time.perf_counter()
    head = Head(spec, SIZE)
    print(f"prepared in {time.perf_counter() - began:.2f} s, {_frame_ms(head):.1f} ms a frame")
    rest, _ = mesh.read(head.render(Pose()), cut_scene(spec, SIZE).points.astype(float))
    pictures = [head.render(pose) for pose in POSES]
    print("  yaw pitch lids mouth | mesh yaw pitch parallax | mouth  lid gap | presence")
    for pose, picture in zip(POSES, pictures, strict=True):
        points, presence = mesh.read(picture, rest)
        gap = lid_gap(lids.read(picture, points))
        drawn = f"{pose.yaw_deg:5.0f} {pose.pitch_deg:5.0f} {pose.lids:4.1f} {pose.mouth:5.1f}"
        other = f"{mouth_openness(points):6.3f} {gap:8.3f} | {presence:.3f}"
        print(f"{drawn} | {_angles(rest, points)} | {other}")
    return pictures


def _prints(spec: PortraitSpec, mesh: FaceMesh) -> list[Rgb]:
    pictures = []
    for with_edges in (True, False):
        photo = PrintedPhoto(spec, HandClock(), with_edges=with_edges)
        views = [photo._view(yaw, pitch, 0.0) for yaw, pitch in TILTS]
        rest, _ = mesh.read(views[0], cut_scene(spec, SIZE).points.astype(float))
        for tilt, view in zip(TILTS, views, strict=True):
            print(f"print {tilt!s:>8} | {_angles(rest, mesh.read(view, rest)[0])}")
        pictures += views
    return pictures


def _angles(rest: Points, points: Points) -> str:
    yaw, pitch = turn_deg(rest, points)
    return f"{yaw:8.1f} {pitch:5.1f} {nose_parallax(rest, points):8.3f}"


def _frame_ms(head: Head, frames: int = 100) -> float:
    sensor, began = Sensor(SIZE, 1), time.perf_counter()
    for i in range(frames):
        sensor.expose(head.render(Pose(yaw_deg=i * 0.6 - 30, pitch_deg=0.3)))
    return (time.perf_counter() - began) / frames * 1000


def _sheet(path: Path, pictures: list[Rgb], columns: int = 5) -> None:
    rows = [np.hstack(pictures[i : i + columns]) for i in range(0, len(pictures), columns)]
    cv2.imwrite(str(path), cv2.resize(np.vstack(rows), None, fx=0.6, fy=0.6)[..., ::-1])
    print(path)


if __name__ == "__main__":
    main()
