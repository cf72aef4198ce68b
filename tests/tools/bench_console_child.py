"""One process of `tests.tools.bench_console`: pages, or one export, of one registry."""

from __future__ import annotations

import itertools
import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import track

ROLES = {"worker": 5, "supervisor": 4, "county": 2}
"""Level of the region of each account: a village, a street, everything."""
NAMES = ("", "王", "欧阳", "王秀英")
SORTS = ("place", "name", "day", "-day", "category", "-status")
ROWS = 20
DEEP_PAGE = 10_000
VILLAGES = 40
EXPORTED = 100_000


def main() -> int:
    os.environ["CLOUD_BRIDGE_CONFIG"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud_bridge.settings"
    import django

    django.setup()
    from django.conf import settings

    settings.SECOND_FACTOR_REQUIRED = False
    found = _pages(int(sys.argv[3])) if sys.argv[2] == "pages" else _export(sys.argv[2])
    print(json.dumps(found, ensure_ascii=False))
    return 0


def client_of(role: str) -> tuple[Any, Any]:
    """Signed in, and their account."""
    from django.test import Client

    from cloud_bridge.registry import keyring, staff
    from cloud_bridge.registry.models import Account, Region

    name = f"bench-{role}"
    if not Account.objects.filter(username=name).exists():
        region = Region.objects.filter(level=ROLES[role]).order_by("code").first()
        staff.set_account(
            name, role, region.code, "correct horse battery", keyring.vault(), "bench"
        )
    Account.objects.filter(username=name).update(must_change=False)
    client = Client(headers={"accept-language": "zh-CN"})
    client.get("/sign-in/")
    account = Account.objects.select_related("region").get(username=name)
    client.force_login(account)
    return client, account


# --- pages


@dataclass(frozen=True, slots=True)
class Case:
    role: str
    query: Mapping[str, str]


def cases(how_many: int) -> list[Case]:
    """Every combination of filters, orders and roles, or so many of them drawn evenly."""
    from cloud_bridge.registry.models import Region

    street = Region.objects.filter(level=4).order_by("code").last().code
    today = date.today()
    dates = (
        {}, {"since": f"{today:%Y-%m-01}", "until": f"{today:%Y-%m-01}"},
        {"since": f"{today.year}-03-01"}, {"until": f"{today.year - 1}-06-01"},
    )  # fmt: skip
    whole = itertools.product(
        ROLES, NAMES, ("", "tekun", "retired"), ("", "pending", "certified", "dead"),
        ("", "yes", "no"), dates, ("", street), SORTS,
    )  # fmt: skip
    found = [
        Case(role, {"name": name, "category": category, "status": status, "covered": covered,
                    **days, "region": region if role == "county" else "", "sort": sort})
        for role, name, category, status, covered, days, region, sort in whole
        if role == "county" or not region
    ]  # fmt: skip
    return found if not how_many else random.Random(1).sample(found, min(how_many, len(found)))


def _pages(how_many: int) -> dict[str, Any]:
    clients = {role: client_of(role) for role in ROLES}
    for client, _account in clients.values():
        client.get("/people/")
    pages, floors, cpu = [], [], []
    for case in _track(cases(how_many), "pages"):
        client, account = clients[case.role]
        query = {name: value for name, value in case.query.items() if value}
        began_s = time.process_time()
        pages.append((_get_ms(client, f"/people/?{urlencode(query)}"), case))
        cpu.append((time.process_time() - began_s) * 1000)
        floors.append(_floor_ms(account, case.query))
    times = [took for took, _case in pages]
    slowest = sorted(pages, key=lambda each: -each[0])[:5]
    return {
        "pages": len(pages),
        **_spread("page", times),
        **_spread("page_cpu", cpu),
        **_spread("floor", floors),
        "slowest": [[round(took), case.role, dict(case.query)] for took, case in slowest],
        **_deep(clients["county"]),
        **_due(clients["county"][0]),
    }


def _get_ms(client: Any, path: str) -> float:
    began = time.perf_counter()
    response = client.get(path)
    took = (time.perf_counter() - began) * 1000
    assert response.status_code == 200, (path, response.status_code)
    return took


def _spread(what: str, times: list[float]) -> dict[str, float]:
    cuts = quantiles(times, n=100)
    figures = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(times)}
    return {f"{what}_{name}_ms": round(value, 1) for name, value in figures.items()}


def _deep(who: tuple[Any, Any]) -> dict[str, Any]:
    """Page 10,000, or the last but one where there are not so many."""
    from cloud_bridge.registry.models import Person

    client, account = who
    rows = Person.objects.seen_by(account)
    number = min(DEEP_PAGE, rows.count() // ROWS - 1)
    found = {}
    for sort, order in (("place", ("region_id", "name", "pk")), ("name", ("name", "pk"))):
        before = rows.order_by(*order).values_list("pk", flat=True)[number * ROWS - ROWS]
        query = urlencode({"sort": sort, "after": f"0.{before}", "page": number, "of": 1001})
        took = min(_get_ms(client, f"/people/?{query}") for _time in range(5))
        found[f"page_{number}_by_{sort}_ms"] = round(took, 1)
    return found


def _due(client: Any) -> dict[str, float]:
    from cloud_bridge.registry.models import Region

    villages = list(Region.objects.filter(level=5).values_list("pk", flat=True))
    some = random.Random(1).sample(villages, min(VILLAGES, len(villages)))
    client.get("/due/")
    return _spread("due", [_get_ms(client, f"/due/?region={code}") for code in _track(some, "due")])


# --- the floor


def _floor_ms(account: Any, query: Mapping[str, str]) -> float:
    from django.db import connection

    sql, values = plain_select(account, query, "?" if connection.vendor == "sqlite" else "%s")
    connection.ensure_connection()
    cursor = connection.connection.cursor()
    began = time.perf_counter()
    cursor.execute(sql, values)
    cursor.fetchall()
    took = (time.perf_counter() - began) * 1000
    cursor.close()
    return took


def plain_select(account: Any, query: Mapping[str, str], mark: str) -> tuple[str, list[Any]]:
    """The page as one would ask for it in one line."""
    conditions = list(_conditions(account, query))
    where = " AND ".join(text.replace("?", mark) for text, _values in conditions)
    values = [value for _text, some in conditions for value in some]
    columns = (
        "person_id, name, region_id, category, covered, last_pass_on, dead_since, number_sealed"
    )
    order = ", ".join(_order(query["sort"]))
    return f"SELECT {columns} FROM registry_person WHERE {where} ORDER BY {order} LIMIT 20", values


def _conditions(account: Any, query: Mapping[str, str]) -> Iterator[tuple[str, list[Any]]]:
    from cloud_bridge.registry.models import Region

    region = Region.objects.get(pk=query["region"]) if query["region"] else account.region
    yield "region_id BETWEEN ? AND ?", [region.code, region.last_code]
    if query["name"]:
        yield "name >= ? AND name < ?", [query["name"], query["name"] + "\U0010ffff"]
    if query["category"]:
        yield "category = ?", [query["category"]]
    if query["covered"]:
        yield "covered" if query["covered"] == "yes" else "NOT covered", []
    if query.get("since"):
        yield "last_pass_on >= ?", [query["since"]]
    if query.get("until"):
        yield "last_pass_on <= ?", [query["until"]]
    yield from _status(query["status"])


def _status(status: str) -> Iterator[tuple[str, list[Any]]]:
    from cloud_bridge.registry import people_list

    starts = people_list._starts(date.today())
    certified = " OR ".join(["(category = ? AND last_pass_on >= ?)"] * len(starts))
    values = [part for word, start in starts.items() for part in (word, start.isoformat())]
    if status == "dead":
        yield "dead_since IS NOT NULL", []
    elif status == "certified":
        yield f"dead_since IS NULL AND ({certified})", values
    elif status == "pending":
        yield f"dead_since IS NULL AND (last_pass_on IS NULL OR NOT ({certified}))", values


def _order(sort: str) -> list[str]:
    by = {"place": ["region_id", "name", "person_id"], "name": ["name", "person_id"],
          "day": ["last_pass_on", "person_id"], "category": ["category", "region_id", "name"],
          "status": ["dead_since", "last_pass_on"]}  # fmt: skip
    down = " DESC" if sort.startswith("-") else ""
    return [f"{column}{down}" for column in by[sort.lstrip("-")]]


# --- one export


def _export(form: str) -> dict[str, Any]:
    client, account = client_of("county")
    rows, asked = _large(account)
    query = urlencode(asked)
    before_mb = _peak_mb()
    began = time.perf_counter()
    fields = {"format": form, "reason": "measuring", "full": "on"}
    response = client.post(f"/people/export/?{query}", fields)
    size = sum(len(piece) for piece in response)
    seconds = time.perf_counter() - began
    return {
        f"{form}_rows": rows,
        f"{form}_bytes": size,
        f"{form}_s": round(seconds, 1),
        f"{form}_rows_per_s": round(rows / seconds),
        f"{form}_start_mb": before_mb,
        f"{form}_peak_mb": _peak_mb(),
    }


def _large(account: Any) -> tuple[int, dict[str, str]]:
    """The question that leaves nearest to `EXPORTED` rows, and no more than twice as many."""
    asked: list[dict[str, str]] = [
        {}, {"category": "retired"}, {"category": "dibao"}, {"category": "dibian"},
        {"category": "tekun"},
    ]  # fmt: skip
    sizes = [(_count(account, query), query) for query in asked]
    fit = [each for each in sizes if each[0] <= 2 * EXPORTED]
    return min(fit, key=lambda each: abs(each[0] - EXPORTED))


def _count(account: Any, query: Mapping[str, str]) -> int:
    from cloud_bridge.registry.models import Person

    return int(Person.objects.seen_by(account).filter(**query).count())


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _track(some: list[Any], what: str) -> Any:
    return track(some, what, console=Console(file=sys.stderr))


if __name__ == "__main__":
    sys.exit(main())
