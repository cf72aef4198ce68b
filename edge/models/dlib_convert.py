"""dlib's face ResNet as a TFLite file, without dlib and without TensorFlow.

The file is written with the schema that ships inside the runtime. Where the two
sides of an addition differ in size dlib pads both with zeros at the end of each
axis; here that is an explicit PAD. The same input gives the same bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.models.dlib_network import Add, Conv, Dense, Fork, GlobalMean, Layer, Pool, Relu, parse
from edge.models.runtime import pack_model, tflite_schema

CHIP_PX = 150


class _Writer:
    """Collects tensors and operators for one TFLite graph; `self.top` is the latest tensor."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.buffers = [self._buffer(b"")]
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[int] = []
        self.top = self.activation((1, CHIP_PX, CHIP_PX, 3))
        self.kept = self.top

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

    def finish(self) -> bytes:
        schema = self.schema
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [0], [self.top]
        graph.name = b"face_embedding"
        model = schema.ModelT()
        model.version = 3
        model.description = b"dlib_face_recognition_resnet_model_v1"
        model.operatorCodes = [self._code(number) for number in self.codes]
        model.subgraphs = [graph]
        model.buffers = self.buffers
        return pack_model(model)

    def _code(self, number: int) -> Any:
        code = self.schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = 1
        return code


def to_tflite(layers: list[Layer]) -> bytes:
    """The network as a TFLite file: 1x150x150x3 RGB 0..255 float32 in, 1x128 out."""
    writer = _Writer(tflite_schema())
    for layer, following in zip(layers, [*layers[1:], Relu()], strict=True):
        _write(writer, layer, relu=isinstance(following, Relu))
    return writer.finish()


def _write(writer: _Writer, layer: Layer, *, relu: bool) -> None:
    match layer:
        case Conv():
            writer.top = _write_conv(writer, layer, relu)
        case Pool():
            writer.top = _write_pool(writer, layer, writer.top)
        case Fork():
            writer.kept = writer.top
        case Add():
            writer.top = _write_add(writer, layer, relu)
        case GlobalMean():
            writer.top = _write_mean(writer)
        case Dense():
            writer.top = _write_dense(writer, layer)


def _activation(writer: _Writer, relu: bool) -> int:
    kinds = writer.schema.ActivationFunctionType
    return int(kinds.RELU if relu else kinds.NONE)


def _write_conv(writer: _Writer, layer: Conv, relu: bool) -> int:
    _, rows, columns, _ = writer.shape(writer.top)
    outputs, kernel = layer.weights.shape[0], layer.weights.shape[1]
    if not layer.same:
        rows, columns = _shrunk(rows, kernel, layer.stride), _shrunk(columns, kernel, layer.stride)
    padding = writer.schema.Padding
    return writer.operator(
        "CONV_2D",
        [writer.top, writer.constant(layer.weights), writer.constant(layer.bias)],
        (1, rows, columns, outputs),
        "Conv2DOptions",
        padding=padding.SAME if layer.same else padding.VALID,
        strideH=layer.stride,
        strideW=layer.stride,
        fusedActivationFunction=_activation(writer, relu),
    )


def _shrunk(size: int, kernel: int, stride: int) -> int:
    return (size - kernel) // stride + 1


def _write_pool(writer: _Writer, layer: Pool, source: int) -> int:
    _, rows, columns, channels = writer.shape(source)
    return writer.operator(
        "MAX_POOL_2D" if layer.kind == "max" else "AVERAGE_POOL_2D",
        [source],
        (
            1,
            _shrunk(rows, layer.size, layer.stride),
            _shrunk(columns, layer.size, layer.stride),
            channels,
        ),
        "Pool2DOptions",
        padding=writer.schema.Padding.VALID,
        strideH=layer.stride,
        strideW=layer.stride,
        filterHeight=layer.size,
        filterWidth=layer.size,
    )


def _write_add(writer: _Writer, layer: Add, relu: bool) -> int:
    main, side = writer.top, writer.kept
    if layer.pool:
        side = _write_pool(writer, layer.pool, side)
    both = zip(writer.shape(main), writer.shape(side), strict=True)
    target = tuple(max(pair) for pair in both)
    inputs = [_padded(writer, main, target), _padded(writer, side, target)]
    activation = _activation(writer, relu)
    return writer.operator("ADD", inputs, target, "AddOptions", fusedActivationFunction=activation)


def _padded(writer: _Writer, tensor: int, target: tuple[int, ...]) -> int:
    shape = writer.shape(tensor)
    if shape == target:
        return tensor
    after = [[0, want - have] for have, want in zip(shape, target, strict=True)]
    paddings = writer.constant(np.array(after, np.int32))
    return writer.operator("PAD", [tensor, paddings], target, "PadOptions")


def _write_mean(writer: _Writer) -> int:
    channels = writer.shape(writer.top)[3]
    axes = writer.constant(np.array([1, 2], np.int32))
    return writer.operator("MEAN", [writer.top, axes], (1, channels), "ReducerOptions")


def _write_dense(writer: _Writer, layer: Dense) -> int:
    weights = writer.constant(layer.weights)
    shape = (1, layer.weights.shape[0])
    return writer.operator(
        "FULLY_CONNECTED", [writer.top, weights, -1], shape, "FullyConnectedOptions"
    )


def convert(data: bytes) -> bytes:
    """From the bytes of dlib's `.dat` file to the bytes of a TFLite file."""
    return to_tflite(parse(data))
