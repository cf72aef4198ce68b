"""One person on one page: what is known, everything that was done, and who looked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console.forms import ReasonForm
from cloud_bridge.console.views import _audit_person, _masked, _opened
from cloud_bridge.registry import deaths, queries, templates, visits
from cloud_bridge.registry.models import Account, AuditEntry, Matter, Person, Proof

PER_SECTION = 10
SECTIONS = ("proofs", "records", "tasks", "deaths", "signals", "matters", "looks")
"""Each is paged by a word of its own in the address."""


@require_safe
def person(request: HttpRequest, person_id: str) -> HttpResponse:
    row = find_person(request, person_id)
    _audit_person(request, "person.view", row)
    return render(request, "console/person.html", _context(request, row))


@require_POST
def reveal(request: HttpRequest, person_id: str) -> HttpResponse:
    """The full number and day of birth, once, against a typed reason."""
    row = find_person(request, person_id)
    form = ReasonForm(request.POST)
    shown: dict[str, Any] = {"form": form}
    if not form.is_valid():
        _audit_person(request, "person.view", row)
    else:
        _audit_person(request, "person.reveal", row, form.cleaned_data["reason"])
        number = _opened(row.number_sealed, row.pk) or _("cannot be read")
        shown |= {"number": number, "revealed": True}
    return render(request, "console/person.html", _context(request, row) | shown)


def find_person(request: HttpRequest, person_id: str) -> Person:
    rows = Person.objects.seen_by(request.user)
    row: Person | None = rows.select_related("region", "household").filter(pk=person_id).first()
    if row is None:
        raise Http404
    return row


def head_of(row: Person) -> dict[str, Any]:
    """What stands above every page about one person: masked, with the status of today."""
    today = timezone.localdate()
    return {
        "person": row,
        "number": _masked(row.number_sealed, row.pk),
        "age": _age(row.birth, today),
        "places": list(queries.region_names([row.region_id])[row.region_id].values()),
        "certified": row.is_certified(today),
        "due_by": row.due_by(today),
    }


def safe_next(request: HttpRequest, default: str) -> str:
    """Where somebody came from, if that is a page of ours."""
    target = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if safe else default


def _context(request: HttpRequest, row: Person) -> dict[str, Any]:
    today = timezone.localdate()
    account: Account = request.user
    pages = {name: _section(request, name, rows) for name, rows in _sections(row).items()}
    family = Person.objects.seen_by(account).filter(household=row.household_id or 0)
    for proof in pages["proofs"]["page"]:
        proof.may_take_back = visits.may_take_back(proof, account)
    return head_of(row) | {
        "sections": pages,
        "death": deaths.standing_report(row),
        "family": family.exclude(pk=row.pk),
        "form": ReasonForm(),
        "templates": templates.held(row, today),
        "events": row.template_events.select_related("device__site").order_by("-at")[:PER_SECTION],
        "rule": row.rule,
    }


def _sections(row: Person) -> Mapping[str, Any]:
    proofs = Proof.objects.filter(person=row).select_related("record", "signal", "recheck")
    proofs = proofs.defer("record__envelope").prefetch_related("evidence")
    records = row.certifications.select_related("proof").defer("envelope")
    looks = AuditEntry.objects.filter(object_kind="person", object_id=row.pk)
    matters = Matter.objects.filter(person=row).select_related("device__site").defer("envelope")
    return {
        "proofs": proofs.order_by("-on", "-pk"),
        "records": records.order_by("-finished_at", "record_id"),
        "tasks": row.tasks.order_by("-created_at", "-pk"),
        "deaths": row.deaths.order_by("-entered_at", "-pk"),
        "signals": row.signals.select_related("run").order_by("-on", "-pk"),
        "matters": matters.order_by("-at", "record_id"),
        "looks": looks.order_by("-number"),
    }


def _section(request: HttpRequest, name: str, rows: Any) -> dict[str, Any]:
    """One part of the page with its own pages; the others stay where they are."""
    page = Paginator(rows, PER_SECTION).get_page(request.GET.get(name))
    others = {key: request.GET[key] for key in SECTIONS if key != name and key in request.GET}
    return {"page": page, "name": name, "query": urlencode(others)}


def _age(birth: date | None, today: date) -> int | None:
    if birth is None:
        return None
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
