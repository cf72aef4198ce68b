"""Makes `edge/ui/texts/characters.toml` from pypinyin's table of readings.

    python tests/tools/name_characters.py > edge/ui/texts/characters.toml

Order within a syllable: characters of common names, then level 1 and level 2 of GB 2312, then
the rest of the basic block; within each those it is the first reading of.
"""

from __future__ import annotations

from collections import defaultdict

from pypinyin.contrib.tone_convert import to_normal
from pypinyin.pinyin_dict import pinyin_dict

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜"
    "肖詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵欧阳上官皇甫令狐"
    "诸葛司徒司马申屠夏侯尉迟公孙慕容长孙宇文解区仇单盖缪朴阚"
)
GIVEN = (
    "英秀玉华兰珍桂明国建文芳荣春德金红梅海平云军凤生福志强丽林永成庆祥民和学伟新东清义光忠凯淑琴莲香霞美芬"
    "兴贵才根发财富良顺安仁礼信善宝元亮昌盛茂松柏山水江河波涛雪冬秋夏月星辰日晓燕艳敏静洁慧颖婷娟娜翠菊"
    "爱莉琳瑞琼瑶珠翔飞鹏龙虎彪刚勇毅峰岩石磊鑫森炎坤乾厚维思远达广宏宽立正大小少长喜欢乐先进万千百双"
)
READ_OTHERWISE = {
    *("shan单", "qiu仇", "zha查", "zeng曾", "xie解", "ou区", "ge盖", "zhai翟"),
    *("wei尉", "yu尉", "mo万", "bo薄", "ning宁", "hua华", "ren任", "gui桂"),
    *("yue乐", "le乐", "chang长", "zhang长", "zhong重", "xing行", "shao少", "da大"),
    *("qian茜", "xi茜", "zu祖", "yan燕", "kan阚", "ji纪", "miao缪", "pu朴"),
    *("piao朴"),
}
"""Readings of names that are not the first ones of their characters."""
COMMON = {char: rank for rank, char in reversed(list(enumerate(SURNAMES + GIVEN)))}


def readings() -> dict[str, dict[str, bool]]:
    """Syllable → characters, each with whether that is its first reading."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    for point, told in pinyin_dict.items():
        if not 0x4E00 <= point <= 0x9FFF:
            continue
        for place, reading in enumerate(told.split(",")):
            syllable = to_normal(reading, v_to_u=False)
            if syllable.isascii() and any(vowel in syllable for vowel in "aeiouv"):
                found[syllable].setdefault(chr(point), place == 0)
    return found


def level(char: str) -> int:
    """1 and 2 as in GB 2312, 3 for what is not in it."""
    try:
        row = char.encode("gb2312")[0]
    except UnicodeEncodeError:
        return 3
    return 1 if row < 0xD8 else 2


def order(syllable: str, chars: dict[str, bool]) -> str:
    def rank(char: str) -> tuple[int, int, bool, int]:
        named = chars[char] or syllable + char in READ_OTHERWISE
        common = COMMON.get(char, len(COMMON)) if named else len(COMMON)
        return common, level(char), not chars[char], ord(char)

    return "".join(sorted(chars, key=rank))


def page() -> str:
    head = (
        "# Characters of names by syllable, the common ones first.\n"
        "# Made by tests/tools/name_characters.py from the readings in pypinyin 0.55\n"
        "# (MIT licence, Copyright (c) 2016 mozillazg), which has them from pinyin-data (MIT).\n"
    )
    table = readings()
    lines = (f'{syllable} = "{order(syllable, table[syllable])}"\n' for syllable in sorted(table))
    return head + "".join(lines)


if __name__ == "__main__":
    print(page(), end="")
