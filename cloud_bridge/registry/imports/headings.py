"""The columns of each kind of file, as they may be headed in Chinese and in English."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.imports.faults import Fault, ImportRefused
from cloud_bridge.registry.imports.sources import Row
from cloud_bridge.registry.models import ImportRun


@dataclass(frozen=True, slots=True)
class Column:
    """`field` and the first of `chinese` head the blank forms; the others are understood too."""

    field: str
    chinese: tuple[str, ...]
    english: tuple[str, ...] = ()
    needed: bool = True


_ID_NUMBER = Column(
    "id_number",
    ("身份证号", "身份证号码", "公民身份号码", "证件号码", "身份证"),
    ("ID number", "id", "identity number"),
)
_NAME = Column("name", ("姓名", "名字"), ("full name",))

_PEOPLE = (
    _NAME,
    _ID_NUMBER,
    Column("category", ("对象类型", "对象类别", "人员类别", "类别")),
    Column("covered", ("是否保障", "保障"), needed=False),
    Column("region_code", ("区划代码", "行政区划代码", "社区代码", "区划编码")),
    Column("household", ("户号", "家庭编号", "户编号"), needed=False),
)
_REGIONS = (
    Column("code", ("区划代码", "行政区划代码", "统计用区划代码"), ("region code",)),
    Column("name", ("名称", "区划名称"), ("region name",)),
)
_SIGNALS = (
    _ID_NUMBER,
    Column("name", ("姓名", "名字"), ("full name",), needed=False),
    Column("date", ("日期", "信息日期", "死亡日期", "就诊日期", "认证日期"), ("day",)),
    Column("source", ("来源", "数据来源", "来源单位", "来源部门")),
)

COLUMNS: Mapping[Any, tuple[Column, ...]] = {
    ImportRun.Kind.PEOPLE: _PEOPLE,
    ImportRun.Kind.REGIONS: _REGIONS,
    ImportRun.Kind.LIFE: _SIGNALS,
    ImportRun.Kind.DEATH: _SIGNALS,
}

LABELS: Mapping[str, str] = {
    "name": _("Name"),
    "id_number": _("ID number"),
    "category": _("Category"),
    "covered": _("Covered"),
    "region_code": _("Region code"),
    "household": _("Household number"),
    "code": _("Region code"),
    "date": _("Date"),
    "source": _("Source"),
}


def bare(heading: str) -> str:
    """Only what tells headings apart: no case, blanks, underscores or marks that it is needed."""
    text = unicodedata.normalize("NFKC", heading).lower()
    return "".join(c for c in text if c.isalnum())


def _names(columns: Sequence[Column]) -> dict[str, Column]:
    return {
        bare(name): column
        for column in columns
        for name in (column.field, *column.chinese, *column.english)
    }


def score(kind: Any, cells: Sequence[str]) -> int:
    """How many of these cells are headings of this kind."""
    names = _names(COLUMNS[kind])
    return sum(bare(cell) in names for cell in cells)


def letter(index: int) -> str:
    """A: 0, Z: 25, AA: 26."""
    text = ""
    while index >= 0:
        text = string.ascii_uppercase[index % 26] + text
        index = index // 26 - 1
    return text


def fields(kind: Any, row: Row) -> list[str]:
    """The field of each column. Raises `ImportRefused` with everything that is wrong."""
    columns = COLUMNS[kind]
    names = _names(columns)
    found: list[str] = []
    faults = []
    for index, cell in enumerate(without_empty_end(row.cells)):
        column = names.get(bare(cell))
        field = column.field if column else ""
        if column is None:
            faults.append(Fault(row.line, letter(index), "unknown_heading"))
        elif field in found:
            faults.append(Fault(row.line, field, "heading_twice"))
        found.append(field)
    missing = [c.field for c in columns if c.needed and c.field not in found]
    faults += [Fault(row.line, field, "heading_missing") for field in missing]
    if faults:
        raise ImportRefused(faults)
    return found


def without_empty_end(cells: Sequence[str]) -> Sequence[str]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
