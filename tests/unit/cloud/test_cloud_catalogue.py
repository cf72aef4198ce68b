"""Every word staff see is in both languages, and the compiled catalogue is fresh."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

from django.utils.translation.template import templatize

import cloud_bridge

ROOT = Path(cloud_bridge.__file__).parent
CATALOGUE = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
HAN = re.compile(r"[\u4e00-\u9fff]")
CALLS = {"_", "gettext", "gettext_lazy", "pgettext_lazy"}


def compiled() -> dict[str, str]:
    """Message id (with its context, if any) to Chinese."""
    with (CATALOGUE / "django.mo").open("rb") as file:
        entries = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    flat = {key[0] if isinstance(key, tuple) else key: text for key, text in entries.items()}
    return {key.rpartition("\x04")[2]: text for key, text in flat.items() if key}


def source_entries() -> dict[str, str]:
    text = (CATALOGUE / "django.po").read_text("utf-8").partition("\n\n")[2]
    found = {}
    for block in text.strip().split("\n\n"):
        quoted = dict(re.findall(r'^(msgid|msgstr(?:\[0\])?) "(.*)"$', block, re.MULTILINE))
        text_key = "msgstr[0]" if "msgstr[0]" in quoted else "msgstr"
        found[quoted["msgid"]] = quoted[text_key]
    return found


def used_in_templates() -> set[str]:
    found: set[str] = set()
    for path in ROOT.rglob("*.html"):
        code = templatize(path.read_text("utf-8"), origin=str(path))
        found |= set(re.findall(r"""gettext\(u?'((?:[^'\\]|\\.)*)'""", code))
        found |= set(re.findall(r'''gettext\(u?"((?:[^"\\]|\\.)*)"''', code))
    return {text.replace("\\'", "'") for text in found}


def used_in_code() -> set[str]:
    found: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS:
                found.add(ast.literal_eval(node.args[-1]))
    return found


def test_every_text_has_its_chinese() -> None:
    used = used_in_templates() | used_in_code()
    assert len(used) > 150
    catalogue = compiled()
    missing = {text for text in used if not HAN.search(catalogue.get(text, ""))}
    assert missing == set()


def test_no_translation_is_left_over() -> None:
    assert set(compiled()) - used_in_templates() - used_in_code() == set()


def test_the_compiled_catalogue_is_fresh() -> None:
    assert compiled() == source_entries()


def test_placeholders_are_the_same_in_both_languages() -> None:
    for english, chinese in compiled().items():
        placeholder = re.compile(r"%\(\w+\)s")
        assert set(placeholder.findall(english)) == set(placeholder.findall(chinese)), english


def test_no_text_is_written_into_the_templates() -> None:
    for path in ROOT.rglob("*.html"):
        text = path.read_text("utf-8").replace("简体中文", "")
        assert not HAN.search(text), path.name


def test_s_strings_are_as_the_staff_know_them() -> None:
    shown = set(compiled().values())
    for words in (
        "生存认证", "当前位置：", "所属省份", "所属城市", "所属区县", "所属街道", "所属社区",
        "认证日期", "姓名", "身份证号", "对象类型", "认证状态", "是否保障", "查询", "乡镇街道",
        "社区村组", "认证时间", "操作", "未认证", "已认证", "未查到该对象认证信息!",
        "低保", "特困", "低边家庭",
    ):  # fmt: skip
        assert words in shown, words


def test_str16_s30_s34_buttons_and_questions_are_word_for_word() -> None:
    known = compiled()
    buttons = {"Certify": "认证", "Dead": "死亡", "OK": "确定", "Cancel": "取消", "Search": "查询"}
    assert {english: known[english] for english in buttons} == buttons
    questions = {
        "请确认是否已经完成实地走访或视频连线进行认证?弄虚作假事后会被问责,确定通过生存认证?",
        "是否确认对象已死亡,标记死亡后对象无需做生存认证?",
    }
    assert questions <= set(known.values())
