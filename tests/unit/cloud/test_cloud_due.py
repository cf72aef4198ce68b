"""Who is due: against the rules one by one, in lists, on paper and in plans of visits."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cloud_bridge import work_cli
from cloud_bridge.registry import due, overdue, plans, standing
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    CycleRule,
    DeathReport,
    Household,
    Person,
    Proof,
    Region,
    Task,
    VisitPlan,
)
from tests.fixtures_cloud import PASSWORD, TestRegistry

VILLAGE, STREET, COUNTY, ELSEWHERE = "100101001001", "100101001000", "100101000000", "100102000000"
PUBLIC = "不得张贴公示"
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = [
    date(2026, 9, 15),
    date(2026, 11, 23),
    date(2027, 1, 20),
    date(2027, 3, 1),
    date(2028, 2, 29),
]
LASTS = [
    None, date(2024, 5, 6), date(2025, 1, 1), date(2025, 9, 15), date(2025, 12, 31),
    date(2026, 1, 1), date(2026, 2, 28), date(2026, 11, 22), date(2027, 2, 28),
]  # fmt: skip


def new_person(name: str, category: str, last: date | None, born: date, **more: Any) -> Person:
    """Somebody with a proof of that day, known here for years."""
    values = {"region_id": VILLAGE, "number_sealed": b"", "sex": "1"} | more
    made: Person = Person.objects.create(
        name=name, category=category, birth=born, number_key=name, **values
    )
    Person.objects.filter(pk=made.pk).update(created_at=SINCE, last_pass_on=last)
    if last:
        at = datetime(last.year, last.month, last.day, 5, tzinfo=UTC)
        Proof.objects.create(person=made, method="visit", on=last, at=at)
    made.refresh_from_db()
    return made


@pytest.fixture
def village(registry: TestRegistry) -> Iterator[TestRegistry]:
    """Everybody with each kind of past, of each category."""
    Person.objects.all().delete()
    for n, last in enumerate(LASTS):
        for category in ("retired", "dibao"):
            new_person(f"{category}{n}", category, last, date(1950 - n, 3, 4))
    yield registry
    CycleRule.forget()


def nobody() -> None:
    Proof.objects.all().delete()
    Person.objects.all().delete()


def region(code: str = VILLAGE) -> Region:
    return Region.objects.get(pk=code)


def names(rows: Any) -> list[str]:
    return [row.name for row in rows]


def sign_in(registry: TestRegistry, role: str, code: str = STREET) -> Client:
    registry.account(f"{role}-{code}", role, code)
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": f"{role}-{code}", "password": PASSWORD})
    return client


def page(client: Client, path: str, **query: Any) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, response
    return str(response.content.decode())


def test_f07_the_list_is_what_the_rules_say_of_each(village: TestRegistry) -> None:
    for today, days in product(DAYS, (0, 30, 60, 90)):
        listed = set(names(due.due_list(region(), days, today)))
        until = today + timedelta(days=days)
        for person in Person.objects.all():
            soon = bool(days) and person.due_by(today) <= until
            missed = due.missed_date(person, today) is not None
            assert (person.name in listed) == (soon or missed), (person.name, today, days)


def test_missed_dates_are_the_same_for_one_and_for_all(village: TestRegistry) -> None:
    for today, grace in product(DAYS, (False, True)):
        asked = due.expected(region()).filter(due.missed_condition(today, with_grace=grace))
        one = {p.name for p in Person.objects.all()
               if due.missed_date(p, today, with_grace=grace)}  # fmt: skip
        assert set(names(asked)) == one, (today, grace)


def test_f07_the_oldest_first_then_by_day(village: TestRegistry) -> None:
    nobody()
    new_person("年轻早", "retired", date(2025, 11, 25), date(1960, 1, 1))
    new_person("老晚", "retired", date(2025, 12, 20), date(1940, 1, 1))
    new_person("老早", "retired", date(2025, 12, 1), date(1946, 11, 23))
    new_person("差一天", "retired", date(2025, 11, 24), date(1946, 11, 24))
    new_person("无生日", "retired", date(2025, 11, 26), date(1946, 1, 1), )  # fmt: skip
    Person.objects.filter(name="无生日").update(birth=None)
    found = names(due.due_list(region(), 30, date(2026, 11, 23)))
    assert found == ["老早", "老晚", "差一天", "年轻早", "无生日"]


def test_f07_two_months_early_and_not_before(village: TestRegistry) -> None:
    today = date(2026, 11, 23)
    person = new_person("甲", "retired", today - timedelta(days=365 - 75), date(1950, 1, 1))
    opens = due.may_come_from(person, today)
    assert opens == person.due_by(today) - timedelta(days=60) > today
    assert due.may_come_from(new_person("乙", "retired", None, date(1950, 1, 1)), today) == today
    CycleRule.objects.filter(pk="retired").update(early_days=80)
    CycleRule.forget()
    assert due.may_come_from(person, today) <= today


def test_f06_whoever_is_certified_by_data_is_not_on_the_list(village: TestRegistry) -> None:
    person, today = Person.objects.get(name="retired1"), date(2026, 11, 23)
    assert person.name in names(due.due_list(region(), 90, today))
    standing.prove([Proof(person=person, method="data", on=today, at=timezone.now())])
    assert person.name not in names(due.due_list(region(), 90, today))


def test_the_dead_and_the_not_covered_are_not_expected(village: TestRegistry) -> None:
    today = date(2026, 11, 23)
    home = Household.objects.create(number="h")
    for name, more in {
        "死者": {"dead_since": today}, "不保障": {"covered": False},
        "同住": {"covered": False, "household": home}, "户主": {"household": home},
    }.items():  # fmt: skip
        new_person(name, "retired", date(2024, 1, 1), date(1950, 1, 1), **more)
    found = set(names(due.due_list(region(), 0, today)))
    assert {"同住", "户主"} <= found
    assert not {"死者", "不保障"} & found
    [row] = due.counts_below(region(STREET), today)
    assert row["people"] == due.expected(region()).count() == Person.objects.count() - 2


def test_f07_the_numbers_above_are_those_of_the_lists_below(village: TestRegistry) -> None:
    new_person("别村", "retired", date(2025, 12, 20), date(1930, 1, 1), region_id="100101001002")
    for today in DAYS:
        rows = due.counts_below(region(STREET), today)
        assert [row["code"] for row in rows] == [VILLAGE, "100101001002"]
        for row in rows:
            place = region(row["code"])
            for days in (0, 30, 60, 90):
                assert row[f"in_{days}"] == due.due_list(place, days, today).count()
            old = due.due_list(place, 90, today).filter(due.old_condition(today))
            assert row["old"] == old.count()
            assert row["certified"] == due.expected(place).certified(today).count()


def test_f07_a_page_asks_as_often_for_many_as_for_few(village: TestRegistry) -> None:
    client = sign_in(village, "worker")
    for path in ("/due/", "/due/call-list/"):
        counted = []
        for turn in range(2):
            CycleRule.forget()  # else they are asked for when five seconds happen to be over
            with CaptureQueriesContext(connection) as asked:
                page(client, path, region=VILLAGE, days="90")
            counted.append(len(asked))
            for n in range(6):
                new_person(f"{path}{turn}{n}", "retired", date(2024, 1, 1), date(1950, 1, 1))
        assert counted[0] == counted[1] < 25


def test_f07_the_list_on_paper_is_masked_and_says_not_for_the_public(
    registry: TestRegistry,
) -> None:
    Person.objects.update(created_at=SINCE, last_pass_on=date(2024, 1, 1))
    client = sign_in(registry, "worker")
    shown = page(client, "/due/call-list/", region=VILLAGE, days="30")
    people = list(due.due_list(region(), 30, timezone.localdate()))
    assert people
    for person in people:
        number = registry.vault.open(person.number_sealed, person.pk)
        assert person.name in shown
        assert number not in shown
        assert f"{number[:6]}********{number[-4:]}" in shown
        assert str(person.birth) not in shown
    assert PUBLIC in shown
    assert shown.index(PUBLIC) < shown.index("</thead>"), "on every printed page"
    [entry] = AuditEntry.objects.filter(action="call-list.print")
    assert (entry.object_id, entry.who) == (VILLAGE, f"worker-{STREET}")
    assert f"{len(people)} people" in entry.reason
    client.get("/due/call-list/", {"region": VILLAGE})
    assert AuditEntry.objects.filter(action="call-list.print").count() == 2


def test_f07_whoever_prints_the_screen_has_the_line_too(village: TestRegistry) -> None:
    client = sign_in(village, "worker")
    for path in ("/due/", "/tasks/"):
        assert f'<p class="printed secret">仅供村级经办人员工作使用，{PUBLIC}' in page(client, path)


def test_f07_only_one_village_is_printed_at_a_time(village: TestRegistry) -> None:
    client = sign_in(village, "county", COUNTY)
    assert client.get("/due/call-list/", {"region": STREET}).status_code == 404
    assert client.get("/due/call-list/", {"region": COUNTY}).status_code == 404
    assert client.get("/due/call-list/").status_code == 404


def test_f24_nobody_sees_the_due_of_another_region(village: TestRegistry) -> None:
    client = sign_in(village, "county", ELSEWHERE)
    for code in (VILLAGE, STREET, "0" * 12, "x", "1" * 4000):
        for path in ("/due/", "/due/call-list/"):
            assert client.get(path, {"region": code}).status_code == 404


def test_above_a_street_there_are_numbers_and_no_names(village: TestRegistry) -> None:
    shown = page(sign_in(village, "county", COUNTY), "/due/", days="90")
    assert "东风街道" in shown
    assert "retired1" not in shown


def test_a_death_that_waits_is_told_before_anybody_rings(village: TestRegistry) -> None:
    person = Person.objects.get(name="retired1")
    DeathReport.objects.create(person=person, died_on=timezone.localdate(), source="family",
                               entered_by="li", entered_at=timezone.now())  # fmt: skip
    client = sign_in(village, "worker")
    for path in ("/due/", "/due/call-list/"):
        shown = page(client, path, region=VILLAGE, days="90")
        assert shown.count("已登记死亡，待审批") == 1
        assert "retired1" in shown


# --- visit plans


def planned(client: Client, people: list[Person], who: str, **more: Any) -> Any:
    goer = Account.objects.get(username=who).pk
    fields = {"region": STREET, "person": [p.pk for p in people], "name": "周三走访",
              "day": timezone.localdate().isoformat(), "account": goer}  # fmt: skip
    return client.post("/plans/new/", fields | more, follow=True)


def test_f07_a_plan_from_the_due_list_to_the_last_visit(village: TestRegistry) -> None:
    client = sign_in(village, "worker")
    me, people = f"worker-{STREET}", list(Person.objects.filter(name__in=("retired0", "dibao1")))
    choosing = client.post("/plans/new/", {"region": STREET, "person": [p.pk for p in people]})
    assert "建立计划" in choosing.content.decode()
    assert not VisitPlan.objects.exists()
    shown = planned(client, people, me).content.decode()
    plan = VisitPlan.objects.get()
    assert shown.count("已走访，去认证") == 2 * 2  # the words and the name for the ear
    assert f"/people/{people[0].pk}/certify/?next=/plans/{plan.pk}/" in shown
    assert PUBLIC in shown
    assert "已完成 0 / 2" in shown
    old = Proof(person=people[0], method="visit", on=plan.day, at=plan.made_at - timedelta(1))
    new = Proof(person=people[1], method="visit", on=plan.day, at=timezone.now())
    standing.prove([old, new])
    shown = page(client, f"/plans/{plan.pk}/")
    assert "已完成 1 / 2" in shown
    assert shown.count("已走访，去认证") == 2
    assert "1 / 2" in page(client, "/plans/", mine="yes")
    client.post(f"/plans/{plan.pk}/remove/")
    assert not VisitPlan.objects.exists()
    assert Proof.objects.filter(person=people[1], on=plan.day).exists()
    said = AuditEntry.objects.filter(object_kind="plan").values_list("action", flat=True)
    assert set(said) == {"plan.make", "plan.view", "plan.remove"}


def test_a_voided_visit_is_not_done(village: TestRegistry) -> None:
    registry, person = village, Person.objects.get(name="retired0")
    registry.account("li", "worker", STREET)
    new = plans.NewPlan("p", timezone.localdate(), Account.objects.get(), region(STREET))
    plan = plans.make(new, [person], registry.vault, "li", timezone.now())
    standing.prove([Proof(person=person, method="visit", on=plan.day, at=timezone.now())])
    assert set(plans.visited([plan])[plan.pk]) == {person.pk}
    standing.void(Proof.objects.filter(on=plan.day), "li", "wrong", timezone.now())
    assert not plans.visited([plan])[plan.pk]


def test_odd_plans_are_not_made(village: TestRegistry) -> None:
    client = sign_in(village, "worker")
    for odd in ({"day": "2020-01-01"}, {"day": "2099-01-01"}, {"day": ""}, {"name": ""},
                {"account": "0"}, {"account": "x"}):  # fmt: skip
        answer = planned(client, list(Person.objects.all()[:1]), f"worker-{STREET}", **odd)
        assert answer.status_code == 200
        assert not VisitPlan.objects.exists(), odd


def test_f24_people_and_workers_of_elsewhere_are_on_no_plan(village: TestRegistry) -> None:
    away = new_person("外地", "retired", None, date(1950, 1, 1), region_id="100102001201")
    village.account("stranger", "worker", ELSEWHERE)
    client = sign_in(village, "worker")
    planned(client, [away], f"worker-{STREET}")
    planned(client, [Person.objects.get(name="retired0")], "stranger")
    assert not VisitPlan.objects.exists()
    planned(client, [away, Person.objects.get(name="retired0")], f"worker-{STREET}")
    assert [p.name for p in VisitPlan.objects.get().people.all()] == ["retired0"]
    other = sign_in(village, "county", ELSEWHERE)
    plan = VisitPlan.objects.get()
    assert other.get(f"/plans/{plan.pk}/").status_code == 404
    assert other.post(f"/plans/{plan.pk}/remove/").status_code == 404
    assert "周三走访" not in page(other, "/plans/")


def test_a_worker_removes_only_their_own_plan(village: TestRegistry) -> None:
    village.account("li", "worker", STREET)
    planned(sign_in(village, "supervisor"), [Person.objects.get(name="retired0")], "li")
    plan = VisitPlan.objects.get()
    assert sign_in(village, "worker").post(f"/plans/{plan.pk}/remove/").status_code == 403
    assert sign_in(village, "supervisor").post(f"/plans/{plan.pk}/remove/").status_code == 302


# --- overdue


NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def late_tasks() -> list[tuple[str, date, str]]:
    rows = Task.objects.filter(kind="overdue").order_by("person__name", "due_on")
    return [(row.person.name, row.due_on, row.state) for row in rows]


def test_f07_one_task_for_each_person_and_date_however_often_it_runs(village: TestRegistry) -> None:
    before = {p.pk: (p.last_pass_on, p.dead_since, p.covered) for p in Person.objects.all()}
    first = overdue.run(village.vault, NOW)
    tasks = late_tasks()
    today = date(2026, 11, 23)
    late = {p.name for p in Person.objects.all() if due.missed_date(p, today, with_grace=True)}
    assert {name for name, _, _ in tasks} == late
    assert first.opened == len(tasks) == len(late) > 3
    for _ in range(2):
        assert overdue.run(village.vault, NOW) == overdue.Turn()
    assert late_tasks() == tasks
    after = {p.pk: (p.last_pass_on, p.dead_since, p.covered) for p in Person.objects.all()}
    assert after == before, "a task is all that comes of it"
    [entry] = AuditEntry.objects.filter(action="tasks.overdue")
    assert entry.reason == f"opened {len(tasks)}, closed 0"


def test_grace_is_given(village: TestRegistry) -> None:
    nobody()
    new_person("甲", "retired", date(2025, 10, 24), date(1950, 1, 1))
    assert overdue.run(village.vault, NOW).opened == 0, "30 days after 24 October are not over"
    assert overdue.run(village.vault, NOW + timedelta(days=1)).opened == 1
    assert late_tasks() == [("甲", date(2026, 10, 24), "open")]


def test_it_closes_itself_when_the_person_is_proven_alive(village: TestRegistry) -> None:
    overdue.run(village.vault, timezone.now())
    person = Person.objects.get(name="retired1")
    task = Task.objects.get(person=person)
    today = timezone.localdate()
    standing.prove([Proof(person=person, method="visit", on=today, at=timezone.now())])
    task.refresh_from_db()
    assert (task.state, task.done_by) == ("done", "system")
    others = Task.objects.filter(kind="overdue", state="open")
    assert others.exists()
    assert not others.filter(person=person).exists()
    standing.void(Proof.objects.filter(person=person, on=today), "li", "wrong", timezone.now())
    overdue.run(village.vault, timezone.now())
    task.refresh_from_db()
    assert task.state == "open", "the proof was voided: the same task is open again"
    assert Task.objects.filter(person=person).count() == 1


def test_what_staff_closed_stays_closed_for_that_date(village: TestRegistry) -> None:
    overdue.run(village.vault, NOW)
    Task.objects.update(state="done", done_by="li", note="住院，出院后来办")
    assert overdue.run(village.vault, NOW).opened == 0
    next_year = overdue.run(village.vault, datetime(2027, 2, 15, tzinfo=UTC))
    assert next_year.opened > 0
    dates = {row.due_on for row in Task.objects.filter(state="open", person__category="dibao")}
    assert dates == {date(2026, 12, 31)}


def test_the_dead_are_asked_for_no_more(village: TestRegistry) -> None:
    overdue.run(village.vault, NOW)
    Person.objects.filter(name="retired1").update(dead_since=date(2026, 1, 1))
    assert overdue.run(village.vault, NOW) == overdue.Turn(opened=0, closed=1)
    assert overdue.run(village.vault, NOW) == overdue.Turn()


def test_whoever_is_new_has_missed_nothing(registry: TestRegistry) -> None:
    assert overdue.run(registry.vault, timezone.now()) == overdue.Turn()
    later = timezone.now().replace(month=3, day=1) + timedelta(days=366)
    done = overdue.run(registry.vault, later)
    assert done.opened == due.expected(region("0" * 12)).count() > 0


def test_many_people_are_gone_through_in_batches(
    village: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "BATCH", 2)
    told: list[overdue.Turn] = []
    done = overdue.run(village.vault, NOW, told.append)
    assert done.opened == len(late_tasks())
    assert len(told) > 2
    Person.objects.update(dead_since=date(2026, 1, 1))
    assert overdue.run(village.vault, NOW).closed == done.opened


def test_an_overdue_task_is_shown_without_a_kiosk(village: TestRegistry) -> None:
    overdue.run(village.vault, NOW)
    client = sign_in(village, "worker")
    shown = page(client, "/tasks/", kind="overdue")
    task = Task.objects.filter(kind="overdue").first()
    assert task
    assert re.search("应于此日前认证：.{0,40}" + str(task.due_on), shown)
    assert str(task.due_on) in page(client, f"/tasks/{task.pk}/")


def test_the_commands_of_the_timers(
    village: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    work_cli.add_parser(parser.add_subparsers())
    for words in (["overdue"], ["figures"], ["figures", "--anew"]):
        options = parser.parse_args(words)
        assert options.run(options) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"overdue: {len(late_tasks())} tasks opened, 0 closed"
    assert said[1] == said[2], "the first time is all of it"
    assert said[2].endswith("days counted")
