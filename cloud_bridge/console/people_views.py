"""生存认证: the list, its filters and what can be kept or taken along of it (S04–S27)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud_bridge.console import access
from cloud_bridge.console.people_forms import FilterName, PeopleFilter
from cloud_bridge.console.views import _audit, _audit_person, _masked
from cloud_bridge.registry import queries
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Account, Person, Region, SavedFilter
from cloud_bridge.registry.people_list import (
    COUNTED,
    DEAD,
    PER_PAGE,
    STATUSES,
    Mark,
    PeopleList,
    PeopleQuestion,
    Sort,
)

FILTERS_KEPT = 20
_FIELDS = ("since", "until", "name", "exact", "category", "status", "covered")
_ASKED = ("region", *_FIELDS, "person")
"""What a question is made of, as it stands in an address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in an address; `query` is what of it makes the same list again."""

    form: PeopleFilter
    region: Region | None
    question: PeopleQuestion | None
    sort: Sort
    query: Mapping[str, str]

    @property
    def address(self) -> str:
        return urlencode(self.query)


def asked(request: HttpRequest) -> Asked:
    """`question` is None where something asked makes no sense."""
    form = PeopleFilter(request.GET) if _is_asked(request) else PeopleFilter({})
    region = _chosen_region(request)
    sort = Sort.of(request.GET.get("sort", ""))
    query = {name: request.GET[name] for name in _ASKED if request.GET.get(name)}
    if str(sort) != str(Sort()):
        query["sort"] = str(sort)
    person = request.GET.get("person", "")
    person_id = _word(person) or ("nobody" if person else "")
    question = _question(form.cleaned_data, region, person_id) if form.is_valid() else None
    return Asked(form, region, question, sort, query)


def _is_asked(request: HttpRequest) -> bool:
    return any(request.GET.get(name) for name in _FIELDS)


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """The list (S04–S26). A POST becomes an address that holds no id number."""
    if request.method == "POST":
        return _people_address(request)
    found = asked(request)
    return _list_page(request, found) if found.question else _wrong(request, found.form)


def _wrong(request: HttpRequest, form: PeopleFilter) -> HttpResponse:
    """Nobody is shown where something typed makes no sense."""
    context = {
        "form": form,
        "regions": _region_menus(request.user, _chosen_region(request)),
        "headers": _headers(Sort(), {}),
    }
    return render(request, "console/people.html", context)


def _list_page(request: HttpRequest, found: Asked) -> HttpResponse:
    assert found.question is not None
    today = timezone.localdate()
    listed = PeopleList(request.user, found.question, found.sort, today)
    page = _page(request, listed)
    rows = _rows([mark.keys[-1] for mark in page.marks])
    _audit_list(request, rows, found.question, page.number)
    context = {
        "form": found.form,
        "regions": _region_menus(request.user, found.region),
        "headers": _headers(found.sort, found.query),
        "rows": _listed(request, rows, listed),
        "shown": page,
        "links": _links(page, found.query),
        "query": found.address,
        "filters": request.user.filters.order_by("name"),
        "keep": FilterName(),
        "may_export": access.may_open(request.user.role, "people-export"),
    }
    return render(request, "console/people.html", context)


# --- one page


@dataclass(frozen=True, slots=True)
class Page:
    """`total`: how many there are, counted to `COUNTED`. `number` is only shown."""

    marks: Sequence[Mark]
    number: int
    total: int
    has_previous: bool
    has_next: bool

    @property
    def many(self) -> bool:
        return self.total > COUNTED


def _page(request: HttpRequest, listed: PeopleList) -> Page:
    """The page that the address names by somebody it begins after or ends before."""
    number = _number(request.GET.get("page", ""), 1)
    after = _mark(listed, request.GET.get("after", ""))
    before = _mark(listed, request.GET.get("before", ""))
    if before is not None:
        marks = listed.page_before(PER_PAGE + 1, before)
        if len(marks) > PER_PAGE:
            return Page(marks[1:], number, _total(request, listed), True, True)
        after = None
    marks = listed.page(PER_PAGE + 1, after)
    more = len(marks) > PER_PAGE
    number = number if after else 1
    return Page(marks[:PER_PAGE], number, _total(request, listed), after is not None, more)


def _total(request: HttpRequest, listed: PeopleList) -> int:
    """Counted once; later pages are told."""
    told = _number(request.GET.get("of", ""), -1)
    return min(told, COUNTED + 1) if told >= 0 else listed.count()


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 9 else otherwise


def _mark(listed: PeopleList, text: str) -> Mark | None:
    part, _dot, person_id = text.partition(".")
    return listed.mark_of(_number(part, -1), _word(person_id)) if person_id else None


def _word(text: str) -> str:
    """A code or an id of an address, or nothing: PostgreSQL refuses to look for some texts."""
    return text if text.isalnum() and len(text) <= 32 else ""


def _links(page: Page, query: Mapping[str, str]) -> dict[str, str]:
    """Addresses of the pages around this one."""
    links = {}
    told = {**query, "of": str(page.total)}
    if page.has_previous:
        links["first"] = urlencode(told)
        here = {"before": _written(page.marks[0]), "page": str(max(page.number - 1, 1))}
        links["previous"] = urlencode({**told, **here})
    if page.has_next:
        here = {"after": _written(page.marks[-1]), "page": str(page.number + 1)}
        links["next"] = urlencode({**told, **here})
    return links


def _written(mark: Mark) -> str:
    return f"{mark.part}.{mark.keys[-1]}"


def _headers(sort: Sort, query: Mapping[str, str]) -> list[dict[str, str]]:
    """Columns S17–S25: their words, how they are sorted now, and where a click leads."""
    columns = (
        (_("County"), "place"), (_("Street"), "place"), (_("Community"), "place"),
        (_("Name"), "name"), (_("ID number"), ""), (_("Category"), "category"),
        (_("Covered"), "covered"), (_("Certified on"), "day"), (_("Status"), "status"),
    )  # fmt: skip
    return [_header(words, by, sort, query) for words, by in columns]


def _header(words: str, by: str, sort: Sort, query: Mapping[str, str]) -> dict[str, str]:
    if not by:
        return {"words": words}
    here = sort.by == by
    way = ("descending" if sort.down else "ascending") if here else "none"
    other = Sort(by, down=here and not sort.down)
    return {"words": words, "way": way, "link": urlencode({**query, "sort": str(other)})}


def _rows(ids: Sequence[str]) -> list[Person]:
    found = Person.objects.in_bulk(ids)
    return [found[each] for each in ids if each in found]


def _listed(
    request: HttpRequest, rows: Sequence[Person], listed: PeopleList
) -> list[dict[str, Any]]:
    names = queries.region_names(row.region_id for row in rows)
    words = dict(STATUSES)
    return [
        {
            "person": row,
            "county": names[row.region_id].get(3, ""),
            "street": names[row.region_id].get(4, ""),
            "community": names[row.region_id].get(5, ""),
            "number": _masked(row.number_sealed, row.person_id),
            "status": (status := listed.status_of(row)),
            "status_words": words[status],
            "acts": _acts(request, row, status),
        }
        for row in rows
    ]


def _acts(request: HttpRequest, row: Person, status: str) -> list[dict[str, str]]:
    """S27: what the account may do about somebody; for the dead nothing is left to do."""
    if status == DEAD:
        return []
    here = urlencode({"next": request.get_full_path()})
    acts = (("certify", _("Certify")), ("death", _("Dead")))
    return [
        {"words": words, "link": f"{reverse(page, args=[row.person_id])}?{here}"}
        for page, words in acts
        if access.may_open(request.user.role, page)
    ]


# --- the question


def _people_address(request: HttpRequest) -> HttpResponse:
    form = PeopleFilter(request.POST)
    if not form.is_valid():
        return _wrong(request, form)
    values = {name: request.POST[name] for name in _FIELDS if request.POST.get(name)}
    regions = [code for n in queries.LEVELS if (code := request.POST.get(f"region{n}"))]
    if regions:
        values["region"] = _deepest(regions)
    number = form.cleaned_data["number"]
    if number:
        person_id = _find(request, number)
        if not person_id:
            messages.warning(request, _("No record found for this person!"))
            return redirect("people")
        values = {"person": person_id}
    return redirect(f"{request.path}?{urlencode(values)}")


def _find(request: HttpRequest, number: str) -> str:
    """Whose number it is, if they are this account's to see."""
    seen = Person.objects.seen_by(request.user)
    found = seen.filter(number_key=vault().lookup(number)).values_list("pk", flat=True).first()
    _audit(request, "person.find", ("person", found or ""))
    return found or ""


def _question(values: Mapping[str, Any], region: Region | None, person_id: str) -> PeopleQuestion:
    covered = values["covered"]
    return PeopleQuestion(
        region=region,
        name=values["name"],
        exact=values["exact"],
        person_id=person_id,
        category=values["category"],
        status=values["status"],
        covered=covered == "yes" if covered else None,
        since=values["since"],
        until=values["until"],
    )


def harmless(question: PeopleQuestion) -> str:
    """What was asked by, for the audit log: no name that was typed."""
    values = {
        "region": question.region.code if question.region else "",
        "category": question.category,
        "status": question.status,
        "covered": "" if question.covered is None else question.covered,
        "since": question.since,
        "until": question.until,
    }
    told = [f"{name}={value}" for name, value in values.items() if value not in ("", None)]
    return ", ".join([*told, *(["name"] if question.name else [])])


def _audit_list(
    request: HttpRequest, rows: Sequence[Person], question: PeopleQuestion, number: int
) -> None:
    """A question for one person alone is a look at that person."""
    reason = ", ".join(filter(None, (harmless(question), f"page {number}")))
    if question.person_id and rows:
        _audit_person(request, "people.list", rows[0], reason)
    else:
        _audit(request, "people.list", ("people", ""), reason=reason)


# --- regions (S05–S09)


@require_safe
def regions(request: HttpRequest) -> JsonResponse:
    """The next drop-down's choices, for the script: those below `under` that one may see."""
    under = Region.objects.filter(pk=_word(request.GET.get("under", ""))).first()
    if under is None or not _within_scope(request.user, under):
        raise Http404
    children = Region.objects.filter(parent=under).order_by("code")
    seen = [row for row in children if _within_scope(request.user, row)]
    return JsonResponse({"choices": [[row.code, row.name] for row in seen]})


def _deepest(codes: list[str]) -> str:
    """The last chosen region that lies below the ones chosen before it."""
    chosen = codes[0]
    for code in codes[1:]:
        if chosen in _line(code):
            chosen = code
    return chosen


def _line(code: str) -> list[str]:
    return queries.line(code) if len(code) == 12 and code.isdecimal() else []


def _chosen_region(request: HttpRequest) -> Region | None:
    code = _word(request.GET.get("region", ""))
    return Region.objects.filter(code=code).first() if code else None


def _region_menus(account: Account, chosen: Region | None) -> list[dict[str, Any]]:
    """One drop-down for each level; a level opens when the one above is chosen."""
    picked = _line(chosen.code if chosen else account.region_id)
    parents = [None, *picked][: len(queries.LEVELS)]
    known = Region.objects.filter(parent__in=[p for p in parents if p]).order_by("code")
    rows = [*Region.objects.filter(level=1).order_by("code"), *known]
    seen = [row for row in rows if _within_scope(account, row)]
    return [
        {
            "name": f"region{level}",
            "label": Region.Level(level).label,
            "choices": [row for row in seen if row.level == level],
            "picked": picked[level - 1] if level <= len(picked) else "",
        }
        for level in queries.LEVELS
    ]


def _within_scope(account: Account, region: Region) -> bool:
    """Below the account's region, or on the line above it."""
    return account.region.covers(region.code) or region.covers(account.region_id)


# --- questions that are kept


@require_POST
def keep_filter(request: HttpRequest) -> HttpResponse:
    """Keep the question of the page under a name; the same name again replaces it."""
    found, form = asked(request), FilterName(request.POST)
    query = {name: value for name, value in found.query.items() if name != "person"}
    address = urlencode(query)
    if not form.is_valid() or found.question is None or len(address) > 500:
        messages.warning(request, _("This search cannot be kept: it needs a name of its own."))
    elif _is_full(request.user, form.cleaned_data["name"]):
        messages.warning(request, _("You keep twenty searches already. Delete one first."))
    else:
        name = form.cleaned_data["name"]
        request.user.filters.update_or_create(name=name, defaults={"query": address})
        messages.success(request, _("The search is kept."))
    return redirect(f"{reverse('people')}?{address}")


def _is_full(account: Account, name: str) -> bool:
    return bool(account.filters.exclude(name=name).count() >= FILTERS_KEPT)


@require_POST
def drop_filter(request: HttpRequest, filter_id: int) -> HttpResponse:
    deleted, _kinds = SavedFilter.objects.filter(account=request.user, pk=filter_id).delete()
    if not deleted:
        raise Http404
    messages.success(request, _("The search is no longer kept."))
    return redirect("people")
