"""The pages of imports: who may, what is looked at first, decided, undone, taken away."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.registry import due, id_number, standing
from cloud_bridge.registry.held import held_of
from cloud_bridge.registry.imports import blanks, headings, runs, sources
from cloud_bridge.registry.imports.judging import Scope
from cloud_bridge.registry.imports.runs import Order
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    ImportRun,
    Person,
    Proof,
    Region,
)
from edge.domain.people import mask_id_number
from tests.fixtures_cloud import NOW, TODAY, TestRegistry

DISTRICT, NEIGHBOUR, COMMUNITY = "100101000000", "100102000000", "100101001001"
HEADER = "姓名,身份证号,对象类型,是否保障,区划代码,户号\n"
XSS = "<script>alert(1)</script>"


def number(serial: int) -> str:
    return id_number.make("100000", date(1950, 3, 1), serial)


def line(serial: int, name: str = "丁一", place: str = COMMUNITY) -> str:
    return f"{name},{number(serial)},低保,是,{place},\n"


def account(registry: TestRegistry, role: str = "county", region: str = DISTRICT) -> Client:
    name = f"{role}-{region}"
    registry.account(name, role, region)
    client = Client(headers={"accept-language": "zh-CN"})
    client.get("/sign-in/")  # the door's own code is loaded by the first request
    client.force_login(Account.objects.get(username=name))
    return client


def upload(client: Client, content: str | bytes, kind: str = "people", **fields: str) -> Any:
    data = content if isinstance(content, bytes) else content.encode()
    file = SimpleUploadedFile("名单.csv", data)
    return client.post("/imports/new/", {"kind": kind, "file": file, **fields})


def text_of(response: Any) -> str:
    return str(response.content.decode())


def test_f06_a_roster_is_looked_at_applied_and_undone(registry: TestRegistry) -> None:
    client, people = account(registry), Person.objects.count()
    answer = upload(client, HEADER + line(1) + line(2, name="丁小二"), full="on")
    run = ImportRun.objects.get()
    assert answer.url == f"/imports/{run.pk}/"
    page = text_of(client.get(answer.url))
    assert "丁*二" in page
    assert mask_id_number(number(1)) in page
    assert number(1) not in page
    assert "丁小二" not in page
    assert "是否导入整份文件？新增 2，更改 0。" in page
    assert Person.objects.count() == people, "nothing before the decision"
    assert client.get(f"/imports/{run.pk}/apply/").status_code == 405
    page = text_of(client.post(f"/imports/{run.pk}/apply/", follow=True))
    assert "文件已全部导入。" in page
    assert "丁小二" in page
    assert Person.objects.count() == people + 2
    answer = client.post(f"/imports/{run.pk}/undo/", {"reason": ""})
    assert (answer.status_code, Person.objects.count()) == (200, people + 2)
    page = text_of(client.post(f"/imports/{run.pk}/undo/", {"reason": "月份弄错"}, follow=True))
    assert "此次导入已全部撤销。" in page
    assert Person.objects.count() == people
    actions = AuditEntry.objects.filter(object_kind="import", object_id=str(run.pk))
    told = set(actions.values_list("action", flat=True))
    assert told == {"import.look", "import.view", "import.apply", "import.undo"}
    mine = AuditEntry.objects.filter(action__in=["person.add", "person.remove"])
    assert mine.filter(reason__startswith=f"import {run.pk}").count() == 4


def test_f06_faults_are_shown_and_saved_as_a_list(registry: TestRegistry) -> None:
    client = account(registry)
    upload(client, HEADER + line(1, name="=1", place="100102001201") + line(1))
    run = ImportRun.objects.get()
    page = text_of(client.get(f"/imports/{run.pk}/"))
    assert "无法导入：共 3 处错误" in page
    assert "确认" not in page
    assert number(1) not in page
    answer = client.get(f"/imports/{run.pk}/errors.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["行", "列", "问题及处理办法"]
    assert [row[:2] for row in rows[1:]] == [["2", "姓名"], ["2", "区划代码"], ["3", "身份证号"]]
    client.post(f"/imports/{run.pk}/apply/")
    assert not Person.objects.filter(name="丁一").exists()


def test_f06_somebody_was_certified_meanwhile_so_nothing_is_undone(registry: TestRegistry) -> None:
    client = account(registry)
    upload(client, HEADER + line(1) + line(2, name="丁二"))
    run = ImportRun.objects.get()
    client.post(f"/imports/{run.pk}/apply/")
    person = Person.objects.get(name="丁二")
    standing.prove([Proof(person=person, method="visit", on=TODAY, at=NOW)])
    page = text_of(client.post(f"/imports/{run.pk}/undo/", {"reason": "月份弄错"}))
    assert "未撤销" in page
    assert re.search(r"丁二</a>: 此后已经认证", page)
    assert Person.objects.filter(name="丁一").exists()


def test_f06_who_is_missing_from_a_whole_roster_is_told_not_removed(
    registry: TestRegistry,
) -> None:
    client, people = account(registry), Person.objects.count()
    upload(client, HEADER + line(1), full="on")
    run = ImportRun.objects.get()
    here = Person.objects.filter(region__code__startswith="100101").count()
    assert run.missing == here
    answer = client.get(f"/imports/{run.pk}/missing.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == here + 2
    assert rows[0][:3] == ["文件", run.file_name, "所属区划"], "feature 24: what was asked"
    assert rows[0][4:6] == ["导出人", run.by]
    assert AuditEntry.objects.filter(action="import.missing", object_id=str(run.pk)).exists()
    assert "马翠花" not in str(rows), "who lives elsewhere is nobody's business here"
    client.post(f"/imports/{run.pk}/apply/")
    assert Person.objects.count() == people + 1
    assert client.get(f"/imports/{run.pk}/missing.csv").status_code == 404


def test_f06_signals_say_what_came_of_them(registry: TestRegistry) -> None:
    client = account(registry)
    birth, serial = demo.PEOPLE[3][1:3]
    theirs = id_number.make("100000", birth, serial)
    day = timezone.localdate().isoformat()
    text = f"身份证号,日期,来源\n{theirs},{day},市医院\n{number(5)},{day},市医院\n"
    for kind, words in (("life", "据此认证"), ("death", "生成待办")):
        run = upload(client, text, kind).url
        page = text_of(client.post(f"{run}apply/", follow=True))
        assert re.search(words + r'</dt><dd class="number">1<', page)
        assert re.search(r'登记库中无此人</dt><dd class="number">1<', page)


def test_f06_nobody_sees_imports_of_another_county(registry: TestRegistry) -> None:
    client, other = account(registry), account(registry, region=NEIGHBOUR)
    upload(client, HEADER + line(1))
    number_of = ImportRun.objects.get().pk
    assert "名单.csv" not in text_of(other.get("/imports/"))
    for page in ("", "undo/", "errors.csv", "missing.csv"):
        assert other.get(f"/imports/{number_of}/{page}").status_code == 404
    for page in ("apply/", "drop/", "undo/"):
        assert other.post(f"/imports/{number_of}/{page}").status_code == 404
    assert not Person.objects.filter(name="丁一").exists()
    auditor = account(registry, "auditor")
    page = text_of(auditor.get(f"/imports/{number_of}/"))
    assert "名单.csv" in page
    assert "丁" not in page
    assert mask_id_number(number(1)) not in page
    assert "导入文件" not in text_of(auditor.get("/imports/"))


@pytest.mark.parametrize("role", ["worker", "supervisor", "operator", "auditor"])
def test_f06_only_a_county_imports(registry: TestRegistry, role: str) -> None:
    client = account(registry, role)
    assert upload(client, HEADER + line(1)).status_code == 403
    for page in ("apply", "drop", "undo"):
        assert client.post(f"/imports/1/{page}/").status_code == 403
    assert not ImportRun.objects.exists()


def test_f06_a_file_that_is_too_large_is_not_read(registry: TestRegistry) -> None:
    client = account(registry)
    answer = upload(client, b"x" * (sources.CONSOLE.size_bytes + 100_000))
    assert answer.url == "/imports/new/"
    assert not ImportRun.objects.exists()
    assert "文件过大" in text_of(client.get(answer.url))


def test_f06_uploads_want_the_forms_own_token(registry: TestRegistry) -> None:
    account(registry)
    client = Client(enforce_csrf_checks=True)
    client.force_login(Account.objects.get())
    assert upload(client, HEADER + line(1)).status_code == 403
    assert not ImportRun.objects.exists()


def test_f06_words_of_a_file_are_only_words(registry: TestRegistry) -> None:
    client = account(registry)
    text = HEADER + line(1, name=f'"{XSS}"')
    file = SimpleUploadedFile(f"{XSS}.csv".replace("/", ""), text.encode())
    answer = client.post("/imports/new/", {"kind": "people", "file": file})
    page = text_of(client.post(f"{answer.url}apply/", follow=True))
    assert "文件已全部导入。" in page
    assert "<script>" not in page.replace('<script src="/static', "")
    assert "<script>" not in text_of(client.get("/imports/")).replace('<script src="/static', "")


def test_f06_a_file_that_waits_can_be_dropped_or_has_gone(registry: TestRegistry) -> None:
    client = account(registry)
    run = upload(client, HEADER + line(1)).url
    client.post(f"{run}drop/")
    assert "没有任何更改" in text_of(client.get("/imports/"))
    run = upload(client, HEADER + line(1)).url
    ImportRun.objects.update(content_sealed=b"")
    assert "文件已清除" in text_of(client.get(run))
    assert "文件已清除" in text_of(client.post(f"{run}apply/", follow=True))
    assert not Person.objects.filter(name="丁一").exists()


def test_f06_what_changed_since_the_look_is_told(registry: TestRegistry) -> None:
    client = account(registry)
    run = upload(client, HEADER + line(1)).url
    scope = Scope(Region.objects.get(pk="0" * 12), registry.vault, TODAY)
    text = HEADER + line(1, place="100102001201")
    what = Order(sources.of_bytes("x", text.encode()), ImportRun.Kind.PEOPLE, scope, "chen")
    runs.apply(runs.look(what, NOW), what, NOW)
    page = text_of(client.post(f"{run}apply/", follow=True))
    assert "登记库此间已有变化" in page
    assert "此人登记在其他地区" in page
    assert Person.objects.get(name="丁一").region_id == "100102001201"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", ImportRun.Kind.values)
def test_f06_blank_forms_are_understood(registry: TestRegistry, kind: str, language: str) -> None:
    client = account(registry)
    for form in ("csv", "xlsx"):
        answer = client.get(f"/imports/blank/{kind}.{form}", headers={"accept-language": language})
        assert kind in answer["Content-Disposition"]
        scope = Scope(Region.objects.get(pk=DISTRICT), registry.vault, TODAY)
        what = Order(sources.of_bytes("blank", answer.content), ImportRun.Kind(kind), scope, "wang")
        assert runs.look(what, NOW).errors == [[1, "-", "empty_file"]]
    assert client.get("/imports/blank/people.exe").status_code == 404
    assert client.get("/imports/blank/x.csv").status_code == 404


def test_f06_every_column_of_a_blank_form_is_explained() -> None:
    for columns in headings.COLUMNS.values():
        assert {column.field for column in columns} <= set(blanks.HINTS)


def test_f06_whom_data_certify_is_on_no_list_and_everybody_sees_which_data(
    registry: TestRegistry,
) -> None:
    """Data first, kiosk second: the whole of the acceptance sentence."""
    client, worker, today = account(registry), account(registry, "worker"), timezone.localdate()
    person = Person.objects.get(name=demo.PEOPLE[3][0])
    theirs = registry.vault.open(person.number_sealed, person.pk)
    listed = Region.objects.get(pk=DISTRICT)
    assert person in due.due_list(listed, 90, today)
    run = upload(client, f"身份证号,日期,来源\n{theirs},{today},市医院\n", "life").url
    assert person in due.due_list(listed, 90, today), "not before the decision"
    client.post(f"{run}apply/")
    person.refresh_from_db()
    assert person not in due.due_list(listed, 90, today)
    assert person not in Person.objects.pending(today)
    for page in (
        f"/due/?region={person.region_id}&days=90",
        f"/due/call-list/?region={person.region_id}&days=90",
    ):
        assert person.name not in text_of(worker.get(page))
    shown = text_of(worker.get(f"/people/{person.pk}/"))
    assert "市医院" in shown
    held = held_of(person, today)
    assert held.certified_on == today
    assert [(p.method, p.place, p.counts) for p in held.proofs] == [("data", "市医院", True)]
    client.post(f"{run}undo/", {"reason": "文件有误"})
    person.refresh_from_db()
    assert person in due.due_list(listed, 90, today)
    assert held_of(person, today).proofs == ()


def test_f06_a_reported_death_decides_nothing_and_its_task_says_who_reported(
    registry: TestRegistry,
) -> None:
    client, today = account(registry), timezone.localdate()
    person = Person.objects.get(name=demo.PEOPLE[3][0])
    theirs = registry.vault.open(person.number_sealed, person.pk)
    run = upload(client, f"身份证号,日期,来源\n{theirs},{today},殡仪馆\n", "death").url
    client.post(f"{run}apply/")
    page = text_of(client.get("/tasks/"))
    assert "其他部门的数据与登记不符" in page
    assert "殡仪馆: 死亡" in page
    person.refresh_from_db()
    assert (person.dead_since, person.covered) == (None, True)
    assert person in due.due_list(Region.objects.get(pk=DISTRICT), 90, today)
