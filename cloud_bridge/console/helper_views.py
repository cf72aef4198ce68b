"""Sessions in which somebody helped: found by day, way and helper, or drawn at random."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cloud_bridge.console.forms import HelpedFilter
from cloud_bridge.console.views import _audit, _masked_helper, _page
from cloud_bridge.registry import queries
from cloud_bridge.registry.keyring import vault

SAMPLE = 10


@require_http_methods(["GET", "HEAD", "POST"])
def helped(request: HttpRequest) -> HttpResponse:
    """A POST becomes an address that holds the helper's keyed hash instead of their number."""
    if request.method == "POST":
        return _address(request)
    form = HelpedFilter(request.GET or None)
    values = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = queries.helped(
        request.user,
        since=values.get("since"),
        until=values.get("until"),
        named_by=values.get("named_by", ""),
        helper_key=request.GET.get("helper", "")[:64],
    )
    sampled = request.GET.get("sample") == "yes"
    page = _page(request, found.order_by("?")[:SAMPLE] if sampled else found)
    asked = [name for name in ("since", "until", "named_by", "helper") if request.GET.get(name)]
    reason = ", ".join([*asked, "sample" if sampled else f"page {page.number}"])
    _audit(request, "helped.list", ("records", ""), reason=reason)
    context = {
        "form": form if form.is_bound else HelpedFilter(),
        "page_rows": page,
        "rows": [_row(record) for record in page],
        "query": _query(request),
        "sampled": sampled,
    }
    return render(request, "console/helped.html", context)


def _query(request: HttpRequest) -> str:
    values = request.GET.copy()
    for name in ("page", "sample"):
        values.pop(name, None)
    return str(values.urlencode())


def _address(request: HttpRequest) -> HttpResponse:
    fields = ("since", "until", "named_by")
    values = {name: request.POST[name] for name in fields if request.POST.get(name)}
    number = request.POST.get("number", "").strip()
    if number:
        values["helper"] = vault().lookup(number)
    return redirect(f"{request.path}?{urlencode(values)}")


def _row(record: Any) -> dict[str, Any]:
    return {
        "record": record,
        "name": record.subject_name,
        "helper": _masked_helper(record),
        "frames": (record.liveness or {}).get("frames", 0),
    }
