"""dlib's network as TFLite against an independent forward pass in float64.

The reference below computes the network as dlib defines it: the input normalised,
each convolution and affine layer by itself, shortcuts added where both sides have
a value. It shares only the reading of numbers with the converter.
"""

import numpy as np
import pytest

from edge.domain.errors import ModelError
from edge.models import dlib_convert
from edge.models.dlib_network import Conv, parse, raw_layers
from edge.models.manifest import sha256_of, specs
from edge.models.runtime import Model

MEANS = np.array([122.782, 117.001, 104.298])


def _convolve(x, filters, bias, stride, pad):
    """x is channel, row, column; filters output, channel, row, column."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    size = filters.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))
    windows = windows[:, ::stride, ::stride]
    return np.tensordot(filters, windows, ((1, 2, 3), (0, 3, 4))) + bias[:, None, None]


def _pool(x, size, stride, reduce):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))
    return reduce(windows[:, ::stride, ::stride], axis=(3, 4))


def _added(a, b):
    total = np.zeros(np.maximum(a.shape, b.shape))
    for part in (a, b):
        total[tuple(slice(n) for n in part.shape)] += part
    return total


def _reference(data: bytes, chip: np.ndarray) -> np.ndarray:
    raw = raw_layers(data)[1]
    x = ((chip - MEANS) / 256).transpose(2, 0, 1)
    names = [name for name, _ in raw]
    kept = side = None
    convolutions = 0
    for index, (name, body) in enumerate(raw):
        if name == "con_4":
            if convolutions % 2:  # after the first, each block has two
                kept = side = x
            convolutions += 1
            x = _convolve(x, *body)
        elif name == "affine_":
            x = x * body[0][:, None, None] + body[1][:, None, None]
        elif name == "relu_":
            x = np.maximum(x, 0)
        elif name == "max_pool_2":
            x = _pool(x, *body, np.max)
        elif name == "avg_pool_2" and names[index + 1] == "add_prev_":
            side = _pool(kept, *body, np.mean)
        elif name == "add_prev_":
            x = _added(x, side)
        elif name == "avg_pool_2":
            x = x.mean((1, 2))
        elif name == "fc_2":
            x = body @ x
    return x


@pytest.mark.parametrize("seed", [1, 2])
def test_the_converted_network_computes_what_dlib_defines(seed, dlib_network, models_dir) -> None:
    chip = np.random.default_rng(seed).uniform(0, 255, (150, 150, 3)).astype(np.float32)
    ours = Model("face_embedding", models_dir).run(chip[None])[0][0]
    theirs = _reference(dlib_network, chip.astype(np.float64))
    assert np.linalg.norm(theirs) > 0.5
    assert np.abs(ours - theirs).max() <= 1e-5


def test_the_conversion_is_the_same_byte_for_byte(dlib_network) -> None:
    assert sha256_of(dlib_convert.convert(dlib_network)) == specs()["face_embedding"].sha256


def test_it_has_twenty_nine_convolutions(dlib_network) -> None:
    layers = parse(dlib_network)
    assert sum(isinstance(layer, Conv) for layer in layers) == 29


@pytest.mark.parametrize("cut", [0, 100, 400, 20_000, 22_000_000])
def test_a_cut_file_is_refused(cut, dlib_network) -> None:
    with pytest.raises(ModelError, match="dlib network"):
        dlib_convert.convert(dlib_network[:cut])
