"""The REST API: keys, scopes, regions, masking, pages, limits, one form of errors."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cloud_bridge import demo
from cloud_bridge.api import door, service
from cloud_bridge.api.service import api
from cloud_bridge.bridge.opening import Arrival
from cloud_bridge.registry import api_clients, fairness, id_number, standing
from cloud_bridge.registry.limits import Limit
from cloud_bridge.registry.models import (
    ApiClient,
    AuditEntry,
    DoorTally,
    Person,
    Proof,
    Region,
    Task,
)
from tests.fixtures_cloud import NOW, TestRegistry

STREET, PROVINCE, ELSEWHERE = "100101001000", "100000000000", "100102000000"
PROBLEM = "application/problem+json"


def key_of(registry: TestRegistry, *scopes: str, region: str = PROVINCE) -> str:
    name = f"office-{ApiClient.objects.count()}"
    wanted = scopes or tuple(api_clients.SCOPES)
    place = Region.objects.get(pk=region)
    return api_clients.add(name, place, wanted, registry.vault, "test", timezone.now())[1]


def caller(key: str) -> Client:
    return Client(headers={"authorization": f"Bearer {key}"})


@pytest.fixture
def filed(registry: TestRegistry) -> TestRegistry:
    """A kiosk, one record that certifies and one that needs a person."""
    kiosk = registry.kiosk()
    review = kiosk.record(outcome="needs_review", reasons=["not_alike"])
    registry.ingest.ingest([Arrival("k-001", kiosk.record()), Arrival("k-001", review)], NOW)
    return registry


def addresses() -> dict[str, tuple[str, str, Any]]:
    """Method, path and body of each operation, with ids that exist."""
    person = Person.objects.get(name=demo.DEMO_NAME).pk
    return {
        "me": ("get", "/me", None),
        "regions": ("get", "/regions", None),
        "people": ("get", "/people", None),
        "person": ("get", f"/people/{person}", None),
        "lookup": ("post", "/people/lookup", {"number": demo.DEMO_NUMBER}),
        "certifications": ("get", "/certifications", None),
        "tasks": ("get", "/tasks", None),
        "task": ("get", f"/tasks/{Task.objects.get().pk}", None),
        "devices": ("get", "/devices", None),
        "device": ("get", "/devices/k-001", None),
        "completion": ("get", "/statistics/completion", None),
        "signals": ("post", "/signals", told("life", demo.DEMO_NUMBER)),
    }


def told(kind: str, *numbers: str, on: str = "2026-11-20") -> dict[str, Any]:
    rows = [{"number": number, "on": on} for number in numbers]
    return {"kind": kind, "source": "hospital", "rows": rows}


def call(client: Client, name: str) -> Any:
    method, path, body = addresses()[name]
    return getattr(client, method)(f"/api/v1{path}", body, content_type="application/json")


def test_every_operation_is_tried_here(filed: TestRegistry) -> None:
    assert set(addresses()) == set(api.scopes())


def test_no_operation_is_open_to_a_key_without_its_scope(filed: TestRegistry) -> None:
    """Table: each scope opens exactly the operations that name it, and those for every key."""
    for scope in api_clients.SCOPES:
        client = caller(key_of(filed, scope))
        for name, wanted in api.scopes().items():
            status = call(client, name).status_code
            assert status == (200 if wanted in ("", scope) else 403), (scope, name)


def test_an_operation_that_names_no_scope_is_closed(
    filed: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(api.auth, list)
    assert [each.scope for each in api.auth] == [None]
    opened = service.api._get_bound_routers()[0].path_operations["/people"].operations[0]
    monkeypatch.setattr(opened, "auth_callbacks", api.auth)
    assert call(caller(key_of(filed)), "people").status_code == 403


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer jz_x", "Basic YTpi", "Bearer é"])
def test_without_a_key_every_operation_is_closed_in_the_same_words(
    filed: TestRegistry, header: str
) -> None:
    client = Client(headers={"authorization": header} if header else {})
    response = client.get("/api/v1/people")
    assert (response.status_code, response["Content-Type"]) == (401, PROBLEM)
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json() == {
        "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Unauthorized",
    }  # fmt: skip


def test_a_session_of_the_console_opens_nothing_here(filed: TestRegistry) -> None:
    filed.account("chen", "county")
    client = Client()
    client.post("/sign-in/", {"username": "chen", "password": "correct horse battery"})
    for name in api.scopes():
        assert call(client, name).status_code in (401, 429), name


def test_a_revoked_key_and_only_that_is_closed_at_once(filed: TestRegistry) -> None:
    one, other = caller(key_of(filed)), caller(key_of(filed))
    assert api_clients.revoke(ApiClient.objects.get(name="office-0"), filed.vault, "test")
    assert call(one, "me").status_code == 401
    assert call(other, "me").status_code == 200
    assert not api_clients.revoke(ApiClient.objects.get(name="office-0"), filed.vault, "test")


def test_the_database_holds_no_key(filed: TestRegistry) -> None:
    key = key_of(filed)
    row = ApiClient.objects.values().get()
    assert len(key) >= 43 + len(api_clients.KEY_PREFIX)
    assert key not in str(row)
    assert key[3:] not in str(row)
    assert key not in str(list(AuditEntry.objects.values()))


def test_n24_brute_force_on_keys_ends_after_ten_from_one_address(filed: TestRegistry) -> None:
    good = key_of(filed)
    statuses = [caller(f"jz_{n}").get("/api/v1/me").status_code for n in range(14)]
    assert statuses == [401] * door.WRONG_KEYS.burst + [429] * 4
    refused = caller(good).get("/api/v1/me")
    assert refused.status_code == 429, "also a right key waits there: an answer would tell"
    assert int(refused["Retry-After"]) > 0
    elsewhere = caller(good).get("/api/v1/me", REMOTE_ADDR="192.0.2.9")
    assert elsewhere.status_code == 200
    assert "127.0.0.1" not in str(list(DoorTally.objects.values()))


def test_n24_another_region_sees_none_of_it(filed: TestRegistry) -> None:
    """IDOR: every id that exists, asked for with a key of the region beside."""
    client = caller(key_of(filed, region=ELSEWHERE))
    here = caller(key_of(filed))
    for name in ("person", "lookup", "task", "device"):
        assert call(here, name).status_code == 200, name
        response = call(client, name)
        assert (response.status_code, response["Content-Type"]) == (404, PROBLEM), name
    for name in ("certifications", "tasks", "devices"):
        assert call(here, name).json()["items"], name
        assert call(client, name).json()["items"] == [], name
    own = call(client, "people").json()["items"]
    assert {row["region"][:6] for row in own} == {"100102"}
    assert {row["code"][:6] for row in call(client, "regions").json()["items"]} == {"100102"}


@pytest.mark.parametrize("region", [PROVINCE, "000000000000", ELSEWHERE, "999999999999"])
def test_n24_a_region_asked_for_does_not_widen_the_scope(filed: TestRegistry, region: str) -> None:
    client = caller(key_of(filed, region=STREET))
    for path in ("people", "certifications", "tasks", "devices", "regions"):
        rows = client.get(f"/api/v1/{path}?region={region}").json()["items"]
        codes = [row.get("region") or row.get("code") for row in rows if "person" not in row]
        assert all(str(code).startswith("100101001") for code in codes), (path, codes)
    counts = client.get(f"/api/v1/statistics/completion?region={region}")
    assert counts.status_code == 404


def test_no_small_group_is_the_rest_of_what_is_shown(filed: TestRegistry) -> None:
    """The street's own number is shown one level above."""
    for n in range(40):
        village = "100101001002" if n < 30 else "100101002201"
        Person.objects.create(name="甲", number_key=str(n), number_sealed=b"", sex="1",
                              category="dibao", region_id=village)  # fmt: skip
    client = caller(key_of(filed))

    def shown(region: str) -> list[int | None]:
        answer = client.get(f"/api/v1/statistics/completion?region={region}").json()
        return [group["people"] for group in answer["groups"]]

    assert shown("100101001000") == [None, None], "three people, and thirty-three with them"
    Person.objects.filter(region_id="100101001001").update(region_id="100102001201")
    assert shown("100101001000") == [33]


def test_numbers_are_masked_until_a_scope_and_a_reason_are_there(filed: TestRegistry) -> None:
    person = Person.objects.get(name=demo.DEMO_NAME)
    path = f"/api/v1/people/{person.pk}"
    plain, numbers = caller(key_of(filed, "people:read")), caller(key_of(filed))
    masked = plain.get(path).json()
    assert (masked["number"], masked["birth"]) == (None, None)
    assert masked["number_masked"] == "100000********0010"
    assert demo.DEMO_NUMBER not in str(masked)
    assert plain.get(path, headers={"x-reason": "annual"}).status_code == 403
    assert numbers.get(path).json()["number"] is None, "the scope alone reveals nothing"
    whole = numbers.get(path, headers={"x-reason": "%E5%B9%B4%E5%BA%A6%E6%A0%B8%E6%9F%A5"}).json()
    assert whole["number"] == demo.DEMO_NUMBER
    assert whole["birth"] == str(person.birth)
    entry = AuditEntry.objects.get(action="person.reveal")
    assert (entry.who, entry.object_id, entry.reason) == ("api office-1", person.pk, "年度核查")
    for bad in ("x", "a" * 300, "%0A%0A%0A%0A"):
        assert numbers.get(path, headers={"x-reason": bad}).status_code == 400, bad


def test_every_look_is_in_the_audit_log_under_the_clients_name(filed: TestRegistry) -> None:
    client = caller(key_of(filed))
    person = Person.objects.get(name=demo.DEMO_NAME).pk
    silent = {"me", "regions", "devices", "device", "completion"}  # nobody is looked at
    mine = AuditEntry.objects.filter(who="api office-0")
    for name in api.scopes():
        before = mine.count()
        assert call(client, name).status_code == 200
        assert (mine.count() > before) == (name not in silent), name
    looks = AuditEntry.objects.filter(object_kind="person", object_id=person)
    assert {"person.view", "person.find"} <= set(looks.values_list("action", flat=True))
    again = client.get(f"/api/v1/people/{person}")
    count = looks.count()
    same = client.get(f"/api/v1/people/{person}", headers={"if-none-match": again["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert looks.count() == count + 1, "a look that brought nothing new is a look"
    log = str(list(AuditEntry.objects.filter(who__startswith="api").values()))
    assert demo.DEMO_NUMBER not in log
    assert demo.DEMO_NAME not in log


def test_pages_hold_everybody_once_also_while_somebody_is_added(filed: TestRegistry) -> None:
    client = caller(key_of(filed))
    everybody = set(Person.objects.values_list("pk", flat=True))
    seen: list[str] = []
    after = ""
    while after is not None:
        page = client.get(f"/api/v1/people?limit=3&after={after}").json()
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
    assert len(seen) == len(set(seen))
    assert set(seen) == everybody
    for cursor in ("x", "!!!!", "bnVsbA", "MQ", "IlwwIg", "e30"):
        response = client.get(f"/api/v1/people?after={cursor}")
        assert (response.status_code, response["Content-Type"]) == (400, PROBLEM), cursor


def test_a_page_costs_the_same_questions_however_long_it_is(filed: TestRegistry) -> None:
    client = caller(key_of(filed))
    for path in ("people", "certifications", "tasks", "devices", "regions"):
        counts = []
        for limit in (1, 200):
            client.get(f"/api/v1/{path}?limit={limit}")
            with CaptureQueriesContext(connection) as asked:
                client.get(f"/api/v1/{path}?limit={limit}")
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 20, (path, counts)


def test_filters_say_what_they_mean_and_a_misspelt_one_is_refused(filed: TestRegistry) -> None:
    client = caller(key_of(filed))

    def ids(query: str) -> set[str]:
        rows = client.get(f"/api/v1/people?limit=200&{query}").json()["items"]
        return {row["id"] for row in rows}

    everybody = set(Person.objects.values_list("pk", flat=True))
    someone = Person.objects.filter(name="马翠花")
    someone.update(dead_since=NOW.date())
    dead = {person.pk for person in someone}
    assert ids("status=dead") == dead
    assert ids("status=certified") | ids("status=pending") == everybody - dead
    assert not ids("status=certified") & ids("status=pending")
    assert ids("category=retired") == {p.pk for p in Person.objects.filter(category="retired")}
    assert ids(f"region={STREET}") < everybody
    for query in ("staus=dead", "category=x", "limit=0", "limit=201", "region=1", "covered=maybe"):
        response = client.get(f"/api/v1/people?{query}")
        assert (response.status_code, response["Content-Type"]) == (422, PROBLEM), query


def test_errors_never_repeat_what_was_sent(filed: TestRegistry) -> None:
    client = caller(key_of(filed))
    path = "/api/v1/people/lookup"
    for body in (
        {"number": demo.DEMO_NUMBER + "9"}, {"number": demo.DEMO_NUMBER, "x": 1}, [], "x", {},
        {demo.DEMO_NUMBER: 1}, {"number": {demo.DEMO_NUMBER: 1}},
    ):  # fmt: skip
        response = client.post(path, body, content_type="application/json")
        assert response.status_code in (400, 422), body
        assert demo.DEMO_NUMBER not in response.content.decode()
    broken = client.post(path, b"{", content_type="application/json")
    assert (broken.status_code, broken["Content-Type"]) == (400, PROBLEM)


def test_addresses_and_methods_that_are_not_there_take_the_same_form(registry: Any) -> None:
    for method, path, status in (
        ("get", "/api/v1/nothing", 404), ("get", "/api/v2/people", 404),
        ("delete", "/api/v1/people", 405), ("post", "/api/v1/me", 405),
    ):  # fmt: skip
        response = getattr(Client(), method)(path)
        assert (response.status_code, response["Content-Type"]) == (status, PROBLEM), path
        assert response.json()["status"] == status


def test_too_many_calls_are_told_when_to_come_again(
    filed: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "CALLS", Limit(burst=3, every_s=60))
    one, other = caller(key_of(filed)), caller(key_of(filed))
    assert [call(one, "me").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert 0 < int(call(one, "me")["Retry-After"]) <= 60
    assert call(other, "me").status_code == 200


def test_numbers_cannot_be_tried_out_by_the_thousand(
    filed: TestRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LOOKUPS", Limit(burst=2, every_s=60))
    client = caller(key_of(filed))
    assert [call(client, "lookup").status_code for _ in range(3)] == [200, 200, 429]
    finds = AuditEntry.objects.filter(action="person.find")
    assert finds.count() == 2, "each try that was answered is in the log"


def test_counts_hide_small_groups(filed: TestRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    client = caller(key_of(filed))
    small = call(client, "completion").json()
    assert small["groups"]
    assert all((row["people"], row["certified"]) == (None, None) for row in small["groups"])
    monkeypatch.setattr(fairness, "FEW", 1)
    shown = call(client, "completion").json()["groups"]
    living = Person.objects.filter(covered=True, dead_since=None)
    assert sum(row["people"] for row in shown) == living.count()
    assert sum(row["certified"] for row in shown) == living.certified(timezone.localdate()).count()


def test_signals_take_the_road_of_files_and_a_death_decides_nothing(filed: TestRegistry) -> None:
    client = caller(key_of(filed))
    person = Person.objects.get(name="马翠花")
    number = filed.vault.open(person.number_sealed, person.pk)

    def post(body: dict[str, Any]) -> Any:
        return client.post("/api/v1/signals", body, content_type="application/json")

    assert post(told("life", number)).json()["added"] == 1
    assert post(told("life", number)).json() | {"run": 0} == {
        "run": 0, "rows": 1, "added": 0, "unchanged": 1, "unknown": 0,
    }  # fmt: skip
    person.refresh_from_db()
    assert person.is_certified(timezone.localdate())
    assert Proof.objects.get(person=person).method == "data"
    assert post(told("death", number)).json()["added"] == 1
    person.refresh_from_db()
    assert person.dead_since is None
    assert Task.objects.get(person=person).kind == Task.Kind.CONFLICT
    before = Proof.objects.count()
    stranger = id_number.make("100000", demo.PEOPLE[0][1], 997)
    wrong = post(told("life", number, number[:-1] + ("0" if number[-1] != "0" else "1")))
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["where"] == "body.rows.1.id_number"
    assert post(told("life", number, on="2030-01-01")).status_code == 422
    assert post(told("life", stranger)).json()["unknown"] == 1
    assert Proof.objects.count() == before, "all rows or none"
    entry = AuditEntry.objects.filter(action="import.apply").first()
    assert entry.who == "api office-0"


def test_signals_reach_nobody_of_another_region(filed: TestRegistry) -> None:
    client = caller(key_of(filed, region=ELSEWHERE))
    before = Proof.objects.count()
    body = told("life", demo.DEMO_NUMBER, on="2026-01-02")
    response = client.post("/api/v1/signals", body, content_type="application/json")
    assert (response.json()["unknown"], Proof.objects.count()) == (1, before)


def test_a_voided_proof_is_told_as_such(filed: TestRegistry) -> None:
    client = caller(key_of(filed))
    assert [row["voided_at"] for row in call(client, "certifications").json()["items"]] == [None]
    standing.void(Proof.objects.all(), "test", "entered by mistake", NOW)
    assert call(client, "certifications").json()["items"][0]["voided_at"] is not None
    assert client.get("/api/v1/certifications?voided=false").json()["items"] == []


def test_the_page_is_made_from_the_description_and_sets_no_cookie(registry: Any) -> None:
    for language, words in (("zh-hans", "接口"), ("en", "Every request names its key")):
        response = Client().get(f"/api/v1/docs/?lang={language}")
        page = response.content.decode()
        assert words in page
        assert not response.cookies
        for name in api.scopes():
            assert f'id="{name}"' in page
    described = Client().get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.")
    assert all(
        "401" in operation["responses"] and operation["security"]
        for path in described["paths"].values()
        for operation in path.values()
    )
