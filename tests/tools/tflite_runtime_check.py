"""Does the older `tflite-runtime` compute the same as LiteRT?

Run `python tests/tools/tflite_runtime_check.py`.

Needs CPython 3.11 (there are no later wheels). Makes a small environment of its own
in a temporary folder, with numpy 1 and tflite-runtime 2.14, runs every model there on
fixed inputs through `edge.models.runtime`, and compares with LiteRT here. The exit
code is 0 if all outputs agree to 1e-4 of the outputs' own size.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402

from edge.models.manifest import default_dir, specs  # noqa: E402
from edge.models.runtime import Model  # noqa: E402

TOLERANCE = 1e-4
PACKAGES = ["numpy<2", "tflite-runtime==2.14.0"]


def outputs() -> dict[str, np.ndarray]:
    """Each model's outputs for one fixed input, by `name/number`."""
    found = {}
    for name, spec in specs().items():
        low, high = spec.value_range
        values = np.random.default_rng(7).uniform(low, high, spec.input_shape)
        for number, output in enumerate(Model(name, default_dir()).run(values.astype(np.float32))):
            found[f"{name}/{number}"] = output
    return found


def other_outputs(folder: Path) -> dict[str, np.ndarray]:
    """The same in an environment that has only the older runtime."""
    python = folder / "env" / "bin" / "python"
    venv.create(folder / "env", with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *PACKAGES], check=True)
    subprocess.run([str(python), __file__, str(folder / "out.npz")], check=True, cwd=PROJECT)
    with np.load(folder / "out.npz") as file:
        return {name: file[name] for name in file.files}


def runtimes() -> list[str]:
    """Which of the two was really loaded."""
    return [name for name in ("ai_edge_litert", "tflite_runtime") if name in sys.modules]


def compare() -> int:
    from edge.models.build import build

    build()
    with tempfile.TemporaryDirectory() as folder:
        theirs = other_outputs(Path(folder))
    ours = outputs()
    print(f"here: numpy {np.__version__}, {runtimes()}")
    worst = 0.0
    for name, values in ours.items():
        size = max(1.0, float(np.abs(values).max()))
        difference = float(np.abs(values - theirs[name]).max()) / size
        print(f"{name:20} largest difference {difference:.1e}")
        worst = max(worst, difference)
    print("same" if worst <= TOLERANCE else f"NOT the same: {worst:.1e} > {TOLERANCE}")
    return 0 if worst <= TOLERANCE else 1


def main() -> int:
    if len(sys.argv) == 2:
        np.savez(sys.argv[1], **outputs())
        print(f"there: CPython {sys.version.split()[0]}, numpy {np.__version__}, {runtimes()}")
        return 0
    return compare()


if __name__ == "__main__":
    sys.exit(main())
