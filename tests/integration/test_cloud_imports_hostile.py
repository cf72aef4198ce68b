"""Files that mean harm, and a process killed in the middle of an import."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_bridge.registry import id_number
from cloud_bridge.registry.imports import headings, runs, tables, workbooks
from cloud_bridge.registry.imports.faults import WORDS, ImportRefused
from cloud_bridge.registry.imports.judging import Scope
from cloud_bridge.registry.imports.runs import Order
from cloud_bridge.registry.imports.sources import CONSOLE, Row, of_bytes
from cloud_bridge.registry.models import (
    AuditEntry,
    Household,
    ImportChange,
    ImportRun,
    LifeSignal,
    Person,
    Proof,
    Region,
)
from tests.fixtures_cloud import NOW, TODAY, TestRegistry, copy_keys

PEOPLE = ImportRun.Kind.PEOPLE
HEADER = ["name", "id_number", "category", "covered", "region_code", "household"]
COMMUNITY = "100101001001"
MOST_CPU_S = 8.0


def number(serial: int) -> str:
    return id_number.make("100000", date(1950, 3, 1), serial)


def person(serial: int) -> list[Any]:
    return ["丁一", number(serial), "dibao", "yes", COMMUNITY, f"甲-{serial}"]


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in (HEADER, *rows):
        book.active.append(row)
    return saved(book)


def saved(book: Any) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_parts(content: bytes, **parts: bytes) -> bytes:
    """The archive with some parts put in or in place of others; `__` stands for `/`."""
    new = {name.replace("__", "/").replace("_xml", ".xml"): data for name, data in parts.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", 8) as made:
        for name in old.namelist():
            if name not in new:
                made.writestr(name, old.read(name))
        for name, data in new.items():
            made.writestr(name, data)
    return file.getvalue()


def sheet(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


def with_sheet(content: bytes, old: str, new: str) -> bytes:
    text = sheet(content)
    assert old in text
    return with_parts(content, xl__worksheets__sheet1_xml=text.replace(old, new, 1).encode())


def read(content: bytes) -> Iterator[Row]:
    score = headings.score
    return tables.read(of_bytes("x", content), CONSOLE, lambda cells: score(PEOPLE, cells))


def word_of(content: bytes) -> str:
    """What a file is refused with; it may cost only so much."""
    began_s = time.process_time()
    with pytest.raises(ImportRefused) as caught:
        list(read(content))
    assert time.process_time() - began_s < MOST_CPU_S
    assert all(str(fault) for fault in caught.value.faults)
    return caught.value.faults[0].word


# --- workbooks


def test_f06_xml_is_read_by_the_careful_parser() -> None:
    assert openpyxl.DEFUSEDXML


BOMB = b'<?xml version="1.0"?><worksheet><sheetData>' + b" " * (257 * 1024 * 1024)
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY i "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


def test_f06_an_archive_may_not_unpack_to_much() -> None:
    content = with_parts(workbook(), xl__worksheets__sheet1_xml=BOMB)
    assert len(content) < 1024 * 1024
    assert word_of(content) == "bomb"
    styles = b"<styleSheet>" + b" " * (5 * 1024 * 1024)
    assert word_of(with_parts(workbook(), xl__styles_xml=styles)) == "bomb"


def test_f06_an_archive_may_not_have_endless_parts() -> None:
    parts = {f"xl__worksheets__x{n}_xml": b"" for n in range(600)}
    assert word_of(with_parts(workbook(), **parts)) == "bomb"


@pytest.mark.parametrize("where", ["xl/worksheets/sheet1.xml", "xl/workbook.xml"])
@pytest.mark.parametrize("harm", ["laughs", "outside"])
def test_f06_entities_are_refused(where: str, harm: str) -> None:
    outside = '<!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'
    content = workbook(person(1))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read(where).decode()
    text = text.partition("?>")[2] if text.startswith("<?xml") else text
    text = (LAUGHS if harm == "laughs" else outside) + text.replace("丁一", "&i;")
    name = where.replace("/", "__").replace(".xml", "_xml")
    assert word_of(with_parts(content, **{name: text.encode()})) == "not_xlsx"


@pytest.mark.parametrize(
    "part", ["xl__externalLinks__externalLink1_xml", "xl__vbaProject.bin", "xl__embeddings__a.bin"]
)
def test_f06_links_and_macros_are_refused(part: str) -> None:
    assert word_of(with_parts(workbook(), **{part: b"x"})) == "external"


def test_f06_merged_cells_are_refused() -> None:
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append(person(1))
    book.active.merge_cells("A2:A3")
    assert word_of(saved(book)) == "merged"


def test_f06_what_a_workbook_says_of_its_size_is_not_believed() -> None:
    content = workbook(person(1))
    huge = with_sheet(content, '<dimension ref="A1:F2" />', '<dimension ref="A1:XFD1048576" />')
    began_s = time.process_time()
    assert [row.line for row in read(huge)] == [1, 2]
    assert time.process_time() - began_s < MOST_CPU_S


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<row r="2"', '<row r="99999999999"'),
        ('<row r="2"', '<row r="1048577000"'),
        ('r="F2"', 'r="XFD2"'),
        ('r="F2"', 'r="ZZZZZZ2"'),
        ('r="A2"', 'r="-1"'),
        ("</row>", ""),
    ],
)
def test_f06_sheets_that_claim_the_impossible(old: str, new: str) -> None:
    assert word_of(with_sheet(workbook(person(1)), old, new)) in ("bomb", "not_xlsx")


@pytest.mark.parametrize("cut", [10, 200, 1000, -1, -30])
def test_f06_torn_workbooks(cut: int) -> None:
    assert word_of(workbook(person(1))[:cut]) == "not_xlsx"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (int(number(7)[:17]) * 10, "rounded"),
        (float(number(7)[:17]), "rounded"),
        ("=A1", "formula"),
        ("#N/A", "error_cell"),
        (datetime(2026, 11, 23), "id_number"),
        (True, "id_number"),
        (12345, "id_number"),
    ],
)
def test_f06_numbers_that_are_no_text(registry: TestRegistry, value: Any, word: str) -> None:
    row = person(7)
    row[1] = value
    assert errors(registry, workbook(row)) == [[2, "id_number", word]]


def test_f06_dates_of_a_workbook_are_days(registry: TestRegistry) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id_number", "date", "source"])
    for day in (datetime(2026, 11, 20, 8, 30), date(2026, 11, 21), "2026/11/22"):
        book.active.append([number(1), day, "市医院"])
    run = looked(registry, saved(book), ImportRun.Kind.LIFE)
    assert (run.errors, run.unknown) == ([], 3)


def test_f06_only_the_first_sheet_counts(registry: TestRegistry) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(person(1))))
    book.create_sheet("说明").append(["anything"])
    assert looked(registry, saved(book)).rows == 1


# --- anything at all


def looked(registry: TestRegistry, content: bytes, kind: Any = PEOPLE) -> ImportRun:
    scope = Scope(Region.objects.get(pk="0" * 12), registry.vault, TODAY)
    return runs.look(Order(of_bytes("x", content), kind, scope, "wang"), NOW)


def errors(registry: TestRegistry, content: bytes) -> list[Any]:
    return list(looked(registry, content).errors)


_LINES = [",".join(HEADER), *(",".join(map(str, person(n))) for n in (1, 2, 3))]
_CSV = "\n".join(_LINES).encode()
_XLSX = workbook(person(1), person(2))
_CELLS = st.one_of(
    st.sampled_from(["", " ", "=1+1", "是", "dibao", COMMUNITY, number(1), "1E+17", '"', "\0"]),
    st.text(max_size=30),
)  # fmt: skip


def _told(run: ImportRun) -> None:
    """Refused or not, everything that is told is a place and a known word."""
    for line, column, word in run.errors:
        assert line >= 1
        assert column in headings.LABELS or column == "-" or column.isascii()
        assert word in WORDS
    assert run.faults >= len(run.errors)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_f06_no_file_breaks_the_importer(registry: TestRegistry, data: Any) -> None:
    base = data.draw(st.sampled_from([_CSV, _CSV.decode().encode("gb18030"), _XLSX, b""]))
    content = bytearray(base)
    for _ in range(data.draw(st.integers(0, 8))):
        place = data.draw(st.integers(0, len(content)))
        junk = data.draw(st.binary(max_size=6))
        content[place : place + data.draw(st.integers(0, 6))] = junk
    _told(looked(registry, bytes(content), data.draw(st.sampled_from(list(ImportRun.Kind)))))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.lists(_CELLS, max_size=7), max_size=6), separator=st.sampled_from(",;\t"))
def test_f06_any_cells_are_judged(registry: TestRegistry, rows: Any, separator: str) -> None:
    lines = [HEADER, *rows]
    text = "\n".join(separator.join(cells) for cells in lines)
    _told(looked(registry, text.encode("utf-8", "surrogatepass")))


def test_f06_torn_bytes_of_a_workbook_break_nothing(registry: TestRegistry) -> None:
    random = Random(7)
    for _ in range(150):
        content = bytearray(_XLSX)
        for _ in range(random.randint(1, 12)):
            content[random.randrange(len(content))] = random.randrange(256)
        with contextlib.suppress(ImportRefused):
            list(read(bytes(content)))


# --- killed in the middle

_SCRIPT = """
import sys
from pathlib import Path
import django
django.setup()
from django.utils import timezone
from cloud_bridge.registry import keyring
from cloud_bridge.registry.imports import runs, sources
from cloud_bridge.registry.imports.judging import Scope
from cloud_bridge.registry.models import ImportRun, Region

runs.BATCH = 10
scope = Scope(Region.objects.get(pk="0" * 12), keyring.vault(), timezone.localdate())
source = sources.of_path(Path(sys.argv[1]))
order = runs.Order(source, ImportRun.Kind(sys.argv[2]), scope, "killed")
run = runs.look(order, timezone.now())
assert not run.faults, run.errors

def tell(rows):
    print(rows, flush=True)
    sys.stdin.readline()

runs.apply(run, order, timezone.now(), tell)
print("done", flush=True)
sys.stdin.readline()
"""


def everything() -> list[Any]:
    tables = (Person, Household, ImportRun, ImportChange, LifeSignal, Proof, AuditEntry)
    return [sorted(map(str, table.objects.values_list())) for table in tables]


@pytest.mark.parametrize(("kind", "batches"), [("people", 1), ("people", 3), ("life", 2)])
def test_f06_a_killed_import_has_done_nothing(
    registry: TestRegistry, kind: str, batches: int
) -> None:
    lines = _lines(kind)
    before = everything()
    with importing(registry, lines, kind) as process:
        for rows in range(1, batches + 1):
            assert process.stdout.readline() == f"{10 * rows}\n"
            if rows < batches:
                process.stdin.write("\n")
                process.stdin.flush()
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
    assert everything() == before


def test_f06_an_import_killed_after_its_end_is_there_as_a_whole(registry: TestRegistry) -> None:
    people = Person.objects.count()
    with importing(registry, _lines("people"), "people") as process:
        for _ in range(3):
            process.stdout.readline()
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert Person.objects.count() == people + 30
    assert ImportRun.objects.get().added == 30


def _lines(kind: str) -> list[str]:
    if kind == "people":
        return [",".join(HEADER), *(",".join(person(n)) for n in range(1, 31))]
    theirs = Person.objects.get(name="陈桂兰")
    from cloud_bridge.registry import keyring

    whose = keyring.vault().open(theirs.number_sealed, theirs.pk)
    return ["id_number,date,source", *(f"{whose},2026-01-{day:02},医院" for day in range(1, 31))]


class importing:
    """The import as a process of its own over this test's registry."""

    def __init__(self, registry: TestRegistry, lines: list[str], kind: str) -> None:
        copy_keys(registry.folder)
        (registry.folder / "registry.toml").write_text(registry.toml)
        path = registry.folder / "list.csv"
        path.write_text("\n".join(lines))
        environment = {
            "CLOUD_BRIDGE_CONFIG": str(registry.folder / "registry.toml"),
            "DJANGO_SETTINGS_MODULE": "cloud_bridge.settings",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(path), kind],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def __enter__(self) -> Any:
        return self._process

    def __exit__(self, *_details: object) -> None:
        self._process.kill()
        self._process.communicate()


def test_f06_a_workbook_is_told_by_its_first_bytes() -> None:
    assert workbooks.is_one(_XLSX[:8])
    assert not workbooks.is_one(_CSV[:8])
