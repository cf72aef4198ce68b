"""What people type into lists, as it was meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from cloud_bridge.registry.models import Category

_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
_DAY = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日?)"
    r"(?:[ T]\d{1,2}:\d\d(?::\d\d)?)?"
)
_DAY_OF_8 = re.compile(r"(\d{4})(\d\d)(\d\d)")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d\d")
_AS_TEXT = re.compile(r"=\"(.*)\"|'(.*)")
"""How CSV files keep a spreadsheet program from taking digits for a number."""

CATEGORIES: Mapping[str, str] = {
    **{value: value for value in Category.values},
    "低保": "dibao",
    "城市低保": "dibao",
    "农村低保": "dibao",
    "特困": "tekun",
    "特困人员": "tekun",
    "低边": "dibian",
    "低边家庭": "dibian",
    "离退休": "retired",
    "离退休人员": "retired",
    "退休": "retired",
}
COVERED: Mapping[str, bool] = {"yes": True, "no": False, "是": True, "否": False}


def trimmed(text: str) -> str:
    return text.strip().strip(_UNSEEN).strip()


def plain(text: str) -> str:
    """Without blanks around it, full-width letters and digits as ordinary ones."""
    if text.isascii():
        return text.strip()
    return trimmed(unicodedata.normalize("NFKC", text))


def region_code(text: str) -> str:
    """Tables by GB/T 2260 stop at the county (6 digits), some at the street (9)."""
    code = plain(text)
    short = len(code) in (6, 9) and code.isascii() and code.isdigit()
    return code.ljust(12, "0") if short else code


def name(text: str) -> str:
    """Names keep each character: some rare ones look like others to NFKC."""
    return trimmed(unicodedata.normalize("NFC", text))


def id_number(text: str) -> str:
    number = plain(text).upper()
    if number.isalnum():
        return number
    if match := _AS_TEXT.fullmatch(number):
        number = match[1] or match[2] or ""
    return "".join(number.split())


def is_rounded(number: str) -> bool:
    return _SCIENTIFIC.fullmatch(number) is not None


def day(text: str) -> date | None:
    match = _DAY.fullmatch(text) or _DAY_OF_8.fullmatch(text)
    if match is None:
        return None
    year, month, day_of_month = (int(part) for part in match.groups() if part)
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None


def is_word(text: str, longest: int) -> bool:
    """Something to show in a list that may be opened in a spreadsheet program again."""
    return 0 < len(text) <= longest and text.isprintable() and text[0] not in "=+-@"
