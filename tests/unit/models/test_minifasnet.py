"""MiniFASNet as TFLite against an independent forward pass in float64, layer by layer."""

import io
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from edge.domain.errors import ModelError
from edge.models import minifasnet, torch_file
from edge.models.manifest import optional_specs, sha256_of
from edge.models.runtime import Model

GROUPS = (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2))
KINDS = ("minifasnet_near", "minifasnet_wide")


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def weights(kind, eval_data):
    return (eval_data / "weights" / optional_specs()[kind].archive.file).read_bytes()


class Reference:
    """The network as its authors wrote it: nothing folded, channel, row, column, BGR."""

    def __init__(self, tensors):
        self.t = {name.removeprefix("module."): value for name, value in tensors.items()}

    def bn(self, x, name):
        mean, var = self.t[f"{name}.running_mean"], self.t[f"{name}.running_var"]
        shape = (-1, *([1] * (x.ndim - 1)))
        x = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + 1e-5)
        return x * self.t[f"{name}.weight"].reshape(shape) + self.t[f"{name}.bias"].reshape(shape)

    def conv(self, x, name, stride, pad, alone=False):
        filters = self.t[f"{name}.weight"]
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        size = filters.shape[2]
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))
        windows = windows[:, ::stride, ::stride]
        if alone:
            return np.einsum("crsij,cij->crs", windows, filters[:, 0])
        return np.tensordot(filters, windows, ((1, 2, 3), (0, 3, 4)))

    def prelu(self, x, name):
        slope = self.t[f"{name}.prelu.weight"][:, None, None]
        return np.where(x > 0, x, slope * x)

    def block(self, x, name, stride, pad, alone=False):
        return self.bn(self.conv(x, f"{name}.conv", stride, pad, alone), f"{name}.bn")

    def bottleneck(self, x, name, stride):
        x = self.prelu(self.block(x, f"{name}.conv", 1, 0), f"{name}.conv")
        x = self.prelu(self.block(x, f"{name}.conv_dw", stride, 1, alone=True), f"{name}.conv_dw")
        return self.block(x, f"{name}.project", 1, 0)

    def attention(self, x, name):
        if f"{name}.fc1.weight" not in self.t:
            return x
        y = x.mean((1, 2), keepdims=True)
        y = np.maximum(self.bn(self.conv(y, f"{name}.fc1", 1, 0), f"{name}.bn1"), 0)
        y = self.bn(self.conv(y, f"{name}.fc2", 1, 0), f"{name}.bn2")
        return x / (1 + np.exp(-y))

    def __call__(self, rgb):
        x = rgb[:, :, ::-1].transpose(2, 0, 1)
        x = self.prelu(self.block(x, "conv1", 2, 1), "conv1")
        x = self.prelu(self.block(x, "conv2_dw", 1, 1, alone=True), "conv2_dw")
        for down, stay, count in GROUPS:
            x = self.bottleneck(x, down, 2)
            for number in range(count):
                name = f"{stay}.model.{number}"
                x = x + self.attention(self.bottleneck(x, name, 1), f"{name}.se_module")
        x = self.prelu(self.block(x, "conv_6_sep", 1, 0), "conv_6_sep")
        x = self.block(x, "conv_6_dw", 1, 0, alone=True)
        x = self.t["prob.weight"] @ self.bn(self.t["linear.weight"] @ x.ravel(), "bn")
        return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


@pytest.mark.eval_data
def test_the_converted_network_computes_what_its_authors_wrote(kind, weights, tmp_path) -> None:
    (tmp_path / f"{kind}.tflite").write_bytes(minifasnet.convert(weights))
    model, reference = Model(kind, tmp_path), Reference(torch_file.read(weights))
    chance = np.random.default_rng(3)
    seen = []
    for spread in (20, 60, 127):
        small = chance.uniform(128 - spread, 128 + spread, (8, 8, 3))
        picture = np.kron(small, np.ones((10, 10, 1))).astype(np.float32)
        ours, theirs = model.run(picture[None])[0][0], reference(picture.astype(np.float64))
        assert np.abs(ours - theirs).max() <= 1e-5
        seen.append(theirs)
    assert np.ptp(seen, axis=0).max() > 0.05, "the answers differ from picture to picture"


@pytest.mark.eval_data
def test_the_conversion_is_the_same_byte_for_byte(kind, weights) -> None:
    assert sha256_of(minifasnet.convert(weights)) == optional_specs()[kind].sha256


@pytest.mark.eval_data
@pytest.mark.parametrize("cut", [0, 10, 300, 70_000, 1_000_000])
def test_a_damaged_file_is_refused(weights, cut) -> None:
    with pytest.raises(ModelError, match="weights"):
        torch_file.read(weights[:cut])


def test_a_file_cannot_call_what_it_likes(tmp_path) -> None:
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    with pytest.raises(ModelError, match="no place"):
        torch_file.read(pickle.dumps(Evil()))
    assert not (tmp_path / "written").exists()


def written(tensors: object, *storages: bytes) -> bytes:
    file = io.BytesIO()
    for part in (torch_file.MAGIC, 1001, {}, tensors, []):
        pickle.dump(part, file)
    for storage in storages:
        file.write(struct.pack("<q", len(storage) // 4) + storage)
    return file.getvalue()


@pytest.mark.parametrize("tensors", [[], {"a": 1}, OrderedDict(a=("x", 0)), None, {"a": ()}])
def test_another_shape_of_file_is_refused(tensors) -> None:
    with pytest.raises(ModelError, match="weights"):
        torch_file.read(written(tensors))
