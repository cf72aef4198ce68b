"""Identity numbers: GB 11643 (18 characters), its 15-digit ancestor, foreigners' numbers.

An 18-character number is region (6), birth YYYYMMDD (8), sequence (3, odd for
men), check character (ISO 7064 MOD 11-2). The region is where the number was
first issued and never changes, so abolished codes are common and no code is
ever refused. Nothing here refuses a person: a number that does not add up is a
flag for a clerk.
"""

from __future__ import annotations

from datetime import date

from edge.domain.people import CardFlag, CardIdentity, CardKind, Sex

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CENTENARIANS = ("996", "997", "998", "999")  # sequences kept for people born before 1900


def check_character(first17: str) -> str:
    """The eighteenth character that belongs to seventeen digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def normalise(text: str) -> str:
    """As it stands on a card: no blanks, capital X, 15 digits brought to 18."""
    number = "".join(text.split()).upper()
    return upgrade(number) if _digits(number, 15) else number


def upgrade(number: str) -> str:
    """Bring a number of 15 digits (region, YYMMDD, sequence) to 18 characters."""
    century = "18" if number.endswith(_CENTENARIANS) else "19"
    first17 = number[:6] + century + number[6:]
    return first17 + check_character(first17)


def is_valid(number: str) -> bool:
    """Whether 18 characters have the right check character and a real date of birth."""
    return _check_holds(number) and birth_of(number) is not None


def birth_of(number: str) -> date | None:
    """The date of birth inside an 18-character number, if it is a real date."""
    if not _well_formed(number):
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> Sex:
    """The sex inside an 18-character number; UNKNOWN for anything else."""
    if not _well_formed(number):
        return Sex.UNKNOWN
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE


def is_valid_2017(number: str) -> bool:
    """A foreigner's number of 2017: nationality (3 letters), 11 digits, ICAO check digit."""
    return _well_formed_2017(number) and icao_check(number[:14]) == number[14]


def icao_check(text: str) -> str:
    """Check digit of ICAO 9303: weights 7 3 1 in turn, A is 10 and Z is 35."""
    total = sum(int(c, 36) * (7, 3, 1)[i % 3] for i, c in enumerate(text))
    return str(total % 10)


def number_2017(number: str, nationality: str, link: str) -> str:
    """The number a foreigner's 2017 card had, from the number and link of the 2023 card."""
    first14 = nationality + number[1:3] + link[0:2] + number[8:14] + link[2:3]
    return first14 + icao_check(first14)


def card_flags(card: CardIdentity, today: date | None) -> tuple[CardFlag, ...]:
    """What a clerk should look at. `today` is `None` where the clock is not to be trusted."""
    found = {
        CardFlag.BAD_CHECK_DIGIT: not _number_holds(card),
        CardFlag.BIRTH_MISMATCH: _birth_differs(card, today),
        CardFlag.SEX_MISMATCH: _sex_differs(card),
        CardFlag.EXPIRED: bool(today and card.valid_to and card.valid_to < today),
        CardFlag.NOT_YET_VALID: bool(today and card.valid_from and card.valid_from > today),
        CardFlag.DATES_REVERSED: bool(
            card.valid_from and card.valid_to and card.valid_to < card.valid_from
        ),
    }
    return tuple(flag for flag, applies in found.items() if applies)


def _number_holds(card: CardIdentity) -> bool:
    if card.kind is CardKind.FOREIGN_2017:
        return is_valid_2017(card.id_number)
    return _check_holds(card.id_number)


def _birth_differs(card: CardIdentity, today: date | None) -> bool:
    """True as well for a birth nobody can have; a broken number is another flag's business."""
    if card.birth is None or (today and card.birth > today):
        return True
    if card.kind is CardKind.FOREIGN_2017:
        return _well_formed_2017(card.id_number) and card.id_number[7:13] != card.birth.strftime(
            "%y%m%d"
        )
    return _well_formed(card.id_number) and birth_of(card.id_number) != card.birth


def _sex_differs(card: CardIdentity) -> bool:
    known = (Sex.MALE, Sex.FEMALE)
    said = sex_of(card.id_number)
    return said in known and card.sex in known and said is not card.sex


def _check_holds(number: str) -> bool:
    return _well_formed(number) and check_character(number[:17]) == number[17]


def _well_formed(number: str) -> bool:
    return len(number) == 18 and _digits(number[:17], 17) and number[17] in _CHECKS


def _well_formed_2017(number: str) -> bool:
    letters = number[:3]
    return letters.isascii() and letters.isalpha() and letters.isupper() and _digits(number[3:], 12)


def _digits(text: str, size: int) -> bool:
    """ASCII digits only: `str.isdigit` alone takes full-width and Arabic-Indic ones too."""
    return len(text) == size and text.isascii() and text.isdigit()
