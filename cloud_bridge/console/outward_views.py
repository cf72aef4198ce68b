"""Other systems, as the county keeps them: keys to ask with, and webhooks to be told by."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console.outward_forms import ClientForm, WebhookForm
from cloud_bridge.registry import api_clients, audit, webhooks
from cloud_bridge.registry.api_clients import ClientRefused
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import ApiClient, Delivery, Region, Webhook
from cloud_bridge.registry.webhooks import NewWebhook, WebhookRefused

PER_PAGE = 50
REGIONS_OFFERED = 500


# --- keys


def clients(request: HttpRequest) -> HttpResponse:
    form = ClientForm(request.POST or None, account=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            return _key_once(request, form.cleaned_data)
        except ClientRefused:
            form.add_error("name", _("There is a client of this name; please choose another."))
    _look(request, "api-clients")
    return render(request, "console/api_clients.html", _client_context(request, form))


def _key_once(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    """The one answer in which the key stands; no cache keeps it."""
    who, now = request.user.username, timezone.now()
    row, key = api_clients.add(
        values["name"], values["region"], values["scopes"], vault(), who, now
    )
    context = _client_context(request, ClientForm(account=request.user))
    return render(request, "console/api_clients.html", context | {"row": row, "key": key})


def _client_context(request: HttpRequest, form: ClientForm) -> dict[str, Any]:
    rows = api_clients.seen_by(request.user)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return {"form": form, "page_rows": page, "query": "", "regions": _regions(request)}


@require_POST
def revoke_client(request: HttpRequest, client_id: int) -> HttpResponse:
    row: ApiClient | None = api_clients.seen_by(request.user).filter(pk=client_id).first()
    if row is None:
        raise Http404
    if api_clients.revoke(row, vault(), request.user.username):
        messages.success(request, _("The key opens nothing any more."))
    return redirect("api-clients")


# --- webhooks


def webhook_list(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None, account=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            return _secret_once(request, form.cleaned_data)
        except WebhookRefused as refused:
            form.add_error(*_why(str(refused)))
    _look(request, "webhooks")
    page = Paginator(webhooks.seen_by(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page_rows": page, "query": "", "regions": _regions(request)}
    return render(request, "console/webhooks.html", context)


def _why(word: str) -> tuple[str, str]:
    if word == "url":
        return "url", _("It must be https://…, without a user, and lead out of our own network.")
    return "name", _("There is a webhook of this name; please choose another.")


def _secret_once(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    """The one answer in which the secret stands; no cache keeps it."""
    new = NewWebhook(values["name"], values["url"], values["events"], values["region"])
    networks, who = settings.REGISTRY.webhooks.networks, request.user.username
    row, secret = webhooks.add(new, networks, vault(), who, timezone.now())
    return render(request, "console/webhook.html", _context(request, row) | {"secret": secret})


@require_safe
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    row = _find(request, webhook_id)
    who, target = request.user.username, ("webhook", str(row.pk))
    audit.write(vault(), who, "webhook.view", target, region_code=row.region_id)
    return render(request, "console/webhook.html", _context(request, row))


@require_POST
def switch_webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    row, wanted = _find(request, webhook_id), request.POST.get("wanted") == "on"
    if webhooks.switch(row, wanted, vault(), request.user.username):
        words = _("It is told again, from now on.") if wanted else _("It is told nothing any more.")
        messages.success(request, words)
    return redirect("webhook", webhook_id=row.pk)


@require_POST
def test_webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    row = _find(request, webhook_id)
    webhooks.try_out(row, vault(), request.user.username, timezone.now())
    messages.success(request, _("A test is on its way; see the deliveries below."))
    return redirect("webhook", webhook_id=row.pk)


@require_POST
def resend(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    row = _find(request, webhook_id)
    delivery: Delivery | None = (
        row.deliveries.select_related("webhook").filter(pk=delivery_id).first()
    )
    if delivery is None:
        raise Http404
    webhooks.send_again(delivery, vault(), request.user.username, timezone.now())
    messages.success(request, _("It is sent once more."))
    return redirect("webhook", webhook_id=row.pk)


def _find(request: HttpRequest, webhook_id: int) -> Webhook:
    row: Webhook | None = webhooks.seen_by(request.user).filter(pk=webhook_id).first()
    if row is None:
        raise Http404
    return row


def _context(request: HttpRequest, row: Webhook) -> dict[str, Any]:
    log = row.deliveries.order_by("-pk")
    page = Paginator(log, PER_PAGE).get_page(request.GET.get("page"))
    return {"webhook": row, "page_rows": page, "query": ""}


# --- both


def _regions(request: HttpRequest) -> Any:
    return Region.objects.filter(request.user.region.within("code"))[:REGIONS_OFFERED]


def _look(request: HttpRequest, what: str) -> None:
    account = request.user
    target, place = (what, ""), account.region_id
    audit.write(vault(), account.username, f"{what}.view", target, region_code=place)
