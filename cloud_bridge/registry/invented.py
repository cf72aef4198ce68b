"""Names of people and places that nobody has; put together by chance."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

# As often in the list as among a thousand people, nearly.
_BY_FREQUENCY = [
    *"王李张刘陈" * 60, *"杨黄赵吴周" * 24, *"徐孙马朱胡郭何高林罗" * 12,
    *"郑梁谢宋唐许韩冯邓曹" * 7,
    *"彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈" * 5, "欧阳", "上官", "司马",
]  # fmt: skip
_MEN = "建国华明德志强福生文军永清海富贵金云龙成光宝长春山平忠义林祥庆兴家荣学良新树根"
_WOMEN = "秀英桂兰玉珍淑芬美华翠花凤霞红梅素珍春香月娥金莲丽萍爱菊银芝巧云惠琴彩连小青"

_FIRST = "东西南北青白黄红龙凤石金银玉柳松梅竹桃杏云清新长永太平安"
_SECOND = "河山湖溪泉林岭坡桥塘店铺湾洲岩峰坪冲关沟井庄"
_PER_STREET = 15
_STREETS_PER_COUNTY = 12


def surname(rng: Random) -> str:
    return _BY_FREQUENCY[int(rng.random() * len(_BY_FREQUENCY))]


def name(rng: Random, family: str, man: bool) -> str:
    """One with this surname, or with any if it is empty."""
    given = _MEN if man else _WOMEN
    first = given[int(rng.random() * len(given))]
    second = given[int(rng.random() * len(given))] if rng.random() < 0.86 else ""
    return f"{family or surname(rng)}{first}{second}"


def regions(communities: int) -> Iterator[tuple[str, str]]:
    """Codes and names from the province down; at least so many communities."""
    yield "100000000000", "示例省"
    yield "100100000000", "示例市"
    streets = -(-communities // _PER_STREET)
    for street in range(streets):
        county, of_county = street // _STREETS_PER_COUNTY + 1, street % _STREETS_PER_COUNTY
        if of_county == 0:
            kind = "区" if county == 1 else "县"
            yield f"1001{county:02d}000000", f"{_place(county * 7)}{kind}"
        code = f"1001{county:02d}{of_county + 1:03d}"
        yield f"{code}000", f"{_place(street * 5 + 3)}{'街道' if of_county < 3 else '镇'}"
        yield from _communities(code, street, of_county < 3)


def _communities(street_code: str, street: int, in_town: bool) -> Iterator[tuple[str, str]]:
    """Villages have numbers from 201 on, communities from 001 on."""
    for number in range(_PER_STREET):
        code, kind = (number + 1, "社区") if in_town else (number + 201, "村")
        yield f"{street_code}{code:03d}", f"{_place(street * 31 + number * 17 + 1)}{kind}"


def _place(number: int) -> str:
    """The number-th name of a place; neighbours differ, far ones may be the same."""
    return _FIRST[number % len(_FIRST)] + _SECOND[number // len(_FIRST) % len(_SECOND)]
