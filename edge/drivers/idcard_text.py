"""The 256-byte text block of an identity card, UTF-16LE in fixed places. No I/O here.

Byte 248 tells the kind of card, and the same place means another thing on
another kind, so it is looked at first. Ethnic group and address are on the
chip too; proof of life does not need them and they are never decoded.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from edge.domain.people import CardIdentity, CardKind, Sex

TEXT_SIZE = 256
_KIND_AT = slice(248, 250)
_KINDS = {
    "J": CardKind.HMT_PERMIT,
    "I": CardKind.FOREIGN_2017,
    "Y": CardKind.FOREIGN_2023,
}


class _Layout(NamedTuple):
    """Where the fields lie, in bytes. `english` is cut in two on some cards."""

    name: slice
    sex: slice
    birth: slice
    number: slice
    english: tuple[slice, ...] = ()
    valid_from: slice = slice(188, 204)
    valid_to: slice = slice(204, 220)


_RESIDENT = _Layout(slice(0, 30), slice(30, 32), slice(36, 52), slice(122, 158))
_LAYOUTS = {
    CardKind.RESIDENT: _RESIDENT,
    CardKind.HMT_PERMIT: _RESIDENT,
    CardKind.FOREIGN_2017: _Layout(
        name=slice(158, 188),
        sex=slice(120, 122),
        birth=slice(220, 236),
        number=slice(122, 152),
        english=(slice(0, 120),),
    ),
    CardKind.FOREIGN_2023: _RESIDENT._replace(english=(slice(52, 122), slice(220, 242))),
}


def parse(text: bytes, photo: bytes = b"") -> CardIdentity:
    """Whatever stands in the block; what makes no sense comes out empty or `None`.

    `name` is the Chinese name, or the English one where the card has no other.
    """
    if len(text) != TEXT_SIZE:
        raise ValueError(f"a text block has {TEXT_SIZE} bytes, not {len(text)}")
    kind = _KINDS.get(_field(text, _KIND_AT), CardKind.RESIDENT)
    layout = _LAYOUTS[kind]
    name_raw = _name_bytes(text, layout)
    return CardIdentity(
        kind=kind,
        name=_words(name_raw),
        sex=_sex(_field(text, layout.sex)),
        birth=_date(_field(text, layout.birth)),
        id_number=_field(text, layout.number).upper(),
        valid_from=_date(_field(text, layout.valid_from)),
        valid_to=_date(_field(text, layout.valid_to)),  # 长期 is no date: None, for life
        photo=photo,
        name_raw=name_raw,
    )


def _name_bytes(text: bytes, layout: _Layout) -> bytes:
    """The two parts of an English name are joined untouched: a space may lie on the seam."""
    english = b"".join(text[part] for part in layout.english)
    if english and not _words(text[layout.name]):
        return english
    return text[layout.name]


def _field(text: bytes, where: slice) -> str:
    return _words(text[where])


def _words(raw: bytes) -> str:
    """Decoded, without padding (spaces, or NULs from cheap readers) and control characters.

    Rare characters arrive as private-use code points or surrogate pairs and
    stay. Half a pair, as a name cut at 15 units leaves it, cannot be written
    to anything and becomes U+FFFD. Control characters would be orders to a
    printer. The card's own bytes are kept in `name_raw`.
    """
    decoded = raw.decode("utf-16-le", "replace")
    return "".join(c for c in decoded if c >= " " and not "\x7f" <= c <= "\x9f").strip()


def _sex(digit: str) -> Sex:
    return _SEXES.get(digit, Sex.UNKNOWN)


_SEXES = {sex.value: sex for sex in Sex}


def _date(digits: str) -> date | None:
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
