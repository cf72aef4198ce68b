"""A TFLite file, operator by operator, with the schema that ships inside the runtime.

The same calls give the same bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.models.runtime import pack_model, tflite_schema


class Graph:
    """Collects tensors and operators; `top` is the latest tensor, and the output in the end."""

    def __init__(self, input_shape: tuple[int, int, int, int]) -> None:
        self.schema = tflite_schema()
        self.buffers = [self._buffer(b"")]
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[int] = []
        self.top = self.activation(input_shape)

    def _buffer(self, content: bytes) -> Any:
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8) if content else None
        return buffer

    def _tensor(self, shape: tuple[int, ...], buffer: int, kind: int) -> int:
        tensor = self.schema.TensorT()
        tensor.name = f"t{len(self.tensors)}".encode()
        tensor.shape = list(shape)
        tensor.type = kind
        tensor.buffer = buffer
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def activation(self, shape: tuple[int, ...]) -> int:
        return self._tensor(shape, 0, self.schema.TensorType.FLOAT32)

    def constant(self, values: npt.NDArray[Any]) -> int:
        is_float = values.dtype.kind == "f"
        stored = np.ascontiguousarray(values, "<f4" if is_float else "<i4")
        self.buffers.append(self._buffer(stored.tobytes()))
        types = self.schema.TensorType
        kind = types.FLOAT32 if is_float else types.INT32
        return self._tensor(values.shape, len(self.buffers) - 1, kind)

    def shape(self, tensor: int) -> tuple[int, int, int, int]:
        n, rows, columns, channels = self.tensors[tensor].shape
        return n, rows, columns, channels

    def operator(
        self, code: str, inputs: list[int], shape: tuple[int, ...], options: str = "", **values: int
    ) -> int:
        """Append one operator and return its output tensor."""
        number = getattr(self.schema.BuiltinOperator, code)
        if number not in self.codes:
            self.codes.append(number)
        op = self.schema.OperatorT()
        op.opcodeIndex = self.codes.index(number)
        op.inputs = inputs
        op.outputs = [self.activation(shape)]
        if options:
            op.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            op.builtinOptions = getattr(self.schema, options + "T")()
            for field, value in values.items():
                setattr(op.builtinOptions, field, value)
        self.operators.append(op)
        return int(op.outputs[0])

    def finish(self, name: str, description: str) -> bytes:
        """The bytes of the file."""
        schema = self.schema
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [0], [self.top]
        graph.name = name.encode()
        model = schema.ModelT()
        model.version = 3
        model.description = description.encode()
        model.operatorCodes = [self._code(number) for number in self.codes]
        model.subgraphs = [graph]
        model.buffers = self.buffers
        return pack_model(model)

    def _code(self, number: int) -> Any:
        code = self.schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = 1
        return code
