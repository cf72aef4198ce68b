"""认证: what staff saw on a visit or call, what shows it, and taking it back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud_bridge.console.case_forms import ENTRY_FIELDS, CertifyForm, WhyForm, add_refusal
from cloud_bridge.console.labels import LABELS
from cloud_bridge.console.person_views import find_person, head_of, safe_next
from cloud_bridge.console.views import _audit_person
from cloud_bridge.registry import deaths, evidence, queries, visits
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Evidence, Person, Proof
from cloud_bridge.registry.vault import VaultError
from cloud_bridge.registry.visits import EntryRefused

_FORM_BYTES = 64 * 1024
"""What a form holds besides its files."""


class _InMemory(MemoryFileUploadHandler):
    """Photographs of people are never written to a disk before they are sealed."""

    def handle_raw_input(self, *_args: Any, **_details: Any) -> None:
        self.activated = True


@csrf_exempt  # the form is read by the inner view, after it is known how large it is
@require_http_methods(["GET", "HEAD", "POST"])
def certify(request: HttpRequest, person_id: str) -> HttpResponse:
    row = find_person(request, person_id)
    if int(request.META.get("CONTENT_LENGTH") or 0) > evidence.MAX_UPLOAD_BYTES + _FORM_BYTES:
        return _too_large(request, row)
    request.upload_handlers = [_InMemory(request)]
    return _certify(request, row)


@csrf_protect
def _certify(request: HttpRequest, row: Person) -> HttpResponse:
    form = CertifyForm(request.POST, request.FILES) if request.method == "POST" else CertifyForm()
    if request.method == "POST" and form.is_valid():
        try:
            visits.certify(row, form.entry, vault(), request.user, timezone.now())
        except EntryRefused as refused:
            add_refusal(form, refused.word, "entry_refused", ENTRY_FIELDS)
        else:
            messages.success(request, _("Saved: %(name)s is certified.") % {"name": row.name})
            return redirect(_way_back(request, row))
    if request.method != "POST" or not form.is_valid():
        _audit_person(request, "person.view", row, "certify")
    return _page(request, row, form)


def _page(request: HttpRequest, row: Person, form: CertifyForm, status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    form.fields["on"].widget.attrs.update(
        min=visits.first_day(row, today).isoformat(), max=today.isoformat()
    )
    context = head_of(row) | {
        "form": form,
        "next": _way_back(request, row),
        "death": deaths.standing_report(row),
        "limits": {
            "files": evidence.MAX_FILES,
            "megabytes": evidence.MAX_FILE_BYTES // 2**20,
            "reason": visits.MIN_EXEMPTION,
        },
    }
    return render(request, "console/certify.html", context, status=status)


def _too_large(request: HttpRequest, row: Person) -> HttpResponse:
    """Answered without reading it; the way back is the person's page."""
    request.upload_handlers = []
    messages.warning(request, LABELS["not_evidence"]["all_too_large"])
    return redirect("certify", person_id=row.pk)


def _way_back(request: HttpRequest, row: Person) -> str:
    return safe_next(request, reverse("person", args=[row.pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def void_proof(request: HttpRequest, person_id: str, proof_id: int) -> HttpResponse:
    """Taking a certification back: one's own, or any by whoever answers for the region."""
    row = find_person(request, person_id)
    proof = Proof.objects.filter(person=row, pk=proof_id).select_related("person").first()
    if proof is None or not visits.may_take_back(proof, request.user):
        raise Http404
    form = WhyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if visits.take_back(proof, reason, vault(), request.user, timezone.now()):
            messages.success(request, _("Taken back. It counts no more."))
        return redirect(_way_back(request, row))
    _audit_person(request, "person.view", row, f"void proof {proof.pk}")
    context = head_of(row) | {"proof": proof, "form": form, "next": _way_back(request, row)}
    return render(request, "console/proof_void.html", context)


@require_safe
def show_evidence(request: HttpRequest, person_id: str, evidence_id: int) -> HttpResponse:
    """What a visit is shown by. A picture that was drawn anew here may be looked at in the
    browser; a paper as it came is only ever saved as a file."""
    row = find_person(request, person_id)
    sheet = Evidence.objects.filter(pk=evidence_id, proof__person=row).first()
    if sheet is None:
        raise Http404
    _audit_person(request, "evidence.view", row, f"proof {sheet.proof_id} evidence {sheet.pk}")
    try:
        content = evidence.content_of(sheet, vault())
    except VaultError as error:
        raise Http404 from error
    response = HttpResponse(content, content_type=sheet.media_type)
    how = "inline" if sheet.media_type == evidence.JPEG else "attachment"
    name = f"evidence-{sheet.pk}.{evidence.ENDINGS[sheet.media_type]}"
    response["Content-Disposition"] = f'{how}; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def accept_record(request: HttpRequest, task_id: int) -> HttpResponse:
    """A kiosk's record that was passed and in doubt: staff have looked, and it counts."""
    task = queries.tasks(request.user).filter(pk=task_id).first()
    if task is None:
        raise Http404
    form = WhyForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Please say in a few words what you found."))
    elif visits.accept(task, form.cleaned_data["reason"], vault(), request.user, timezone.now()):
        messages.success(request, _("The record counts now, and the task is closed."))
    else:
        messages.warning(request, _("This record cannot be accepted; a visit or call is needed."))
    return redirect("task", task_id=task.pk)
