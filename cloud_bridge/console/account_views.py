"""The accounts of a county: listed, added, shut out and let in again, given a new password."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.core.validators import RegexValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.registry import accounts as book
from cloud_bridge.registry import audit, second_factor, staff
from cloud_bridge.registry.accounts import AccountRefused, NewAccount
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Account, Region, Role

PER_PAGE = 50
REGIONS_OFFERED = 500  # what a browser's list of suggestions still carries

_NAME = RegexValidator(
    r"\A[a-z][a-z0-9._-]{1,39}\Z",
    gettext_lazy("Two to forty small letters, digits, dots, - and _, beginning with a letter."),
)


class AccountForm(forms.Form):
    """Whom to let in, as what, and for which part of one's own region."""

    name = forms.CharField(label=gettext_lazy("Account"), max_length=40, validators=[_NAME])
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    region = forms.CharField(label=gettext_lazy("Region code"), min_length=12, max_length=12)

    def __init__(self, *args: object, account: Account, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._account = account
        given = book.roles_given_by(account)
        self.fields["role"].choices = [(role, Role(role).label) for role in given]
        self.fields["name"].widget.attrs.update(autocomplete="off", autocapitalize="off")
        self.fields["region"].widget.attrs.update(list="regions", inputmode="numeric")

    def clean_region(self) -> Region:
        rows = Region.objects.filter(self._account.region.within("code"))
        region: Region | None = rows.filter(pk=self.cleaned_data["region"]).first()
        if region is None:
            raise forms.ValidationError(_("There is no such region within yours."))
        return region


def accounts(request: HttpRequest) -> HttpResponse:
    """Everybody this account looks after, and the form for one more."""
    form = AccountForm(request.POST or None, account=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        new = NewAccount(values["name"], values["role"], values["region"])
        try:
            return _password_once(request, *book.add(new, request.user, vault()))
        except AccountRefused:
            form.add_error("name", _("There is an account of this name; please choose another."))
    wanted = request.GET.get("name", "").strip()[:40]
    rows = book.managed_by(request.user).filter(username__startswith=wanted)
    _write(request, "accounts.view", request.user)
    context = {
        "form": form,
        "page_rows": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "query": urlencode({"name": wanted}) if wanted else "",
        "wanted": wanted,
        "regions": Region.objects.filter(request.user.region.within("code"))[:REGIONS_OFFERED],
    }
    return render(request, "console/accounts.html", context)


@require_safe
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    return render(request, "console/account.html", _context(_find(request, account_id)))


@require_POST
def switch(request: HttpRequest, account_id: int) -> HttpResponse:
    """Shut out at once, or let in again."""
    row, wanted = _find(request, account_id), request.POST.get("wanted") == "in"
    staff.set_active(row.username, wanted, vault(), request.user.username)
    words = _("The account is let in again.") if wanted else _("The account is shut out.")
    messages.success(request, words)
    return redirect("account", account_id=row.pk)


@require_POST
def new_password(request: HttpRequest, account_id: int) -> HttpResponse:
    row = _find(request, account_id)
    password = book.reset_password(row, vault(), request.user.username)
    return _password_once(request, row, password)


@require_POST
def no_factor(request: HttpRequest, account_id: int) -> HttpResponse:
    """The phone is lost, and so are the recovery codes."""
    row = _find(request, account_id)
    second_factor.reset(row, vault(), request.user.username)
    messages.success(request, _("Phone and recovery codes are forgotten; the next sign-in asks."))
    return redirect("account", account_id=row.pk)


def _find(request: HttpRequest, account_id: int) -> Account:
    row: Account | None = book.managed_by(request.user).filter(pk=account_id).first()
    if row is None:
        raise Http404
    return row


def _password_once(request: HttpRequest, row: Account, password: str) -> HttpResponse:
    """The one answer in which a password stands; no cache keeps it."""
    return render(request, "console/account.html", _context(row) | {"password": password})


def _context(row: Account) -> dict[str, Any]:
    return {
        "row": row,
        "factor": second_factor.has(row),
        "codes_left": second_factor.codes_left(row),
        "locked": bool(row.locked_until and row.locked_until > timezone.now()),
    }


def _write(request: HttpRequest, action: str, row: Account) -> None:
    target = ("account", row.username)
    audit.write(vault(), request.user.username, action, target, region_code=row.region_id)
