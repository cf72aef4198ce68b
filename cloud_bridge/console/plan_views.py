"""Plans of visits: whom, when and by whom; printed for the road, ticked off by certifying."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console.due_views import rows_of
from cloud_bridge.console.views import _audit, _page, _query_without_page
from cloud_bridge.console.work_forms import PlanForm
from cloud_bridge.registry import due, plans
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Person, Region, VisitPlan
from cloud_bridge.registry.plans import NewPlan


@require_safe
def plan_list(request: HttpRequest) -> HttpResponse:
    mine = request.GET.get("mine") == "yes"
    rows = plans.seen_by(request.user)
    page = _page(request, rows.filter(account=request.user) if mine else rows)
    _audit(request, "plans.view", ("plans", ""), reason=f"page {page.number}")
    done = plans.visited(list(page))
    context = {
        "page_rows": page,
        "rows": [{"plan": plan, "done": len(done[plan.pk])} for plan in page],
        "mine": mine,
        "today": timezone.localdate(),
        "query": _query_without_page(request),
    }
    return render(request, "console/plans.html", context)


@require_POST
def new_plan(request: HttpRequest) -> HttpResponse:
    """First the chosen people come, from the due list; then who goes there, and when."""
    region = _region(request)
    people = _chosen(request, region)
    if not people:
        messages.warning(request, _("Nothing was chosen."))
        return redirect("due")
    filled = "day" in request.POST
    form = PlanForm(
        request.POST if filled else None,
        workers=plans.goers(region),
        today=timezone.localdate(),
        initial={"name": str(region), "account": request.user.pk},
    )
    if filled and form.is_valid():
        new = NewPlan(region=region, **form.cleaned_data)
        plan = plans.make(new, people, vault(), request.user.username, timezone.now())
        messages.success(request, _("The visits are planned."))
        return redirect("plan", plan_id=plan.pk)
    context = {"form": form, "people": people, "region": region}
    return render(request, "console/plan_new.html", context)


@require_safe
def plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """For the screen and for paper; where there is no proof yet, a link to enter one."""
    row = _find(request, plan_id)
    _audit(request, "plan.view", ("plan", str(row.pk)), region_code=row.region_id)
    today = timezone.localdate()
    people = due.with_signs(row.people.seen_by(request.user), today).order_by(
        "region_id", "-first", "name", "pk"
    )
    done = plans.visited([row])[row.pk]
    rows = [each | {"proof": done.get(each["person"].pk)} for each in rows_of(people, today)]
    context = {
        "plan": row,
        "rows": rows,
        "done": len(done),
        "may_remove": plans.may_remove(row, request.user),
    }
    return render(request, "console/plan.html", context)


@require_POST
def remove_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    row = _find(request, plan_id)
    if not plans.may_remove(row, request.user):
        raise PermissionDenied
    plans.remove(row, vault(), request.user.username)
    messages.success(request, _("The plan is gone; what was certified stays."))
    return redirect("plans")


def _find(request: HttpRequest, plan_id: int) -> VisitPlan:
    row: VisitPlan | None = plans.seen_by(request.user).filter(pk=plan_id).first()
    if row is None:
        raise Http404
    return row


def _region(request: HttpRequest) -> Region:
    code = request.POST.get("region", "")
    row = Region.objects.filter(code=code).first() if request.user.region.covers(code) else None
    if row is None:
        raise Http404
    return row


def _chosen(request: HttpRequest, region: Region) -> list[Person]:
    ids = request.POST.getlist("person")[: plans.MOST]
    rows: Any = Person.objects.seen_by(request.user).filter(region.within("region_id"))
    rows = rows.filter(pk__in=ids, dead_since=None).select_related("region")
    return list(rows.order_by("region_id", "name", "pk"))
