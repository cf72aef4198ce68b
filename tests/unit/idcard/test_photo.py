"""The photo block: nothing to see without a licence, a stand-in for simulated cards."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from edge.domain.record import Provenance
from edge.drivers.photo import NoDecoder
from edge.drivers.sim.photo import SimPhotoDecoder, encode_portrait
from edge.ports import Picture
from tests.idcard_bench import CARDS


def drawn_portrait(width: int = 358, height: int = 441) -> Picture:
    picture = Image.new("RGB", (width, height), (235, 238, 240))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((width * 0.25, height * 0.15, width * 0.75, height * 0.72), fill=(224, 184, 160))
    pen.rectangle((width * 0.2, height * 0.8, width * 0.8, height), fill=(40, 50, 80))
    for x in (0.4, 0.6):
        pen.ellipse((width * x - 8, height * 0.4, width * x + 8, height * 0.43), fill=(30, 20, 20))
    return Picture(width, height, picture.tobytes())


def test_the_default_decodes_nothing() -> None:
    assert NoDecoder().decode(encode_portrait(drawn_portrait())) is None
    assert NoDecoder.provenance is Provenance.LIVE


def test_a_portrait_survives_the_block() -> None:
    block = encode_portrait(drawn_portrait())
    assert len(block) == 1024
    decoded = SimPhotoDecoder().decode(block)
    assert decoded is not None
    assert (decoded.width, decoded.height, len(decoded.rgb)) == (102, 126, 102 * 126 * 3)
    at = (63 * 102 + 51) * 3  # the middle of the face
    skin = bytes(decoded.rgb[at : at + 3])
    assert all(abs(a - b) < 16 for a, b in zip(skin, (224, 184, 160), strict=True))
    assert SimPhotoDecoder.provenance is Provenance.SIMULATED


@pytest.mark.parametrize("shape", [(102, 126), (640, 480), (40, 200)])
def test_any_shape_is_cut_to_a_portrait(shape: tuple[int, int]) -> None:
    assert len(encode_portrait(drawn_portrait(*shape))) == 1024


def test_even_noise_fits() -> None:
    noise = random.Random(7).randbytes(102 * 126 * 3)
    block = encode_portrait(Picture(102, 126, noise))
    assert len(block) == 1024
    assert SimPhotoDecoder().decode(block) is not None


def test_damaged_blocks_are_cards_without_a_photo() -> None:
    decoder, chance = SimPhotoDecoder(), random.Random(11)
    block = encode_portrait(drawn_portrait())
    for spoilt in (bytes(1024), b"", block[:40], block[:8] + bytes(1016), b"RIFF" + bytes(1020)):
        assert decoder.decode(spoilt) is None
    for _ in range(500):
        changed = bytearray(block)
        changed[chance.randrange(1024)] ^= chance.randrange(1, 256)
        picture = decoder.decode(bytes(changed))
        assert picture is None or len(picture.rgb) == 102 * 126 * 3


def test_a_simulated_card_carries_it() -> None:
    block = encode_portrait(drawn_portrait())
    assert replace(CARDS["R"], photo_block=block).photo_block == block
