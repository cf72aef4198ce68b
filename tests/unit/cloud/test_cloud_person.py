"""One person on one page: everything that was done, each part with its own pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from cloud_bridge import demo
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.console import case_forms, forms, imports_views, people_forms, work_forms
from cloud_bridge.console.person_views import PER_SECTION, SECTIONS
from cloud_bridge.registry import standing
from cloud_bridge.registry.models import (
    DeathReport,
    ImportRun,
    LifeSignal,
    Person,
    Proof,
    Region,
    Task,
)
from tests.fixtures_cloud import PASSWORD, TestRegistry

PROVINCE = "100000000000"
XSS = "<script>alert(1)</script>"
NOW, TODAY = timezone.now(), timezone.localdate()


@pytest.fixture
def clerk(registry: TestRegistry) -> Client:
    registry.account("li", "worker", PROVINCE)
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": "li", "password": PASSWORD})
    return client


def person() -> Person:
    return Person.objects.get(name=demo.DEMO_NAME)


def fill(registry: TestRegistry, count: int) -> None:
    """So many of everything."""
    kiosk, who = registry.kiosk(f"k-{count:03d}"), person()
    region = Region.objects.get(pk=PROVINCE)
    run = ImportRun.objects.create(
        kind="life", file_name=XSS, sha256="0" * 64, by="li", at=NOW, region=region
    )
    reasons: dict[str, Any] = {"outcome": "needs_review", "reasons": ["not_alike"]}
    arrivals = [
        Arrival(kiosk.kiosk_id, kiosk.record(receipt_no=f"R-{n}", **(reasons if n % 2 else {})))
        for n in range(count)
    ]
    registry.ingest.ingest(arrivals, NOW)
    told: dict[str, Any] = {"person": who, "at": NOW, "by": XSS, "place": XSS, "note": XSS}
    days = [TODAY - timedelta(days=n) for n in range(count)]
    standing.prove([Proof(method="visit", on=day, exemption=XSS * 3, **told) for day in days])
    for n, day in enumerate(days):
        LifeSignal.objects.create(
            person=who, kind="life", source=f"{XSS} {count} {n}", on=day, run=run
        )
        DeathReport.objects.create(
            person=who, died_on=day, source="family", note=XSS, state="undone", entered_by=XSS,
            entered_at=NOW, undone_by=XSS, undone_at=NOW, undo_reason=XSS,
        )  # fmt: skip


def questions(clerk: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert clerk.get(f"/people/{person().pk}/").status_code == 200
    return len(asked)


def test_the_page_asks_as_much_for_many_as_for_few(registry: TestRegistry, clerk: Client) -> None:
    fill(registry, 2)
    few = questions(clerk)
    fill(registry, 12)
    assert questions(clerk) <= few
    assert few < 60


def test_each_part_has_its_own_pages_and_keeps_those_of_the_others(
    registry: TestRegistry, clerk: Client
) -> None:
    fill(registry, 2 * PER_SECTION)
    address = f"/people/{person().pk}/"
    shown = clerk.get(f"{address}?proofs=2&records=2").content.decode()
    assert "?records=2&amp;proofs=3#proofs" in shown
    assert "?proofs=2&amp;records=1#records" in shown
    oldest = (TODAY - timedelta(days=2 * PER_SECTION - 1)).isoformat()
    last = clerk.get(f"{address}?proofs=99").content.decode()
    assert oldest in last.partition('id="records"')[0]
    assert oldest not in shown.partition('id="records"')[0]
    for odd in ("0", "-1", "x", "9" * 30):
        assert clerk.get(address, dict.fromkeys(SECTIONS, odd)).status_code == 200


def test_nothing_that_was_typed_or_imported_is_taken_for_markup(
    registry: TestRegistry, clerk: Client
) -> None:
    fill(registry, 3)
    Task.objects.update(note=XSS, done_by=XSS, state="done")
    shown = clerk.get(f"/people/{person().pk}/").content.decode()
    assert XSS not in shown
    assert "&lt;script&gt;" in shown


def test_the_page_shows_failed_tries_signals_and_who_looked(
    registry: TestRegistry, clerk: Client
) -> None:
    fill(registry, 2)
    shown = clerk.get(f"/people/{person().pk}/").content.decode()
    for words in (
        "认证记录",
        "终端办理记录",
        "没有比对成功",
        "其他部门的信息",
        "死亡登记",
        "查看记录",
    ):
        assert words in shown, words
    shown = clerk.get(f"/people/{person().pk}/").content.decode()
    assert shown.count("查看人员") >= 2


@pytest.mark.parametrize(
    "number", ["100000194508150018", "１０００００１９４５０８１５００１８", "10000019450815001x"]
)
def test_free_words_hold_no_id_number(number: str) -> None:
    """They are kept in clear, and shown to whoever sees the page or the log."""
    for form, field in (
        *((forms.CloseForm, "note"), (forms.RecheckForm, "note"), (forms.ReasonForm, "reason")),
        *((case_forms.CertifyForm, name) for name in ("place", "exemption", "note")),
        *((case_forms.DeathForm, "note"), (case_forms.WhyForm, "reason")),
        *((work_forms.NoteForm, "note"), (people_forms.ExportForm, "reason")),
        (imports_views.WhyForm, "reason"),
    ):
        for words, wrong in (
            (f"核对过{number}，是本人", True),
            ("2026-11-23 已电话13800138000核对", False),
        ):
            with translation.override("en"):
                errors = form({field: words}).errors.get(field, [])
                assert any("ID number" in error for error in errors) is wrong, (form, field)
