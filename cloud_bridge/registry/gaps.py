"""Which numbers of a kiosk's chain have not come yet; pure.

A gap that stays tells of a lost or hidden record, even of a lost outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Gaps = tuple[tuple[int, int], ...]
"""Missing ranges, ascending, both ends included."""

MAX_RANGES = 200


def note(highest: int, missing: Gaps, arrived: Iterable[int]) -> tuple[int, Gaps]:
    """State after the numbers in `arrived`, in any order and more than once."""
    ranges = list(missing)
    for seq in sorted(set(arrived)):
        if seq > highest:
            if seq > highest + 1:
                ranges.append((highest + 1, seq - 1))
            highest = seq
        else:
            ranges = [part for span in ranges for part in _without(span, seq)]
    return highest, _bounded(ranges)


def count(missing: Gaps) -> int:
    return sum(last - first + 1 for first, last in missing)


def without(missing: Gaps, gone: Iterable[Sequence[int]]) -> Gaps:
    """What is missing and was not given up."""
    ranges = list(missing)
    for first, last in gone:
        ranges = [part for span in ranges for part in _cut(span, first, last)]
    return tuple(ranges)


def within(missing: Gaps, asked: Iterable[tuple[int, int]]) -> Gaps:
    """The part of `asked` that is missing."""
    found = [(max(first, span[0]), min(last, span[1])) for first, last in asked for span in missing]
    return tuple((first, last) for first, last in found if first <= last)


def merged(spans: Iterable[Sequence[int]]) -> Gaps:
    """The same places in the fewest ranges; never counts them one by one, there may be 2^62."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(map(tuple, spans)):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _cut(span: tuple[int, int], first: int, last: int) -> list[tuple[int, int]]:
    parts = [(span[0], min(span[1], first - 1)), (max(span[0], last + 1), span[1])]
    return [part for part in parts if part[0] <= part[1]]


def _without(span: tuple[int, int], seq: int) -> list[tuple[int, int]]:
    first, last = span
    if not first <= seq <= last:
        return [span]
    parts = [(first, seq - 1), (seq + 1, last)]
    return [part for part in parts if part[0] <= part[1]]


def _bounded(ranges: list[tuple[int, int]]) -> Gaps:
    """A hostile kiosk could open any number of gaps: the oldest are merged into one."""
    surplus = len(ranges) - MAX_RANGES
    if surplus > 0:
        ranges = [(ranges[0][0], ranges[surplus][1]), *ranges[surplus + 1 :]]
    return tuple(ranges)
