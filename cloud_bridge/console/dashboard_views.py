"""How it goes: completion, methods, checks by age, site and software, tasks that wait."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cloud_bridge.console import charts, places
from cloud_bridge.console.charts import Bar
from cloud_bridge.console.places import Place
from cloud_bridge.console.views import _audit, _query_without_page
from cloud_bridge.console.work_forms import RangeForm
from cloud_bridge.registry import dashboards, fairness, figures
from cloud_bridge.registry.dashboards import AGES_DAYS, Share
from cloud_bridge.registry.fairness import Group, Months
from cloud_bridge.registry.models import Proof, Region, Task

USUAL_DAYS = 90
LONGEST_DAYS = 3 * 366
EARLIEST = date(2000, 1, 1)
MOST_BARS = 24
"""A chart of more is not read; the table below has them all."""

BAND_WORDS = {
    "-59": gettext_lazy("under 60"),
    "60-69": gettext_lazy("60 to 69"),
    "70-79": gettext_lazy("70 to 79"),
    "80+": gettext_lazy("80 and older"),
}
DIMENSION_WORDS = {
    "band": gettext_lazy("By age"),
    "site": gettext_lazy("By site"),
    "software": gettext_lazy("By software version"),
}
AGE_WORDS = (
    gettext_lazy("today"),
    gettext_lazy("1 to 3 days"),
    gettext_lazy("3 to 7 days"),
    gettext_lazy("7 to 30 days"),
    gettext_lazy("more than 30 days"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    place: Place
    since: date
    until: date

    @property
    def months(self) -> Months:
        return Months.around(self.since, self.until)

    @property
    def is_fair_sized(self) -> bool:
        """Of a village nothing is said about who succeeds: everybody knows everybody there."""
        return bool(self.place.region.level <= Region.Level.STREET)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    asked, form = _asked(request)
    _note(request, "dashboard.view", asked)
    counted_to = figures.catch_up(timezone.now())
    groups = _groups(asked)
    context = {
        "form": form,
        "place": asked.place,
        "asked": asked,
        "query": _query_without_page(request),
        "kept": f"since={asked.since}&until={asked.until}",
        "counted_to": counted_to,
        "completion": _completion(asked),
        "days": _days(asked),
        "methods": _methods(asked),
        "checks": [_checks(name, rows) for name, rows in groups.items()],
        "behind": fairness.behind(groups.get("band", ())),
        "tasks": _tasks(asked),
        "age_words": AGE_WORDS,
        "few": fairness.FEW,
    }
    return render(request, "console/dashboard.html", context)


@require_safe
def dashboard_csv(request: HttpRequest) -> HttpResponse:
    """All figures of the page, and on top whose they are."""
    asked, _form = _asked(request)
    _note(request, "dashboard.export", asked)
    figures.catch_up(timezone.now())
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    name = f"figures-{asked.place.region.code}-{asked.since}-{asked.until}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    made = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    writer.writerow([_("Region"), asked.place.region.code, _plain(str(asked.place.region))])
    writer.writerow([_("From"), asked.since, _("To"), asked.until])
    writer.writerow([_("Account"), request.user.username, _("Time"), made])
    writer.writerows(_table(asked))
    return response


def _asked(request: HttpRequest) -> tuple[Asked, RangeForm]:
    place, today = places.chosen(request), timezone.localdate()
    form = RangeForm(request.GET)
    values = form.cleaned_data if form.is_valid() else {}
    until = max(min(values.get("until") or today, today), EARLIEST)
    since = values.get("since") or until - timedelta(days=USUAL_DAYS - 1)
    since = max(min(since, until), until - timedelta(days=LONGEST_DAYS))
    return Asked(place, since, until), RangeForm(initial={"since": since, "until": until})


def _note(request: HttpRequest, action: str, asked: Asked) -> None:
    code = asked.place.region.code
    reason = f"{asked.since} – {asked.until}"
    _audit(request, action, ("region", code), reason=reason, region_code=code)


# --- completion


def _completion(asked: Asked) -> dict[str, Any]:
    shares = dashboards.completion(asked.place.region, timezone.localdate())
    known = {region.code: region for region in (*asked.place.parts, asked.place.region)}
    rows = [{"share": share, "region": known.get(share.code)} for share in shares]
    drawn = [_share_bar(row) for row in rows][:MOST_BARS]
    whole = Share("", sum(s.people for s in shares), sum(s.certified for s in shares))
    return {
        "rows": rows,
        "whole": whole,
        "chart": charts.bars("regions", _("Certified by region"), drawn, full=100),
    }


def _share_bar(row: dict[str, Any]) -> Bar:
    name = str(row["region"]) if row["region"] else _("without a more precise place")
    return Bar(name, row["share"].percent, f"{row['share'].percent:.1f} %")


def _days(asked: Asked) -> dict[str, Any]:
    rows = dashboards.per_day(asked.place.region, asked.since, asked.until)
    points = [(f"{day:%m-%d}", float(number)) for day, number in rows]
    total = sum(number for _day, number in rows)
    text = _("%(total)d people in %(days)d days, at most %(most)d in one day") % {
        "total": total,
        "days": len(rows),
        "most": max(number for _day, number in rows),
    }
    return {
        "rows": [row for row in rows if row[1]],
        "text": text,
        "chart": charts.lines("days", _("Certified by day"), points, text),
    }


def _methods(asked: Asked) -> dict[str, Any]:
    found = dashboards.methods(asked.place.region, asked.since, asked.until)
    total = sum(found.values()) or 1
    rows = [
        {"label": Proof.Method(word).label, "number": number, "percent": 100 * number / total}
        for word, number in found.items()
    ]
    drawn = [
        Bar(str(row["label"]), row["number"], f"{row['number']} · {row['percent']:.1f} %")
        for row in rows
    ]
    return {"rows": rows, "chart": charts.bars("methods", _("Proofs by method"), drawn)}


# --- checks by camera


def _groups(asked: Asked) -> dict[str, list[Group]]:
    """By dimension; of a village none."""
    names = fairness.DIMENSIONS if asked.is_fair_sized else ()
    return {name: fairness.groups(asked.place.region, asked.months, name) for name in names}


def _checks(dimension: str, rows: Sequence[Group]) -> dict[str, Any]:
    drawn = [_success_bar(group) for group in rows] if len(rows) <= MOST_BARS else []
    title = f"{_('Success of checks by camera')}: {DIMENSION_WORDS[dimension]}"
    return {
        "name": dimension,
        "title": DIMENSION_WORDS[dimension],
        "rows": [{"group": group, "label": _key_words(group.key)} for group in rows],
        "some_hidden": any(group.hidden for group in rows),
        "chart": charts.bars(f"checks-{dimension}", title, drawn, full=100) if drawn else "",
    }


def _success_bar(group: Group) -> Bar:
    words = _("too few people") if group.success is None else f"{group.success:.1f} %"
    return Bar(_key_words(group.key), group.success, words)


def _key_words(key: str) -> str:
    return str(BAND_WORDS.get(key, key))


# --- tasks


def _tasks(asked: Asked) -> dict[str, Any]:
    found = dashboards.open_tasks(asked.place.region, timezone.now())
    rows = [
        {
            "label": Task.Kind(row["kind"]).label,
            "number": row["number"],
            "ages": [row[f"age_{low}"] for low, _high in AGES_DAYS],
        }
        for row in found
    ]
    sums = [sum(row["ages"][n] for row in rows) for n in range(len(AGES_DAYS))]
    drawn = [
        Bar(str(words), number, str(number)) for words, number in zip(AGE_WORDS, sums, strict=True)
    ]
    chart = charts.bars("tasks", _("Open tasks by how long they wait"), drawn)
    return {"rows": rows, "sums": sums, "total": sum(sums), "chart": chart}


# --- as a file


def _table(asked: Asked) -> Iterator[Sequence[object]]:
    today = timezone.localdate()
    yield [_("Certified by region"), _("Region"), _("Expected"), _("Certified")]
    for share in dashboards.completion(asked.place.region, today):
        yield ["", share.code, share.people, share.certified]
    yield [_("Certified by day")]
    for day, number in dashboards.per_day(asked.place.region, asked.since, asked.until):
        yield ["", day, number]
    yield [_("Proofs by method")]
    for word, number in dashboards.methods(asked.place.region, asked.since, asked.until).items():
        yield ["", Proof.Method(word).label, number]
    yield from _fair_table(asked)
    yield [_("Open tasks by how long they wait"), *AGE_WORDS]
    for row in _tasks(asked)["rows"]:
        yield [row["label"], *row["ages"]]


def _fair_table(asked: Asked) -> Iterator[Sequence[object]]:
    months = f"{asked.months.first} – {asked.months.last}"
    heads = [
        _("Camera checks"),
        _("Success rate"),
        _("Tries per check"),
        _("Session in s"),
        _("Camera in s"),
    ]
    for dimension, rows in _groups(asked).items():
        yield [DIMENSION_WORDS[dimension], months, *heads]
        for group in rows:
            yield ["", _plain(_key_words(group.key)), *_cells(group)]


def _cells(group: Group) -> list[object]:
    if group.hidden:
        return [_("too few people")]
    averages = (group.success, group.tries, group.session_s, group.camera_s)
    return [group.checks, *("" if each is None else f"{each:.2f}" for each in averages)]


def _plain(text: str) -> str:
    """No cell that a spreadsheet would run as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
