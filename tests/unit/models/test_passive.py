"""MiniFASNet on the two stills of its authors: the same as its original weights, and in order."""

import cv2
import numpy as np
import pytest

from edge.models import minifasnet, torch_file
from edge.models.faces import Follower
from edge.models.manifest import optional_specs
from edge.models.passive import CUTS, Passive, cut
from edge.models.runtime import Model
from tests.unit.models.test_minifasnet import Reference


@pytest.fixture(scope="module")
def folder(eval_data, tmp_path_factory):
    target = tmp_path_factory.mktemp("passive")
    for name in CUTS:
        weights = (eval_data / "weights" / optional_specs()[name].archive.file).read_bytes()
        (target / f"{name}.tflite").write_bytes(minifasnet.convert(weights))
    return target


@pytest.fixture(scope="module")
def stills(eval_data, models_dir):
    follower, found = Follower(models_dir), {}
    for name in ("live_T1", "fake_F1"):
        image = cv2.imread(str(eval_data / "spoof" / f"{name}.jpg"))[:, :, ::-1].copy()
        found[name] = (image, follower.find_one(image).box)
    return found


@pytest.mark.eval_data
def test_the_living_still_scores_above_the_false_one(folder, stills) -> None:
    passive = Passive(folder)
    assert passive.real(*stills["live_T1"]) > passive.real(*stills["fake_F1"])


@pytest.mark.eval_data
@pytest.mark.parametrize("name", CUTS)
def test_on_both_stills_it_is_equal_to_the_original_weights(
    folder, stills, eval_data, name
) -> None:
    weights = (eval_data / "weights" / optional_specs()[name].archive.file).read_bytes()
    reference, model = Reference(torch_file.read(weights)), Model(name, folder)
    for image, face in stills.values():
        small = cut(image, face, CUTS[name])
        ours, theirs = model.run(small[None])[0][0], reference(small.astype(np.float64))
        assert np.abs(ours - theirs).max() <= 1e-5


def test_without_the_files_there_is_no_advice(tmp_path) -> None:
    assert Passive.if_installed(tmp_path) is None
    (tmp_path / "minifasnet_near.tflite").write_bytes(b"damaged")
    (tmp_path / "minifasnet_wide.tflite").write_bytes(b"damaged")
    assert Passive.if_installed(tmp_path) is None
