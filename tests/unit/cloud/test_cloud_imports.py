"""Files of people, regions and signals: read, judged, written as a whole and taken back."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import transaction
from django.utils import timezone, translation

from cloud_bridge import cli, demo
from cloud_bridge.registry import cycles, id_number, standing
from cloud_bridge.registry.imports import headings, runs, undo
from cloud_bridge.registry.imports.faults import WORDS, ImportRefused
from cloud_bridge.registry.imports.judging import Record, Scope
from cloud_bridge.registry.imports.runs import Order
from cloud_bridge.registry.imports.signals import Outcome, Signals, outcome
from cloud_bridge.registry.imports.sources import CONSOLE, Limits, of_bytes
from cloud_bridge.registry.imports.undo import UndoRefused
from cloud_bridge.registry.models import (
    ROOT_REGION,
    AuditEntry,
    DeathReport,
    Device,
    Household,
    ImportChange,
    ImportRun,
    LifeSignal,
    Person,
    Proof,
    Recheck,
    Region,
    Task,
)
from edge.domain.people import mask_id_number
from tests.fixtures_cloud import NOW, TODAY, TestRegistry

PEOPLE, REGIONS = ImportRun.Kind.PEOPLE, ImportRun.Kind.REGIONS
LIFE, DEATH = ImportRun.Kind.LIFE, ImportRun.Kind.DEATH
HEADER = "name,id_number,category,covered,region_code,household\n"
COMMUNITY, VILLAGE, ELSEWHERE = "100101001001", "100101002201", "100102001201"
DISTRICT = "100101000000"
KNOWN_NAME, KNOWN_BIRTH, KNOWN_SERIAL = demo.PEOPLE[3][:3]
KNOWN = id_number.make(demo.NUMBER_REGION, KNOWN_BIRTH, KNOWN_SERIAL)


def number(serial: int) -> str:
    return id_number.make("100000", date(1950, 3, 1), serial)


def spoilt(good: str) -> str:
    """With another check digit."""
    return good[:-1] + ("1" if good[-1] != "1" else "2")


def line(serial: int, **changes: str) -> str:
    cells = {
        "name": "丁一",
        "id_number": number(serial),
        "category": "dibao",
        "covered": "是",
        "region_code": COMMUNITY,
        "household": "甲-1",
    }
    return ",".join((cells | changes).values()) + "\n"


def order(
    registry: TestRegistry,
    content: str | bytes,
    kind: Any = PEOPLE,
    *,
    region: str = ROOT_REGION,
    full: bool = False,
    limits: Limits = CONSOLE,
    today: date = TODAY,
) -> Order:
    data = content if isinstance(content, bytes) else content.encode()
    scope = Scope(Region.objects.get(pk=region), registry.vault, today)
    return Order(of_bytes("roster.csv", data), kind, scope, "wang", full, limits)


def taken_in(registry: TestRegistry, content: str | bytes, kind: Any = PEOPLE, **more: Any) -> Any:
    """The run of a file that was looked at and applied."""
    what = order(registry, content, kind, **more)
    run = runs.look(what, NOW)
    assert run.errors == []
    runs.apply(run, what, NOW)
    return run


def state() -> tuple[Any, ...]:
    """Everything an import may touch."""
    tables = (Person, Household, Region, ImportRun, ImportChange, LifeSignal, Proof, Task)
    rows = [sorted(map(str, table.objects.values_list())) for table in (*tables, AuditEntry)]
    return tuple(rows)


def refused(registry: TestRegistry, content: str | bytes, kind: Any = PEOPLE, **more: Any) -> Any:
    """The faults of a file as (line, column, word), told by look and apply alike."""
    what = order(registry, content, kind, **more)
    before = state()
    run = runs.look(what, NOW)
    assert run.errors
    assert run.faults >= len(run.errors)
    with pytest.raises(ImportRefused):
        runs.apply(run, what, NOW)
    assert state() == before, "nothing half-imported"
    return [tuple(error) for error in run.errors]


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# --- reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "，", "|"])
def test_f06_people_come_from_any_usual_csv(
    registry: TestRegistry, encoding: str, separator: str
) -> None:
    text = "姓名,身份证号,对象类型,是否保障,区划代码,户号\n" + line(1, category="城市低保")
    taken_in(registry, text.replace(",", separator).encode(encoding))
    person = Person.objects.get(number_key=registry.vault.lookup(number(1)))
    assert (person.name, person.sex, person.category) == ("丁一", "1", "dibao")
    assert (person.birth, person.covered) == (date(1950, 3, 1), True)
    assert person.household.number == "甲-1"
    assert registry.vault.open(person.number_sealed, person.person_id) == number(1)


def test_f06_people_come_from_a_workbook(registry: TestRegistry) -> None:
    head = ["姓名", "身份证号", "对象类型", "是否保障", "区划代码", "户号", None]
    rows = [
        head,
        ["丁一", number(1), "特困", True, int(COMMUNITY), 17],
        [],
        ["丁二", f" {number(2).lower()}\u200b", "低边家庭", "否", float(VILLAGE)],
    ]
    run = taken_in(registry, workbook(rows))
    assert (run.rows, run.added) == (2, 2)
    one, two = (Person.objects.get(name=name) for name in ("丁一", "丁二"))
    assert (one.region_id, one.household.number, one.covered) == (COMMUNITY, "17", True)
    assert (two.region_id, two.household, two.covered) == (VILLAGE, None, False)


def test_f06_columns_may_come_in_any_order_and_some_may_be_left_out(
    registry: TestRegistry,
) -> None:
    text = f'区划代码,"姓名 *",ID_Number,类别\n{COMMUNITY},"丁\n一",X,低保\n'
    assert refused(registry, text) == [(2, "name", "name"), (2, "id_number", "id_number")]
    text = f'区划代码,"姓名 *",ID_Number,类别\n{COMMUNITY},丁一,"=""{number(1)}""",低保\n'
    taken_in(registry, text)
    person = Person.objects.get(name="丁一")
    assert (person.covered, person.household) == (True, None)


@pytest.mark.parametrize(
    ("changes", "column", "word"),
    [
        ({"name": ""}, "name", "empty"),
        ({"name": "a\tb"}, "name", "name"),
        ({"name": "=1+1"}, "name", "name"),
        ({"id_number": spoilt(number(3))}, "id_number", "id_number"),
        ({"id_number": "110105491231002"}, "id_number", "old_number"),
        ({"id_number": "1.10105E+17"}, "id_number", "rounded"),
        ({"id_number": number(1)}, "id_number", "twice"),
        ({"category": "rich"}, "category", "category"),
        ({"covered": "maybe"}, "covered", "covered"),
        ({"region_code": "999999999999"}, "region_code", "unknown_region"),
        ({"region_code": ELSEWHERE}, "region_code", "foreign_region"),
        ({"household": "x" * 41}, "household", "household"),
        ({"household": "a,b"}, "-", "cells"),
    ],
)  # fmt: skip
def test_f06_every_fault_has_its_line_and_column(
    registry: TestRegistry, changes: dict[str, str], column: str, word: str
) -> None:
    text = HEADER + line(1) + "\n" + line(2, **changes)
    assert refused(registry, text, region=DISTRICT) == [(4, column, word)]


def test_f06_faults_never_say_what_stands_in_the_cell(registry: TestRegistry) -> None:
    bad = spoilt(number(1))
    text = HEADER + line(1, id_number=bad, name="=" + bad, category=bad, region_code=bad)
    run = runs.look(order(registry, text), NOW)
    with translation.override("en"):
        told = str(run.errors) + str(ImportRefused([])) + " ".join(map(str, WORDS.values()))
    assert bad not in told
    assert run.faults == 4


def test_f06_many_faults_are_counted_and_some_are_kept(registry: TestRegistry) -> None:
    run = runs.look(order(registry, HEADER + "x,x,x,x,x,x\n" * 900), NOW)
    assert (run.faults, len(run.errors), run.rows) == (900 * 4 + 899 * 0, 1000, 900)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", [(1, "-", "empty_file")]),
        (HEADER, [(1, "-", "empty_file")]),
        ("\n\n ,,\n", [(1, "-", "empty_file")]),
        (HEADER.replace("household", "phone"), [(1, "F", "unknown_heading")]),
        (HEADER.replace("household", "姓名"), [(1, "name", "heading_twice")]),
        (HEADER.replace("id_number,", ""), [(1, "id_number", "heading_missing")]),
        (HEADER + '"open', [(2, "-", "csv")]),
        (HEADER.encode("utf-16"), [(1, "-", "binary")]),
        (HEADER.encode() + b"\xff\xff\xff", [(1, "-", "encoding")]),
        (b"\xd0\xcf\x11\xe0 old", [(1, "-", "old_excel")]),
        (b"PK\x03\x04 torn", [(1, "-", "not_xlsx")]),
    ],
)  # fmt: skip
def test_f06_files_that_are_no_list(
    registry: TestRegistry, text: str | bytes, faults: list[Any]
) -> None:
    assert refused(registry, text) == faults


def test_f06_a_file_that_is_too_long_is_not_read_to_its_end(registry: TestRegistry) -> None:
    text = HEADER + "".join(line(n) for n in range(1, 9))
    assert refused(registry, text, limits=Limits(10**6, 5)) == [(7, "-", "too_many_rows")]
    assert refused(registry, text, limits=Limits(100, 5)) == [(1, "-", "too_big")]


# --- people


def test_f06_a_corrected_roster_moves_people_and_forgets_nobody(registry: TestRegistry) -> None:
    registry.kiosk()
    Device.objects.update(roster_due=False)
    before = Person.objects.get(name=KNOWN_NAME)
    standing.prove([Proof(person=before, method="visit", on=TODAY, at=NOW)])
    others = Person.objects.exclude(pk=before.pk).count()
    text = HEADER + line(1) + f"陈新名,{KNOWN},tekun,no,{VILLAGE},乙-9\n"
    run = taken_in(registry, text, full=True)
    assert (run.added, run.changed, run.unchanged, run.missing) == (1, 1, 0, others)
    after = Person.objects.get(pk=before.pk)
    assert (after.name, after.category, after.covered) == ("陈新名", "tekun", False)
    assert (after.region_id, after.household.number) == (VILLAGE, "乙-9")
    assert after.last_pass_on == TODAY, "what is proven is proven"
    assert Person.objects.count() == others + 2
    assert Device.objects.get().roster_due
    again = taken_in(registry, text)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    assert not ImportChange.objects.filter(run=again).exists()


def test_f06_a_column_that_is_not_there_changes_nothing(registry: TestRegistry) -> None:
    person = Person.objects.get(name=demo.PEOPLE[4][0])
    assert person.household is not None
    birth, serial = demo.PEOPLE[4][1:3]
    theirs = id_number.make("100000", birth, serial)
    text = f"姓名,身份证号,对象类型,区划代码\n{person.name},{theirs},低保,{VILLAGE}\n"
    taken_in(registry, text)
    after = Person.objects.get(pk=person.pk)
    assert (after.household, after.covered) == (person.household, True)
    taken_in(
        registry, f"姓名,身份证号,对象类型,区划代码,户号\n{person.name},{theirs},低保,{VILLAGE},\n"
    )
    assert Person.objects.get(pk=person.pk).household is None


def test_f06_nobody_outside_the_own_region_is_touched(registry: TestRegistry) -> None:
    text = HEADER + f"{KNOWN_NAME},{KNOWN},tekun,no,{ELSEWHERE},\n"
    assert refused(registry, text, region="100102000000") == [(2, "id_number", "foreign_person")]


def test_f06_a_record_from_before_certifies_whom_a_roster_brings(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    from cloud_bridge.bridge.opening import Arrival

    registry.ingest.ingest([Arrival("k-001", kiosk.record(id_number=number(1), name="丁一"))], NOW)
    run = taken_in(registry, HEADER + line(1))
    person = Person.objects.get(name="丁一")
    assert person.is_certified(TODAY)
    with pytest.raises(UndoRefused) as caught:
        undo.undo(run, registry.vault, "wang", "wrong", NOW)
    words = {blocker.word for blocker in caught.value.blockers}
    assert words == {"certification", "proof"}


def test_f06_n24_what_has_to_be_done_about_people_moves_with_them_and_back(
    registry: TestRegistry,
) -> None:
    """Where they lived nobody may look at them any more, where they live somebody has to."""
    person = Person.objects.get(name=KNOWN_NAME)
    about = {"person": person, "region": person.region, "created_at": NOW}
    Task.objects.create(kind="review", **about)
    Task.objects.create(kind="verify", state="done", done_by="li", **about)
    Recheck.objects.create(kind="entry", record_id="made-up", simulated=False, **about)
    other = Person.objects.filter(region=person.region).exclude(pk=person.pk).first()
    Task.objects.create(kind="review", **(about | {"person": other}))
    run = taken_in(registry, HEADER + f"{KNOWN_NAME},{KNOWN},dibao,yes,{ELSEWHERE},\n")

    def places() -> list[str]:
        work = (*Task.objects.filter(person=person), *Recheck.objects.all())
        return [row.region_id for row in work]

    assert places() == [ELSEWHERE] * 3
    assert Task.objects.get(person=other).region_id == person.region_id, "nobody else's"
    undo.undo(run, registry.vault, "li", "wrong", NOW)
    assert places() == [person.region_id] * 3


# --- undo


def test_f06_undo_restores_what_was_and_removes_what_was_new(registry: TestRegistry) -> None:
    before = state()[:3]
    text = HEADER + line(1) + line(2, household="") + f"陈新名,{KNOWN},tekun,no,{VILLAGE},乙-9\n"
    run = taken_in(registry, text)
    assert state()[:3] != before
    undo.undo(run, registry.vault, "li", "wrong month", NOW)
    assert state()[:3] == before
    run.refresh_from_db()
    assert (run.state, run.undone_by, run.undone_at) == ("undone", "li", NOW)
    with pytest.raises(UndoRefused):
        undo.undo(run, registry.vault, "li", "again", NOW)


def test_f06_undo_is_refused_as_a_whole_where_something_came_of_it(
    registry: TestRegistry,
) -> None:
    run = taken_in(registry, HEADER + line(1) + line(2, name="丁二"))
    person = Person.objects.get(name="丁二")
    standing.prove([Proof(person=person, method="visit", on=TODAY, at=NOW)])
    before = state()
    with pytest.raises(UndoRefused) as caught:
        undo.undo(run, registry.vault, "li", "wrong", NOW)
    assert caught.value.blockers == (undo.Blocker(person.pk, "proof"),)
    assert state() == before
    assert all(blocker.word in undo.WORDS for blocker in caught.value.blockers)


def test_f06_imports_are_undone_newest_first(registry: TestRegistry) -> None:
    before = state()[:3]
    first = taken_in(registry, HEADER + f"陈新名,{KNOWN},tekun,no,{VILLAGE},\n")
    what = order(registry, HEADER + f"陈更新,{KNOWN},tekun,no,{VILLAGE},\n")
    second = runs.look(what, NOW)
    runs.apply(second, what, NOW + timedelta(hours=1))
    with pytest.raises(UndoRefused) as caught:
        undo.undo(first, registry.vault, "li", "wrong", NOW)
    assert [blocker.word for blocker in caught.value.blockers] == ["importchange"]
    undo.undo(second, registry.vault, "li", "wrong", NOW)
    undo.undo(first, registry.vault, "li", "wrong", NOW)
    assert state()[:3] == before


# --- regions


TREE = "区划代码,名称\n200101001002,戊村\n200100000000,乙市\n200000000000,甲省\n200101000000,丙县\n200101001000,丁镇\n"  # noqa: E501


def test_f06_regions_come_parents_first_and_know_their_level(registry: TestRegistry) -> None:
    before = state()[:3]
    run = taken_in(registry, TREE, REGIONS)
    assert run.added == 5
    village = Region.objects.get(code="200101001002")
    assert (village.level, village.parent_id) == (5, "200101001000")
    assert Region.objects.get(code="200000000000").parent_id == ROOT_REGION
    renamed = taken_in(registry, TREE.replace("戊村", "己村"), REGIONS)
    assert (renamed.changed, renamed.unchanged) == (1, 4)
    undo.undo(renamed, registry.vault, "li", "wrong", NOW)
    assert Region.objects.get(code="200101001002").name == "戊村"
    undo.undo(run, registry.vault, "li", "wrong", NOW)
    assert state()[:3] == before


def test_f06_tables_of_gb_t_2260_stop_at_the_county_and_some_at_the_street(
    registry: TestRegistry,
) -> None:
    table = "区划代码,名称\n200101001,丁镇\n200000,甲省\n200101,丙县\n200100,乙市\n"
    assert taken_in(registry, table, REGIONS).added == 4
    street = Region.objects.get(name="丁镇")
    assert (street.code, street.level, street.parent_id) == ("200101001000", 4, "200101000000")
    assert taken_in(registry, TREE, REGIONS).added == 1, "the same places in full"


def test_f06_a_region_where_somebody_lives_stays(registry: TestRegistry) -> None:
    run = taken_in(registry, TREE, REGIONS)
    taken_in(registry, HEADER + line(1, region_code="200101001002"))
    taken_in(registry, "code,name\n200101001003,庚村\n", REGIONS)
    with pytest.raises(UndoRefused) as caught:
        undo.undo(run, registry.vault, "li", "wrong", NOW)
    blockers = {(blocker.object_id, blocker.word) for blocker in caught.value.blockers}
    assert blockers == {("200101001002", "person"), ("200101001000", "region")}


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("12", "code"),
        ("12345a", "code"),
        ("000000", "code"),
        ("000000000000", "code"),
        ("１２０１０１００１００2", "foreign_region"),
        ("100101009009", "no_parent"),
        ("100101001001", "twice"),
    ],
)
def test_f06_regions_that_do_not_fit(registry: TestRegistry, code: str, word: str) -> None:
    text = f"code,name\n{COMMUNITY},东风社区\n{code},某村\n"
    assert (word, "code") in {
        (fault[2], fault[1]) for fault in refused(registry, text, REGIONS, region=DISTRICT)
    }


# --- signals


SIGNALS = "身份证号,姓名,日期,来源\n"


def signal(on: date, *, who: str = KNOWN, name: str = KNOWN_NAME, source: str = "市医院") -> str:
    return f"{who},{name},{on.isoformat()},{source}\n"


@pytest.mark.parametrize("category", ["dibao", "retired"])
def test_f06_a_sign_of_life_in_the_cycle_certifies(registry: TestRegistry, category: str) -> None:
    registry.kiosk()
    Device.objects.update(roster_due=False)
    Person.objects.filter(name=KNOWN_NAME).update(category=category)
    start = cycles.cycle_start(cycles.DEFAULTS[category], TODAY)
    taken_in(registry, SIGNALS + signal(start - timedelta(days=1)), LIFE)
    person = Person.objects.get(name=KNOWN_NAME)
    assert not person.is_certified(TODAY)
    assert person in Person.objects.pending(TODAY)
    run = taken_in(registry, SIGNALS + signal(start), LIFE)
    person.refresh_from_db()
    assert person.is_certified(TODAY)
    assert person in Person.objects.certified(TODAY)
    assert person not in Person.objects.pending(TODAY)
    proof = person.proofs.get(on=start)
    assert (proof.method, proof.signal.source, proof.by) == ("data", "市医院", "")
    assert not Task.objects.exists()
    assert Device.objects.get().roster_due
    undo.undo(run, registry.vault, "li", "wrong file", NOW)
    person.refresh_from_db()
    assert not person.is_certified(TODAY)
    taken_in(registry, SIGNALS + signal(start), LIFE)
    person.refresh_from_db()
    assert person.is_certified(TODAY), "the same may come again after an undo"


def test_f06_signals_count_once_and_strangers_are_only_counted(registry: TestRegistry) -> None:
    far = id_number.make("100000", demo.PEOPLE[10][1], demo.PEOPLE[10][2])
    text = (
        SIGNALS
        + signal(TODAY) * 2
        + signal(TODAY, source="县公安")
        + signal(TODAY, who=number(77), name="无此人")
        + signal(TODAY, who=far, name="")
    )
    run = taken_in(registry, text, LIFE, region=DISTRICT)
    assert (run.rows, run.added, run.unchanged, run.unknown) == (5, 2, 1, 2)
    assert LifeSignal.objects.count() == Proof.objects.count() == 2
    again = taken_in(registry, text, LIFE, region=DISTRICT)
    assert (again.added, again.unchanged) == (0, 3)


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        (signal(TODAY + timedelta(days=1)), "date", "future"),
        (signal(KNOWN_BIRTH - timedelta(days=1)), "date", "before_birth"),
        (signal(TODAY).replace("2026-", "11月"), "date", "date"),
        (signal(TODAY, name="别人"), "name", "other_name"),
        (signal(TODAY, source=" "), "source", "empty"),
        (signal(TODAY, source="=cmd"), "source", "source"),
        (signal(TODAY, who="1"), "id_number", "id_number"),
    ],
)
def test_f06_signals_that_do_not_fit(
    registry: TestRegistry, text: str, column: str, word: str
) -> None:
    assert refused(registry, SIGNALS + text, LIFE) == [(2, column, word)]


@pytest.mark.parametrize(
    "text", ["2026/11/3", "2026.11.03", "20261103", "2026年11月3日", "2026-11-03 00:00:00"]
)
def test_f06_days_are_read_as_people_write_them(registry: TestRegistry, text: str) -> None:
    taken_in(registry, SIGNALS + f"{KNOWN},,{text},医院\n", LIFE)
    assert LifeSignal.objects.get().on == date(2026, 11, 3)


def test_f06_a_death_of_another_office_opens_a_task_and_decides_nothing(
    registry: TestRegistry,
) -> None:
    person = Person.objects.get(name=KNOWN_NAME)
    standing.prove([Proof(person=person, method="visit", on=TODAY - timedelta(days=30), at=NOW)])
    before = Person.objects.values().get(pk=person.pk)
    text = SIGNALS + signal(TODAY - timedelta(days=5)) + signal(TODAY - timedelta(days=60))
    run = taken_in(registry, text, DEATH)
    later, earlier = Task.objects.order_by("-signal__on")
    assert (later.kind, later.urgent, earlier.urgent) == ("conflict", False, True)
    assert (later.region_id, later.signal.source) == (person.region_id, "市医院")
    assert Person.objects.values().get(pk=person.pk) == before
    assert not DeathReport.objects.exists()
    taken_in(registry, text, DEATH)
    assert Task.objects.count() == 2, "once per signal"
    taken_in(registry, SIGNALS + signal(TODAY), LIFE)
    assert Task.objects.filter(urgent=True).count() == 2, "now life speaks against both"
    Task.objects.filter(pk=later.pk).update(state="done", note="looked")
    undo.undo(run, registry.vault, "li", "wrong file", NOW)
    notes = Task.objects.order_by("-signal__on").values_list("state", "note")
    assert list(notes) == [("done", "looked"), ("done", f"import {run.pk} undone")]


def test_f06_life_after_a_registered_death_opens_a_task_too(registry: TestRegistry) -> None:
    day = TODAY - timedelta(days=10)
    Person.objects.filter(name=KNOWN_NAME).update(dead_since=day)
    taken_in(registry, SIGNALS + signal(day) + signal(TODAY), LIFE)
    task = Task.objects.get()
    assert (task.kind, task.urgent, task.signal.on) == ("conflict", True, TODAY)
    assert [proof.on for proof in Proof.objects.all()] == [day]
    assert Person.objects.get(name=KNOWN_NAME).dead_since == day


def test_a_death_approved_while_signals_are_being_read_is_seen(registry: TestRegistry) -> None:
    scope = order(registry, "", LIFE).scope
    cells = {"id_number": KNOWN, "date": TODAY.isoformat(), "source": "市医院"}
    signals = Signals(scope, LIFE)
    verdicts = signals.judge([Record(2, cells, [])])
    Person.objects.filter(name=KNOWN_NAME).update(dead_since=TODAY - timedelta(days=10))
    run = ImportRun.objects.create(kind=LIFE, by="wang", at=NOW, region=scope.region)
    with transaction.atomic():
        signals.write(verdicts, run, NOW)
    assert not Proof.objects.exists(), "nobody registered as dead is certified by a file"
    assert Task.objects.get().urgent


DAY = date(2026, 5, 1)
NEXT = DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        (LIFE, {}, Outcome(proves=True)),
        (LIFE, {"dead_since": DAY}, Outcome(proves=True)),
        (LIFE, {"dead_since": NEXT}, Outcome(proves=True)),
        (LIFE, {"dead_since": DAY - timedelta(days=1)}, Outcome(task=True, urgent=True)),
        (LIFE, {"died_on": DAY}, Outcome(proves=True)),
        (LIFE, {"died_on": date(2026, 4, 1)}, Outcome(proves=True, task=True, urgent=True)),
        (DEATH, {}, Outcome(task=True)),
        (DEATH, {"alive_on": DAY - timedelta(days=1)}, Outcome(task=True)),
        (DEATH, {"alive_on": DAY}, Outcome(task=True, urgent=True)),
        (DEATH, {"alive_on": NEXT}, Outcome(task=True, urgent=True)),
        (DEATH, {"dead_since": DAY}, Outcome()),
    ],
)
def test_f06_what_a_signal_leads_to(kind: Any, facts: dict[str, date], expected: Outcome) -> None:
    nothing = {"dead_since": None, "died_on": None, "alive_on": None}
    assert outcome(kind, DAY, **(nothing | facts)) == expected


# --- runs


def test_f06_a_file_waits_sealed_and_is_gone_after_the_decision(registry: TestRegistry) -> None:
    what = order(registry, HEADER + line(1))
    run = runs.look(what, timezone.now())
    runs.keep(run, what.source, registry.vault)
    assert number(1).encode() not in bytes(run.content_sealed)
    again = ImportRun.objects.get(pk=run.pk)
    with runs.kept_source(again, registry.vault).open() as file:
        assert file.read() == (HEADER + line(1)).encode()
    runs.apply(again, what, NOW)
    again.refresh_from_db()
    assert (again.state, bytes(again.content_sealed), again.added) == ("applied", b"", 1)
    with pytest.raises(ImportRefused, match="meanwhile"), translation.override("en"):
        runs.apply(again, what, NOW)
    log = AuditEntry.objects.filter(object_kind="import").order_by("number")
    assert [entry.action for entry in log] == ["import.look", "import.apply"]
    assert "rows 1, added 1" in log[1].reason
    assert number(1) not in "".join(entry.reason for entry in log)


def test_f06_files_nobody_decides_on_are_dropped(registry: TestRegistry) -> None:
    what = order(registry, HEADER + line(1))
    old = runs.look(what, NOW)
    runs.keep(old, what.source, registry.vault)
    new = runs.look(what, NOW + runs.KEPT + timedelta(seconds=1))
    runs.keep(new, what.source, registry.vault)
    old.refresh_from_db()
    assert (old.state, bytes(old.content_sealed)) == ("dropped", b"")
    assert runs.drop(new, registry.vault, "li")
    assert not runs.drop(new, registry.vault, "li")
    assert not any(map(bytes, ImportRun.objects.values_list("content_sealed", flat=True)))


def test_f06_a_file_with_faults_is_not_kept(registry: TestRegistry) -> None:
    what = order(registry, HEADER + line(1, name=""))
    run = runs.look(what, NOW)
    runs.keep(run, what.source, registry.vault)
    assert bytes(ImportRun.objects.get().content_sealed) == b""
    with pytest.raises(ImportRefused):
        runs.apply(run, what, NOW)


def test_f06_the_registry_may_change_between_look_and_apply(registry: TestRegistry) -> None:
    text = HEADER + line(1, region_code="200101001002")
    regions = taken_in(registry, TREE, REGIONS)
    what = order(registry, text)
    run = runs.look(what, NOW)
    undo.undo(regions, registry.vault, "li", "wrong", NOW)
    before = state()
    with pytest.raises(ImportRefused):
        runs.apply(run, what, NOW)
    assert state() == before


def test_f06_the_sample_is_the_first_lines(registry: TestRegistry) -> None:
    text = HEADER + line(1) + f"陈新名,{KNOWN},tekun,no,{VILLAGE},乙-9\n" + line(1)
    told = runs.sample(order(registry, text), 2)
    assert [verdict.what.value for verdict in told] == ["added", "changed"]
    assert set(told[1].before) == {"name", "category", "covered", "region_code", "household"}
    assert number(1) not in repr(told)
    assert "丁一" not in repr(told)
    assert mask_id_number(number(1)) not in repr(told)


def test_f06_headings_have_chinese_and_labels() -> None:
    for columns in headings.COLUMNS.values():
        for column in columns:
            assert column.field in headings.LABELS
            assert headings.bare(column.chinese[0]) != headings.bare(column.field)


# --- the command line


def command(registry: TestRegistry, *arguments: str) -> int:
    return cli.main(["--config", str(registry.config), *arguments])


def write(registry: TestRegistry, text: str) -> str:
    path: Path = registry.folder / "list.csv"
    path.write_text(text)
    return str(path)


def test_f06_the_command_line_looks_imports_and_undoes(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(registry, HEADER + line(1))
    people = Person.objects.count()
    assert command(registry, "people", "import", path, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["added"] == 1
    assert (Person.objects.count(), ImportRun.objects.count()) == (people, 0)
    assert command(registry, "people", "import", path) == 0
    assert "1 people imported" in capsys.readouterr().out
    assert command(registry, "imports", "list", "--json") == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["state"], told["added"], told["by"]) == ("applied", 1, "command line")
    undo_it = ("imports", "undo", str(told["import"]), "--why", "wrong month")
    assert command(registry, *undo_it, "--json") == 0
    assert Person.objects.count() == people
    assert command(registry, *undo_it) == 1
    assert command(registry, "imports", "undo", "999", "--why", "x") == 3
    assert AuditEntry.objects.get(action="import.undo").reason.endswith("wrong month")


def test_f06_the_command_line_says_what_is_wrong(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(registry, HEADER + line(1, name="", region_code=ELSEWHERE))
    arguments = ("people", "import", path, "--region", DISTRICT)
    assert command(registry, *arguments, "--json") == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["errors"][0] == [2, "name", "empty"]
    assert "line 2, column region_code: lies outside of your region" in output.err
    assert command(registry, "regions", "import", path, "--region", "7") == 2
    path = write(registry, SIGNALS + signal(timezone.localdate()))
    assert command(registry, "signals", "import", path, "--kind", "life") == 0
    assert Proof.objects.get().method == "data"
