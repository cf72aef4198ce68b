"""Dashboards: figures that add up, nothing about few people, charts that can be read and heard."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.console import charts
from cloud_bridge.console.charts import Bar
from cloud_bridge.registry import ages, dashboards, due, fairness, figures, standing
from cloud_bridge.registry.fairness import FEW, Months, to_hide
from cloud_bridge.registry.models import (
    AuditEntry,
    Certification,
    DayOfChecks,
    DayOfProofs,
    Device,
    Person,
    Proof,
    Region,
    Site,
    Task,
)
from tests.fixtures_cloud import PASSWORD, TestRegistry

VILLAGE, OTHER, STREET = "100101001001", "100101002201", "100101001000"
COUNTY, ELSEWHERE = "100101000000", "100102000000"
AT = datetime(2026, 11, 10, 3, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
NOVEMBER = Months(date(2026, 11, 1), date(2026, 11, 30))
BORN = {"-59": 1970, "60-69": 1960, "70-79": 1950, "80+": 1940}


def region(code: str = COUNTY) -> Region:
    return Region.objects.select_related("parent").get(pk=code)


def people(registry: TestRegistry, band: str, number: int, place: str = VILLAGE) -> list[Person]:
    rows = [
        Person(
            name=f"{band}-{n}", number_key=str(uuid.uuid4()), number_sealed=b"", sex="1",
            birth=date(BORN[band], 1, 1), category="retired", region_id=place,
        )
        for n in range(number)
    ]  # fmt: skip
    return list(Person.objects.bulk_create(rows))


class Kiosks:
    """Files records past the ingest: only what the figures read is there."""

    def __init__(self, registry: TestRegistry) -> None:
        registry.kiosk("k-001")
        self._seq = 0

    def another(self, name: str) -> Device:
        site = Site.objects.create(name=name, region=region())
        made: Device = Device.objects.create(kiosk_id=name, site=site, card_secret_sealed=b"")
        return made

    def check(self, person: Person | None, *, passed: bool = True, **more: Any) -> None:
        self._seq += 1
        stamp = {"utc": AT.isoformat(), "boot_ns": 10**9, "boot_id": "b", "trust": "ntp"}
        values = {
            "record_id": str(uuid.uuid4()), "device_id": "k-001", "person": person,
            "outcome": "passed" if passed else "needs_review", "method": "kiosk", "attempts": 1,
            "started": stamp, "finished": stamp | {"boot_ns": 61 * 10**9},
            "liveness": {"seconds": 9.0}, "finished_at": AT, "certified_on": AT.date(),
            "filed_at": AT, "software": "jianzai 1", "epoch": "e", "seq": self._seq,
            "clock_unsure": False, "subject_sealed": b"", "envelope": b"", "sha256": str(self._seq),
        }  # fmt: skip
        Certification.objects.create(**(values | more))

    def checks(self, who: list[Person], failed: int, **more: Any) -> None:
        for n, person in enumerate(who):
            self.check(person, passed=n >= failed, **more)


@pytest.fixture
def kiosks(registry: TestRegistry) -> Kiosks:
    Person.objects.all().delete()
    return Kiosks(registry)


def of(groups: list[fairness.Group], key: str) -> fairness.Group:
    return next(group for group in groups if group.key == key)


def sign_in(registry: TestRegistry, role: str, code: str = COUNTY) -> Client:
    registry.account(f"{role}-{code}", role, code)
    client = Client(headers={"accept-language": "zh-CN"})
    client.post("/sign-in/", {"username": f"{role}-{code}", "password": PASSWORD})
    return client


# --- who succeeds


def test_f23_success_tries_and_time_by_age_site_and_software(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    kiosks.checks(people(registry, "60-69", 40), failed=4)
    kiosks.checks(people(registry, "80+", 30), failed=3, attempts=2, software="jianzai 2")
    figures.refresh(NOW)
    bands = fairness.groups(region(), NOVEMBER, "band")
    assert [group.key for group in bands] == ["60-69", "80+"]
    young, old = bands
    assert (young.checks, young.success, young.tries) == (40, 90.0, 1.0)
    assert (old.checks, old.success, old.tries) == (30, 90.0, 2.0)
    assert (old.session_s, old.camera_s) == (60.0, 9.0)
    software = fairness.groups(region(), NOVEMBER, "software")
    assert {group.key: group.checks for group in software} == {"jianzai 1": 40, "jianzai 2": 30}
    [site] = fairness.groups(region(), NOVEMBER, "site")
    assert (site.key, site.checks) == ("东风街道便民服务中心", 70)


def test_f23_only_camera_checks_of_people_by_themselves_count(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    who = people(registry, "60-69", 25)
    kiosks.checks(who, failed=0)
    for more in ({"witness": "204816"}, {"outcome": "declined"}, {"outcome": "called"}):
        kiosks.check(who[0], **more)
    figures.refresh(NOW)
    assert of(fairness.groups(region(), NOVEMBER, "band"), "60-69").checks == 25


def test_f23_nineteen_are_hidden_and_twenty_are_not(registry: TestRegistry, kiosks: Kiosks) -> None:
    kiosks.checks(people(registry, "80+", 19), failed=1)
    figures.refresh(NOW)
    [group] = fairness.groups(region(), NOVEMBER, "band")
    assert group.hidden
    assert group.success is group.tries is group.session_s is None
    kiosks.checks(people(registry, "80+", 1), failed=0)
    figures.refresh(NOW, anew=True)
    assert of(fairness.groups(region(), NOVEMBER, "band"), "80+").checks == 20


def test_f23_it_is_people_that_are_counted_and_not_checks(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    who = people(registry, "80+", 10)
    for day in range(5):
        kiosks.checks(who, failed=5, filed_at=AT + timedelta(days=day))
    figures.refresh(NOW)
    [group] = fairness.groups(region(), NOVEMBER, "band")
    assert group.hidden, "fifty checks of ten people"


def test_f23_nobody_is_the_rest(registry: TestRegistry, kiosks: Kiosks) -> None:
    """Of three groups only one is small: with the sum, it would be what is left."""
    for band, number in (("60-69", 60), ("70-79", 40), ("80+", 5)):
        kiosks.checks(people(registry, band, number), failed=0)
    figures.refresh(NOW)
    bands = fairness.groups(region(), NOVEMBER, "band")
    assert {group.key for group in bands if group.hidden} == {"80+", "70-79"}


def test_f23_nobody_is_the_rest_between_a_street_and_its_county(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    kiosks.checks(people(registry, "80+", 50), failed=0)
    kiosks.checks(people(registry, "80+", 6, OTHER), failed=6)
    figures.refresh(NOW)
    assert not of(fairness.groups(region(), NOVEMBER, "band"), "80+").hidden
    for street in (STREET, "100101002000"):
        [group] = fairness.groups(region(street), NOVEMBER, "band")
        assert group.hidden, "county less one street is the other"


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 60), max_size=9))
def test_f23_what_is_hidden_is_never_few_and_never_one(numbers: dict[str, int]) -> None:
    hidden = to_hide(numbers)
    assert {key for key, number in numbers.items() if number < FEW} <= hidden
    rest = set(numbers) - hidden
    if hidden and rest:
        assert len(hidden) > 1
        assert sum(numbers[key] for key in hidden) >= FEW


def test_f23_days_are_taken_by_whole_months() -> None:
    assert Months.around(date(2026, 11, 23), date(2026, 12, 1)) == Months(
        date(2026, 11, 1), date(2026, 12, 31)
    )
    assert Months.around(date(2028, 2, 29), date(2028, 2, 29)).last == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("failed_old", "points"), [(5, None), (10, None), (11, 5.5), (50, 25.0)], ids=str
)
def test_f23_a_warning_when_the_oldest_fall_behind(
    registry: TestRegistry, kiosks: Kiosks, failed_old: int, points: float | None
) -> None:
    """More than five points behind 60–69; exactly five is not more."""
    kiosks.checks(people(registry, "60-69", 200), failed=0)
    kiosks.checks(people(registry, "80+", 200), failed=failed_old)
    figures.refresh(NOW)
    assert fairness.behind(fairness.groups(region(), NOVEMBER, "band")) == points


def test_f23_no_warning_from_few_people(registry: TestRegistry, kiosks: Kiosks) -> None:
    kiosks.checks(people(registry, "60-69", 100), failed=0)
    kiosks.checks(people(registry, "80+", 10), failed=10)
    figures.refresh(NOW)
    assert fairness.behind(fairness.groups(region(), NOVEMBER, "band")) is None


# --- what is added up


def test_counting_again_changes_nothing_and_finds_what_is_new(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    who = people(registry, "70-79", 30)
    kiosks.checks(who[:20], failed=0)
    standing.prove([Proof(person=p, method="visit", on=AT.date(), at=AT) for p in who])
    figures.refresh(NOW)
    before = list(DayOfChecks.objects.values()) + list(DayOfProofs.objects.values())
    assert figures.refresh(NOW + timedelta(hours=1)) == 0
    assert before == list(DayOfChecks.objects.values()) + list(DayOfProofs.objects.values())
    later = NOW + timedelta(hours=2)
    standing.void(Proof.objects.filter(person__in=who[:4]), "li", "wrong", later)
    kiosks.checks(who[20:], failed=0, filed_at=later)
    assert figures.refresh(later + timedelta(minutes=1)) == 2
    assert dashboards.methods(region(), AT.date(), AT.date()) == {"visit": 26}
    assert sum(row.checks for row in DayOfChecks.objects.all()) == 30
    counted = list(DayOfProofs.objects.values("day", "street", "method", "proofs"))
    figures.refresh(later, anew=True)
    assert counted == list(DayOfProofs.objects.values("day", "street", "method", "proofs"))


def test_a_page_counts_little_by_itself_and_leaves_much_to_the_timer(
    registry: TestRegistry, kiosks: Kiosks, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosks.checks(people(registry, "70-79", 5), failed=0)
    monkeypatch.setattr(figures, "LITTLE", 5)
    assert figures.catch_up(NOW) is None
    assert not DayOfChecks.objects.exists()
    monkeypatch.setattr(figures, "LITTLE", 6)
    assert figures.catch_up(NOW) == NOW
    assert figures.catch_up(NOW + timedelta(minutes=1)) == NOW
    assert figures.catch_up(NOW + timedelta(hours=1)) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("started", "finished", "seconds"),
    [
        ({"boot_id": "a", "boot_ns": 0}, {"boot_id": "a", "boot_ns": 5 * 10**9}, 5.0),
        ({"boot_id": "a", "boot_ns": 0}, {"boot_id": "b", "boot_ns": 5 * 10**9}, None),
        ({"boot_id": "a", "boot_ns": 9}, {"boot_id": "a", "boot_ns": 9}, None),
        ({"boot_id": "a", "boot_ns": 0}, {"boot_id": "a", "boot_ns": 10**14}, None),
        ({"boot_id": "a"}, {"boot_id": "a", "boot_ns": "x"}, None),
        ({}, {}, None),
    ],
)
def test_the_length_of_a_session_is_by_a_clock_that_nobody_sets(
    started: dict[str, Any], finished: dict[str, Any], seconds: float | None
) -> None:
    assert figures.session_seconds(started, finished) == seconds


def test_completion_is_by_part_and_by_day(registry: TestRegistry, kiosks: Kiosks) -> None:
    today = date(2026, 11, 23)
    here, there = people(registry, "70-79", 4), people(registry, "70-79", 2, OTHER)
    standing.prove([Proof(person=p, method="visit", on=AT.date(), at=AT) for p in here[:3]])
    standing.prove([Proof(person=there[0], method="data", on=date(2020, 1, 1), at=AT)])
    shares = dashboards.completion(region(), today)
    assert [(s.code, s.people, s.certified) for s in shares] == [
        (STREET, 4, 3),
        ("100101002000", 2, 0),
    ]
    assert shares[0].percent == 75.0
    days = dashboards.per_day(region(), date(2026, 11, 9), date(2026, 11, 11))
    assert [number for _, number in days] == [0, 3, 0]
    assert dashboards.methods(region(VILLAGE), AT.date(), AT.date()) == {"visit": 3}


def test_open_tasks_by_how_long_they_wait(registry: TestRegistry, kiosks: Kiosks) -> None:
    [person] = people(registry, "70-79", 1)
    for hours in (1, 25, 24 * 5, 24 * 8, 24 * 400):
        Task.objects.create(kind="review", person=person, region_id=VILLAGE,
                            created_at=NOW - timedelta(hours=hours))  # fmt: skip
    Task.objects.create(kind="review", state="done", region_id=VILLAGE, created_at=NOW)
    [row] = dashboards.open_tasks(region(), NOW)
    assert [row[f"age_{low}"] for low, _ in dashboards.AGES_DAYS] == [1, 1, 1, 1, 1]
    assert dashboards.open_tasks(region(ELSEWHERE), NOW) == []


# --- the page


def test_f23_the_page_shows_charts_with_words_and_tables_and_no_small_group(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    now = timezone.now()
    kiosks.checks(people(registry, "60-69", 100), failed=0, filed_at=now)
    kiosks.checks(people(registry, "80+", 100), failed=20, filed_at=now)
    kiosks.checks(people(registry, "-59", 7), failed=7, filed_at=now, software="jianzai 9")
    shown = sign_in(registry, "supervisor").get("/dashboard/").content.decode()
    assert "人数过少，不显示" in shown
    assert "低 20.0 个百分点" not in shown, "80+ was hidden with the few, so nothing is compared"
    kiosks.checks(people(registry, "-59", 30), failed=0, filed_at=now)
    figures.refresh(timezone.now(), anew=True)
    shown = sign_in(registry, "county").get("/dashboard/").content.decode()
    assert "低 20.0 个百分点" in shown
    drawings = re.findall(r"<svg class=\"chart\".*?</svg>", shown, re.DOTALL)
    assert len(drawings) == 6, "no proofs, so no chart of methods"
    for text in drawings:
        drawing = ElementTree.fromstring(text)
        assert drawing.get("role") == "img"
        title, desc = drawing[0], drawing[1]
        assert title.text
        assert desc.text
        assert drawing.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        assert "style" not in text
    ids = re.findall(r' id="([^"]+)"', shown)
    assert [name for name, times in Counter(ids).items() if times > 1] == []


def test_f23_of_a_village_nothing_is_said_about_who_succeeds(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    kiosks.checks(people(registry, "80+", 30), failed=0, filed_at=timezone.now())
    client = sign_in(registry, "supervisor")
    for address in ("/dashboard/", "/dashboard/figures.csv"):
        assert "80岁及以上" in client.get(address, {"region": STREET}).content.decode()
        assert "80岁及以上" not in client.get(address, {"region": VILLAGE}).content.decode()


def test_f24_figures_of_ones_own_region_only(registry: TestRegistry, kiosks: Kiosks) -> None:
    client = sign_in(registry, "county", ELSEWHERE)
    for address in ("/dashboard/", "/dashboard/figures.csv"):
        assert client.get(address, {"region": VILLAGE}).status_code == 404
        assert "东风" not in client.get(address).content.decode()


def test_f24_the_file_says_whose_it_is_and_is_logged(
    registry: TestRegistry, kiosks: Kiosks
) -> None:
    Site.objects.update(name="=cmd|' /C calc'!A0")
    kiosks.checks(people(registry, "80+", 30), failed=3, filed_at=timezone.now())
    client = sign_in(registry, "county")
    answer = client.get("/dashboard/figures.csv", {"since": "2026-01-01", "until": "2026-11-20"})
    assert answer["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][1] == COUNTY
    assert rows[1][1::2] == ["2026-01-01", "2026-11-20"]
    assert rows[2][1] == f"county-{COUNTY}"
    assert not [cell for row in rows for cell in row if cell.startswith("=")]
    [entry] = AuditEntry.objects.filter(action="dashboard.export")
    assert "2026-01-01" in entry.reason


def test_odd_days_are_no_error(registry: TestRegistry) -> None:
    client = sign_in(registry, "auditor")
    for since, until in (("x", ""), ("2030-01-01", ""), ("", "1999-01-01"), ("0001-01-01", ""),
                         ("2026-11-30", "2026-11-01"), ("", "0001-01-01")):  # fmt: skip
        for address in ("/dashboard/", "/dashboard/figures.csv"):
            query = {"since": since, "until": until}
            assert client.get(address, query).status_code == 200, query


# --- charts and ages


def test_a_chart_escapes_what_it_is_given() -> None:
    drawn = charts.bars("n", "<t>", [Bar("<script>", 3.0, "3 & 4"), Bar("无", None, "hidden")])
    assert "<script>" not in drawn
    drawing = ElementTree.fromstring(drawn)
    assert drawing[1].text == "<script>: 3 & 4; 无: hidden"


@pytest.mark.parametrize(
    ("value", "top"), [(0, 4), (3, 4), (4, 4), (5, 8), (9, 20), (21, 40), (170, 200), (201, 400)]
)
def test_the_grid_has_whole_numbers(value: int, top: int) -> None:
    drawn = charts.lines("n", "t", [("a", value), ("b", 0)], "words")
    steps = re.findall(r'text-anchor="end">([0-9.]+)<', drawn)
    assert [float(step) for step in steps[:5]] == [top * n / 4 for n in range(5)]


def test_long_labels_are_cut_and_told_in_full_in_the_text() -> None:
    name = "示例省示例市示例区东风街道便民服务中心"
    drawn = charts.bars("n", "t", [Bar(name, 1, "1"), Bar("jianzai 0.1.0 of K-00001", 1, "1")])
    assert "示例省示例市示例区东风…" in drawn
    assert drawn.count("jianzai 0.1.0 of K-00001") == 2
    assert name in drawn


@pytest.mark.parametrize(
    ("born", "band"),
    [(date(1966, 11, 24), "-59"), (date(1966, 11, 23), "60-69"), (date(1956, 11, 23), "70-79"),
     (date(1946, 11, 24), "70-79"), (date(1946, 11, 23), "80+"), (date(1900, 1, 1), "80+"),
     (None, "")],
)  # fmt: skip
def test_bands_of_ages(born: date | None, band: str) -> None:
    assert ages.band(ages.age(born, date(2026, 11, 23))) == band
    assert due.OLD_YEARS == 80
