"""Ids that must differ do differ, and are what they claim to be."""

from __future__ import annotations

import re
import time
import uuid

from edge.app.ids import new_receipt_no, new_record_id


def test_record_ids_are_uuid_version_7_of_this_moment_and_never_repeat() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new_record_id() for _ in range(5000)]
    after = time.time_ns() // 1_000_000
    assert len(set(ids)) == len(ids)
    for text in ids:
        value = uuid.UUID(text)
        assert (value.version, value.variant) == (7, uuid.RFC_4122)
        assert before <= value.int >> 80 <= after


def test_receipt_numbers_hold_80_bits_that_survive_the_telephone() -> None:
    numbers = [new_receipt_no() for _ in range(2000)]
    assert len(set(numbers)) == len(numbers)
    assert all(
        re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", n) for n in numbers
    )
    letters = "".join(numbers).replace("-", "")
    assert min(letters.count(letter) for letter in set(letters)) > 0.7 * len(letters) / 32
    assert len(set(letters)) == 32
