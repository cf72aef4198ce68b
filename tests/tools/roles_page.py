"""Writes `docs/roles.md` from the table that the tests hold the console to.

python -m tests.tools.roles_page > docs/roles.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.console_table import OWN_DOORS, PUBLIC, ROLES, ROWS, Address, addresses, pages

HEAD = """\
# Who may open which page

Made from `tests/console_table.py` by `tests/tools/roles_page.py`; a test keeps it fresh.
`tests/unit/cloud/test_cloud_security.py` asks every address of the console in the name of every
role, and fails where the console keeps another table than this, or has an address that is not in
it. What is not in `console/access.py` is closed to everybody.

A ✓ says which pages, the account's region which rows: whatever lies outside of it does not exist
for the account, in pages, drop-downs, exports and forms alike; the same tests ask each address for
things of another county. Nobody decides on what they entered themselves.

| Role | Chinese | Works with |
|---|---|---|
"""

WORK = {
    "worker": "people of a village: list, person, whole numbers against a reason, 认证, "
    "reports of deaths, tasks, due lists, visits",
    "supervisor": "that, and re-checks, approving deaths, export, dashboards, kiosks' badges",
    "county": "that, and imports, cycle rules, accounts, keys and webhooks of other systems",
    "auditor": "the audit log, import log and dashboards; no person",
    "operator": "kiosks, their settings, quarantine, rehearsals, badges; no person",
}

AFTER = """
County administrators make and look after accounts of the first three roles within their county.
Auditors and fleet operators are made on the command line (`account add`), so that nobody appoints
who watches them.
"""

PUBLIC_HEAD = """\
## Open to everybody

| Address | Why |
|---|---|
"""

OWN_HEAD = """\
## Asking for a key of their own

| Namespace | How |
|---|---|
"""


def page() -> str:
    tables = [*_tables(), "\n", PUBLIC_HEAD, *_public(), "\n", OWN_HEAD, *_own_doors()]
    return "".join([HEAD, *_roles(), AFTER, *tables])


def _roles() -> Iterator[str]:
    from django.utils import translation

    from cloud_bridge.registry.models import Role

    with translation.override("zh-hans"):
        for role, what in WORK.items():
            yield f"| `{role}` | {Role(role).label} | {what} |\n"


def _tables() -> Iterator[str]:
    """One table for each group of the menu, in its order."""
    from django.utils import translation

    with translation.override("en"):
        for words, group in _groups().items():
            yield f"\n## {words}\n\n| Address | {' | '.join(ROLES)} |\n"
            yield "|---" * (len(ROLES) + 1) + "|\n"
            yield from map(_line, group)


def _groups() -> dict[str, list[Address]]:
    from cloud_bridge.console import menu

    groups: dict[str, list[Address]] = {str(group.words): [] for group in menu.MENU}
    groups["One's own account"] = []
    for each in pages():
        item = menu.item_of(list(menu.MENU), each.name, "/" + each.route)
        words = (str(group.words) for group in menu.MENU if item in group.items)
        groups[next(words, "One's own account")].append(each)
    return groups


def _line(each: Address) -> str:
    marks = ("✓" if role in ROWS[each.name].who else "" for role in ROLES)
    return f"| `{_shown(each.route)}` | {' | '.join(marks)} |\n"


def _shown(route: str) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)


def _public() -> Iterator[str]:
    routes = {each.name: each.route for each in addresses()}
    for name, why in PUBLIC.items():
        yield f"| `{_shown(routes[name])}` | {why} |\n"


def _own_doors() -> Iterator[str]:
    for namespace, how in OWN_DOORS.items():
        yield f"| `/{namespace}/` | {how} |\n"


if __name__ == "__main__":
    from tests.fixtures_cloud import set_up_django

    set_up_django()
    print(page(), end="")
