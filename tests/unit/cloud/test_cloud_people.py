"""生存认证: the list's filters, orders and pages; kept searches; the list as a file (S04–S28)."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from cloud_bridge import cli
from cloud_bridge.registry import export, id_number, people_list, seed, standing
from cloud_bridge.registry.models import (
    Account,
    AuditEntry,
    Category,
    Household,
    Person,
    Proof,
    Region,
    SavedFilter,
)
from cloud_bridge.registry.people_import import NewPerson, add_people
from cloud_bridge.registry.people_list import (
    CERTIFIED,
    DEAD,
    PENDING,
    SORTS,
    PeopleList,
    PeopleQuestion,
    Sort,
)
from tests.fixtures_cloud import TestRegistry, used_copy
from tests.unit.cloud.test_cloud_security import client_of, taken_back

PEOPLE = 1200
CITY, COUNTY, STREET = "100100000000", "100101000000", "100101001000"
VILLAGE = "100101001001"
WISH = seed.Wish(PEOPLE, 7, date(2026, 11, 23))


class County:
    """As `tests.console_world.World`, for `client_of`."""

    def __init__(self, registry: TestRegistry) -> None:
        self.registry = registry


@pytest.fixture(scope="module")
def county(_migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """An invented county for all tests here: each takes back what it does."""
    folder = tmp_path_factory.mktemp("county")
    for _name in used_copy(_migrated, folder, _migrated):
        registry = TestRegistry(folder)
        seed.fill(WISH, registry.vault, lambda _made, _people: None)
        for role in ("worker", "supervisor", "county"):
            registry.account(f"{role}-{CITY}", role, CITY)
        registry.account(f"worker-{STREET}", "worker", STREET)
        Client().get("/sign-in/")  # loads what notes when a session began
        yield County(registry)


def account(region: str = CITY) -> Account:
    return Account(username="x", role="county", region=Region.objects.get(pk=region))


def text_of(response: Any) -> str:
    return str(response.content.decode())


def names_in(response: Any) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]+>([^<]+)</a></th>', text_of(response))


# --- the question against every person one by one


def questions(rng: random.Random) -> Iterator[PeopleQuestion]:
    regions = [None, *Region.objects.filter(pk__in=(COUNTY, STREET, VILLAGE))]
    days = (None, None, None, date(2025, 6, 1), date(2026, 3, 1), date(2026, 11, 1))
    while True:
        since, until = rng.choice(days), rng.choice(days)
        yield PeopleQuestion(
            region=rng.choice(regions),
            name=rng.choice(("", "", "", "", "王", "李秀", "%")),
            exact=rng.random() < 0.1,
            category=rng.choice(("", "", "", "", *Category.values)),
            status=rng.choice(("", "", PENDING, CERTIFIED, DEAD)),
            covered=rng.choice((None, None, True, False)),
            since=since,
            until=until if since is None or until is None or since <= until else None,
        )


def fits(one: Person, asked: PeopleQuestion, today: date) -> bool:
    status = DEAD if one.dead_since else CERTIFIED if one.is_certified(today) else PENDING
    name = one.name == asked.name if asked.exact else one.name.startswith(asked.name)
    last = one.last_pass_on
    return (
        (asked.region is None or asked.region.covers(one.region_id))
        and (not asked.name or name)
        and asked.category in ("", one.category)
        and asked.status in ("", status)
        and asked.covered in (None, one.covered)
        and (asked.since is None or (last is not None and last >= asked.since))
        and (asked.until is None or (last is not None and last <= asked.until))
    )


def key_of(one: Person, by: str, today: date) -> tuple[Any, ...]:
    place = (one.region_id, one.name, one.person_id)
    status = 2 if one.dead_since else 1 if one.is_certified(today) else 0
    keys: dict[str, tuple[Any, ...]] = {
        "place": place,
        "name": (one.name, one.person_id),
        "category": (Category.values.index(one.category), *place),
        "covered": (not one.covered, *place),
        "day": (one.last_pass_on or date.min, one.person_id),
        "status": (status, *place),
    }
    return keys[by]


@pytest.mark.parametrize("narrow", [0, 60, 20_000])
def test_s05_to_s16_every_question_in_every_order_finds_whom_it_means(
    county: County, narrow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways to go through an index, each page after the other, to the end and back."""
    monkeypatch.setattr(people_list, "NARROW", narrow)
    rng, today, everybody = random.Random(narrow), WISH.today, list(Person.objects.all())
    found = 0
    for asked, _times in zip(questions(rng), range(40), strict=False):
        sort = Sort(rng.choice(SORTS), rng.random() < 0.5)
        expected = [one for one in everybody if fits(one, asked, today)]
        expected.sort(key=lambda one: key_of(one, sort.by, today), reverse=sort.down)
        listed = PeopleList(account(), asked, sort, today)
        ids = [one.person_id for one in expected]
        assert forward(listed) == ids, (asked, sort)
        assert backward(listed) == ids, (asked, sort)
        assert listed.count() == min(len(ids), 1001)
        found += bool(ids)
    assert found > 12


def forward(listed: PeopleList, size: int = 97) -> list[str]:
    ids, after = [], None
    while marks := listed.page(size, after):
        ids += [mark.keys[-1] for mark in marks]
        after = marks[-1]
    return ids


def backward(listed: PeopleList, size: int = 113) -> list[str]:
    marks = listed.page(10 * PEOPLE)
    ids = [marks[-1].keys[-1]] if marks else []
    before = marks[-1] if marks else None
    while before and (marks := listed.page_before(size, before)):
        ids = [mark.keys[-1] for mark in marks] + ids
        before = marks[0]
    return ids


def test_n24_nobody_outside_the_region_is_listed_or_counted(county: County) -> None:
    inside = Person.objects.filter(region__code__startswith=VILLAGE)
    asked = PeopleQuestion(region=Region.objects.get(pk=COUNTY))
    listed = PeopleList(account(VILLAGE), asked, Sort("name"), WISH.today)
    assert set(forward(listed)) == set(inside.values_list("pk", flat=True))
    elsewhere = Person.objects.exclude(pk__in=inside)[0]
    assert listed.mark_of(0, elsewhere.pk) is None
    alone = replace(asked, person_id=elsewhere.pk)
    assert PeopleList(account(VILLAGE), alone, Sort(), WISH.today).page(1) == []


# --- the page


def test_s17_to_s27_columns_status_and_what_can_be_done(county: County) -> None:
    client = client_of(county, "worker", CITY)
    shown = text_of(client.get("/people/?status=dead", headers={"accept-language": "zh-CN"}))
    headers = re.findall(r"<th scope=\"col\"[^>]*>(?:<a [^>]+>)?([^<]+)", shown)
    assert headers == ["所属区县", "乡镇街道", "社区村组", "姓名", "身份证号", "对象类型",
                       "是否保障", "认证时间", "认证状态", "操作"]  # fmt: skip
    assert '<span class="tag plain">死亡</span>' in shown
    assert "certify" not in shown
    one = Person.objects.pending(timezone.localdate()).filter(dead_since=None).first()
    row = text_of(client.get(f"/people/?person={one.pk}", headers={"accept-language": "zh-CN"}))
    assert '<span class="tag open">未认证</span>' in row
    for word, words in (("certify", "认证"), ("death", "死亡")):
        assert re.search(rf'href="/people/{one.pk}/{word}/\?next=[^"]+"[^>]*>{words}</a>', row)
    number = county.registry.vault.open(one.number_sealed, one.pk)
    assert number not in row
    assert f"100000********{number[-4:]}" in row


def test_s28_headers_sort_and_say_so(county: County) -> None:
    client = client_of(county, "worker", CITY)
    shown = text_of(client.get("/people/?category=tekun&sort=-day"))
    assert re.search(r'aria-sort="descending"><a href="\?category=tekun&amp;sort=day">', shown)
    assert 'aria-sort="none"><a href="?category=tekun&amp;sort=name">' in shown
    assert '<th scope="col">ID number</th>' in shown
    days = re.findall(r'<td class="number">(\d{4}-\d\d-\d\d|)</td>', shown)
    assert days == sorted(days, reverse=True)
    assert len(set(days)) > 3


def test_s28_pages_lead_on_and_back_without_a_number_of_rows(county: County) -> None:
    client = client_of(county, "worker", CITY)
    path, seen, shown = "/people/?sort=name", [], ""
    for _page in range(4):
        response = client.get(path)
        shown, here = text_of(response), names_in(response)
        seen.append(here)
        path = "/people/" + link(shown, "next")
    assert "1000+ entries" in shown
    assert "Page 4" in shown
    assert seen[0] == list(
        Person.objects.order_by("name", "pk").values_list("name", flat=True)[:20]
    )
    back = client.get("/people/" + link(shown, "prev"))
    assert names_in(back) == seen[2]
    assert "Page 3" in text_of(back)


def link(shown: str, rel: str) -> str:
    found = re.search(rf'href="(\?[^"]*)" rel="{rel}"', shown)
    assert found
    return found[1].replace("&amp;", "&")


def test_a_page_costs_the_same_questions_however_long_the_list(county: County) -> None:
    client = client_of(county, "county", CITY)
    counts = []
    for query in ("category=tekun", "", "sort=-day"):
        client.get(f"/people/?{query}")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(f"/people/?{query}")
        counts.append(len(asked))
    assert max(counts) - min(counts) <= 2
    assert max(counts) < 40


@pytest.mark.parametrize(
    "query",
    ["since=tomorrow", "category=x", "since=2026-02-01&until=2026-01-01", "name=110101194508"],
)
def test_a_question_without_sense_lists_nobody_and_says_why(county: County, query: str) -> None:
    response = client_of(county, "worker", CITY).get(f"/people/?{query}")
    assert response.status_code == 200
    assert names_in(response) == []
    assert 'class="error" role="alert"' in text_of(response)


@pytest.mark.parametrize(
    "query", ["after=0.nobody", "after=9.p1", "before=x.y", "after=.", "page=-5", "page=x", "of=x",
              "region=%00", "person=%ff", "sort=birth", "before=0.%00"]
)  # fmt: skip
def test_an_address_bent_by_hand_shows_the_first_page(county: County, query: str) -> None:
    response = client_of(county, "worker", CITY).get(f"/people/?{query}")
    assert response.status_code == 200


@pytest.mark.parametrize("person", ["p0", "%ff", "%00", "x y"])
def test_a_person_nobody_is_lists_nobody(county: County, person: str) -> None:
    assert names_in(client_of(county, "worker", CITY).get(f"/people/?person={person}")) == []


def test_s12_a_number_typed_as_a_name_reaches_no_address(county: County) -> None:
    client = client_of(county, "worker", CITY)
    response = client.post("/people/", {"name": "100000194508150010"})
    assert response.status_code == 200
    assert "Location" not in response
    assert 'role="alert"' in text_of(response)


# --- linked regions


def test_s05_to_s09_the_next_drop_down_holds_what_lies_below_and_may_be_seen(
    county: County,
) -> None:
    worker = client_of(county, "worker", STREET)
    assert worker.get(f"/people/regions/?under={CITY}").json() == {
        "choices": [[COUNTY, Region.objects.get(pk=COUNTY).name]]
    }
    [[street, _name]] = worker.get(f"/people/regions/?under={COUNTY}").json()["choices"]
    assert street == STREET
    below = client_of(county, "worker", CITY).get(f"/people/regions/?under={STREET}").json()
    assert [code for code, _ in below["choices"]] == list(
        Region.objects.filter(parent=STREET).values_list("pk", flat=True).order_by("pk")
    )
    for unknown in ("", "x", "999999000000"):
        assert worker.get("/people/regions/", {"under": unknown}).status_code == 404


def test_s05_to_s09_without_a_script_a_search_fills_the_next_level(county: County) -> None:
    client = client_of(county, "county", CITY)
    shown = text_of(client.post("/people/", {"region3": COUNTY}, follow=True))
    assert f'<option value="{STREET}">' in shown
    assert f'<option value="{VILLAGE}">' not in shown
    assert shown.count('<option value="">======</option>') == 5
    shown = text_of(client.post("/people/", {"region3": COUNTY, "region4": STREET}, follow=True))
    assert f'<option value="{VILLAGE}">' in shown


# --- kept searches


def test_a_search_is_kept_used_and_deleted_by_its_owner_only(county: County) -> None:
    client, other = client_of(county, "worker", CITY), client_of(county, "county", CITY)
    with taken_back(client):
        query = f"region={STREET}&category=tekun&sort=-day&after=0.p1&page=7"
        client.post(f"/people/filters/?{query}", {"name": "特困 <b>"})
        kept = SavedFilter.objects.get()
        assert kept.query == f"region={STREET}&category=tekun&sort=-day"
        shown = text_of(client.get("/people/"))
        assert f'<a href="/people/?{kept.query.replace("&", "&amp;")}">特困 &lt;b&gt;</a>' in shown
        assert "特困" not in text_of(other.get("/people/"))
        assert other.post(f"/people/filters/{kept.pk}/drop/").status_code == 404
        client.post("/people/filters/?category=dibao", {"name": "特困 <b>"})
        assert SavedFilter.objects.get().query == "category=dibao"
        client.post(f"/people/filters/{kept.pk}/drop/")
        assert not SavedFilter.objects.exists()


def test_no_search_for_one_person_and_no_twenty_first_is_kept(county: County) -> None:
    client = client_of(county, "worker", CITY)
    with taken_back(client):
        client.post("/people/filters/?person=p123", {"name": "一个人"})
        assert SavedFilter.objects.get().query == ""
        for number in range(25):
            client.post("/people/filters/?category=dibao", {"name": f"n{number}"})
        assert SavedFilter.objects.count() == 20
        client.post("/people/filters/?category=dibao", {"name": "100000194508150010"})
        assert not SavedFilter.objects.filter(name__startswith="1000").exists()


# --- the list as a file


def exported(client: Client, query: str, **fields: str) -> tuple[Any, bytes]:
    values = {"format": "csv", "reason": "街道例会核对名单"} | fields
    response = client.post(f"/people/export/?{query}", values)
    return response, b"".join(response)


def test_feature_24_a_csv_carries_filter_user_time_and_number_of_rows(county: County) -> None:
    client = client_of(county, "supervisor", CITY)
    _response, content = exported(client, f"region={STREET}&status=pending&sort=name")
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    about, rows = lines[: lines.index([])], lines[lines.index([]) + 1 :]
    told = dict(about)
    assert told["Region"] == Region.objects.get(pk=STREET).name
    assert told["Status"] == "Pending"
    assert told["Exported by"] == f"supervisor-{CITY}"
    assert told["Time"].startswith(f"{timezone.localtime():%Y-%m-%d}")
    assert told["What the list is needed for"] == "街道例会核对名单"
    assert told["ID number"] == "masked"
    header, body, end = rows[0], rows[1:-2], rows[-2:]
    assert header[3:5] == ["Name", "ID number"]
    pending = Person.objects.pending(timezone.localdate()).filter(dead_since=None)
    expected = pending.filter(region__code__startswith=STREET[:9]).order_by("name", "pk")
    assert [row[3] for row in body] == list(expected.values_list("name", flat=True))
    assert end == [[], ["Number of rows", str(len(body))]]
    assert all(re.fullmatch(r"100000\*{8}[0-9X]{4}", row[4].replace("\\", "")) for row in body)


def test_feature_24_full_numbers_and_every_export_are_in_the_log(county: County) -> None:
    client, began = client_of(county, "supervisor", CITY), timezone.now()
    with taken_back(client):
        _response, content = exported(client, f"region={VILLAGE}", full="on", format="xlsx")
        exported(client, "name=王")
        entries = AuditEntry.objects.filter(action__startswith="people.export", at__gte=began)
        entries = entries.order_by("at")
        told = list(entries.values_list("action", "reason"))
    assert told == [
        ("people.export.full", f"街道例会核对名单; xlsx; region={VILLAGE}"),
        ("people.export", "街道例会核对名单; csv; name"),
    ]
    book = load_workbook(io.BytesIO(content), read_only=True)
    listed, about = (list(book[name].values) for name in book.sheetnames)
    ids = Person.objects.filter(region_id=VILLAGE).order_by("name", "pk")
    opened = county.registry.vault.open
    assert [row[4] for row in listed[1:]] == [opened(p.number_sealed, p.pk) for p in ids]
    assert about[-1] == ("Number of rows", str(len(ids)))


def test_feature_24_a_file_about_one_person_is_a_look_at_them(county: County) -> None:
    client, began = client_of(county, "supervisor", CITY), timezone.now()
    one = Person.objects.filter(region_id=VILLAGE).order_by("pk")[0]
    with taken_back(client):
        exported(client, f"person={one.pk}", full="on")
        entry = AuditEntry.objects.get(action__startswith="people.export", at__gte=began)
        assert (entry.action, entry.object_id) == ("people.export.full", one.pk)
        assert (entry.object_kind, entry.region_code) == ("person", one.region_id)


def test_feature_24_no_file_without_a_reason_nor_for_a_village_worker(county: County) -> None:
    client = client_of(county, "supervisor", CITY)
    response = client.post("/people/export/?", {"format": "csv", "reason": " "})
    assert response["Content-Type"].startswith("text/html")
    assert 'role="alert"' in text_of(response)
    assert client_of(county, "worker", CITY).get("/people/export/").status_code == 403


def test_a_list_too_long_is_refused_with_words(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 300)
    client = client_of(county, "supervisor", CITY)
    shown = text_of(client.post("/people/export/?", {"format": "csv", "reason": "核对名单"}))
    assert "A file holds at most 300 rows" in shown
    assert '<form method="post" action="/people/export/' not in shown


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"])
def test_no_cell_of_a_file_is_a_formula(county: County, start: str) -> None:
    name, birth = f"{start}张", date(1950, 1, 1)
    client = client_of(county, "supervisor", CITY)
    with taken_back(client):
        new = NewPerson(name, id_number.make("100000", birth, 997), "dibao", True, VILLAGE)
        add_people([new], county.registry.vault, "test")
        one = Person.objects.get(name=name)
        _response, plain = exported(client, f"person={one.pk}", reason="=cmd|' /C calc'!A0")
        _response, book = exported(client, f"person={one.pk}", format="xlsx")
    for line in csv.reader(io.StringIO(plain.decode("utf-8-sig"), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in line)
    cell = load_workbook(io.BytesIO(book)).worksheets[0]["D2"]
    assert cell.data_type == "s"
    assert cell.value.startswith("'")


# --- the invented county


def test_the_same_seed_makes_the_same_county(county: County) -> None:
    people = Person.objects.order_by("pk").values_list("pk", "name", "birth", "last_pass_on")
    first = list(people)
    with taken_back(Client()):
        for kind in (Proof, *reversed(seed._WRITTEN)):
            kind.objects.all()._raw_delete("default")
        other = seed._County(WISH, county.registry.vault)
        other._kiosks = {
            code[:9]: seed._Kiosk("seed-0001", "x")
            for code in Region.objects.filter(level=4).values_list("pk", flat=True)
        }
        list(other.batches())
        assert list(people) == first


def test_an_invented_county_is_whole_and_nobody_in_it_is_real(county: County) -> None:
    vault = county.registry.vault
    people = list(Person.objects.all())
    assert len(people) == PEOPLE
    for one in people:
        number = vault.open(one.number_sealed, one.pk)
        assert number.startswith("100000")
        assert id_number.is_valid(number)
        assert (id_number.birth_of(number), id_number.sex_of(number)) == (one.birth, one.sex)
        assert vault.lookup(number) == one.number_key
    assert Proof.objects.count() == pytest.approx(3 * PEOPLE, rel=0.1)
    assert set(Proof.objects.values_list("method", flat=True)) == set(Proof.Method.values)
    assert Household.objects.count() < PEOPLE
    before = {one.pk: one.last_pass_on for one in people}
    with transaction.atomic():
        standing.refresh(before)
    assert dict(Person.objects.values_list("pk", "last_pass_on")) == before
    late = Proof.objects.filter(person__dead_since__isnull=False)
    assert not any(proof.on >= proof.person.dead_since for proof in late.select_related("person"))


def test_a_registry_with_people_is_not_seeded(county: County) -> None:
    with pytest.raises(seed.SeedRefused, match="holds people"):
        seed.fill(WISH, county.registry.vault, lambda _made, _people: None)


def test_the_command_refuses_too(county: County, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--config", str(county.registry.config), "seed", "--people", "9"]) == 1
    assert "empty registry only" in capsys.readouterr().err


def test_numbers_after_the_invented_ones_are_free(county: County) -> None:
    with taken_back(Client()):
        one = Person.objects.filter(dead_since=None)[0]
        now = timezone.now()
        proof = Proof(person=one, method="visit", on=now.date() - timedelta(days=1), at=now)
        standing.prove([proof])
        assert proof.pk is not None
        Household.objects.create(number="new")
