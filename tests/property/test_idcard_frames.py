"""Whatever the line does: no exception, no endless loop, no frame that was not sent."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.idcard_frames import (
    MAX_LEN,
    Command,
    Garble,
    Reply,
    Sw3,
    answers,
    decode,
    missing,
    split_base,
)
from edge.drivers.idcard_text import parse
from tests.idcard_bench import VECTORS

FRAMES = [vector.reply for vector in VECTORS.values()]
TEXTS = {vector.text for vector in VECTORS.values()}
PREAMBLE = bytes.fromhex("AAAAAA9669")
ROUNDS = 4_000  # of each kind below: more than 20,000 spoilt frames in all


def swallow(stream: bytes, lumps: Callable[[], int]) -> list[Reply | Garble]:
    heard, buffer, at = [], bytearray(), 0
    while at < len(stream):
        size = lumps()
        buffer += stream[at : at + size]
        at += size
        while True:
            used, message = decode(buffer)
            assert 0 <= used <= len(buffer)
            del buffer[:used]
            if message is not None:
                assert used
                heard.append(message)
            if not used:
                break
        assert 0 < missing(buffer) <= MAX_LEN
        assert len(buffer) < MAX_LEN + 7
    return heard


def stood_in(stream: bytes, reply: Reply) -> bool:
    """An independent look: these very bytes, with length and checksum of their own."""
    body = bytes([reply.sw1, reply.sw2, reply.sw3]) + reply.data
    covered = (len(body) + 1).to_bytes(2, "big") + body
    total = 0
    for byte in covered:
        total ^= byte
    return PREAMBLE + covered + bytes([total]) in stream


def texts_read(heard: list[Reply | Garble]) -> list[bytes]:
    blocks = [
        split_base(message.data)
        for message in heard
        if isinstance(message, Reply) and answers(Command.READ, message)
        if message.status is Sw3.SUCCESS
    ]
    return [block[0] for block in blocks if block]


def one_byte(frame: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(frame))
    return frame[:at] + bytes([frame[at] ^ chance.randrange(1, 256)]) + frame[at + 1 :]


def one_lost(frame: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(frame))
    return frame[:at] + frame[at + 1 :]


def one_added(frame: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(frame))
    return frame[:at] + chance.randbytes(1) + frame[at:]


def cut_off(frame: bytes, chance: random.Random) -> bytes:
    return frame[: chance.randrange(len(frame))]


def header_spoilt(frame: bytes, chance: random.Random) -> bytes:
    return frame[:5] + chance.randbytes(chance.randrange(1, 6)) + frame[10:]


def many_bytes(frame: bytes, chance: random.Random) -> bytes:
    spoilt = bytearray(frame)
    for _ in range(chance.randrange(2, 40)):
        spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
    return bytes(spoilt)


SINGLE = (one_byte, one_lost, one_added, cut_off, header_spoilt)


@pytest.mark.parametrize("spoil", [*SINGLE, many_bytes])
def test_spoilt_frames(spoil: Callable[[bytes, random.Random], bytes]) -> None:
    """One XOR byte finds every single error, and 255 of 256 among random heaps of errors.

    So after single errors no foreign text may come through; after heaps only what
    really stood on the wire, checksum and all, may.
    """
    chance = random.Random(spoil.__name__)
    for _ in range(ROUNDS):
        stream = spoil(chance.choice(FRAMES), chance) + chance.choice(FRAMES)
        size = chance.choice((1, 3, 64, 4096))
        heard = swallow(stream, lambda size=size: 64 if size < 64 else size)
        assert all(stood_in(stream, m) for m in heard if isinstance(m, Reply))
        if spoil in SINGLE:
            assert set(texts_read(heard)) <= TEXTS


@given(st.binary(max_size=4000), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_bytes_at_all(noise: bytes, chance: random.Random) -> None:
    swallow(noise, lambda: chance.randrange(1, 50))


@given(
    st.lists(st.sampled_from([*FRAMES, b"\xaa\xaa", PREAMBLE, b"\x00", b"\xca\xdf"]), max_size=6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_lumps_make_no_difference_to_replies(parts: list[bytes], chance: random.Random) -> None:
    stream = b"".join(parts)
    in_lumps = swallow(stream, lambda: chance.randrange(1, 400))
    whole = swallow(stream, lambda: len(stream) + 1)
    replies = [m for m in whole if isinstance(m, Reply)]
    assert [m for m in in_lumps if isinstance(m, Reply)] == replies


@given(st.binary(min_size=256, max_size=256))
@settings(max_examples=500, deadline=None)
def test_any_text_block_gives_a_card(block: bytes) -> None:
    card = parse(block)
    card.name.encode("utf-8")
    card.id_number.encode("utf-8")
    assert card.name_raw in block or card.name_raw == block[52:122] + block[220:242]
