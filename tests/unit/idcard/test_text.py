"""The text block: four kinds of card, and blocks no office would issue."""

from __future__ import annotations

from datetime import date

import pytest

from edge.domain.people import CardIdentity, CardKind, Sex
from edge.drivers.idcard_text import parse
from tests.idcard_bench import VECTORS

# name, kind, sex, birth, number, valid from, valid to
EXPECTED = {
    "R": ("测试甲", CardKind.RESIDENT, Sex.FEMALE, date(1945, 8, 15), "100000194508150029",
          date(2015, 1, 1), None),
    "R2": ("测试·乙", CardKind.RESIDENT, Sex.MALE, date(1938, 1, 1), "10000019380101059X",
           date(2024, 2, 29), date(2044, 2, 28)),
    "J": ("测试丙", CardKind.HMT_PERMIT, Sex.FEMALE, date(1994, 8, 23), "810000199408230021",
          date(2020, 1, 1), date(2025, 1, 1)),
    "I": ("测试丁", CardKind.FOREIGN_2017, Sex.FEMALE, date(1981, 8, 3), "CAN110081080310",
          date(2017, 6, 16), date(2027, 6, 15)),
    "Y": ("测试丁", CardKind.FOREIGN_2023, Sex.FEMALE, date(1981, 8, 3), "911124198108030024",
          date(2023, 12, 1), date(2033, 11, 30)),
}  # fmt: skip


def patched(vector: str, *patches: tuple[int, str]) -> CardIdentity:
    block = bytearray(VECTORS[vector].text)
    for offset, text in patches:
        raw = text.encode("utf-16-le", "surrogatepass")
        block[offset : offset + len(raw)] = raw
    return parse(bytes(block))


@pytest.mark.parametrize("vector", EXPECTED)
def test_the_five_vectors(vector: str) -> None:
    card = parse(VECTORS[vector].text, b"photo")
    told = (
        card.name, card.kind, card.sex, card.birth, card.id_number, card.valid_from, card.valid_to,
    )  # fmt: skip
    assert told == EXPECTED[vector]
    assert card.photo == b"photo"
    assert card.name_raw.decode("utf-16-le").rstrip() == card.name


def test_the_kind_is_looked_at_first() -> None:
    """A parser that knows only residents would show this number's place as an address."""
    card = patched("R", (248, "I"))
    assert card.kind is CardKind.FOREIGN_2017
    assert card.id_number != "100000194508150029"


@pytest.mark.parametrize("mark", [" ", "\0", "X", "j"])
def test_any_other_mark_is_a_resident(mark: str) -> None:
    assert patched("R", (248, mark)).kind is CardKind.RESIDENT


@pytest.mark.parametrize("vector", EXPECTED)
def test_address_and_ethnic_group_go_no_further(vector: str) -> None:
    card = parse(VECTORS[vector].text)
    fields = [str(getattr(card, name)) for name in card.__dataclass_fields__]
    assert not any("路" in value or "街" in value or "乡" in value for value in fields)


def test_nobody_is_named_by_repr() -> None:
    card = parse(VECTORS["R"].text)
    assert "测试" not in repr(card)
    assert "1945" not in repr(card)


def test_nul_padding_is_padding() -> None:
    block = VECTORS["R"].text.replace(b" \0", b"\0\0")
    card = parse(block)
    assert (card.name, card.id_number) == ("测试甲", "100000194508150029")
    assert card.valid_to is None


def test_private_use_characters_stay() -> None:
    card = patched("R", (0, "测\ue123甲"))
    assert card.name == "测\ue123甲"


def test_a_character_outside_the_basic_plane_stays() -> None:
    card = patched("R", (0, "测\U00020bb7甲"))
    assert card.name == "测\U00020bb7甲"


def test_half_a_character_is_marked_and_the_raw_bytes_are_kept() -> None:
    """Fifteen units can end in the middle of a pair. The name must stay writable."""
    card = patched("R", (0, "测试" * 7 + "\ud842"))
    assert card.name == "测试" * 7 + "\ufffd"
    assert card.name.encode("utf-8")
    assert card.name_raw.endswith(b"\x42\xd8")


def test_control_characters_do_not_reach_a_printer() -> None:
    assert patched("R", (0, "测\x1b@甲\x85")).name == "测@甲"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("20240229", date(2024, 2, 29)),
        ("20230229", None),
        ("00000000", None),
        ("2024 229", None),
        ("２０２４０２２９", None),
        ("        ", None),
        ("长期      ", None),
    ],
)
def test_only_real_dates_are_dates(written: str, read: date | None) -> None:
    card = patched("R", (36, written), (188, written), (204, written))
    assert (card.birth, card.valid_from, card.valid_to) == (read, read, read)


@pytest.mark.parametrize(
    ("digit", "sex"),
    [
        ("0", Sex.UNKNOWN),
        ("1", Sex.MALE),
        ("2", Sex.FEMALE),
        ("9", Sex.NOT_STATED),
        ("7", Sex.UNKNOWN),
        (" ", Sex.UNKNOWN),
        ("男", Sex.UNKNOWN),
    ],
)
def test_sex_codes(digit: str, sex: Sex) -> None:
    assert patched("R", (30, digit)).sex is sex


def test_a_small_x_is_a_large_one() -> None:
    assert patched("R2", (122 + 34, "x")).id_number.endswith("X")


@pytest.mark.parametrize(("vector", "at", "size"), [("I", 158, 15), ("Y", 0, 15)])
def test_an_english_name_stands_in_for_a_missing_chinese_one(
    vector: str, at: int, size: int
) -> None:
    assert patched(vector, (at, " " * size)).name == "SPECIMEN, TEST"


def test_the_two_parts_of_a_long_english_name_are_joined_as_they_are() -> None:
    first, second = "SPECIMEN WITH A VERY LONG FAMILY NA", "ME, ANNA   "
    assert patched("Y", (0, " " * 15), (52, first), (220, second)).name == (
        "SPECIMEN WITH A VERY LONG FAMILY NAME, ANNA"
    )
    seam = "SPECIMEN WITH A VERY LONG FAMILYNM "
    assert patched("Y", (0, " " * 15), (52, seam), (220, "ANNA       ")).name.endswith("NM ANNA")


@pytest.mark.parametrize("size", [0, 255, 257])
def test_a_block_has_one_size(size: int) -> None:
    with pytest.raises(ValueError, match="256"):
        parse(bytes(size))
