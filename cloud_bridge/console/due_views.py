"""Who has to come soon or did not come: by village on the screen, and as a list to call from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cloud_bridge.console import places
from cloud_bridge.console.places import Place
from cloud_bridge.console.views import _audit, _masked, _page, _query_without_page
from cloud_bridge.registry import ages, due
from cloud_bridge.registry.models import Person, Proof, Region

PASSED = "passed"
WITHIN = {PASSED: 0, **{str(days): days for days in due.HORIZONS}}
"""What `days` in the address may say."""
LISTED_FROM = Region.Level.STREET
"""Above a street there are numbers only; a list of a county would be looked at by nobody."""


@require_safe
def due_list(request: HttpRequest) -> HttpResponse:
    """Numbers for each part of a region; from a street down also the people."""
    place, today, days = places.chosen(request), timezone.localdate(), _days(request)
    listed = place.region.level >= LISTED_FROM
    rows = due.due_list(place.region, WITHIN[days], today) if listed else Person.objects.none()
    page = _page(request, rows)
    reason = f"days={days}, page {page.number}"
    code = place.region.code
    _audit(request, "due.list", ("region", code), reason=reason, region_code=code)
    context = {
        "place": place,
        "days": days,
        "tabs": list(WITHIN),
        "kept": urlencode({"days": days}),
        "parts": _parts(place, today),
        "listed": listed,
        "page_rows": page,
        "rows": rows_of(page, today),
        "query": _query_without_page(request),
    }
    return render(request, "console/due.html", context)


@require_safe
def call_list(request: HttpRequest) -> HttpResponse:
    """One village's on paper: masked, with the age as a band, and room for what was said."""
    place, today, days = places.chosen(request), timezone.localdate(), _days(request)
    if place.region.level < LISTED_FROM or place.parts:
        raise Http404
    people = list(due.due_list(place.region, WITHIN[days], today))
    reason = f"days={days}, {len(people)} people"
    code = place.region.code
    _audit(request, "call-list.print", ("region", code), reason=reason, region_code=code)
    context = {"place": place, "days": days, "rows": rows_of(people, today)}
    return render(request, "console/call_list.html", context)


def rows_of(people: Iterable[Person], today: date) -> list[dict[str, Any]]:
    """What is shown of each; one question for all their proofs."""
    found = list(people)
    methods = due.last_methods([person.pk for person in found])
    return [_row(person, methods.get(person.pk, ""), today) for person in found]


def _row(person: Person, method: str, today: date) -> dict[str, Any]:
    age = ages.age(person.birth, today)
    opens = due.may_come_from(person, today)
    return {
        "person": person,
        "number": _masked(person.number_sealed, person.pk),
        "age": age,
        "band": ages.band(age),
        "old": age is not None and age >= due.OLD_YEARS,
        "due_by": person.due_by(today),
        "missed": due.missed_date(person, today),
        "opens": opens if opens > today else None,
        "method": Proof.Method(method).label if method else "",
        "death_waits": getattr(person, "death_waits", False),
    }


def _parts(place: Place, today: date) -> list[dict[str, Any]]:
    """The numbers of each part that has anybody, by name; what lies in no part goes last."""
    if not place.parts:
        return []
    known = {region.code: region for region in place.parts}
    rows = due.counts_below(place.region, today)
    return [row | {"region": known.get(row["code"])} for row in rows]


def _days(request: HttpRequest) -> str:
    days = request.GET.get("days", "")
    return days if days in WITHIN else str(due.HORIZONS[0])
