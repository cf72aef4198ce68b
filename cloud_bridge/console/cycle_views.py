"""How often people of each category come: the county's page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cloud_bridge.console.case_forms import RuleForm
from cloud_bridge.registry import cycle_rules
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Category, CycleRule


@require_http_methods(["GET", "HEAD", "POST"])
def cycles(request: HttpRequest) -> HttpResponse:
    forms = {word: _form(request, word) for word in Category.values}
    may_set = cycle_rules.may_set(request.user.region)
    if request.method == "POST" and not may_set:
        raise PermissionDenied
    if request.method == "POST" and all(form.is_valid() for form in forms.values()):
        account = request.user
        changed = [
            cycle_rules.set_rule(word, form.rule, vault(), account.username, account.region_id)
            for word, form in forms.items()
        ]
        if any(changed):
            messages.success(request, _("Saved. Kiosks are told at once."))
        return redirect("cycles")
    rows = [{"words": Category(word).label, "form": form} for word, form in forms.items()]
    return render(request, "console/cycles.html", {"rows": rows, "may_set": may_set})


def _form(request: HttpRequest, category: str) -> RuleForm:
    rule = CycleRule.all_rules()[category]
    said: dict[str, Any] = {
        "cycle": rule.cycle.value,
        "early_days": rule.early_days,
        "grace_days": rule.grace_days,
    }
    form = RuleForm(request.POST or None, initial=said, prefix=category)
    for field in form.fields.values():
        field.widget.attrs["aria-label"] = f"{Category(category).label} {field.label}"
    return form
