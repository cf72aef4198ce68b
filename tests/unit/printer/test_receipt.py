"""The receipt as lines: what is on it, what never is, how it breaks."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.domain.people import CardFlag
from edge.domain.record import Outcome, Provenance, Reference
from edge.domain.timebase import ClockTrust, MonoNs, Stamp
from edge.drivers.receipt import (
    RECEIPT_KEYS,
    Office,
    clean,
    compose,
    display_width,
    layout,
    wrap,
)
from edge.ports import Code, Line, ReceiptItem, Rule
from tests.paper_bench import OFFICE, WORDS, record, slip

TEXTS = Path(__file__).parents[3] / "edge" / "ui" / "texts"


def text_of(items: tuple[ReceiptItem, ...]) -> str:
    return "\n".join("---" if isinstance(item, Rule) else item.text for item in items)


def test_a_reprint_says_so_and_keeps_its_number() -> None:
    first, again = text_of(slip(record())), text_of(slip(record(), copy=True))
    assert "补打的回执（副本）" not in first
    assert again.replace("\n补打的回执（副本）", "") == first


@pytest.mark.parametrize("columns", [32, 48])
def test_a_code_keeps_its_text_and_has_its_caption_under_it(columns: int) -> None:
    caption = "手机扫码可核验这张回执，" * 3
    code, *below = layout([Code("no wrapping " * 9, caption)], columns)
    assert code == Code("no wrapping " * 9)
    assert "".join(line.text for line in below if isinstance(line, Line)) == caption
    assert all(isinstance(line, Line) and line.centred for line in below)
    assert all(display_width(line.text) <= columns for line in below if isinstance(line, Line))
    assert list(layout([code, *below], columns)) == [code, *below]


def test_what_a_code_holds_is_not_in_its_repr() -> None:
    assert "secret" not in repr(Code("secret", "caption"))


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("", 8, [""]),
        ("生存认证回执", 8, ["生存认证", "回执"]),
        ("a生存认证", 8, ["a生存认", "证"]),  # a pair is never split
        ("生存认证，回执", 8, ["生存认", "证，回执"]),  # no line begins with a mark
        ("生存（认证）", 6, ["生存", "（认", "证）"]),  # and none ends with a bracket
        ("proof of life", 8, ["proof of", "life"]),
        ("0757-83990000", 8, ["0757-839", "90000"]),
        ("ab 生存", 4, ["ab", "生存"]),
    ],
)
def test_wrap(text: str, columns: int, lines: list[str]) -> None:
    assert wrap(text, columns) == lines


@pytest.mark.parametrize(("char", "width"), [("A", 1), ("生", 2), ("，", 2), ("—", 2), ("·", 2)])
def test_width_is_the_width_in_a_chinese_printer(char: str, width: int) -> None:
    assert display_width(char) == width


@example("0§§×\xa0", 4)
@given(st.text(), st.integers(4, 48))
def test_no_line_is_too_long_and_nothing_but_spaces_is_lost(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert all(display_width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")


@given(st.text(), st.booleans(), st.booleans(), st.sampled_from([32, 48]))
def test_layout_twice_changes_nothing(text: str, big: bool, centred: bool, columns: int) -> None:
    once = tuple(layout([Line(text, big=big, centred=centred)], columns))
    assert tuple(layout(once, columns)) == once


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("已受理，待工作人员核实", ["已受理，", "待工作人员核实"]),
        ("Accepted, staff will check", ["Accepted,", "staff will check"]),
        ("Proof-of-life receipt", ["Proof-of-life", "receipt"]),
        ("验证成功。", ["验证成功。"]),
    ],
)
def test_big_headings_break_where_a_reader_would(text: str, lines: list[str]) -> None:
    items = layout([Line(text, big=True, centred=True)], 32)
    assert [item.text for item in items if isinstance(item, Line)] == lines


@pytest.mark.parametrize("char", ["\x1b", "\x10", "\x1d", "\u200d", "\U000e0100"])
def test_a_name_cannot_give_the_printer_orders(char: str) -> None:
    assert clean(f"王{char}明") == "王明"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.PASSED, "验证成功。"),
        (Outcome.NEEDS_REVIEW, "已受理，\n待工作人员核实"),
        (Outcome.DECLINED, "12-07号\n不刷脸，人工办理"),
        (Outcome.CALLED, "12-07号\n已为您叫工作人员"),
    ],
)
def test_k36_every_outcome_says_so(outcome: Outcome, words: str) -> None:
    text = text_of(slip(record(outcome)))
    assert f"---\n{words}\n---" in text


def test_k36_what_a_receipt_tells() -> None:
    text = text_of(slip(record()))
    for part in (
        "生存认证回执",
        "离退休人员生存验证",
        "王*明",
        "110101********002X",
        "刷脸，与身份证照片比对",
        "2026年11月23日 11:04",  # 03:04 in UTC
        "2027年11月30日前",
        "0757-83990000",
        "终端编号：012",
        "FS012-20261123-0007",
    ):
        assert part in text


@pytest.mark.parametrize("outcome", Outcome)
def test_e11_offline_receipt_waits_for_upload(outcome: Outcome) -> None:
    assert "已受理，待上传" in text_of(slip(record(outcome), online=False))
    assert "待上传" not in text_of(slip(record(outcome), online=True))


def test_simulated_receipt_is_marked_at_both_ends() -> None:
    mark = "模拟设备 SIMULATED — 不作为凭证"
    lines = text_of(slip(record(provenance=Provenance.SIMULATED))).split("\n")
    assert lines[0] == lines[-1] == mark
    assert mark not in text_of(slip(record()))


@pytest.mark.parametrize("trust", ClockTrust)
def test_e17_no_time_on_paper_while_the_clock_is_unsure(trust: ClockTrust) -> None:
    text = text_of(slip(record(trust=trust)))
    sure = trust in (ClockTrust.NTP, ClockTrust.SIGNED, ClockTrust.RTC)
    assert ("2026年" in text, "办理时间：待核实" in text) == (sure, not sure)


def test_date_is_the_date_in_china() -> None:
    late = Stamp(datetime(2026, 12, 31, 16, 30, tzinfo=UTC), MonoNs(1), "boot", ClockTrust.NTP)
    assert "2027年01月01日 00:30" in text_of(slip(replace(record(), finished=late)))


@pytest.mark.parametrize(
    ("proof", "method"),
    [
        (record(reference=Reference.TEMPLATE), "刷脸，与登记照片比对"),
        (record(Outcome.NEEDS_REVIEW, reference=Reference.NONE), "工作人员办理"),
        (record(Outcome.DECLINED), "工作人员办理"),
        (replace(record(Outcome.NEEDS_REVIEW), verdict=None), "工作人员办理"),
    ],
)
def test_method(proof, method) -> None:  # type: ignore[no-untyped-def]
    assert f"办理方式：{method}" in text_of(slip(proof))


@pytest.mark.parametrize("columns", [32, 48])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("outcome", Outcome)
def test_canary_nothing_that_names_the_person_in_full(
    outcome: Outcome, language: str, columns: int
) -> None:
    proof = record(outcome, name="欧阳金丝雀", number="44060519510203777X")
    proof = replace(proof, subject=replace(proof.subject, flags=tuple(CardFlag)))
    text = text_of(slip(proof, columns=columns, language=language, online=False))
    joined = text.replace("\n", "").replace(" ", "")
    for secret in ("欧阳", "阳", "金丝", "丝", "19510203", "0203", "05195", "203777"):
        assert secret not in joined
    assert "欧***雀" in joined
    assert "440605********777X" in joined


def test_a_long_office_hangs_below_its_own_first_character() -> None:
    lines = text_of(slip(record())).split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith("办理机构："))
    assert lines[first + 1] == " " * 10 + "局禅城分局"


def test_a_label_longer_than_half_the_paper_stands_alone() -> None:
    words = WORDS["zh"] | {"receipt.office": "The office where you can ask: {office}"}
    items = compose(
        record(), words, online=True, columns=32, office=Office("Chancheng", "1", "001")
    )
    assert "The office where you can ask:\n  Chancheng\n" in text_of(items)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_receipt_keys_are_exactly_what_compose_takes(language: str) -> None:
    taken: set[str] = set()

    class Asked(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            taken.add(key)
            return super().__getitem__(key)

    for outcome in Outcome:
        for reference in Reference:
            for trust, witness in ((ClockTrust.NTP, ""), (ClockTrust.UNKNOWN, "204816")):
                proof = record(
                    outcome, reference=reference, trust=trust, provenance=Provenance.SIMULATED
                )
                compose(
                    replace(proof, witness=witness),
                    Asked(WORDS[language]),
                    online=False,
                    columns=32,
                    office=OFFICE,
                    next_due=date(2027, 1, 1),
                    copy=True,
                    code="JZ1:A",
                )
    assert taken == set(RECEIPT_KEYS)
    receipt = {k: text for k, text in WORDS[language].items() if k.startswith("receipt.")}
    found = {key: placeholders(text) for key, text in receipt.items()}
    assert found == {key: set(names) for key, names in RECEIPT_KEYS.items()}
