"""The queue of tasks: found, taken on by one, closed with a word, opened again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.console.task_views import AT_ONCE
from cloud_bridge.registry.models import AuditEntry, Person, Proof, Region, Task
from tests.fixtures_cloud import NOW, PASSWORD, TestRegistry

STREET, PROVINCE, ELSEWHERE = "100101001000", "100000000000", "100102000000"
VILLAGE = "100101001001"


@pytest.fixture
def queue(registry: TestRegistry) -> Iterator[TestRegistry]:
    """Three for the same person: low, ordinary and urgent; the oldest is the low one."""
    person = Person.objects.get(name="张建国")
    for days, kind, more in (
        (40, "clock", {"low": True}),
        (5, "review", {}),
        (0, "alive", {"urgent": True}),
    ):
        add(kind, person=person, days=days, **more)
    return registry


def add(kind: str, days: float = 0, region: str = VILLAGE, **more: Any) -> Task:
    at = timezone.now() - timedelta(days=days)
    return Task.objects.create(kind=kind, region_id=region, created_at=at, **more)


def sign_in(registry: TestRegistry, name: str, role: str = "worker", code: str = STREET) -> Client:
    registry.account(name, role, code)
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": name, "password": PASSWORD})
    return client


def text_of(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def shown(client: Client, **query: Any) -> list[int]:
    """Ids of the tasks on the first page, from top to bottom."""
    table = text_of(client.get("/tasks/", query)).partition("<tbody>")[2]
    return [int(pk) for pk in re.findall(r'href="/tasks/(\d+)/"', table)]


def take(client: Client, deed: str, *tasks: Task, **more: Any) -> str:
    fields = {"deed": deed, "task": [task.pk for task in tasks]} | more
    return text_of(client.post("/tasks/take/", fields, follow=True))


def kinds(*words: str) -> list[int]:
    return [Task.objects.get(kind=word).pk for word in words]


def test_f02_urgent_first_and_low_ones_last(queue: TestRegistry) -> None:
    assert shown(sign_in(queue, "li")) == kinds("alive", "review", "clock")


def test_f02_a_call_from_a_kiosk_is_in_the_queue_with_its_ticket(registry: TestRegistry) -> None:
    kiosk = registry.kiosk()
    call = kiosk.record(outcome="called", liveness=None, consent=None, ticket="A-017")
    registry.ingest.ingest([Arrival("k-001", call)], NOW)
    client = sign_in(registry, "li")
    assert "A-017" in text_of(client.get("/tasks/", {"kind": "call"}))
    assert shown(client, kind="call") == kinds("call")


def test_tasks_are_found_by_kind_age_person_region_and_whose_they_are(queue: TestRegistry) -> None:
    old = Task.objects.get(kind="review")
    other = add("review", region="100101001002", person=Person.objects.get(name="陈桂兰"))
    done = add("review", state="done", done_by="li", done_at=timezone.now())
    client = sign_in(queue, "li")
    assert shown(client, kind="clock") == kinds("clock")
    assert set(shown(client, older="3")) == {Task.objects.get(kind="clock").pk, old.pk}
    assert set(shown(client, older="7")) == set(kinds("clock"))
    assert shown(client, name="陈") == [other.pk]
    assert shown(client, name="%") == shown(client, name="_") == []
    assert shown(client, region="100101001002") == [other.pk]
    assert shown(client, state="done") == [done.pk]
    assert set(shown(client, state="any")) == set(Task.objects.values_list("pk", flat=True))
    take(client, "claim", other)
    assert shown(client, who="mine") == [other.pk]
    assert other.pk not in shown(client, who="nobody")
    for odd in ({"kind": "x"}, {"older": "x"}, {"older": "-1"}, {"who": "x"}, {"page": "99999"}):
        assert client.get("/tasks/", odd).status_code == 200


def test_two_clerks_do_not_do_the_same(queue: TestRegistry) -> None:
    li, wang = sign_in(queue, "li"), sign_in(queue, "wang")
    task = Task.objects.get(kind="review")
    take(li, "claim", task)
    assert "已由他人认领" in take(wang, "claim", task)
    assert "li 正在办理" in text_of(wang.get(f"/tasks/{task.pk}/"))
    close = f"/tasks/{task.pk}/close/"
    assert "li 正在办理" in text_of(wang.post(close, {"note": "电话核实"}, follow=True))
    assert "不是您认领的" in take(wang, "release", task)
    task.refresh_from_db()
    assert (task.state, task.claimed_by) == ("open", "li")
    assert "已办结" in text_of(li.post(close, {"note": "上门核实"}, follow=True))
    actions = AuditEntry.objects.filter(object_kind="task", object_id=str(task.pk))
    assert [
        a for a in actions.order_by("pk").values_list("action", flat=True) if a != "task.view"
    ] == [
        "task.claim",
        "task.close",
    ]


def test_whoever_is_away_keeps_nothing_from_being_done(queue: TestRegistry) -> None:
    task = Task.objects.get(kind="review")
    take(sign_in(queue, "li"), "claim", task)
    take(sign_in(queue, "head", "supervisor"), "release", task)
    task.refresh_from_db()
    assert task.claimed_by == ""
    take(sign_in(queue, "wang"), "claim", task)
    task.refresh_from_db()
    assert task.claimed_by == "wang"


def test_what_was_closed_by_mistake_is_opened_again(queue: TestRegistry) -> None:
    client, task = sign_in(queue, "li"), Task.objects.get(kind="review")
    assert client.post(f"/tasks/{task.pk}/reopen/", {"note": "点错了，未办"}).status_code == 302
    assert not AuditEntry.objects.filter(action="task.reopen").exists(), "it was open"
    client.post(f"/tasks/{task.pk}/close/", {"note": "上门核实"})
    assert client.post(f"/tasks/{task.pk}/reopen/", {"note": ""}).status_code == 200
    task.refresh_from_db()
    assert task.state == "done", "not without a reason"
    client.post(f"/tasks/{task.pk}/reopen/", {"note": "点错了，未办"})
    task.refresh_from_db()
    assert (task.state, task.done_by, task.note, task.claimed_by) == ("open", "", "", "li")
    reasons = AuditEntry.objects.filter(object_id=str(task.pk)).values_list("action", "reason")
    assert {("task.close", "上门核实"), ("task.reopen", "点错了，未办")} <= set(reasons)


def test_many_are_closed_at_once_only_where_that_is_harmless(queue: TestRegistry) -> None:
    client = sign_in(queue, "li")
    clock, review = Task.objects.get(kind="clock"), Task.objects.get(kind="review")
    more = add("clock", low=True)
    note = {"note": "看过记录，日期无误"}
    take(client, "close", clock, review, **note)
    take(client, "close", clock, note="")
    take(client, "close", review, **note)
    assert not Task.objects.filter(state="done").exists()
    assert "批量办结" not in text_of(client.get("/tasks/"))
    assert "批量办结" in text_of(client.get("/tasks/", {"kind": "clock"}))
    take(client, "close", clock, more, **note)
    assert set(Task.objects.filter(state="done")) == {clock, more}
    take(client, "nonsense", review)
    take(client, "claim")
    assert not Task.objects.exclude(claimed_by="").exists()


def test_f24_nobody_takes_a_task_of_another_region(queue: TestRegistry) -> None:
    client = sign_in(queue, "far", "county", ELSEWHERE)
    everything = list(Task.objects.all())
    for deed in ("claim", "release", "close"):
        take(client, deed, *everything, note="看过记录")
    for task in everything:
        for what in ("close", "reopen"):
            assert client.post(f"/tasks/{task.pk}/{what}/", {"note": "看过记录"}).status_code == 404
    assert not Task.objects.exclude(claimed_by="").exists()
    assert not Task.objects.filter(state="done").exists()
    assert client.get("/tasks/", {"region": VILLAGE}).status_code == 404


def test_taking_leads_back_to_where_one_was_and_nowhere_else(queue: TestRegistry) -> None:
    client, task = sign_in(queue, "li"), Task.objects.get(kind="review")
    fields = {"deed": "claim", "task": task.pk}
    for target, leads in {
        "/tasks/?kind=review&page=2": "/tasks/?kind=review&page=2",
        "https://evil.example/": "/tasks/", "//evil.example": "/tasks/", "javascript:x": "/tasks/",
    }.items():  # fmt: skip
        answer = client.post("/tasks/take/", fields | {"next": target})
        assert answer["Location"] == leads
    odd = [str(10**30), "x", "-1", "1.5", *map(str, range(AT_ONCE * 3))]
    assert client.post("/tasks/take/", {"deed": "claim", "task": odd}).status_code == 302


def test_f10_nothing_done_to_a_task_certifies_or_takes_anything(queue: TestRegistry) -> None:
    client = sign_in(queue, "li")
    before = list(
        Person.objects.order_by("pk").values("pk", "last_pass_on", "dead_since", "covered")
    )
    for task in Task.objects.all():
        take(client, "claim", task)
        client.post(f"/tasks/{task.pk}/close/", {"note": "上门核实"})
        client.post(f"/tasks/{task.pk}/reopen/", {"note": "点错了，未办"})
    after = list(
        Person.objects.order_by("pk").values("pk", "last_pass_on", "dead_since", "covered")
    )
    assert before == after
    assert not Proof.objects.exists()


def test_the_queue_asks_as_often_for_many_as_for_few(queue: TestRegistry) -> None:
    client, person = sign_in(queue, "li"), Person.objects.get(name="张建国")
    counted = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get("/tasks/")
        counted.append(len(asked))
        for _n in range(12):
            add("review", person=person)
    assert counted[0] == counted[1] < 25


def test_every_page_of_work_escapes_what_was_stored(queue: TestRegistry) -> None:
    xss = "<script>alert(1)</script>"
    Person.objects.update(name=xss)
    Region.objects.filter(pk=VILLAGE).update(name=xss)
    Task.objects.update(note=xss, claimed_by=xss[:60])
    client = sign_in(queue, "head", "supervisor")
    task = Task.objects.get(kind="review")
    for path in (
        *("/tasks/?state=any", f"/tasks/{task.pk}/", f"/due/?region={VILLAGE}&days=90"),
        *(f"/due/call-list/?region={VILLAGE}", "/plans/", f"/dashboard/?region={STREET}"),
    ):
        assert xss not in text_of(client.get(path)), path
