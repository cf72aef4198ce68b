"""Who may open which page of the console, told a second time; and how to ask for it.

Whoever adds an address adds a row here. The tests of `test_cloud_security.py` find every address
by themselves and fail for one without a row, for a parameter without a sample
(`console_world.World.samples`), and for every row that the console does not keep. The table in
docs/roles.md is written from it (`make pages`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.console_world import World

ROLES = ("worker", "supervisor", "county", "auditor", "operator")
ALL = frozenset(ROLES)
CASES = frozenset({"worker", "supervisor", "county"})
CHECKERS = frozenset({"supervisor", "county"})
COUNTY = frozenset({"county"})
MACHINES = frozenset({"operator"})
AUDIT = frozenset({"auditor"})


def _nothing(_world: World) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """`who` may open it.

    `ids`: which sample a parameter stands for, where its name is not the sample's own.
    `query`: what a GET needs to show anything. `post`: fields of a POST that name things of the
    region. `names_object`: False where the parameters name nothing that belongs to a region.
    """

    who: frozenset[str]
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Callable[[World], dict[str, Any]] = _nothing
    post: Callable[[World], dict[str, Any]] = _nothing
    names_object: bool = True


PUBLIC = {
    "sign-in": "the door",
    "sign-in-code": "the second half of the door; nothing without the first",
    "set_language": "the language of the page",
    "api-docs": "what other systems may ask; holds nobody's data",
    "api-nothing": "addresses below /api/ that are none",
    "public-receipt": "says of a receipt what stands on it, to whoever has it; tries are limited",
    "public-key": "the key that checks receipts; it is meant to be known",
    "public-kiosks": "where kiosks stand",
    "public-due": "that a card is needed to know when somebody is due",
}
"""Open to everybody, and why."""

OWN_DOORS = {"api": "every operation asks for a key and its scope (docs/api.md)"}
"""Namespaces that no account opens."""

ROWS: Mapping[str, Row] = {
    "home": Row(ALL),
    "sign-out": Row(ALL),
    "own-account": Row(ALL),
    "own-password": Row(ALL),
    "own-factor": Row(ALL),
    "own-codes": Row(ALL),
    "other-phone": Row(ALL),
    "people": Row(CASES),
    "people-regions": Row(CASES, query=lambda w: {"under": w.region}),
    "people-export": Row(CHECKERS),
    "filter-keep": Row(CASES),
    "filter-drop": Row(CASES),
    "person": Row(CASES),
    "reveal": Row(CASES, post=lambda _: {"reason": "核对补办材料"}),
    "record": Row(CASES),
    "tasks": Row(CASES),
    "task": Row(CASES),
    "task-close": Row(CASES, post=lambda _: {"note": "上门核实，本人健在"}),
    "helped": Row(CASES),
    "rechecks": Row(CHECKERS),
    "recheck-done": Row(CHECKERS, post=lambda _: {"finding": "in_order", "note": "看过，没有问题"}),
    "template-withdraw": Row(CASES, post=lambda _: {"reason": "本人要求"}),
    "opinions": Row(CASES),
    "rehearsals": Row(CASES | MACHINES),
    "rehearsal": Row(CASES | MACHINES, ids={"record_id": "rehearsal_id"}),
    "devices": Row(MACHINES),
    "settings": Row(MACHINES, post=lambda _: {"version": "0", "tries": "2"}),
    "settings-back": Row(MACHINES, post=lambda _: {"version": "1"}),
    "badges": Row(CHECKERS | MACHINES),
    "badge": Row(CHECKERS | MACHINES),
    "badge-reset": Row(CHECKERS | MACHINES),
    "badge-revoke": Row(CHECKERS | MACHINES),
    "quarantine": Row(MACHINES),
    "audit": Row(AUDIT),
    "accounts": Row(
        COUNTY, post=lambda w: {"name": "xin", "role": "worker", "region": w.region}
    ),
    "account": Row(COUNTY),
    "account-switch": Row(COUNTY, post=lambda _: {"wanted": "out"}),
    "account-password": Row(COUNTY),
    "account-factor": Row(COUNTY),
    "certify": Row(CASES),
    "proof-void": Row(CASES, post=lambda _: {"reason": "录入有误，收回"}),
    "evidence": Row(CASES),
    "task-accept": Row(CASES, post=lambda _: {"reason": "本人到场核对无误"}),
    "death": Row(CASES),
    "deaths": Row(CASES),
    "deaths-late": Row(CHECKERS),
    "death-report": Row(CASES),
    "death-decide": Row(CHECKERS, post=lambda _: {"approve": "yes", "reason": "与户籍一致"}),
    "death-undo": Row(CASES, post=lambda _: {"reason": "人还健在"}),
    "alerts": Row(CASES),
    "cycles": Row(COUNTY),
    "tasks-take": Row(CASES, post=lambda w: {"deed": "take", "task": w.samples["task_id"]}),
    "task-reopen": Row(CASES, post=lambda _: {"note": "还没有办完"}),
    "due": Row(CASES),
    "call-list": Row(CASES, query=lambda w: {"region": w.village}),
    "plans": Row(CASES),
    "plan-new": Row(
        CASES,
        post=lambda w: {
            "region": w.region, "person": w.samples["person_id"], "name": "x", "day": w.today,
        },
    ),
    "plan": Row(CASES),
    "plan-remove": Row(CASES),
    "dashboard": Row(CHECKERS | AUDIT),
    "dashboard-csv": Row(CHECKERS | AUDIT),
    "imports": Row(COUNTY | AUDIT),
    "import-new": Row(COUNTY),
    "import-blank": Row(COUNTY, names_object=False),
    "import": Row(COUNTY | AUDIT, ids={"number": "import_id"}),
    "import-apply": Row(COUNTY, ids={"number": "import_id"}),
    "import-drop": Row(COUNTY, ids={"number": "import_id"}),
    "import-undo": Row(COUNTY, ids={"number": "import_id"}),
    "import-errors": Row(COUNTY | AUDIT, ids={"number": "import_id"}),
    "import-missing": Row(COUNTY, ids={"number": "import_id"}),
    "api-clients": Row(
        COUNTY, post=lambda w: {"name": "xin", "region": w.region, "scopes": ["people:read"]}
    ),
    "api-client-revoke": Row(COUNTY),
    "webhooks": Row(
        COUNTY,
        post=lambda w: {
            "name": "xin", "url": "https://example.cn/", "region": w.region, "events": ["death"],
        },
    ),
    "webhook": Row(COUNTY),
    "webhook-switch": Row(COUNTY, post=lambda _: {"wanted": "off"}),
    "webhook-test": Row(COUNTY),
    "webhook-resend": Row(COUNTY),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """One pattern of the console, as Django knows it."""

    name: str
    namespace: str
    route: str
    parameters: tuple[str, ...]

    def path(self, world: World) -> str:
        from django.urls import reverse

        row = ROWS[self.name]
        kwargs = {word: world.samples[row.ids.get(word, word)] for word in self.parameters}
        return reverse(self.name, kwargs=kwargs)


def addresses() -> Iterator[Address]:
    """Every address there is, those without a name included."""
    from django.urls import get_resolver

    yield from _addresses(get_resolver().url_patterns, "", "")


def _addresses(patterns: Any, prefix: str, namespace: str) -> Iterator[Address]:
    for each in patterns:
        route = prefix + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from _addresses(each.url_patterns, route, each.namespace or namespace)
        else:
            words = tuple(each.pattern.converters)
            yield Address(each.name or "", namespace, route, words)


def pages() -> list[Address]:
    """Those that ask for an account."""
    inside = [each for each in addresses() if each.namespace not in OWN_DOORS]
    return [each for each in inside if each.name in ROWS]


def unlisted() -> set[str]:
    """What has no row and is not open to everybody either."""
    inside = [each for each in addresses() if each.namespace not in OWN_DOORS]
    return {each.name or each.route for each in inside} - set(ROWS) - set(PUBLIC)
