"""Names typed with eight keys: what the table holds, and that it can be made again."""

from __future__ import annotations

import pytest

from edge.domain.spelling import LETTERS, Spelling, keys_of
from edge.ui.texts import name_characters
from tests.tools.name_characters import page

SPELLING = Spelling(name_characters())


def test_the_table_is_what_the_tool_makes() -> None:
    from importlib.resources import files

    kept = files("edge.ui") / "texts" / "characters.toml"
    assert kept.read_text(encoding="utf-8") == page()


def test_every_syllable_can_be_typed_and_few_share_their_keys() -> None:
    for syllable in SPELLING.table:
        keys = keys_of(syllable)
        assert syllable in SPELLING.syllables(keys)
        assert all(SPELLING.goes_on(keys[:n]) for n in range(1, len(keys) + 1))
        assert len(SPELLING.syllables(keys)) <= 9, "all on one sheet"
    assert set("".join(LETTERS.values())) == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize(
    ("syllable", "name"),
    [
        *(("wang", "王"), ("li", "李"), ("zhang", "张"), ("liu", "刘"), ("chen", "陈")),
        *(("shan", "单"), ("qiu", "仇"), ("zeng", "曾"), ("xie", "解"), ("ou", "欧")),
        *(("lv", "吕"), ("xiu", "秀"), ("ying", "英"), ("jian", "建"), ("hua", "华")),
    ],
)
def test_common_names_are_on_the_first_sheet_under_the_reading_of_a_name(
    syllable: str, name: str
) -> None:
    assert name in SPELLING.table[syllable][:9]


def test_rare_characters_are_there_too_each_once() -> None:
    for syllable, char in (("zhe", "喆"), ("kun", "堃"), ("yue", "玥"), ("chong", "翀")):
        assert SPELLING.table[syllable].count(char) == 1


def test_keys_that_mean_nothing_go_nowhere() -> None:
    assert SPELLING.syllables("9") == ()
    assert not SPELLING.goes_on("222222")
