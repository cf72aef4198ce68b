"""The only file that names a TFLite runtime.

A model is loaded through the manifest alone: a file whose hash differs never runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.domain.errors import ModelError
from edge.models.manifest import ModelSpec, read_verified, spec_of

Floats = npt.NDArray[np.float32]


def _interpreter_class() -> Any:
    """LiteRT, or the older tflite-runtime (CPython up to 3.11, numpy 1) if that is installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return _older_interpreter_class()
    return Interpreter


def _older_interpreter_class() -> Any:
    try:
        from tflite_runtime.interpreter import Interpreter
    except ImportError as error:
        raise ModelError(
            "no TFLite runtime is installed; run: python -m pip install ai-edge-litert"
        ) from error
    return Interpreter


def tflite_schema() -> Any:
    """Python classes for the tables of a TFLite file; only needed to convert a model."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise ModelError(
            "converting a network needs the package ai-edge-litert; or take finished files "
            "from another machine: python -m edge models build --from DIR"
        ) from error
    return schema_py_generated


def pack_model(model: Any) -> bytes:
    """A `ModelT` of `tflite_schema()` as the bytes of a file."""
    import flatbuffers  # type: ignore[import-untyped]  # comes with ai-edge-litert

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class Model:
    """One loaded network. Not for two threads at once."""

    def __init__(self, name: str, models_dir: Path, num_threads: int = 1) -> None:
        self.spec = spec_of(name)
        data = read_verified(models_dir, self.spec)
        self._interpreter = _interpreter_class()(model_content=data, num_threads=num_threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._input_view = self._interpreter.tensor(self._input["index"])
        low, high = self.spec.value_range
        self._scale, self._low = np.float32((high - low) / 255.0), np.float32(low)
        self._outputs = [self._output(shape) for shape in self.spec.output_shapes]
        self._check_input()

    def _output(self, shape: tuple[int, ...]) -> int:
        """Index of the output with this shape; runtimes do not agree on the order of outputs."""
        for detail in self._interpreter.get_output_details():
            if tuple(detail["shape"]) == shape:
                return int(detail["index"])
        raise ModelError(f"{self.spec.file}: has no output of shape {shape}")

    def _check_input(self) -> None:
        if tuple(self._input["shape"]) != self.spec.input_shape:
            raise ModelError(f"{self.spec.file}: input is not {self.spec.input_shape}")

    def run(self, values: Floats) -> list[Floats]:
        """One inference. `values` has the manifest's input shape and range, float32.

        Returns copies, in the order of the manifest's output shapes.
        """
        self._interpreter.set_tensor(self._input["index"], values)
        return self._answer()

    def run_on(self, image: npt.NDArray[np.uint8]) -> list[Floats]:
        """One inference on a picture of the manifest's height, width and channels.

        Its 0..255 are mapped onto the manifest's range straight into the network's own memory.
        """
        values = self._input_view()[0]
        values[...] = image
        values *= self._scale
        if self._low:
            values += self._low
        del values  # the interpreter runs only when nobody holds its memory
        return self._answer()

    def invoke(self) -> None:
        """The bare inference, on what is in the network's memory."""
        self._interpreter.invoke()

    def _answer(self) -> list[Floats]:
        self.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def warm_up(self) -> None:
        """The first inference is the slow one; have it before somebody is waiting."""
        self.run(np.zeros(self.spec.input_shape, np.float32))


def sha256_of_model(name: str) -> str:
    """What a `Score` names as its origin."""
    spec: ModelSpec = spec_of(name)
    return spec.sha256
