"""Accounts: what a county may do to whom, on the page and from the command line."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cloud_bridge import cli
from cloud_bridge.registry import accounts, second_factor
from cloud_bridge.registry.models import Account, AuditEntry, Region
from tests.fixtures_cloud import PASSWORD, TestRegistry

COUNTY, STREET, ELSEWHERE, PROVINCE = (
    "100101000000", "100101001000", "100102000000", "100000000000",
)  # fmt: skip


@pytest.fixture
def county(registry: TestRegistry) -> Client:
    registry.account("county", "county", COUNTY)
    return inside("county")


def inside(name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(Account.objects.get(username=name))
    return client


def text_of(response: Any) -> str:
    return str(response.content.decode())


def add(client: Client, **changes: str) -> Any:
    fields = {"name": "li.qing", "role": "worker", "region": STREET} | changes
    return client.post("/accounts/", fields)


def shown_password(response: Any) -> str:
    found = re.search(r'class="digits number">([a-z0-9-]{19})<', text_of(response))
    assert found
    return found[1]


def test_a_county_adds_an_account_and_sees_its_password_once(county: Client) -> None:
    password = shown_password(add(county))
    made = Account.objects.get(username="li.qing")
    assert (made.role, made.region_id, made.must_change) == ("worker", STREET, True)
    assert password not in text_of(county.get(f"/accounts/{made.pk}/"))
    assert "li.qing" in text_of(county.get("/accounts/"))
    client = Client()
    client.post("/sign-in/", {"username": "li.qing", "password": password})
    assert client.get("/people/")["Location"] == "/own/password/"
    entry = AuditEntry.objects.filter(action="account.set", object_id="li.qing").get()
    assert (entry.who, entry.reason, entry.region_code) == ("county", f"worker {STREET}", STREET)
    assert password not in repr(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "auditor"}, {"role": "operator"}, {"role": "root"}, {"role": ""},
        {"region": ELSEWHERE}, {"region": PROVINCE}, {"region": "0" * 12}, {"region": "9" * 12},
        {"region": "x" * 12}, {"name": "county"}, {"name": "system"}, {"name": "Li"}, {"name": "l"},
        {"name": "li qing"}, {"name": "李青"}, {"name": "<b>"},
    ],
)  # fmt: skip
def test_no_role_no_region_and_no_name_beyond_its_own(
    county: Client, changes: dict[str, str]
) -> None:
    response = add(county, **changes)
    assert response.status_code == 200, response.get("Location")
    assert 'role="alert"' in text_of(response)
    assert list(Account.objects.values_list("username", flat=True)) == ["county"]


def test_the_rule_does_not_rest_on_the_page_alone(registry: TestRegistry) -> None:
    for role in ("worker", "supervisor", "county", "auditor", "operator"):
        registry.account(role, role, COUNTY)
    street, other = (Region.objects.get(pk=code) for code in (STREET, ELSEWHERE))
    county = Account.objects.get(username="county")
    for by in Account.objects.exclude(username="county"):
        with pytest.raises(accounts.AccountRefused):
            accounts.add(accounts.NewAccount("x", "worker", street), by, registry.vault)
        assert not accounts.managed_by(by).exists()
    for new in (accounts.NewAccount("x", "operator", street),
                accounts.NewAccount("x", "worker", other)):  # fmt: skip
        with pytest.raises(accounts.AccountRefused):
            accounts.add(new, county, registry.vault)
    names = set(accounts.managed_by(county).values_list("username", flat=True))
    assert names == {"worker", "supervisor"}, "neither itself nor who watches it"


@pytest.mark.parametrize("who", ["auditor", "operator", "elsewhere", "above", "self"])
def test_whom_a_county_does_not_look_after_it_does_not_find(
    registry: TestRegistry, county: Client, who: str
) -> None:
    for name, role, region in (
        ("x-auditor", "auditor", STREET),
        ("x-operator", "operator", STREET),
        ("x-elsewhere", "worker", ELSEWHERE),
        ("x-above", "county", PROVINCE),
    ):
        registry.account(name, role, region)
    name = "county" if who == "self" else f"x-{who}"
    pk = Account.objects.get(username=name).pk
    before = list(Account.objects.order_by("pk").values())
    if who != "self":
        assert name not in text_of(county.get("/accounts/"))
    assert county.get(f"/accounts/{pk}/").status_code == 404
    for act in ("switch", "password", "factor"):
        assert county.post(f"/accounts/{pk}/{act}/", {"wanted": "out"}).status_code == 404
    assert list(Account.objects.order_by("pk").values()) == before


def test_an_account_is_shut_out_and_let_in_again(registry: TestRegistry, county: Client) -> None:
    registry.account("li", "worker", STREET)
    li, pk = inside("li"), Account.objects.get(username="li").pk
    for _ in range(2):
        county.post(f"/accounts/{pk}/switch/", {"wanted": "out"})
        assert not Account.objects.get(pk=pk).is_active, "twice is not back in"
    assert li.get("/people/").status_code == 302
    county.post(f"/accounts/{pk}/switch/", {"wanted": "in"})
    assert Account.objects.get(pk=pk).is_active
    assert li.get("/people/").status_code == 302, "the session is gone for good"
    places = AuditEntry.objects.filter(object_id="li", action="account.disable")
    assert set(places.values_list("region_code", "who")) == {(STREET, "county")}


def test_a_new_password_unlocks_and_has_to_be_changed(
    registry: TestRegistry, county: Client
) -> None:
    registry.account("li", "worker", STREET)
    rows = Account.objects.filter(username="li")
    rows.update(locked_until=timezone.now() + timedelta(minutes=9), failed_tries=3)
    password = shown_password(county.post(f"/accounts/{rows.get().pk}/password/"))
    row = rows.get()
    assert (row.locked_until, row.failed_tries, row.must_change) == (None, 0, True)
    assert row.check_password(password)
    assert not row.check_password(PASSWORD)


def test_a_lost_phone_is_forgotten_with_its_codes(registry: TestRegistry, county: Client) -> None:
    registry.account("li", "worker", STREET)
    li = Account.objects.get(username="li")
    Account.objects.filter(pk=li.pk).update(totp_since=timezone.now(), totp_sealed=b"x")
    li.refresh_from_db()
    second_factor.new_codes(li, registry.vault)
    county.post(f"/accounts/{li.pk}/factor/")
    li.refresh_from_db()
    assert not second_factor.has(li)
    assert (bytes(li.totp_sealed), second_factor.codes_left(li)) == (b"", 0)
    entry = AuditEntry.objects.get(action="factor.reset")
    assert (entry.who, entry.object_id) == ("county", "li")


def test_the_list_turns_pages_and_finds(registry: TestRegistry, county: Client) -> None:
    for n in range(3):
        registry.account(f"w{n}", "worker", STREET)
    assert text_of(county.get("/accounts/?name=w1")).count('<th scope="row">') == 1
    assert text_of(county.get("/accounts/?name=%25")).count('<th scope="row">') == 0
    assert text_of(county.get("/accounts/?name=W1")).count('<th scope="row">') in (0, 1)


# --- command line


def command(registry: TestRegistry, *arguments: str) -> int:
    return cli.main(["--config", str(registry.config), "account", *arguments])


def test_the_command_line_does_what_the_page_does(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(registry, "add", "li", "--role", "operator", "--region", STREET) == 0
    first = capsys.readouterr().out
    li = Account.objects.get()
    assert li.must_change
    assert li.check_password(re.findall(r"password: (\S+)", first)[0])
    assert command(registry, "new-password", "li") == 0
    second = capsys.readouterr().out
    assert Account.objects.get().check_password(re.findall(r"password: (\S+)", second)[0])
    Account.objects.update(totp_since=timezone.now())
    assert command(registry, "list", "--json") == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["name"], told["role"], told["second_factor"]) == ("li", "operator", True)
    assert command(registry, "forget-phone", "li") == 0
    assert command(registry, "list") == 0
    assert "password only" in capsys.readouterr().out
    assert command(registry, "disable", "li") == 0
    assert not Account.objects.get().is_active


@pytest.mark.parametrize("word", ["new-password", "forget-phone", "disable", "enable"])
def test_an_unknown_account_is_said_so(
    registry: TestRegistry, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert command(registry, word, "nobody") == 2
    assert "not in this registry" in capsys.readouterr().err
