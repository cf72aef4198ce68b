"""Whatever a scanner's line carries: no exception, no code that nobody showed."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.domain.timebase import MonoNs
from edge.drivers.scan_lines import ACCEPTED, IDLE_NS, MAX_CODE, Lines, Repeats, decode, gm65

ENDINGS = st.sampled_from([b"\r", b"\n", b"\r\n"])
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("健在社保"), min_size=1
).filter(lambda text: len(text.encode("gb18030")) <= MAX_CODE)
LINES = st.lists(st.tuples(TEXT, ENDINGS), max_size=6)


def read(stream: bytes, cuts: list[int]) -> list[bytes]:
    """What comes out when the stream comes in pieces, without a pause."""
    lines, found = Lines(), []
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        lines.push(stream[start:end], MonoNs(start))
        while (line := lines.pop()) is not None:
            found.append(line)
    return found


@given(LINES, st.lists(st.integers(0, 10_000), max_size=30))
def test_every_line_comes_out_however_it_is_cut(
    shown: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(text.encode() + ending for text, ending in shown)
    assert [decode(line) for line in read(stream, cuts)] == [text for text, _ in shown]


@given(TEXT, st.data())
def test_answers_of_the_module_vanish_wherever_they_stand(text: str, data: st.DataObject) -> None:
    code = text.encode()
    at = data.draw(st.integers(0, len(code)))
    cuts = data.draw(st.lists(st.integers(0, 10_000), max_size=30))
    stream = ACCEPTED + code[:at] + ACCEPTED + code[at:] + b"\r" + ACCEPTED
    assert read(stream, cuts) == [code]


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\r", b"\n", ACCEPTED])), LINES)
def test_noise_makes_no_code_out_of_two(noise: list[bytes], shown: list[tuple[str, bytes]]) -> None:
    pieces = [*noise, *(text.encode() + ending for text, ending in shown)]
    stream = b"".join(pieces)
    said = {piece.replace(ACCEPTED, b"") for piece in re.split(rb"[\r\n]", stream)}
    for line in read(stream, [7, 23, 91]):
        assert line in said
        decoded = decode(line)
        assert decoded is None or line in (decoded.encode(), decoded.encode("gb18030"))


@given(st.integers(0, 3 * MAX_CODE), ENDINGS, st.lists(st.integers(0, 10_000), max_size=9))
def test_what_no_qr_code_can_hold_is_no_code(size: int, ending: bytes, cuts: list[int]) -> None:
    found = read(b"7" * size + ending + b"next\r", cuts)
    assert found == ([b"7" * size] if 0 < size <= MAX_CODE else []) + [b"next"]


@given(st.lists(st.tuples(st.binary(max_size=2000), st.integers(0, 2 * IDLE_NS))))
def test_it_never_remembers_more_than_one_code(pieces: list[tuple[bytes, int]]) -> None:
    lines, now = Lines(), 0
    for data, pause in pieces:
        now += pause
        lines.quiet(MonoNs(now))
        if pause >= IDLE_NS:
            assert not lines.inside_code
        lines.push(data, MonoNs(now))
        while lines.pop() is not None:
            pass
        assert len(lines._buffer) < MAX_CODE + 2 * len(ACCEPTED) + len(data)


@given(st.binary())
def test_no_bytes_are_too_odd_to_decode(line: bytes) -> None:
    assert isinstance(decode(line), str | None)


@given(st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=255))
def test_a_control_frame_counts_and_checks_itself(kind: int, address: int, data: bytes) -> None:
    frame = gm65(kind, address, data)
    assert frame[:4] == bytes((0x7E, 0, kind, len(data)))
    assert len(frame) == 8 + len(data)


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 3 * 10**9)), max_size=30))
def test_a_code_counts_again_only_after_two_seconds_without_it(
    seen: list[tuple[str, int]],
) -> None:
    repeats, now = Repeats(), 0
    last, last_ns = "", 0
    for code, pause in seen:
        now += pause
        again = code == last and now - last_ns < 2 * 10**9
        assert repeats.is_new(code, MonoNs(now)) is not again
        last, last_ns = code, now
