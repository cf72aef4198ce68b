"""Do other runtimes and interpreters compute the same as LiteRT does here?

    python tests/tools/runtimes_check.py            every environment at hand
    python tests/tools/runtimes_check.py tflite     only one of them

Makes a small environment for each in a temporary folder, runs every model there on
fixed inputs through `edge.models.runtime`, and compares. Exit code 0 if all outputs
agree to 1e-4 of the outputs' own size, 1 if not, 3 if no interpreter was at hand.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT))

import numpy as np  # noqa: E402

from edge.models.manifest import default_dir, specs  # noqa: E402
from edge.models.runtime import Model  # noqa: E402

TOLERANCE = 1e-4
NOT_AT_HAND = 3


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter and what is installed for it."""

    interpreter: str
    packages: tuple[str, ...]


ENVIRONMENTS = {
    # tflite-runtime has no wheels past CPython 3.11 and needs numpy 1.
    "tflite": Environment("python3.11", ("numpy<2", "tflite-runtime==2.14.0")),
    "python313": Environment("python3.13", ("numpy>=2.2", "ai-edge-litert>=2.3,<3")),
}


def outputs() -> dict[str, np.ndarray]:
    """Each model's outputs for one fixed input, by `name/number`."""
    found = {}
    for name, spec in specs().items():
        low, high = spec.value_range
        values = np.random.default_rng(7).uniform(low, high, spec.input_shape)
        for number, output in enumerate(Model(name, default_dir()).run(values.astype(np.float32))):
            found[f"{name}/{number}"] = output
    return found


def found(environment: Environment) -> str | None:
    """The interpreter, if it is on this machine and really starts."""
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = sys.executable if environment.interpreter == here else None
    path = path or shutil.which(environment.interpreter)
    if path is None:
        return None
    works = subprocess.run([path, "-c", "import ensurepip"], capture_output=True, check=False)
    return path if works.returncode == 0 else None


def other_outputs(
    environment: Environment, interpreter: str, folder: Path
) -> dict[str, np.ndarray]:
    """The same in an environment of its own."""
    python = folder / "env" / "bin" / "python"
    subprocess.run([interpreter, "-m", "venv", str(folder / "env")], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--only-binary", ":all:", *environment.packages], check=True)
    subprocess.run([str(python), __file__, "--write", str(folder / "out.npz")], check=True)
    with np.load(folder / "out.npz") as file:
        return {name: file[name] for name in file.files}


def worst_difference(name: str) -> float | None:
    """Largest difference in parts of an output's own size; None without that interpreter."""
    environment = ENVIRONMENTS[name]
    interpreter = found(environment)
    if interpreter is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        theirs = other_outputs(environment, interpreter, Path(folder))
    worst = 0.0
    for output, values in outputs().items():
        size = max(1.0, float(np.abs(values).max()))
        worst = max(worst, float(np.abs(values - theirs[output]).max()) / size)
    return worst


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--write"]:
        np.savez(arguments[1], **outputs())
        loaded = [m for m in ("ai_edge_litert", "tflite_runtime") if m in sys.modules]
        print(f"CPython {sys.version.split()[0]}, numpy {np.__version__}, {loaded[0]}", flush=True)
        return 0
    codes = [_report(name) for name in arguments or ENVIRONMENTS]
    return max(codes)


def _report(name: str) -> int:
    worst = worst_difference(name)
    if worst is None:
        print(f"{name}: {ENVIRONMENTS[name].interpreter} is not at hand")
        return NOT_AT_HAND
    print(f"{name}: largest difference {worst:.1e}, allowed {TOLERANCE}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
