"""MiniFASNet, a small network that tells skin from paper and glass, as a TFLite file.

Made from the published weights (minivision-ai, Apache-2.0); the description is our own, read
off the names and shapes in the file:

    conv1 3x3/2 - conv2_dw 3x3 - down(23) - stay(3) - down(34) - stay(4) - down(45) - stay(5)
    - conv_6_sep 1x1 - conv_6_dw over all that is left - linear - bn - prob - softmax

    down, stay = widen 1x1, depthwise 3x3 (/2 when down), narrow 1x1 without activation;
    stay adds its input. In the variant with attention the last `stay` of each group first
    weighs its channels: mean, 1x1, ReLU, 1x1, sigmoid.

Every batch normalisation (eps 1e-5) is folded into the layer before it; `linear`, `bn` and
`prob` are one matrix in the end. Activations are PReLU. Input 80x80, RGB here (BGR in the
original: the first layer's channels are turned round), 0..255; output three shares, of which
number 1 is a living face.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge.models.tflite_graph import Graph
from edge.models.torch_file import Array, read

SIDE_PX = 80
_EPS = 1e-5
_GROUPS = (("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5"))


def convert(data: bytes) -> bytes:
    """From the bytes of the weights to the bytes of a TFLite file. Raises `ModelError`."""
    return _Network(read(data)).build()


class _Network:
    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = {name.removeprefix("module."): one for name, one in weights.items()}
        self._graph = Graph((1, SIDE_PX, SIDE_PX, 3))

    def build(self) -> bytes:
        self._weights["conv1.conv.weight"] = self._weights["conv1.conv.weight"][:, ::-1]
        self._conv("conv1", stride=2)
        self._prelu("conv1")
        self._depthwise("conv2_dw", stride=1)
        self._prelu("conv2_dw")
        for down, stay in _GROUPS:
            self._bottleneck(down, stride=2)
            for number in range(self._length(stay)):
                self._stay(f"{stay}.model.{number}")
        self._conv("conv_6_sep")
        self._prelu("conv_6_sep")
        self._depthwise("conv_6_dw", stride=1, pad=0)
        self._answer()
        return self._graph.finish("minifasnet", "Silent-Face-Anti-Spoofing MiniFASNet")

    def _length(self, group: str) -> int:
        names = {name.split(".")[2] for name in self._weights if name.startswith(f"{group}.model.")}
        return len(names)

    # --- blocks ----------------------------------------------------------------

    def _stay(self, name: str) -> None:
        kept = self._graph.top
        self._bottleneck(name, stride=1)
        if f"{name}.se_module.fc1.weight" in self._weights:
            self._attend(f"{name}.se_module")
        graph = self._graph
        graph.top = graph.operator("ADD", [kept, graph.top], graph.shape(kept), "AddOptions")

    def _bottleneck(self, name: str, stride: int) -> None:
        self._conv(f"{name}.conv")
        self._prelu(f"{name}.conv")
        self._depthwise(f"{name}.conv_dw", stride)
        self._prelu(f"{name}.conv_dw")
        self._conv(f"{name}.project")

    def _attend(self, name: str) -> None:
        graph, kept = self._graph, self._graph.top
        shape = graph.shape(kept)
        axes = graph.constant(np.array([1, 2], np.int32))
        mean = (1, 1, 1, shape[3])
        graph.top = graph.operator("MEAN", [kept, axes], mean, "ReducerOptions", keepDims=1)
        narrow, wide = self._folded(f"{name}.fc1", "bn1"), self._folded(f"{name}.fc2", "bn2")
        self._convolve(*narrow, relu=True)
        self._convolve(*wide)
        weights = graph.operator("LOGISTIC", [graph.top], mean)
        graph.top = graph.operator("MUL", [kept, weights], shape, "MulOptions")

    def _answer(self) -> None:
        """`linear`, `bn` and `prob` at once, and the shares."""
        graph, scale = self._graph, self._scale("bn")
        prob, linear = self._weights["prob.weight"], self._weights["linear.weight"]
        shift = self._weights["bn.bias"] - self._weights["bn.running_mean"] * scale
        flat = (1, linear.shape[1])
        target = graph.constant(np.array(flat, np.int32))
        graph.top = graph.operator("RESHAPE", [graph.top, target], flat)
        dense = [graph.constant(prob @ (scale[:, None] * linear)), graph.constant(prob @ shift)]
        shares = (1, prob.shape[0])
        logits = graph.operator(
            "FULLY_CONNECTED", [graph.top, *dense], shares, "FullyConnectedOptions"
        )
        graph.top = graph.operator("SOFTMAX", [logits], shares, "SoftmaxOptions", beta=1)

    # --- layers ----------------------------------------------------------------

    def _scale(self, bn: str) -> Array:
        return self._weights[f"{bn}.weight"] / np.sqrt(self._weights[f"{bn}.running_var"] + _EPS)

    def _folded(self, conv: str, bn: str) -> tuple[Array, Array]:
        """Weights (output, row, column, input) and bias with `bn`, `conv`'s neighbour, in them."""
        bn = f"{conv.rpartition('.')[0]}.{bn}"
        scale = self._scale(bn)
        weights = self._weights[f"{conv}.weight"] * scale[:, None, None, None]
        bias = self._weights[f"{bn}.bias"] - self._weights[f"{bn}.running_mean"] * scale
        return weights.transpose(0, 2, 3, 1), bias

    def _conv(self, name: str, stride: int = 1) -> None:
        weights, bias = self._folded(f"{name}.conv", "bn")
        if weights.shape[1] > 1:
            self._pad(1)
        self._convolve(weights, bias, stride)

    def _convolve(
        self, weights: Array, bias: Array, stride: int = 1, *, relu: bool = False
    ) -> None:
        graph = self._graph
        size = self._size(weights.shape[1], stride)
        kinds = graph.schema.ActivationFunctionType
        graph.top = graph.operator(
            "CONV_2D",
            [graph.top, graph.constant(weights), graph.constant(bias)],
            (1, size, size, weights.shape[0]),
            "Conv2DOptions",
            padding=graph.schema.Padding.VALID,
            strideH=stride,
            strideW=stride,
            fusedActivationFunction=kinds.RELU if relu else kinds.NONE,
        )

    def _depthwise(self, name: str, stride: int, pad: int = 1) -> None:
        weights, bias = self._folded(f"{name}.conv", "bn")
        self._pad(pad)
        graph = self._graph
        size = self._size(weights.shape[1], stride)
        filters = weights.transpose(3, 1, 2, 0)
        graph.top = graph.operator(
            "DEPTHWISE_CONV_2D",
            [graph.top, graph.constant(filters), graph.constant(bias)],
            (1, size, size, filters.shape[3]),
            "DepthwiseConv2DOptions",
            padding=graph.schema.Padding.VALID,
            strideH=stride,
            strideW=stride,
            depthMultiplier=1,
        )

    def _pad(self, edge: int) -> None:
        """The original pads both sides alike, which SAME does not when it strides."""
        graph = self._graph
        if not edge:
            return
        _, rows, columns, channels = graph.shape(graph.top)
        edges = graph.constant(np.array([[0, 0], [edge, edge], [edge, edge], [0, 0]], np.int32))
        shape = (1, rows + 2 * edge, columns + 2 * edge, channels)
        graph.top = graph.operator("PAD", [graph.top, edges], shape, "PadOptions")

    def _size(self, kernel: int, stride: int) -> int:
        return (self._graph.shape(self._graph.top)[1] - kernel) // stride + 1

    def _prelu(self, name: str) -> None:
        graph = self._graph
        slopes = graph.constant(self._weights[f"{name}.prelu.weight"][None, None])
        graph.top = graph.operator("PRELU", [graph.top, slopes], graph.shape(graph.top))
