"""The menu: nothing in it is closed to those who see it, and every page has its place."""

from __future__ import annotations

import pytest
from django.urls import reverse

from cloud_bridge.console import access, menu
from cloud_bridge.registry.models import Role


def items() -> list[menu.MenuItem]:
    return [item for group in menu.MENU for item in group.items]


def test_every_item_leads_somewhere_and_somebody_sees_it() -> None:
    for item in items():
        assert reverse(item.page).startswith("/")
        assert access.PAGES[item.page], item.page
        assert all(page in access.PAGES for page in item.also)
    pages = [item.page for item in items()]
    assert len(pages) == len(set(pages))


@pytest.mark.parametrize("role", Role.values)
def test_a_role_sees_what_it_may_open_and_begins_there(role: str) -> None:
    shown = [item.page for group in menu.menu_of(role) for item in group.items]
    assert shown == [item.page for item in items() if role in access.PAGES[item.page]]
    assert menu.first_page(role) in shown
    assert all(group.items for group in menu.menu_of(role))


def test_s01_case_workers_begin_with_the_list_of_people() -> None:
    assert {menu.first_page(role) for role in ("worker", "supervisor", "county")} == {"people"}


@pytest.mark.parametrize(
    ("page", "path", "item"),
    [
        ("people", "/people/", "people"),
        ("certify", "/people/p1/certify/", "people"),
        ("record", "/records/r1/", "people"),
        ("deaths-late", "/deaths/late/", "deaths-late"),
        ("death-report", "/deaths/7/", "deaths"),
        ("own-account", "/own/", None),
    ],
)
def test_a_page_belongs_to_the_nearest_item_above_it(
    page: str, path: str, item: str | None
) -> None:
    found = menu.item_of(menu.menu_of("county"), page, path)
    assert (found.page if found else None) == item
