"""dlib's face ResNet as a TFLite file, without dlib and without TensorFlow.

Where the two sides of an addition differ in size dlib pads both with zeros at the
end of each axis; here that is an explicit PAD. The same input gives the same bytes.
"""

from __future__ import annotations

import numpy as np

from edge.models.dlib_network import Add, Conv, Dense, Fork, GlobalMean, Layer, Pool, Relu, parse
from edge.models.tflite_graph import Graph

CHIP_PX = 150


class _Dlib(Graph):
    """`kept` is the tensor at the last `Fork`."""

    kept = 0


def to_tflite(layers: list[Layer]) -> bytes:
    """The network as a TFLite file: 1x150x150x3 RGB 0..255 float32 in, 1x128 out."""
    writer = _Dlib((1, CHIP_PX, CHIP_PX, 3))
    for layer, following in zip(layers, [*layers[1:], Relu()], strict=True):
        _write(writer, layer, relu=isinstance(following, Relu))
    return writer.finish("face_embedding", "dlib_face_recognition_resnet_model_v1")


def _write(writer: _Dlib, layer: Layer, *, relu: bool) -> None:
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


def _activation(writer: _Dlib, relu: bool) -> int:
    kinds = writer.schema.ActivationFunctionType
    return int(kinds.RELU if relu else kinds.NONE)


def _write_conv(writer: _Dlib, layer: Conv, relu: bool) -> int:
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


def _write_pool(writer: _Dlib, layer: Pool, source: int) -> int:
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


def _write_add(writer: _Dlib, layer: Add, relu: bool) -> int:
    main, side = writer.top, writer.kept
    if layer.pool:
        side = _write_pool(writer, layer.pool, side)
    both = zip(writer.shape(main), writer.shape(side), strict=True)
    target = tuple(max(pair) for pair in both)
    inputs = [_padded(writer, main, target), _padded(writer, side, target)]
    activation = _activation(writer, relu)
    return writer.operator("ADD", inputs, target, "AddOptions", fusedActivationFunction=activation)


def _padded(writer: _Dlib, tensor: int, target: tuple[int, ...]) -> int:
    shape = writer.shape(tensor)
    if shape == target:
        return tensor
    after = [[0, want - have] for have, want in zip(shape, target, strict=True)]
    paddings = writer.constant(np.array(after, np.int32))
    return writer.operator("PAD", [tensor, paddings], target, "PadOptions")


def _write_mean(writer: _Dlib) -> int:
    channels = writer.shape(writer.top)[3]
    axes = writer.constant(np.array([1, 2], np.int32))
    return writer.operator("MEAN", [writer.top, axes], (1, channels), "ReducerOptions")


def _write_dense(writer: _Dlib, layer: Dense) -> int:
    weights = writer.constant(layer.weights)
    shape = (1, layer.weights.shape[0])
    return writer.operator(
        "FULLY_CONNECTED", [writer.top, weights, -1], shape, "FullyConnectedOptions"
    )


def convert(data: bytes) -> bytes:
    """From the bytes of dlib's `.dat` file to the bytes of a TFLite file."""
    return to_tflite(parse(data))
