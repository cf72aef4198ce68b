"""What the check character of GB 11643 promises, and that nothing typed can upset it."""

from __future__ import annotations

from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.domain.idnumber import (
    birth_of,
    card_flags,
    check_character,
    is_valid,
    is_valid_2017,
    normalise,
    sex_of,
    upgrade,
)
from edge.domain.people import CardIdentity, CardKind, Sex

births = st.dates(date(1900, 1, 1), date(2099, 12, 31))
sequences = st.integers(0, 995).map("{:03d}".format)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    first17 = f"100000{draw(births):%Y%m%d}{draw(sequences)}"
    return first17 + check_character(first17)


@given(births, sequences)
def test_what_goes_in_comes_out(birth: date, sequence: str) -> None:
    first17 = f"100000{birth:%Y%m%d}{sequence}"
    number = first17 + check_character(first17)
    assert is_valid(number)
    assert birth_of(number) == birth
    assert (sex_of(number) is Sex.MALE) == (int(sequence) % 2 == 1)


@given(numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, at: int, step: int) -> None:
    wrong = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
    assert check_character(wrong[:17]) != wrong[17]


@given(numbers(), st.integers(0, 15))
def test_two_digits_swapped_are_always_noticed(number: str, at: int) -> None:
    assume(number[at] != number[at + 1])
    wrong = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert check_character(wrong[:17]) != wrong[17]


@given(st.dates(date(1900, 1, 1), date(1999, 12, 31)), sequences)
def test_fifteen_digits_keep_their_person(birth: date, sequence: str) -> None:
    number = upgrade(f"100000{birth:%y%m%d}{sequence}")
    assert is_valid(number)
    assert birth_of(number) == birth
    assert normalise(number) == number


@given(st.text(max_size=20), st.sampled_from(CardKind), st.sampled_from(Sex))
def test_no_text_upsets_it(text: str, kind: CardKind, sex: Sex) -> None:
    number = normalise(text)
    is_valid(number)
    is_valid_2017(number)
    card_flags(CardIdentity(kind, "", sex, date(1950, 1, 1), number, None, None), None)
