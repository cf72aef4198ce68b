"""Our reading of each Chinese prompt, checked against its characters, a second opinion and ears
made of phonemes.
"""

from __future__ import annotations

import re
import subprocess

import pypinyin
import pytest

from edge.drivers.voice_espeak import pinyin_of_telephone, speakable, with_sandhi
from edge.session.states import Language
from edge.ui.prompts import pinyin, sentences
from tests.alsa_bench import needs_espeak

WORDS = {s.key: re.sub(r"\{\w+\}", "", s.words) for s in sentences(Language.ZH)}
KEYS = pytest.mark.parametrize("key", sorted(WORDS))

DIFFERS = {
    ("糊", "hu5"): "模糊 ends in a light tone (现代汉语词典 móhu)",
    ("方", "fang5"): "地方 meaning a place ends in a light tone (dìfang)",
    ("个", "ge5"): "the measure word is said lightly (yí ge)",
    ("楚", "chu5"): "清楚 ends in a light tone (qīngchu)",
    ("框", "kuang4"): "the standard reading since 1985 is kuàng; kuāng is the older one",
    ("片", "pian4"): "zhàopiàn; piān is the colloquial reading",
    ("得", "de5"): "拍得清楚: the particle, not the verb dé",
    ("一", "yi5"): "between a verb and itself (看一看, 停一停) it is light",
}
"""Where we differ from pypinyin, each with the reason."""

LIGHT = {"糊", "方", "个", "楚", "一"}
"""Characters with a light reading no dictionary of single characters has."""


def syllables(key: str) -> list[str]:
    return re.findall(r"[a-z]+[1-5]", re.sub(r"\{\w+\}", "", pinyin()[key]))


def characters(key: str) -> list[str]:
    return re.findall(r"[\u4e00-\u9fff]", WORDS[key])


def second_opinion(key: str) -> list[str]:
    """What pypinyin reads, whole phrases at a time."""
    return pypinyin.lazy_pinyin(
        WORDS[key],
        style=pypinyin.Style.TONE3,
        neutral_tone_with_five=True,
        errors="ignore",
    )


def readings(character: str) -> set[str]:
    (found,) = pypinyin.pinyin(
        character, style=pypinyin.Style.TONE3, heteronym=True, neutral_tone_with_five=True
    )
    return set(found)


def by_rule(character: str, following: str) -> str:
    """一 and 不 by the tone that follows: second before a fourth tone, fourth before others."""
    falls = following[-1:] == "4" or following == "ge5"
    return {"一": "yi", "不": "bu"}[character] + ("2" if falls else "4")


def test_every_prompt_has_one_line_and_no_line_is_left_over() -> None:
    assert set(pinyin()) == set(WORDS)


@KEYS
def test_as_many_syllables_as_characters_and_pauses_at_the_same_places(key: str) -> None:
    assert len(syllables(key)) == len(characters(key))
    marks = re.sub(r"[“”\"]|…$", "", WORDS[key])
    heard = [len(re.findall(r"[\u4e00-\u9fff]", p)) for p in re.split("[，。！!：]", marks)]
    read = [len(re.findall(r"[1-5]", p)) for p in re.split("[,.!]", strip(pinyin()[key]))]
    assert [n for n in heard if n] == [n for n in read if n]


def strip(line: str) -> str:
    return re.sub(r"\{\w+\}", "", line)


@KEYS
def test_each_syllable_is_a_reading_of_its_character(key: str) -> None:
    for character, syllable in zip(characters(key), syllables(key), strict=True):
        if syllable.endswith("5") and character in LIGHT:
            assert syllable[:-1] in {reading[:-1] for reading in readings(character)}
        else:
            assert syllable in readings(character), (character, syllable)


@KEYS
def test_every_difference_from_the_second_opinion_has_a_reason(key: str) -> None:
    ours, theirs = syllables(key), second_opinion(key)
    for at, (character, said, other) in enumerate(zip(characters(key), ours, theirs, strict=True)):
        if (character, said) in DIFFERS:
            continue
        if character in "一不":
            assert said == by_rule(character, (ours[at + 1 :] or [""])[0]), (key, at)
        else:
            assert said == other, (key, character)


def test_no_reason_is_left_over() -> None:
    used = {pair for key in WORDS for pair in zip(characters(key), syllables(key), strict=True)}
    assert set(DIFFERS) <= used


# --- the engine ---------------------------------------------------------------------


def phonemes(option: str, voice: str, words: str) -> str:
    command = ["espeak-ng", "-q", option, "-v", voice, "--stdin"]
    done = subprocess.run(command, input=words, capture_output=True, text=True, check=True)
    return done.stdout


@needs_espeak
@KEYS
def test_k28_the_engine_reads_no_pinyin_as_english_and_keeps_every_tone(key: str) -> None:
    line = strip(pinyin()[key])
    assert "(en)" not in phonemes("--ipa", "cmn-latn-pinyin", with_sandhi(line))
    heard = tones_heard(phonemes("-x", "cmn-latn-pinyin", with_sandhi(line)))
    assert len(heard) == len(syllables(key))
    for syllable, tone in zip(syllables(key), heard, strict=True):
        third = syllable.endswith("3")
        assert tone == syllable[-1] or (third and tone == "2"), (syllable, tone)


TONES = {"55": "1", "35": "2", "21": "3", "214": "3", "51": "4", "53": "4"}


def tones_heard(said: str) -> list[str]:
    """The engine's contours as tone numbers; any low or level one is light."""
    return [TONES.get(contour, "5") for contour in re.findall(r"\d+", said)]


@needs_espeak
@pytest.mark.parametrize("voice", ["yue", "en"])
def test_no_other_prompt_is_read_in_a_foreign_tongue(voice: str) -> None:
    language = Language.EN if voice == "en" else Language.ZH
    for sentence in sentences(language):
        words = speakable(re.sub(r"\{\w+\}", "", sentence.words), voice)
        said = phonemes("--ipa", voice, words)
        assert voice == "en" or "(en)" not in said, sentence.key
        assert said.strip()


@needs_espeak
def test_cantonese_has_a_tone_for_every_character() -> None:
    for key in WORDS:
        said = phonemes("-x", "yue", speakable(WORDS[key], "yue"))
        assert len(re.findall(r"[1-9]", said)) == len(characters(key)), (key, said)


def test_third_tones_within_a_word() -> None:
    assert with_sandhi("ke3yi3 qing3 zhan3lan3guan3 bu2yao4jin3") == (
        "ke2yi3 qing3 zhan2lan2guan3 bu2yao4jin3"
    )


def test_telephone_numbers_are_read_digit_by_digit() -> None:
    assert pinyin_of_telephone("0755-12") == "ling2 qi1 wu3 wu3, yao1 er4"
    assert speakable("请拨打0755-12345678。", "zh") == "请拨打零七五五，幺二三四五六七八。"
    assert speakable("请拨打0755-12345678。", "yue") == "请拨打零七五五，一二三四五六七八。"
    assert speakable("call 0755-12345678.", "en") == "call 0 7 5 5, 1 2 3 4 5 6 7 8."
