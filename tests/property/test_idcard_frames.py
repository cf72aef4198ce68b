"""Whatever the line does: no exception, no endless loop, no frame that was not sent."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers import idcard_frames
from edge.drivers.idcard_frames import Reply
from edge.drivers.idcard_text import parse
from tests.idcard_bench import VECTORS
from tests.tools.fuzz_serial import campaign, swallow

FRAMES = [vector.reply for vector in VECTORS.values()]
PREAMBLE = bytes.fromhex("AAAAAA9669")
ROUNDS = 20_000


def test_a_small_campaign_of_spoilt_frames() -> None:
    """The large one is `make fuzz-serial`; what a wrong accept is stands there."""
    tally = campaign(range(ROUNDS), seed=7)
    assert tally.first_exception == ""
    assert (tally.frames, tally.exceptions, tally.wrong_accepts) == (ROUNDS, 0, 0)
    assert tally.replies > ROUNDS / 2, "most clean frames behind a spoilt one are understood"


@pytest.mark.parametrize(
    ("part", "broken", "counted_as"),
    [
        ("checksum", lambda covered: 0, "invented"),
        ("_preamble_at", lambda buffer: max(0, buffer.rfind(PREAMBLE)), "missed"),
        ("Reply", lambda *parts: Reply(*parts[:3], b"made up"), "invented"),
        ("_preamble_at", lambda buffer: 1 // (len(buffer) % 5), "exceptions"),
        ("_preamble_at", lambda buffer: len(buffer) + 1, "exceptions"),
    ],
)
def test_the_campaign_finds_a_codec_that_is_broken(
    monkeypatch: pytest.MonkeyPatch, part: str, broken: object, counted_as: str
) -> None:
    monkeypatch.setattr(idcard_frames, part, broken)
    assert getattr(campaign(range(3_000), seed=7), counted_as) > 0


@given(st.binary(max_size=4000), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_bytes_at_all(noise: bytes, chance: random.Random) -> None:
    swallow(noise, lambda wanted: chance.randrange(1, 50))


@given(
    st.lists(st.sampled_from([*FRAMES, b"\xaa\xaa", PREAMBLE, b"\x00", b"\xca\xdf"]), max_size=6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_lumps_make_no_difference_to_replies(parts: list[bytes], chance: random.Random) -> None:
    stream = b"".join(parts)
    in_lumps = swallow(stream, lambda wanted: chance.randrange(1, 400))
    whole = swallow(stream, lambda wanted: len(stream) + 1)
    replies = [m for m in whole if isinstance(m, Reply)]
    assert [m for m in in_lumps if isinstance(m, Reply)] == replies


@given(st.binary(min_size=256, max_size=256))
@settings(max_examples=500, deadline=None)
def test_any_text_block_gives_a_card(block: bytes) -> None:
    card = parse(block)
    card.name.encode("utf-8")
    card.id_number.encode("utf-8")
    assert card.name_raw in block or card.name_raw == block[52:122] + block[220:242]
