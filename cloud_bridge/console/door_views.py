"""In, out, and what an account may do with itself: password, second factor, recovery codes."""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console import knocking
from cloud_bridge.console.door_forms import CodeForm, PasswordForm, SignInForm
from cloud_bridge.console.qr import drawing
from cloud_bridge.registry import audit, limits, second_factor
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Account

HALF = "half_signed_in"
HALF_S = 5 * 60
"""How long the right password is remembered while the code is looked for."""


# --- in


@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = Account.objects.filter(username=form.cleaned_data["username"]).first()
        if wait := knocking.wait_s(request, row):
            return _wait(request, wait)
        if account := _checked(request, row, form.cleaned_data["password"]):
            return _second_door(request, account)
        form.add_error(None, _("Account or password is wrong, or the account is locked for now."))
    status = 200 if request.method == "GET" else 403
    return render(request, "console/sign_in.html", _door(request, form), status=status)


def _checked(request: HttpRequest, row: Account | None, password: str) -> Account | None:
    """The same answer and about the same time for a wrong name, password or a locked account."""
    name = row.username if row else ""
    account: Account | None = auth.authenticate(request, username=name, password=password)
    locked = row is not None and knocking.is_locked(request, row)
    if account is None or locked:
        knocking.was_wrong(request, None if locked else row)
        return None
    return account


def _second_door(request: HttpRequest, account: Account) -> HttpResponse:
    """The right password: in, or on to the code."""
    target = _next_page(request)
    if not second_factor.has(account):
        return _let_in(request, account, target)
    request.session.flush()  # nothing that was known before the password is worth anything
    request.session[HALF] = {
        "account": account.pk,
        "stamp": account.get_session_auth_hash(),
        "at": timezone.now().timestamp(),
        "next": target,
    }
    return redirect("sign-in-code")


@sensitive_post_parameters()
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second half: the code of the phone."""
    account = _half_signed_in(request)
    if account is None:
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if wait := knocking.wait_s(request, account):
            return _wait(request, wait)
        if _code_fits(request, account, form):
            return _let_in(request, account, request.session.pop(HALF)["next"])
    status = 200 if request.method == "GET" else 403
    return render(request, "console/sign_in_code.html", {"form": form}, status=status)


def _half_signed_in(request: HttpRequest) -> Account | None:
    """Who has given the right password a moment ago, if it still is."""
    half = request.session.get(HALF)
    if not half or timezone.now().timestamp() - half["at"] > HALF_S:
        return None
    account: Account | None = Account.objects.filter(pk=half["account"], is_active=True).first()
    if account is None or account.get_session_auth_hash() != half["stamp"]:
        return None
    return account


def _code_fits(request: HttpRequest, account: Account, form: CodeForm) -> bool:
    """Counts a wrong one, and says so in the form."""
    code, now = form.cleaned_data["code"], timezone.now()
    locked = knocking.is_locked(request, account)
    if not locked and second_factor.accepts(account, code, vault(), now):
        return True
    if not locked:
        knocking.was_wrong(request, account)
    words = _("The code is wrong, was used before, or the account is locked for now.")
    form.add_error("code", words)
    return False


def _let_in(request: HttpRequest, account: Account, target: str) -> HttpResponse:
    """A session of its own, under a new key."""
    knocking.was_right(account)
    auth.login(request, account)
    _write(request, "sign-in")
    request.session.clear_expired()
    limits.forget_dry(timezone.now())
    response = redirect(target)
    knocking.remember(request, response, account)
    return response


def _wait(request: HttpRequest, seconds: int) -> HttpResponse:
    words = _("Too many wrong tries from here. Please wait %(seconds)s seconds and try again.")
    context = {"words": words % {"seconds": seconds}}
    response = render(request, "console/plain.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _door(request: HttpRequest, form: SignInForm) -> dict[str, Any]:
    return {
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "tries": settings.LOCKOUT_TRIES,
        "locked_minutes": settings.LOCKOUT_MINUTES,
        "idle_minutes": settings.SESSION_COOKIE_AGE // 60,
        "longest_hours": math.floor(settings.SESSION_LONGEST_S / 3600),
    }


def _next_page(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if safe else "home"


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    _write(request, "sign-out")
    auth.logout(request)
    return redirect("sign-in")


# --- one's own account


@require_safe
def own_account(request: HttpRequest) -> HttpResponse:
    account = request.user
    context = {
        "factor": second_factor.has(account),
        "codes_left": second_factor.codes_left(account),
        "form": CodeForm(),
    }
    return render(request, "console/own_account.html", context)


@sensitive_post_parameters()
def own_password(request: HttpRequest) -> HttpResponse:
    """A new password; every other session of the account ends."""
    account = request.user
    form = PasswordForm(request.POST or None, account=account)
    if request.method == "POST" and form.is_valid() and _password_fits(request, form):
        account.set_password(form.cleaned_data["new"])
        account.must_change = False
        account.save(update_fields=["password", "must_change"])
        auth.update_session_auth_hash(request, account)
        _write(request, "account.password")
        messages.success(request, _("The password is changed. Other sessions were ended."))
        return redirect("home" if second_factor.has(account) else "own-account")
    status = 403 if form.errors else 200
    context = {"form": form, "first": account.must_change}
    return render(request, "console/own_password.html", context, status=status)


def _password_fits(request: HttpRequest, form: PasswordForm) -> bool:
    """Whoever sits down at an open session must not try passwords there either."""
    account = request.user
    locked = knocking.is_locked(request, account)
    if not locked and account.check_password(form.cleaned_data["old"]):
        return True
    if not locked:
        knocking.was_wrong(request, account)
    form.add_error("old", _("The password is wrong, or the account is locked for now."))
    return False


def own_factor(request: HttpRequest) -> HttpResponse:
    """Take over a phone: its picture to scan, then its first code."""
    account = request.user
    if second_factor.has(account):
        return redirect("own-account")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = second_factor.enrol(account, form.cleaned_data["code"], vault(), timezone.now())
        if codes is not None:
            return _codes_once(request, codes)
        form.add_error("code", _("This is not the code that the phone shows now."))
    made = second_factor.enrolment(account, vault())
    context = {
        "form": form,
        "picture": drawing(made.uri),
        "key": made.key,
        "required": settings.SECOND_FACTOR_REQUIRED,
    }
    return render(request, "console/own_factor.html", context, status=403 if form.errors else 200)


@require_POST
def own_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, against a code."""
    form = CodeForm(request.POST)
    if form.is_valid() and _code_fits(request, request.user, form):
        return _codes_once(request, second_factor.new_codes(request.user, vault()))
    return _refused(request)


@require_POST
def other_phone(request: HttpRequest) -> HttpResponse:
    """Give the phone up for another one, against a code of either kind."""
    form = CodeForm(request.POST)
    if form.is_valid() and _code_fits(request, request.user, form):
        second_factor.reset(request.user, vault(), request.user.username)
        auth.update_session_auth_hash(request, request.user)
        return redirect("own-factor")
    return _refused(request)


def _refused(request: HttpRequest) -> HttpResponse:
    words = _("The code is wrong, was used before, or the account is locked for now.")
    messages.warning(request, words)
    return redirect("own-account")


def _codes_once(request: HttpRequest, codes: Any) -> HttpResponse:
    """The one answer in which recovery codes stand; no cache keeps it."""
    auth.update_session_auth_hash(request, request.user)
    response = render(request, "console/own_codes.html", {"codes": codes})
    knocking.remember(request, response, request.user)
    return response


def _write(request: HttpRequest, action: str) -> None:
    account = request.user
    target = ("account", account.username)
    audit.write(vault(), account.username, action, target, region_code=account.region_id)
