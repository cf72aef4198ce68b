"""Only the manifest's own files run, through one file that names the runtime."""

import re
from pathlib import Path

import numpy as np
import pytest

import edge
from edge.domain.errors import ModelError
from edge.models.manifest import specs
from edge.models.runtime import Model, sha256_of_model


@pytest.mark.parametrize("name", list(specs()))
def test_each_model_has_the_shapes_of_the_manifest(name, models_dir) -> None:
    spec, model = specs()[name], Model(name, models_dir)
    model.warm_up()
    low, high = spec.value_range
    values = np.full(spec.input_shape, (low + high) / 2, np.float32)
    outputs = model.run(values)
    assert tuple(output.shape for output in outputs) == spec.output_shapes
    assert all(np.isfinite(output).all() for output in outputs)
    kept = outputs[0].copy()
    model.run(values * 0 + np.float32(low))
    assert np.array_equal(kept, outputs[0])
    assert sha256_of_model(name) == spec.sha256


def test_a_changed_model_never_runs(tmp_path, models_dir) -> None:
    spec = specs()["face_mesh"]
    (tmp_path / spec.file).write_bytes((models_dir / spec.file).read_bytes() + b"\0")
    with pytest.raises(ModelError, match=spec.sha256):
        Model("face_mesh", tmp_path)


def test_one_file_alone_names_the_runtime() -> None:
    root = Path(edge.__file__).parent
    naming = re.compile(r"^\s*(from|import) (ai_edge_litert|tflite_runtime|flatbuffers)", re.M)
    files = [p.relative_to(root) for p in root.rglob("*.py") if naming.search(p.read_text())]
    assert files == [Path("models/runtime.py")]
