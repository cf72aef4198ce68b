"""死亡: entered by one, decided by another, taken back; and what came late."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud_bridge.console.case_forms import (
    DEATH_FIELDS,
    DeathForm,
    SpanForm,
    WhyForm,
    add_refusal,
)
from cloud_bridge.console.labels import LABELS
from cloud_bridge.console.person_views import find_person, head_of, safe_next
from cloud_bridge.console.views import _audit, _audit_person, _masked, _page, _query_without_page
from cloud_bridge.registry import deaths, queries, workdays
from cloud_bridge.registry.deaths import Death, DeathRefused, Delay
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import DeathReport, Person

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would calculate."""


@require_http_methods(["GET", "HEAD", "POST"])
def death(request: HttpRequest, person_id: str) -> HttpResponse:
    row = find_person(request, person_id)
    report = deaths.standing_report(row)
    if report is not None:
        return redirect("death-report", report_id=report.pk)
    form = DeathForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deaths.enter(row, Death(**form.cleaned_data), vault(), request.user, timezone.now())
        except DeathRefused as refused:
            add_refusal(form, refused.word, "death_refused", DEATH_FIELDS)
        else:
            words = _("Saved. It takes effect when a second person has approved it.")
            messages.success(request, words)
            return redirect(_way_back(request, row))
    _audit_person(request, "person.view", row, "death")
    form.fields["died_on"].widget.attrs.update(max=timezone.localdate().isoformat())
    context = head_of(row) | {"form": form, "next": _way_back(request, row)}
    return render(request, "console/death.html", context)


def _way_back(request: HttpRequest, row: Person) -> str:
    return safe_next(request, reverse("person", args=[row.pk]))


@require_safe
def death_list(request: HttpRequest) -> HttpResponse:
    """Those that wait come first."""
    state = request.GET.get("state", "")
    rows = deaths.in_order(deaths.seen_by(request.user))
    page = _page(request, rows.filter(state=state) if state else rows)
    _audit(request, "deaths.view", ("deaths", ""), reason=f"page {page.number}")
    context = {
        "page_rows": page,
        "rows": _with_places(page),
        "states": DeathReport.State.choices,
        "state": state,
        "query": _query_without_page(request),
    }
    return render(request, "console/deaths.html", context)


def _with_places(reports: Iterable[DeathReport]) -> list[dict[str, Any]]:
    rows = list(reports)
    names = queries.region_names(row.person.region_id for row in rows)
    return [{"report": row, "place": _place(names[row.person.region_id])} for row in rows]


def _place(names: Mapping[int, str]) -> str:
    """County, street and community."""
    return " ".join(name for level, name in sorted(names.items()) if level >= 3)


@require_safe
def death_report(request: HttpRequest, report_id: int) -> HttpResponse:
    """What a second person decides on: who says it, since when, and what speaks against it."""
    report = _find_report(request, report_id)
    _audit_person(request, "death.view", report.person, f"report {report.pk}")
    context = head_of(report.person) | {
        "report": report,
        "against": deaths.contradicting(report).select_related("record").order_by("-on")[:5],
        "may_decide": _may_decide(request, report),
        "is_own": report.entered_by == request.user.username,
        "may_undo": deaths.may_undo(report, request.user),
        "form": WhyForm(),
        "next": safe_next(request, reverse("deaths")),
    }
    return render(request, "console/death_report.html", context)


def _may_decide(request: HttpRequest, report: DeathReport) -> bool:
    waits = report.state == DeathReport.State.WAITING
    own = report.entered_by == request.user.username
    return bool(waits and not own and request.user.role in deaths.DECIDERS)


def _find_report(request: HttpRequest, report_id: int) -> DeathReport:
    report: DeathReport | None = deaths.seen_by(request.user).filter(pk=report_id).first()
    if report is None:
        raise Http404
    return report


@require_POST
def decide(request: HttpRequest, report_id: int) -> HttpResponse:
    """批准 or 不批准, by somebody else than who entered it."""
    report, approved = _find_report(request, report_id), "approve" in request.POST
    form = WhyForm(request.POST)
    if not approved and not form.is_valid():
        messages.warning(request, _("Please say in a few words why."))
        return redirect("death-report", report_id=report.pk)
    try:
        if approved:
            deaths.approve(report, vault(), request.user, timezone.now())
            messages.success(request, _("Approved. No further proof of life is needed."))
        else:
            why = form.cleaned_data["reason"]
            deaths.refuse(report, why, vault(), request.user, timezone.now())
            messages.success(request, _("Not approved. Nothing has changed for this person."))
    except DeathRefused as refused:
        messages.warning(request, LABELS["death_refused"][refused.word])
    return redirect("death-report", report_id=report.pk)


@require_POST
def undo(request: HttpRequest, report_id: int) -> HttpResponse:
    """撤销: as it was before, in one step."""
    report = _find_report(request, report_id)
    form = WhyForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Please say in a few words why."))
        return redirect("death-report", report_id=report.pk)
    try:
        why = form.cleaned_data["reason"]
        deaths.undo(report, why, vault(), request.user, timezone.now())
        messages.success(request, _("Taken back. Everything is as it was before."))
    except DeathRefused as refused:
        messages.warning(request, LABELS["death_refused"][refused.word])
    return redirect("person", person_id=report.person_id)


# --- what came late


@require_safe
def late(request: HttpRequest) -> HttpResponse:
    """Reported later than 20 working days after the death, or waiting too long for a decision."""
    form = _span(request)
    if not form.is_valid():
        return render(request, "console/deaths_late.html", {"form": form})
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    today, days = timezone.localdate(), workdays.china()
    found = list(deaths.delays(request.user, since, until, days, today))
    asked = f"{since.isoformat()} {until.isoformat()}"
    if request.GET.get("form") == "csv":
        _audit(request, "deaths.export", ("deaths", ""), reason=f"{asked} rows {len(found)}")
        return _csv(request, found, asked)
    page = _page(request, found)
    _audit(request, "deaths.late", ("deaths", ""), reason=f"{asked} page {page.number}")
    places = _with_places(delay.report for delay in page)
    context = {
        "form": form,
        "page_rows": page,
        "rows": [row | {"delay": delay} for row, delay in zip(places, page, strict=True)],
        "late_days": deaths.LATE_DAYS,
        "waiting_days": deaths.WAITING_DAYS,
        "unknown_years": days.unknown_years(since, until),
        "query": _query_without_page(request),
    }
    return render(request, "console/deaths_late.html", context)


def _span(request: HttpRequest) -> SpanForm:
    today = timezone.localdate()
    whole_year = {"since": today.replace(month=1, day=1).isoformat(), "until": today.isoformat()}
    asked = {name: request.GET[name] for name in whole_year if request.GET.get(name)}
    return SpanForm(whole_year | asked)


def _csv(request: HttpRequest, found: Iterable[Delay], asked: str) -> HttpResponse:
    """Who asked for what and when stands in the file itself."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="late-death-reports.csv"'
    lines = csv.writer(response)
    now = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    lines.writerow([_("Late reports of deaths"), asked, request.user.username, now])
    lines.writerow(
        [_("Region"), _("Name"), _("ID number"), _("Day of death"), _("Entered"), _("Entered by"),
         _("Working days until reported"), _("State"), _("Working days until decided")]
    )  # fmt: skip
    delays = list(found)
    for row, delay in zip(_with_places(d.report for d in delays), delays, strict=True):
        lines.writerow([_harmless(cell) for cell in _cells(row["place"], delay)])
    return response


def _cells(place: str, delay: Delay) -> list[object]:
    report = delay.report
    entered = timezone.localtime(report.entered_at).strftime("%Y-%m-%d %H:%M")
    number = _masked(report.person.number_sealed, report.person_id)
    return [
        *(place, report.person.name, number, report.died_on.isoformat(), entered),
        *(report.entered_by, delay.reported, report.get_state_display(), delay.decided),
    ]


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else cell
