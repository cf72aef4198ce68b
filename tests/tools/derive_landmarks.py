"""Make `edge/drivers/sim/data/landmarks.npz` anew.

    python tests/tools/derive_landmarks.py FACE_LANDMARK.tflite IRIS_LANDMARK.tflite

Reads the 468 landmarks of each portrait the simulated people wear, and the lines of
their lids, which the face mesh alone places too roughly.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from edge.drivers.sim.portrait import ADMIRAL, ASTRONAUT, DATA, read_portrait
from tests.tools.face_mesh import FaceMesh, LidLines

ROUGH_BOX = {ASTRONAUT.name: (170, 60, 280, 190), ADMIRAL.name: (165, 130, 365, 335)}


def main() -> None:
    mesh = FaceMesh(Path(sys.argv[1]))
    lines = LidLines(Path(sys.argv[2]))
    found = {}
    for spec in (ASTRONAUT, ADMIRAL):
        x0, y0, x1, y1 = ROUGH_BOX[spec.name]
        box = np.array([[x0, y0, 0], [x1, y1, 0]], dtype=np.float64)
        rgb = read_portrait(spec)
        points, presence = mesh.read(rgb, box, rounds=6)
        print(f"{spec.name}: presence {presence:.3f}")
        found[spec.name] = points.astype(np.float32)
        found[spec.name + "_lids"] = lines.read(rgb, points).astype(np.float32)
    np.savez_compressed(DATA / "landmarks.npz", **found)


if __name__ == "__main__":
    main()
