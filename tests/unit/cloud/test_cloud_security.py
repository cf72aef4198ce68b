"""Every address of the console, found by itself, against every role, region and odd request."""

from __future__ import annotations

import contextlib
import copy
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction
from django.test import Client

from cloud_bridge import demo
from cloud_bridge.console import access
from cloud_bridge.registry.models import Account, Role
from tests.console_table import OWN_DOORS, PUBLIC, ROLES, ROWS, Address, addresses, pages, unlisted
from tests.console_world import OURS, THEIRS, World, build
from tests.fixtures_cloud import TestRegistry, used_copy
from tests.tools import roles_page

NOT_YOURS = "Your account may not open this page."
TOO_OLD = "The page was open too long. Please go back and try again."
BOOKS = ("auditentry", "audithead", "auditcheckpoint", "doortally")
"""Tables that grow by looking alone."""
KEYLESS = ("openapi-json", "api-root")
"""The API described; no data."""
NOT_ON_ANY_PAGE = {
    *("AuditCheckpoint", "DoorTally", "FiguresMark", "Lease", "OwedAck", "RecoveryCode"),
    *("KioskRelease", "Rollout", "RolloutKiosk"),
}
"""Tables that only programs read, or that are written by the page itself."""
MARKUP = re.compile(r'"><i id=f(\d+)>')
ESCAPED = re.compile(r"&quot;&gt;&lt;i id=f(\d+)&gt;")
BETWEEN_THEM_ALL = ("county", "auditor", "operator")
"""Roles that have every page between them."""
WIDER = {"region": "0" * 12, "region1": "100000000000", "region3": OURS}
"""Asks for more than one's own region."""
MEANINGFUL = (
    "number_key",
    "password",
    "region_code",
    "street",
    "action",
    "event_id",
    "schema",
    "sex",
)
"""Fields whose form decides what is shown, or that a sign-in needs."""
SHOWN_AT_LEAST = 30


@pytest.fixture(scope="module")
def world(_migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests here: each takes back what it does (`taken_back`)."""
    folder = tmp_path_factory.mktemp("world")
    for _name in used_copy(_migrated, folder, _migrated):
        registry = TestRegistry(folder)
        registry.fill()
        yield build(registry)


def client_of(world: World, role: str, region: str = OURS, **options: Any) -> Client:
    """Signed in; the account is made when it is first asked for."""
    name = f"{role}-{region}"
    if not Account.objects.filter(username=name).exists():
        world.registry.account(name, role, region)
    client = Client(headers={"accept-language": "en"}, **options)
    client.force_login(Account.objects.get(username=name))
    return client


def ask(client: Client, method: str, path: str, data: Any = None) -> tuple[Any, str]:
    """The answer and its text; whatever was changed is taken back."""
    with taken_back(client):
        response = getattr(client, method)(path, data or {})
        content = b"".join(response)
    return response, content.decode(errors="replace")


@contextlib.contextmanager
def taken_back(client: Client) -> Iterator[None]:
    """As if nothing had been asked, the session included."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    client.cookies = cookies


def of_role(role: str) -> list[Address]:
    return [each for each in pages() if role in ROWS[each.name].who]


def by_whom(each: Address) -> str:
    """One role that may open it."""
    return min(ROWS[each.name].who)


# --- the table


def test_n24_every_address_has_a_row_and_every_row_an_address() -> None:
    assert unlisted() == set(), "add a row to tests/console_table.py"
    assert {each.name for each in pages()} == set(ROWS)
    assert set(access.PAGES) == set(ROWS)
    assert set(access.PUBLIC) == set(PUBLIC)
    assert set(access.OWN_DOORS) == set(OWN_DOORS)
    assert set(Role.values) == set(ROLES)


def test_every_parameter_has_a_sample(world: World) -> None:
    for each in pages():
        row = ROWS[each.name]
        missing = {row.ids.get(word, word) for word in each.parameters} - set(world.samples)
        assert not missing, f"{each.name}: add a sample in tests/console_world.py"


def test_the_page_of_roles_says_the_same() -> None:
    kept = Path("docs/roles.md").read_text("utf-8")
    assert kept == roles_page.page(), "run: python -m tests.tools.roles_page > docs/roles.md"


def test_the_world_has_one_of_everything(world: World) -> None:
    empty = {each.__name__ for each in registry_models() if not each.objects.exists()}
    missing = sorted(empty - NOT_ON_ANY_PAGE)
    assert missing == [], "add one to tests/console_world.py"


# --- roles


@pytest.mark.parametrize("role", ROLES)
def test_n24_each_role_opens_its_pages_and_no_other(world: World, role: str) -> None:
    client = client_of(world, role)
    for each in pages():
        row, path = ROWS[each.name], each.path(world)
        assert is_refused(client, "get", path) == (role not in row.who), (role, each.name)
        if role not in row.who:
            assert is_refused(client, "post", path, row.post(world)), (role, each.name)


def is_refused(client: Client, method: str, path: str, data: Any = None) -> bool:
    """By the door, before the page itself is asked."""
    response, text = ask(client, method, path, data)
    assert response.status_code < 500, path
    return response.status_code == 403 and NOT_YOURS in text


def test_every_page_is_there_for_somebody(world: World) -> None:
    for each in pages():
        client = client_of(world, by_whom(each))
        answer, _ = ask(client, "get", each.path(world), ROWS[each.name].query(world))
        assert answer.status_code in (200, 302, 405), each.name


def test_n24_without_an_account_every_page_leads_to_the_door(world: World) -> None:
    for each in pages():
        for method in ("get", "post", "put", "delete"):
            response, _ = ask(Client(), method, each.path(world))
            assert response.status_code == 302, each.name
            assert response["Location"].startswith("/sign-in/"), each.name


def test_no_account_opens_the_doors_of_other_systems(world: World) -> None:
    """What a key and its scopes open is tried in `test_cloud_api.py`."""
    inside = [client_of(world, role) for role in ROLES]
    doors = [each for each in addresses() if each.namespace in OWN_DOORS]
    for each, client in itertools.product(doors, (Client(), *inside)):
        path = f"/{each.route}"
        for word in each.parameters:
            path = re.sub(rf"<(\w+:)?{word}>", str(world.samples[word]), path)
        for method in ("get", "post"):
            status = ask(client, method, path)[0].status_code
            wanted = (200, 404, 405) if each.name in KEYLESS else (401, 405)
            assert status in wanted, (path, status)


def test_a_page_nobody_listed_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: roles for name, roles in access.PAGES.items() if name != "devices"}
    monkeypatch.setattr(access, "PAGES", kept)
    assert ask(client_of(world, "operator"), "get", "/devices/")[0].status_code == 403


# --- regions


def contents() -> dict[str, list[Any]]:
    """All rows of all tables that looking does not change."""
    kept = [each for each in registry_models() if each._meta.model_name not in BOOKS]
    return {each._meta.model_name: list(each.objects.order_by("pk").values()) for each in kept}


def registry_models() -> list[Any]:
    return list(apps.get_app_config("registry").get_models())


def test_n24_nothing_of_another_region_is_shown_or_touched(world: World) -> None:
    for role in BETWEEN_THEM_ALL:
        client = client_of(world, role, THEIRS)
        before = contents()
        for each in of_role(role):
            row, path = ROWS[each.name], each.path(world)
            for method, fields in (("get", row.query(world) | WIDER), ("post", row.post(world))):
                with taken_back(client):
                    response = getattr(client, method)(path, fields)
                    text = b"".join(response).decode(errors="replace")
                    if each.parameters and row.names_object:
                        assert response.status_code in (404, 405), (role, each.name, method)
                    if method == "post" and (each.parameters or fields):
                        assert contents() == before, (role, each.name)
                found = [told for told in world.secrets if told in text and told not in path]
                assert not found, (role, each.name, method)


def test_a_number_of_another_region_is_as_unknown_as_any(world: World) -> None:
    client = client_of(world, "county", THEIRS)
    known = ask(client, "post", "/people/", {"number": demo.DEMO_NUMBER})[0]
    unknown = ask(client, "post", "/people/", {"number": "100000195001010013"})[0]
    assert known.status_code == unknown.status_code == 302
    assert known["Location"] == unknown["Location"]


# --- forgery


def test_every_post_needs_the_pages_own_token(world: World) -> None:
    for each in pages():
        client = client_of(world, by_whom(each), enforce_csrf_checks=True)
        response, text = ask(client, "post", each.path(world), ROWS[each.name].post(world))
        assert response.status_code == 403, each.name
        assert TOO_OLD in text, each.name
    door = Client(headers={"accept-language": "en"}, enforce_csrf_checks=True)
    for path in ("/sign-in/", "/sign-in/code/", "/i18n/setlang/"):
        assert ask(door, "post", path)[0].status_code == 403


# --- what is stored is shown as text


def fill_with_markup() -> dict[int, str]:
    """Markup into every text of every table; returns which number stands for which field."""
    told: dict[int, str] = {}
    for model in registry_models():
        for column in model._meta.concrete_fields:
            number = len(told)
            if fill(model, column, f'"><i id=f{number}>'):
                told[number] = f"{model.__name__}.{column.name}"
    return told


def fill(model: Any, column: Any, payload: str) -> bool:
    if column.name in MEANINGFUL or column.primary_key or column.choices or column.is_relation:
        return False
    if isinstance(column, models.JSONField):
        for row in model.objects.all():
            value = marked(getattr(row, column.name), payload)
            model.objects.filter(pk=row.pk).update(**{column.name: value})
        return True
    if not isinstance(column, models.CharField) or (column.max_length or 0) < len(payload) + 2:
        return False
    for n, row in enumerate(model.objects.all()):
        text = payload if not column.unique else f"{payload}{n}"
        model.objects.filter(pk=row.pk).update(**{column.name: text})
    return True


def marked(value: Any, payload: str) -> Any:
    """The same shape with markup for its texts; times stay times."""
    if isinstance(value, dict):
        return {name: marked(part, payload) for name, part in value.items()}
    if isinstance(value, list):
        return [marked(part, payload) for part in value]
    time = isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value)
    return payload if isinstance(value, str) and not time else value


def test_whatever_is_stored_is_shown_as_text(world: World) -> None:
    clients = {role: client_of(world, role) for role in BETWEEN_THEM_ALL}
    shown: set[str] = set()
    with transaction.atomic():
        told = fill_with_markup()
        for role, client in clients.items():
            shown |= {told[number] for number in markup_shown(world, told, role, client)}
        transaction.set_rollback(True)
    assert len(shown) >= SHOWN_AT_LEAST, sorted(shown)


def markup_shown(world: World, told: dict[int, str], role: str, client: Client) -> Iterator[int]:
    """Which numbers stand on the pages of a role, as text; as markup none may."""
    for each in of_role(role):
        query = ROWS[each.name].query(world)
        response, text = ask(client, "get", each.path(world), query)
        assert response.status_code in (200, 302, 404, 405), (role, each.name)
        if "html" in response.get("Content-Type", ""):
            raw = [told[int(number)] for number in MARKUP.findall(text)]
            assert not raw, (role, each.name)
        yield from map(int, ESCAPED.findall(text))


# --- odd requests


FIELDS = (
    *("page", "region", "name", "number", "person", "category", "status", "covered", "since"),
    *("until", "who", "object_id", "sample", "named_by", "sort", "order", "kind", "state", "days"),
    *("next", "account", "day", "from", "to", "band", "site", "level", "month", "source", "filter"),
    *("region1", "region2", "region3", "region4", "region5", "q", "view", "mine", "old", "method"),
)
ODD = ("\x00", "%", "' OR 1=1 --", "-1", "9" * 40, "2026-13-45", "٣\U0001f600../..")


def test_odd_questions_are_no_error(world: World) -> None:
    for each in pages():
        client = client_of(world, by_whom(each))
        for odd in ODD:
            response, _ = ask(client, "get", each.path(world), dict.fromkeys(FIELDS, odd))
            assert response.status_code < 500, (each.name, odd)
            if response.status_code == 405:
                break


def test_wildcards_of_sql_are_letters_like_others(world: World) -> None:
    county, auditor = client_of(world, "county"), client_of(world, "auditor")
    for sign in ("%", "_", "王%", "%王_", "\\"):
        assert "<tbody>" in ask(county, "get", "/people/", {})[1]
        for client, path, name in (
            (county, "/people/", "name"), (county, "/accounts/", "name"),
            (auditor, "/audit/", "who"), (auditor, "/audit/", "object_id"),
        ):  # fmt: skip
            text = ask(client, "get", path, {name: sign})[1]
            assert not re.search(r"<tbody>\s*<tr>\s*<th scope", text), (path, sign)
            assert "k-001" not in text, (path, sign)


# --- headers


def answers(world: World) -> Iterator[tuple[str, Any]]:
    for each in pages():
        yield each.name, ask(client_of(world, by_whom(each)), "get", each.path(world))[0]
    for path in ("/sign-in/", "/nowhere/", "/people/", "/static/console/console.css"):
        yield path, ask(Client(), "get", path)[0]


def test_every_answer_carries_the_headers_and_nothing_inline(world: World) -> None:
    for name, response in answers(world):
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert response["X-Frame-Options"] == "DENY", name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert response["Referrer-Policy"] == "same-origin", name
        assert response["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert "camera=()" in response["Permissions-Policy"], name
        if not name.startswith("/static/"):
            assert "no-store" in response["Cache-Control"], name
        assert "Server" not in response, name
        text = b"".join(response).decode(errors="replace")
        assert not re.search(r"""<script(?! src="/static/)| style=|\son[a-z]+=""", text), name
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text), name
        for cookie in response.cookies.values():
            assert cookie["httponly"], (name, cookie.key)
            assert cookie["samesite"] == "Strict", (name, cookie.key)
