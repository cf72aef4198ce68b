"""What rests on one member of staff, looked at again; and templates withdrawn here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console.forms import ReasonForm, RecheckForm
from cloud_bridge.console.person_views import find_person
from cloud_bridge.console.views import _audit, _page
from cloud_bridge.registry import rechecks, templates
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Account, Badge, Certification, Recheck, Rehearsal


@require_safe
def recheck_list(request: HttpRequest) -> HttpResponse:
    page = _page(request, rechecks.seen_by(request.user))
    _audit(request, "rechecks.view", ("rechecks", ""), reason=f"page {page.number}")
    context = {"page_rows": page, "rows": [_row(row, request.user) for row in page], "query": ""}
    return render(request, "console/rechecks.html", context)


@require_POST
def close_recheck(request: HttpRequest, recheck_id: int) -> HttpResponse:
    row = rechecks.seen_by(request.user).filter(pk=recheck_id).first()
    if row is None:
        raise Http404
    form = RecheckForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Please say in a few words what you found."))
        return redirect("rechecks")
    finding, note = form.cleaned_data["finding"], form.cleaned_data["note"]
    try:
        if rechecks.close(row, finding, note, vault(), request.user, timezone.now()):
            messages.success(request, _("The re-check is done."))
        else:
            messages.warning(request, _("Somebody else has checked it before."))
    except rechecks.OwnWork:
        messages.warning(request, _("You have entered this yourself; somebody else has to look."))
    return redirect("rechecks")


@require_POST
def withdraw_template(request: HttpRequest, person_id: str) -> HttpResponse:
    """Somebody at the counter takes back what they agreed to."""
    row = find_person(request, person_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Please say who asked for it."))
        return redirect("person", person_id=row.pk)
    reason = form.cleaned_data["reason"]
    told = templates.withdraw(row, vault(), request.user.username, reason, timezone.now())
    messages.success(
        request, _("Withdrawn. Kiosks that are told to delete: %(count)d") % {"count": told}
    )
    return redirect("person", person_id=row.pk)


def _row(row: Recheck, account: Account) -> dict[str, Any]:
    badge = Badge.objects.filter(number=row.badge).values_list("name", flat=True).first()
    return {
        "recheck": row,
        "witness": badge or "",
        "page": _page_of(row),
        "form": RecheckForm(),
        "is_own": rechecks.is_own(row, account),
    }


def _page_of(row: Recheck) -> str:
    """The name of the page that shows the record, if there is one."""
    if row.kind in (Recheck.Kind.ENROLMENT, Recheck.Kind.ENTRY):
        return ""
    table, page = (Rehearsal, "rehearsal") if row.simulated else (Certification, "record")
    return page if table.objects.filter(pk=row.record_id).exists() else ""
