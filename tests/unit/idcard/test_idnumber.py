"""Identity numbers: the example of the standard, specimens and invented ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from edge.domain.idnumber import (
    birth_of,
    card_flags,
    check_character,
    icao_check,
    is_valid,
    is_valid_2017,
    normalise,
    number_2017,
    sex_of,
    upgrade,
)
from edge.domain.people import CardFlag, CardIdentity, Sex
from edge.drivers.idcard_text import parse
from tests.idcard_bench import VECTORS

TODAY = date(2024, 6, 1)


@pytest.mark.parametrize(
    ("number", "birth", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), Sex.FEMALE),  # the example of GB 11643
        ("810000199408230021", date(1994, 8, 23), Sex.FEMALE),  # official specimen
        ("830000199201300022", date(1992, 1, 30), Sex.FEMALE),  # official specimen
        ("911124198108030024", date(1981, 8, 3), Sex.FEMALE),  # published specimen
        ("100000194508150029", date(1945, 8, 15), Sex.FEMALE),
        ("10000019380101059X", date(1938, 1, 1), Sex.MALE),
    ],
)
def test_valid_numbers(number: str, birth: date, sex: Sex) -> None:
    assert is_valid(number)
    assert check_character(number[:17]) == number[17]
    assert birth_of(number) == birth
    assert sex_of(number) is sex


@pytest.mark.parametrize(
    "number",
    [
        "911124198108030028",  # printed as an example by a library, and wrong
        "100000194508150020",
        "10000019450815002",
        "1000001945081500299",
        "10000019450815002X",
        "1000001945081500２9",
        "A00000194508150029",
        "",
    ],
)
def test_invalid_numbers(number: str) -> None:
    assert not is_valid(number)


def test_a_right_check_character_does_not_make_a_wrong_date_real() -> None:
    first17 = "10000019450230002"
    number = first17 + check_character(first17)
    assert birth_of(number) is None
    assert not is_valid(number)


def test_fifteen_digits_become_eighteen() -> None:
    assert upgrade("100000450815002") == "100000194508150029"
    assert normalise(" 100000 450815 002 ") == "100000194508150029"
    assert normalise("10000019380101059x") == "10000019380101059X"


@pytest.mark.parametrize("sequence", ["996", "997", "998", "999"])
def test_the_sequences_of_people_born_before_1900(sequence: str) -> None:
    assert birth_of(upgrade(f"100000950101{sequence}")) == date(1895, 1, 1)
    assert birth_of(upgrade("100000950101995")) == date(1995, 1, 1)


def test_numbers_of_foreigners() -> None:
    assert icao_check("CAN11008108031") == "0"
    assert is_valid_2017("CAN110081080310")
    assert not is_valid_2017("CAN110081080311")
    assert not is_valid_2017("can110081080310")
    assert not is_valid_2017("CAN11008108031")
    assert number_2017("911124198108030024", "CAN", "001") == "CAN110081080310"


# --- flags -------------------------------------------------------------------


def card(vector: str = "R", **changes: object) -> CardIdentity:
    return replace(parse(VECTORS[vector].text), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("vector", ["R", "R2", "J", "I", "Y"])
def test_nothing_to_say_about_good_cards(vector: str) -> None:
    assert card_flags(card(vector), TODAY) == ()


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        (card(id_number="100000194508150020"), CardFlag.BAD_CHECK_DIGIT),
        (card(id_number=""), CardFlag.BAD_CHECK_DIGIT),
        (card("I", id_number="CAN110081080311"), CardFlag.BAD_CHECK_DIGIT),
        (card(birth=date(1945, 8, 16)), CardFlag.BIRTH_MISMATCH),
        (card(birth=None), CardFlag.BIRTH_MISMATCH),
        (card("I", birth=date(1981, 8, 4)), CardFlag.BIRTH_MISMATCH),
        (card(sex=Sex.MALE), CardFlag.SEX_MISMATCH),
        (card(valid_to=date(2024, 5, 31)), CardFlag.EXPIRED),
        (card(valid_from=date(2024, 6, 2)), CardFlag.NOT_YET_VALID),
    ],
)
def test_one_flag_for_one_oddity(changed: CardIdentity, flag: CardFlag) -> None:
    assert card_flags(changed, TODAY) == (flag,)


def test_the_last_day_counts() -> None:
    assert card_flags(card(valid_to=TODAY), TODAY) == ()
    assert card_flags(card(valid_from=TODAY), TODAY) == ()


def test_dates_the_wrong_way_round() -> None:
    reversed_ = card(valid_from=date(2020, 1, 1), valid_to=date(2010, 1, 1))
    assert card_flags(reversed_, TODAY) == (CardFlag.EXPIRED, CardFlag.DATES_REVERSED)


def test_birth_in_the_future() -> None:
    unborn = card("R", birth=date(2030, 1, 1))
    assert CardFlag.BIRTH_MISMATCH in card_flags(unborn, TODAY)


@pytest.mark.parametrize("sex", [Sex.UNKNOWN, Sex.NOT_STATED])
def test_no_sex_on_the_card_contradicts_nothing(sex: Sex) -> None:
    assert card_flags(card(sex=sex), TODAY) == ()


def test_without_a_trusted_clock_nobody_is_expired() -> None:
    assert card_flags(card("J"), date(2026, 1, 1)) == (CardFlag.EXPIRED,)
    assert card_flags(card("J"), None) == ()
