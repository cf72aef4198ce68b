"""死亡: two people, one step back, what kiosks and other systems are told, and what came late."""

from __future__ import annotations

import csv
import io
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.bridge import dispatch
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import deaths, keyring, standing, visits, workdays
from cloud_bridge.registry.deaths import Death, DeathRefused
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    DeathReport,
    Device,
    Person,
    Proof,
    Task,
)
from edge.domain.timebase import CHINA
from edge.wire import envelope, messages
from tests.fixtures_cloud import PASSWORD, POSTGRESQL, TestRegistry

PROVINCE, ELSEWHERE = "100000000000", "100102000000"
S34 = "是否确认对象已死亡,标记死亡后对象无需做生存认证?"
D = date.fromisoformat


def person() -> Person:
    return Person.objects.get(name=demo.DEMO_NAME)


def account(registry: TestRegistry, name: str, role: str, region: str = PROVINCE) -> Account:
    registry.account(name, role, region)
    return Account.objects.get(username=name)


def sign_in(name: str) -> Client:
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": name, "password": PASSWORD})
    return client


def text_of(response: Any) -> str:
    return str(response.content.decode())


def said(**changes: Any) -> dict[str, Any]:
    return {"died_on": yesterday().isoformat(), "source": "police"} | changes


def yesterday() -> date:
    return timezone.localdate() - timedelta(days=1)


def enter(registry: TestRegistry, by: Account, day: date | None = None) -> DeathReport:
    death = Death(day or yesterday(), "police")
    return deaths.enter(person(), death, registry.vault, by, timezone.now())


@pytest.fixture
def li(registry: TestRegistry) -> Account:
    return account(registry, "li", "worker")


@pytest.fixture
def chen(registry: TestRegistry) -> Account:
    return account(registry, "chen", "supervisor")


def test_s34_s35_the_dialog_has_the_exact_words(li: Account) -> None:
    who = person()
    shown = text_of(sign_in("li").get(f"/people/{who.pk}/death/?next=/people/"))
    assert S34 in shown
    assert '<button class="main">确定</button>' in shown
    assert '<a class="button" href="/people/">取消</a>' in shown


def test_s33_s36_f05_one_enters_another_approves_and_it_is_undone_in_one_step(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    registry.kiosk()
    who, clerk, boss = person(), sign_in("li"), sign_in("chen")
    Device.objects.update(roster_due=False)
    answer = clerk.post(f"/people/{who.pk}/death/", said(next="/people/?page=2"))
    assert answer["Location"] == "/people/?page=2"
    report = DeathReport.objects.get()
    assert person().dead_since is None, "nothing changes before a second person agrees"
    assert not Device.objects.get().roster_due
    assert "未认证" in text_of(clerk.get(f"/people/{who.pk}/"))
    assert clerk.post(f"/deaths/{report.pk}/decide/", {"approve": "yes"}).status_code == 403
    overdue = Task.objects.create(
        kind="overdue", person=who, region=who.region, created_at=timezone.now()
    )
    boss.post(f"/deaths/{report.pk}/decide/", {"approve": "yes"})
    report.refresh_from_db()
    assert (report.state, report.decided_by) == ("approved", "chen")
    assert person().dead_since == yesterday()
    assert Device.objects.get().roster_due
    overdue.refresh_from_db()
    assert overdue.state == "done"
    shown = text_of(clerk.get(f"/people/{who.pk}/"))
    assert '<span class="tag plain">死亡</span>' in shown
    assert "无需再做生存认证" in shown
    assert "/certify/" not in shown
    Device.objects.update(roster_due=False)
    assert clerk.post(f"/deaths/{report.pk}/undo/", {"reason": "本人健在"}).status_code == 302
    assert person().dead_since is not None, "not by a worker"
    boss.post(f"/deaths/{report.pk}/undo/", {"reason": "本人健在"})
    report.refresh_from_db()
    assert (report.state, report.undone_by, report.undo_reason) == ("undone", "chen", "本人健在")
    assert person().dead_since is None
    assert Device.objects.get().roster_due
    overdue.refresh_from_db()
    assert (overdue.state, overdue.done_by, overdue.note) == ("open", "", "")
    steps = AuditEntry.objects.filter(object_id=who.pk, action__startswith="death.")
    steps = steps.exclude(action="death.view").order_by("number")
    assert list(steps.values_list("who", "action")) == [
        ("li", "death.enter"),
        ("chen", "death.approve"),
        ("chen", "death.undo"),
    ]
    assert who.deaths.count() == 1, "the report stays on record"
    enter(registry, li)


def test_f05_no_account_can_do_both(registry: TestRegistry, chen: Account) -> None:
    report = enter(registry, chen)
    shown = text_of(sign_in("chen").get(f"/deaths/{report.pk}/"))
    assert "须由他人审批" in shown
    assert 'name="approve"' not in shown
    sign_in("chen").post(f"/deaths/{report.pk}/decide/", {"approve": "yes"})
    for act in (deaths.approve, lambda *rest: deaths.refuse(rest[0], "不实", *rest[1:])):
        with pytest.raises(DeathRefused, match="own"):
            act(report, registry.vault, chen, timezone.now())
    assert person().dead_since is None


def test_f05_only_those_above_in_the_region_approve(registry: TestRegistry, li: Account) -> None:
    for name, role, region, word in (
        ("a", "worker", PROVINCE, "not_yours"),
        ("b", "auditor", PROVINCE, "not_yours"),
        ("c", "operator", PROVINCE, "not_yours"),
        ("d", "supervisor", ELSEWHERE, "other_region"),
        ("e", "supervisor", "100101001000", ""),
        ("f", "county", PROVINCE, ""),
    ):
        report, by = enter(registry, li), account(registry, name, role, region)
        if word:
            with pytest.raises(DeathRefused, match=word):
                deaths.approve(report, registry.vault, by, timezone.now())
        else:
            deaths.approve(report, registry.vault, by, timezone.now())
        assert person().dead_since == (None if word else yesterday()), name
        DeathReport.objects.all().delete()
        Person.objects.update(dead_since=None)


def test_f05_day_and_source_are_needed(li: Account) -> None:
    clerk = sign_in(li.username)
    for change, words in (
        ({"died_on": "2999-01-01"}, "日期不能晚于今天"),
        ({"died_on": "1900-01-01"}, "日期早于出生日期"),
        ({"died_on": ""}, "这个字段是必填项"),
        ({"source": ""}, "这个字段是必填项"),
        ({"source": "rumour"}, "选择一个有效的选项"),
    ):
        answer = clerk.post(f"/people/{person().pk}/death/", said(**change))
        assert words in text_of(answer), change
        assert not DeathReport.objects.exists()


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite has one writer at a time")
def test_f05_an_entry_that_is_just_being_saved_is_waited_for(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    """Nobody is certified and dead because two people pressed a button at the same moment."""
    report = enter(registry, li, yesterday())
    seen = visits.Entry(
        "visit", timezone.localdate(), "东风村三组", exemption="没有带相机，改日补上"
    )
    saved, refused = threading.Event(), []

    def approve() -> None:
        saved.wait(20)
        try:
            deaths.approve(report, registry.vault, chen, timezone.now())
        except DeathRefused as error:
            refused.append(error.word)
        finally:
            connection.close()

    other = threading.Thread(target=approve)
    other.start()
    with transaction.atomic():
        visits.certify(person(), seen, registry.vault, li, timezone.now())
        saved.set()
        until = time.monotonic() + 20
        while not _somebody_waits() and time.monotonic() < until:
            pass
    other.join(20)
    assert refused == ["alive_after"]
    assert person().dead_since is None


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_only_one_report_stands_at_a_time(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    first = enter(registry, li)
    with pytest.raises(DeathRefused, match="already"):
        enter(registry, chen)
    answer = sign_in("chen").get(f"/people/{person().pk}/death/")
    assert answer["Location"] == f"/deaths/{first.pk}/"
    deaths.refuse(first, "查无此事", registry.vault, chen, timezone.now())
    assert person().dead_since is None
    second = enter(registry, chen)
    deaths.undo(second, "写错了", registry.vault, chen, timezone.now())
    third = enter(registry, chen)
    for late in (first, second):
        with pytest.raises(DeathRefused, match="decided"):
            deaths.approve(late, registry.vault, li, timezone.now())
    assert DeathReport.objects.filter(state="waiting").get() == third


def test_a_worker_takes_back_what_still_waits_and_only_their_own(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    wang = account(registry, "wang", "worker")
    report = enter(registry, li)
    with pytest.raises(DeathRefused, match="not_yours"):
        deaths.undo(report, "不对", registry.vault, wang, timezone.now())
    deaths.undo(report, "录错了", registry.vault, li, timezone.now())
    report = enter(registry, li)
    deaths.approve(report, registry.vault, chen, timezone.now())
    with pytest.raises(DeathRefused, match="not_yours"):
        deaths.undo(report, "录错了", registry.vault, li, timezone.now())


def test_nobody_is_declared_dead_before_a_day_on_which_they_were_proved_alive(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    today = timezone.localdate()
    proof = Proof(person=person(), method="visit", on=today, at=timezone.now(), by="li")
    standing.prove([proof])
    report = enter(registry, li)
    assert "不能批准" in text_of(sign_in("chen").get(f"/deaths/{report.pk}/"))
    with pytest.raises(DeathRefused, match="alive_after"):
        deaths.approve(report, registry.vault, chen, timezone.now())
    visits.take_back(proof, "冒名顶替", registry.vault, chen, timezone.now())
    deaths.approve(report, registry.vault, chen, timezone.now())
    assert person().dead_since == yesterday()


def test_a_report_of_another_region_is_not_there(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    report = enter(registry, li)
    account(registry, "far", "county", ELSEWHERE)
    far = sign_in("far")
    assert far.get(f"/deaths/{report.pk}/").status_code == 404
    assert far.post(f"/deaths/{report.pk}/decide/", {"approve": "yes"}).status_code == 404
    assert far.post(f"/deaths/{report.pk}/undo/", {"reason": "hello"}).status_code == 404
    assert person().name not in text_of(far.get("/deaths/"))
    assert person().name in text_of(sign_in("chen").get("/deaths/"))


# --- kiosks, records and the way back


def roster(registry: TestRegistry, kiosk: Any) -> dict[str, Any]:
    device = Device.objects.get(pk=kiosk.kiosk_id)
    today = timezone.now().astimezone(CHINA).date()
    made = dispatch.roster(device, 1, today, registry.vault, keyring.sign_key())
    sign_pub = keyring.sign_key().public_key()
    opened = envelope.verify(made.payload, lambda _sender: sign_pub)
    body = envelope.unseal(opened.body, opened.header, kiosk.open_key)
    return {entry.person_id: entry for entry in messages.parse_roster(body).entries}


def test_f05_at_a_kiosk_it_is_a_task_and_after_the_undo_the_record_counts(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    kiosk, who = registry.kiosk(), person()
    report = enter(registry, li, yesterday() - timedelta(days=30))
    deaths.approve(report, registry.vault, chen, timezone.now())
    assert roster(registry, kiosk)[who.pk].to_staff
    now = timezone.now()
    stamp = kiosk.body()["finished"] | {"utc": now.isoformat()}
    registry.ingest.ingest([Arrival("k-001", kiosk.record(finished=stamp))], now)
    task = Task.objects.get(kind="alive")
    assert task.urgent
    assert not person().is_certified(timezone.localdate())
    clerk, boss = sign_in("li"), sign_in("chen")
    refused = clerk.post(f"/tasks/{task.pk}/accept/", {"reason": "见到本人"}, follow=True)
    assert "不能直接确认" in text_of(refused)
    boss.post(f"/deaths/{report.pk}/undo/", {"reason": "本人健在"})
    assert not roster(registry, kiosk)[who.pk].to_staff
    assert "确认有效" in text_of(clerk.get(f"/tasks/{task.pk}/"))
    clerk.post(f"/tasks/{task.pk}/accept/", {"reason": "见到本人，核对身份证"})
    proof = Proof.objects.get()
    assert (proof.method, proof.by, proof.note) == ("manual", "li", "见到本人，核对身份证")
    assert proof.on == timezone.localdate()
    assert person().is_certified(timezone.localdate())
    task.refresh_from_db()
    assert (task.state, task.done_by) == ("done", "li")


def test_only_a_passed_record_in_doubt_can_be_accepted(registry: TestRegistry, li: Account) -> None:
    kiosk, now = registry.kiosk(), timezone.now()
    for outcome, doubts, may in (
        ("passed", ["other_region"], True),
        ("passed", ["other_name", "witness"], True),
        ("passed", ["not_in_order"], False),
        ("passed", [], False),
        ("needs_review", ["other_region"], False),
        ("declined", ["other_name"], False),
    ):
        stamp = kiosk.body()["finished"] | {"utc": now.isoformat()}
        record = kiosk.record(finished=stamp, name="某某某")
        registry.ingest.ingest([Arrival("k-001", record)], now)
        task = Task.objects.order_by("pk").last()
        task.record.outcome, task.record.doubts = outcome, doubts
        task.record.save()
        proof = visits.accept(task, "核对过", registry.vault, li, now)
        assert (proof is not None) is may, (outcome, doubts)
        task.refresh_from_db()
        assert task.state == ("done" if may else "open")
        again = visits.accept(task, "核对过", registry.vault, li, now)
        assert again is None, "never twice"


# --- the alert above every page


def test_f05_the_alert_stands_above_every_page_of_those_responsible(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    kiosk = registry.kiosk()
    account(registry, "far", "worker", ELSEWHERE)
    account(registry, "eye", "auditor")
    words = "登记为死亡的对象在终端出现"
    clerk = sign_in("li")
    assert words not in text_of(clerk.get("/alerts/"))
    report = enter(registry, li, yesterday() - timedelta(days=30))
    deaths.approve(report, registry.vault, chen, timezone.now())
    now = timezone.now()
    registry.ingest.ingest([Arrival("k-001", kiosk.record())], now)
    for page in ("/alerts/", "/tasks/", "/people/", f"/people/{person().pk}/"):
        shown = text_of(clerk.get(page))
        assert words in shown, page
    assert person().name not in text_of(clerk.get("/alerts/"))
    assert words not in text_of(sign_in("far").get("/alerts/"))
    assert sign_in("eye").get("/alerts/").status_code == 403
    assert "data-alerts" not in text_of(sign_in("eye").get("/audit/"))
    task = Task.objects.get(kind="alive")
    clerk.post(f"/tasks/{task.pk}/close/", {"note": "上门核实"})
    assert words not in text_of(clerk.get("/alerts/"))


def test_asking_for_alerts_keeps_no_session_alive(li: Account) -> None:
    clerk = sign_in("li")
    row = Session.objects.get()
    Session.objects.update(expire_date=row.expire_date - timedelta(minutes=10))
    short = Session.objects.get().expire_date
    assert clerk.get("/alerts/").status_code == 200
    assert Session.objects.get().expire_date == short
    clerk.get("/people/")
    assert Session.objects.get().expire_date > short


# --- working days and what came late


def test_working_days_of_china() -> None:
    days = workdays.china()
    assert days.between(D("2026-11-20"), D("2026-11-23")) == 1, "over a weekend"
    assert days.between(D("2026-02-13"), D("2026-02-24")) == 2, (
        "Spring Festival: the 14th, the 24th"
    )
    assert days.between(D("2026-09-30"), D("2026-10-10")) == 3, "8th, 9th and a worked Saturday"
    assert days.between(D("2025-01-24"), D("2025-02-10")) == 7
    assert days.between(D("2026-05-05"), D("2026-05-05")) == 0
    assert days.between(D("2026-05-06"), D("2026-05-01")) == 0
    for year, count in ((2025, 248), (2026, 248)):
        assert days.between(date(year - 1, 12, 31), date(year, 12, 31)) == count
    assert days.unknown_years(D("2024-05-01"), D("2027-01-01")) == [2024, 2027]


def test_working_days_are_what_counting_them_one_by_one_gives() -> None:
    days, start = workdays.china(), D("2024-12-20")
    for first in range(0, 760, 7):
        after, count = start + timedelta(days=first), 0
        for on in range(1, 120):
            day = after + timedelta(days=on)
            count += days.is_workday(day)
            assert days.between(after, day) == count, (after, day)


def test_the_holidays_of_a_year_are_off_and_the_worked_days_at_weekends() -> None:
    days = workdays.china()
    assert all(day.weekday() < 5 for day in days.off)
    assert all(day.weekday() >= 5 for day in days.worked)
    assert len(days.worked) == 11
    assert {day.year for day in days.off} == {2025, 2026} == set(days.years)


def test_f05_a_death_is_late_after_twenty_working_days(registry: TestRegistry, li: Account) -> None:
    for died, entered, late in (
        ("2026-10-12", "2026-11-09", False),  # twenty working days
        ("2026-10-12", "2026-11-10", True),  # twenty-one
        ("2026-09-18", "2026-10-26", True),  # 21 with two worked weekend days and the holidays
        ("2026-09-21", "2026-10-26", False),
    ):
        at = datetime.fromisoformat(f"{entered}T02:00:00+00:00")
        report = deaths.enter(person(), Death(D(died), "family"), registry.vault, li, at)
        DeathReport.objects.update(state="approved", decided_at=at)
        year = (D("2026-01-01"), D("2026-12-31"))
        found = list(deaths.delays(li, *year, workdays.china(), D(entered)))
        assert [delay.report for delay in found] == ([report] if late else []), (died, entered)
        DeathReport.objects.all().delete()


def test_f05_and_one_that_waits_long_for_the_second_person(
    registry: TestRegistry, li: Account
) -> None:
    at = datetime(2026, 11, 9, 2, tzinfo=UTC)  # a Monday
    deaths.enter(person(), Death(D("2026-11-06"), "family"), registry.vault, li, at)
    year = (D("2026-01-01"), D("2026-12-31"), workdays.china())
    assert not list(deaths.delays(li, *year, D("2026-11-16")))
    found = list(deaths.delays(li, *year, D("2026-11-17")))
    assert [(delay.reported, delay.decided) for delay in found] == [(1, 6)]
    assert found[0].waits_long


def test_f05_late_reports_as_a_page_and_as_a_file(
    registry: TestRegistry, li: Account, chen: Account
) -> None:
    Person.objects.filter(name=demo.DEMO_NAME).update(name="=cmd|'/C calc'!A0")
    row = Person.objects.get(name__startswith="=")
    long_ago = timezone.localdate() - timedelta(days=80)
    death = Death(long_ago, "committee")
    deaths.enter(row, death, registry.vault, li, timezone.now())
    boss = sign_in("chen")
    shown = text_of(boss.get("/deaths/late/"))
    assert "死亡迟报" in shown
    assert long_ago.isoformat() in shown
    answer = boss.get("/deaths/late/?form=csv")
    assert answer["Content-Disposition"] == 'attachment; filename="late-death-reports.csv"'
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0][0] == "死亡迟报"
    assert "chen" in lines[0]
    assert lines[2][1] == "'=cmd|'/C calc'!A0"
    assert "********" in lines[2][2]
    said = AuditEntry.objects.get(action="deaths.export")
    assert (said.who, said.reason.endswith("rows 1")) == ("chen", True)
    assert sign_in("li").get("/deaths/late/").status_code == 403
    empty = boss.get("/deaths/late/?since=2020-01-01&until=2020-12-31")
    assert "这段时间没有迟报" in text_of(empty)
    assert "2020" in text_of(empty), "its holidays are not known"
