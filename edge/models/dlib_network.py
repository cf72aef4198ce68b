"""dlib's face ResNet, read from dlib's own file without dlib.

The `.dat` file is dlib's plain serialisation, layers in the order data flows:

    integer   one byte (bit 7: negative, low bits: length n), then n bytes little-endian
    string    integer length, bytes
    double    integer mantissa, integer exponent of 2
    tensor    integer 2 (version), integers n, k, rows, columns, float32 little-endian
    layer     string version, its own fields, 3 bytes of flags ('0'/'1'), 3 tensors (empty)

Each `affine_` (y = gamma x + beta) is folded into the convolution before it, the input
normalisation (x - mean) / 256 into the first one. What remains are 29 convolutions,
two kinds of pooling, additions and one product with a matrix. Sums are exact
(`math.fsum`) and products single IEEE operations, so the result is the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.domain.errors import ModelError

Array = npt.NDArray[np.float64]

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
    means, raw = raw_layers(data)
    return _with_forks(_folded(raw, means))


def raw_layers(data: bytes) -> tuple[list[float], list[tuple[str, Any]]]:
    """The input's mean colour, and the layers as dlib has them: name and numbers."""
    start = data.find(_INPUT)
    if start < 0:
        raise ModelError("dlib network: this is not dlib's face network")
    reader = _Reader(data, start)
    reader.string()
    means = [reader.double() for _ in range(3)]
    reader.integers(2)  # the chip's size
    return means, _read_layers(reader)


def _read_layers(reader: _Reader) -> list[tuple[str, Any]]:
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
