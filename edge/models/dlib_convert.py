"""dlib's face ResNet as a TFLite file, without dlib and without TensorFlow.

The `.dat` file is dlib's plain serialisation, layers in the order data flows:

    integer   one byte (bit 7: negative, low bits: length n), then n bytes little-endian
    string    integer length, bytes
    double    integer mantissa, integer exponent of 2
    tensor    integer 2 (version), integers n, k, rows, columns, float32 little-endian
    layer     string version, its own fields, 3 bytes of flags ('0'/'1'), 3 tensors (empty)

Each `affine_` (y = gamma x + beta) is folded into the convolution before it, the input
normalisation (x - mean) / 256 into the first one. What remains are 29 convolutions,
two kinds of pooling, additions and one product with a matrix. Where the two sides of
an addition differ in size dlib pads both with zeros at the end of each axis.

The result is byte-for-byte the same everywhere: sums are exact (`math.fsum`), products
are single IEEE operations, and the writer is pinned with the runtime that ships it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.domain.errors import ModelError
from edge.models.runtime import pack_model, tflite_schema

Array = npt.NDArray[np.float64]

CHIP_PX = 150
_INPUT = b"\x01\x15input_rgb_image_sized"


@dataclass(frozen=True, slots=True)
class Conv:
    """`weights` is output, row, column, input; `same` pads so that the size stays."""

    weights: Array
    bias: Array
    stride: int
    same: bool


@dataclass(frozen=True, slots=True)
class Pool:
    kind: str  # "max" or "avg"
    size: int
    stride: int


@dataclass(frozen=True, slots=True)
class Relu:
    """Everything below zero becomes zero."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Keep the data as it is here; a residual block starts."""


@dataclass(frozen=True, slots=True)
class Add:
    """Add what was kept at the `Fork`, after `pool` when the block shrinks the picture."""

    pool: Pool | None


@dataclass(frozen=True, slots=True)
class GlobalMean:
    """Mean over rows and columns."""


@dataclass(frozen=True, slots=True)
class Dense:
    """`weights` is output, input; there is no bias."""

    weights: Array


Layer = Conv | Pool | Relu | Fork | Add | GlobalMean | Dense


# --- reading -----------------------------------------------------------------


class _Reader:
    """dlib's serialisation, read from `at` on."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise ModelError("dlib network: the file ends in the middle of a value")
        self.at += count
        return piece

    def integer(self) -> int:
        head = self.take(1)[0]
        value = int.from_bytes(self.take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def integers(self, count: int) -> list[int]:
        return [self.integer() for _ in range(count)]

    def string(self) -> str:
        return self.take(self.integer()).decode("ascii")

    def double(self) -> float:
        mantissa, exponent = self.integers(2)
        return math.ldexp(mantissa, exponent)

    def tensor(self) -> Array:
        if self.integer() != 2:
            raise ModelError(f"dlib network: unknown tensor version before byte {self.at}")
        shape = self.integers(4)
        values = np.frombuffer(self.take(4 * math.prod(shape)), "<f4")
        return values.astype(np.float64).reshape(shape)

    def alias(self) -> list[int]:
        """Shape of a part of a tensor: a version, then n, k, rows, columns."""
        return self.integers(5)[1:]


def parse(data: bytes) -> list[Layer]:
    """The network as a list of layers in the order data flows, everything folded."""
    start = data.find(_INPUT)
    if start < 0:
        raise ModelError("dlib network: this is not dlib's face network")
    reader = _Reader(data, start)
    reader.string()
    means = [reader.double() for _ in range(3)]
    reader.integers(2)  # the chip's size
    raw = _raw_layers(reader)
    return _with_forks(_folded(raw, means))


def _raw_layers(reader: _Reader) -> list[tuple[str, Any]]:
    layers: list[tuple[str, Any]] = []
    while not layers or layers[-1][0] != "fc_2":
        name = reader.string()
        if name not in _BODIES:
            raise ModelError(f"dlib network: unknown layer {name!r} before byte {reader.at}")
        read = _BODIES[name]
        layers.append((name, read(reader) if read else None))
        reader.take(3)
        for _ in range(3):
            reader.tensor()
        if len(layers) == 1:
            reader.integer()  # only the layer next to the input: samples per picture
    return layers


def _read_conv(reader: _Reader) -> tuple[Array, Array, int, int]:
    params = reader.tensor().ravel()
    _filters, _rows, _columns, stride, _stride_x, pad, _pad_x = reader.integers(7)
    shape = reader.alias()
    reader.alias()
    for _ in range(4):
        reader.double()  # learning rates
    split = math.prod(shape)
    return params[:split].reshape(shape), params[split:], stride, pad


def _read_affine(reader: _Reader) -> tuple[Array, Array]:
    params = reader.tensor().ravel()
    reader.alias()
    reader.alias()
    reader.integer()  # layer mode
    half = params.size // 2
    return params[:half], params[half:]


def _read_pool(reader: _Reader) -> tuple[int, int]:
    rows, _columns, stride, _stride_x, _pad, _pad_x = reader.integers(6)
    return rows, stride


def _read_dense(reader: _Reader) -> Array:
    outputs, inputs = reader.integers(2)
    params = reader.tensor().reshape(inputs, outputs)
    reader.alias()
    reader.alias()
    reader.integer()  # bias mode: none
    for _ in range(4):
        reader.double()
    return params.T


_BODIES: dict[str, Callable[[_Reader], Any] | None] = {
    "con_4": _read_conv,
    "affine_": _read_affine,
    "max_pool_2": _read_pool,
    "avg_pool_2": _read_pool,
    "relu_": None,
    "add_prev_": None,
    "fc_2": _read_dense,
}


# --- folding -----------------------------------------------------------------


def _folded(raw: list[tuple[str, Any]], means: list[float]) -> list[Layer]:
    layers: list[Layer] = []
    pending: Pool | None = None
    for index, (name, body) in enumerate(raw):
        if name == "con_4":
            conv = _fold_affine(body, raw[index + 1])
            layers.append(conv if layers else _fold_input(conv, means))
        elif name == "relu_":
            layers.append(Relu())
        elif name == "max_pool_2":
            layers.append(Pool("max", *body))
        elif name == "avg_pool_2" and body[0]:
            pending = Pool("avg", *body)
        elif name == "avg_pool_2":
            layers.append(GlobalMean())
        elif name == "add_prev_":
            layers.append(Add(pending))
            pending = None
        elif name == "fc_2":
            layers.append(Dense(body))
    return layers


def _fold_affine(body: tuple[Array, Array, int, int], after: tuple[str, Any]) -> Conv:
    filters, bias, stride, pad = body
    if after[0] != "affine_":
        raise ModelError("dlib network: a convolution without an affine layer behind it")
    gamma, beta = after[1]
    weights = filters * gamma[:, None, None, None]
    return Conv(weights.transpose(0, 2, 3, 1), bias * gamma + beta, stride, same=pad > 0)


def _fold_input(conv: Conv, means: list[float]) -> Conv:
    """Let the first convolution take pixels 0..255; exact because it pads nothing."""
    weights = conv.weights / 256.0
    shift = [math.fsum((filt * means).ravel().tolist()) for filt in weights]
    return Conv(weights, conv.bias - np.array(shift), conv.stride, conv.same)


def _with_forks(layers: list[Layer]) -> list[Layer]:
    """Mark where each residual block starts: two convolutions before its addition."""
    marked: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Add):
            convs = [i for i, before in enumerate(marked) if isinstance(before, Conv)]
            marked.insert(convs[-2], Fork())
        marked.append(layer)
    return marked


# --- writing -----------------------------------------------------------------


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
