"""Rosters, regions and signals: uploaded, looked at, applied as a whole, undone as a whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cloud_bridge.console import access, uploads
from cloud_bridge.console.forms import no_number
from cloud_bridge.registry import audit
from cloud_bridge.registry.imports import blanks, runs, sources, undo
from cloud_bridge.registry.imports.faults import FILE, WORDS, ImportRefused
from cloud_bridge.registry.imports.headings import LABELS
from cloud_bridge.registry.imports.judging import Scope, Verdict
from cloud_bridge.registry.imports.runs import Order
from cloud_bridge.registry.imports.undo import UndoRefused
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import ImportChange, ImportRun, Person, Proof, Task
from cloud_bridge.registry.vault import VaultError

PER_PAGE = 20
ERRORS_SHOWN = 50
SAMPLE = 8

WHAT = {
    "added": gettext_lazy("new"),
    "changed": gettext_lazy("will change"),
    "unchanged": gettext_lazy("as it is"),
    "unknown": gettext_lazy("nobody of this registry"),
    "faulty": gettext_lazy("has a fault"),
}


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("What the file holds"),
        choices=ImportRun.Kind.choices,
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=gettext_lazy("File (CSV or XLSX)"),
        max_length=255,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    full = forms.BooleanField(
        label=gettext_lazy("It is the whole roster of my region: tell me who is not in it"),
        required=False,
    )


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why is it taken back?"),
        min_length=4,
        max_length=100,
        validators=[no_number],
    )


@require_safe
def import_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(_runs(request).order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page_rows": page, "query": "", "may_import": _may_import(request)}
    return render(request, "console/imports.html", context)


def _runs(request: HttpRequest) -> Any:
    rows = ImportRun.objects.filter(request.user.region.within("region_id"))
    return rows.defer("content_sealed", "errors").select_related("region")


def _find(request: HttpRequest, number: int) -> ImportRun:
    run: ImportRun | None = _runs(request).filter(pk=number).first()
    if run is None:
        raise Http404
    return run


def _may_import(request: HttpRequest) -> bool:
    return access.may_open(request.user.role, "import-new")


# --- a file comes


@csrf_exempt  # the form is read by the inner view, after it is known how large it is
@require_http_methods(["GET", "HEAD", "POST"])
def new_import(request: HttpRequest) -> HttpResponse:
    if not uploads.take(request, sources.CONSOLE.size_bytes):
        messages.warning(request, _sentence(WORDS["too_big"]))
        return redirect("import-new")
    return _new_import(request)


@csrf_protect
def _new_import(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return redirect("import", number=_looked_at(request, form.cleaned_data).pk)
    context = {
        "form": form,
        "kinds": ImportRun.Kind.choices,
        "megabytes": sources.CONSOLE.size_bytes // sources.MIB,
        "most_rows": sources.CONSOLE.rows,
    }
    return render(request, "console/import_new.html", context)


def _looked_at(request: HttpRequest, values: dict[str, Any]) -> ImportRun:
    file = values["file"]
    source = sources.of_bytes(file.name, file.read())
    scope = Scope(request.user.region, vault(), timezone.localdate())
    order = Order(
        source, ImportRun.Kind(values["kind"]), scope, request.user.username, values["full"]
    )
    run = runs.look(order, timezone.now())
    runs.keep(run, source, vault())
    return run


@require_safe
def blank(_request: HttpRequest, kind: str, form: str) -> HttpResponse:
    """An empty form to fill in."""
    made = {"csv": blanks.as_csv, "xlsx": blanks.as_workbook}.get(form)
    if kind not in ImportRun.Kind.values or made is None:
        raise Http404
    chinese = (get_language() or "").startswith("zh")
    return _download(made(ImportRun.Kind(kind), chinese), f"{kind}.{form}")


def _download(content: bytes, name: str) -> HttpResponse:
    kind = "text/csv; charset=utf-8" if name.endswith(".csv") else "application/octet-stream"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(content, content_type=kind, headers=headers)


# --- one file


@require_safe
def show_import(request: HttpRequest, number: int) -> HttpResponse:
    run = _find(request, number)
    _audit(request, "import.view", run)
    return render(request, "console/import.html", _context(request, run))


def _context(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    context = {
        "run": run,
        "may_import": _may_import(request),
        "errors": list(_errors(run))[:ERRORS_SHOWN],
        "kept_errors": len(run.errors),
        "same": _same_file(request, run),
    }
    if not context["may_import"]:
        return context
    if run.state == ImportRun.State.LOOKED_AT and not run.faults:
        return context | {"sample": _sample(request, run)}
    return context | _results(request, run)


def _same_file(request: HttpRequest, run: ImportRun) -> ImportRun | None:
    """The same file, taken in before."""
    same = _runs(request).filter(
        sha256=run.sha256, kind=run.kind, state=ImportRun.State.APPLIED, pk__lt=run.pk
    )
    found: ImportRun | None = same.order_by("-pk").first()
    return found if run.state == ImportRun.State.LOOKED_AT else None


def _order(request: HttpRequest, run: ImportRun) -> Order:
    """What waits to be decided on. Raises `VaultError`."""
    scope = Scope(run.region, vault(), timezone.localdate())
    source = runs.kept_source(run, vault())
    return Order(source, ImportRun.Kind(run.kind), scope, request.user.username, run.full)


def _sample(request: HttpRequest, run: ImportRun) -> list[dict[str, Any]]:
    try:
        return [_line(verdict) for verdict in runs.sample(_order(request, run), SAMPLE)]
    except VaultError:
        return []


def _line(verdict: Verdict) -> dict[str, Any]:
    """One line of the file, with nothing that names a person in full."""
    cells = verdict.row.masked()
    return {
        "line": verdict.record.line,
        "headings": [LABELS[field] for field in cells],
        "cells": list(cells.values()),
        "what": WHAT[verdict.what.value],
        "columns": [LABELS[column] for column in verdict.before],
    }


def _results(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    changes = run.changes.select_related("person__region", "region").order_by("pk")
    page = Paginator(changes, PER_PAGE).get_page(request.GET.get("page"))
    for change in page:
        change.columns = [LABELS[column] for column in change.before or {}]
        change.shown = _is_ours(request, change)
    return {
        "page_rows": page,
        "query": "",
        "results": True,
        "proofs": Proof.objects.filter(signal__run=run, voided_at=None).count(),
        "tasks": Task.objects.filter(signal__run=run).count(),
    }


def _is_ours(request: HttpRequest, change: ImportChange) -> bool:
    """People may have moved away since."""
    return change.person is None or request.user.region.covers(change.person.region_id)


def _errors(run: ImportRun) -> Iterator[dict[str, Any]]:
    for line, column, word in run.errors:
        where = LABELS.get(column, "" if column == FILE else column)
        yield {"line": line, "column": where, "why": WORDS.get(word, word)}


# --- the decision


@require_POST
def apply_import(request: HttpRequest, number: int) -> HttpResponse:
    run = _find(request, number)
    try:
        runs.apply(run, _order(request, run), timezone.now())
    except ImportRefused as refused:
        runs.note_refusal(run, refused)
        messages.warning(request, _("Nothing was imported: the registry has changed meanwhile."))
    except VaultError:
        messages.warning(request, _("The file is no longer there; please upload it again."))
    else:
        messages.success(request, _("The whole file has been imported."))
    return redirect("import", number=number)


@require_POST
def drop_import(request: HttpRequest, number: int) -> HttpResponse:
    if runs.drop(_find(request, number), vault(), request.user.username):
        messages.success(request, _("The file was dropped; nothing was changed."))
    return redirect("imports")


@require_http_methods(["GET", "HEAD", "POST"])
def undo_import(request: HttpRequest, number: int) -> HttpResponse:
    run = _find(request, number)
    if run.state != ImportRun.State.APPLIED:
        return redirect("import", number=number)
    form = WhyForm(request.POST or None)
    blockers = []
    if request.method == "POST" and form.is_valid():
        why, who = form.cleaned_data["reason"], request.user.username
        try:
            undo.undo(run, vault(), who, why, timezone.now())
        except UndoRefused as refused:
            blockers = _named(request, refused)
        else:
            messages.success(request, _("The whole import has been taken back."))
            return redirect("import", number=number)
    context = {"run": run, "form": form, "blockers": blockers}
    return render(request, "console/import_undo.html", context)


def _named(request: HttpRequest, refused: UndoRefused) -> list[dict[str, Any]]:
    """Who or what stands in the way; people of other regions are not named."""
    ids = [blocker.object_id for blocker in refused.blockers]
    people = Person.objects.seen_by(request.user).in_bulk(ids)
    return [
        {"id": b.object_id, "person": people.get(b.object_id), "why": undo.WORDS[b.word]}
        for b in refused.blockers
    ]


# --- lists to take away


@require_safe
def errors(request: HttpRequest, number: int) -> HttpResponse:
    run = _find(request, number)
    _audit(request, "import.errors", run)
    rows = ([e["line"], e["column"], e["why"]] for e in _errors(run))
    head = [_("Line"), _("Column"), _("What is wrong, and what to do")]
    return _download(_csv([head, *rows]), f"import-{run.pk}-errors.csv")


@require_safe
def missing(request: HttpRequest, number: int) -> HttpResponse:
    """People of the region that a whole roster does not name."""
    run = _find(request, number)
    if not run.full or run.state != ImportRun.State.LOOKED_AT or run.faults:
        raise Http404
    _audit(request, "import.missing", run)
    try:
        people = list(runs.missing_people(_order(request, run)))
    except VaultError as error:
        raise Http404 from error
    rows = ([p.person_id, p.name, p.get_category_display(), str(p.region)] for p in people)
    head = [_("Person"), _("Name"), _("Category"), _("Region")]
    return _download(_csv([_origin(request, run), head, *rows]), f"import-{run.pk}-missing.csv")


def _origin(request: HttpRequest, run: ImportRun) -> list[str]:
    """First line of a file that names people: what was asked, by whom, when (feature 24)."""
    asked = [_("File"), run.file_name, _("Region"), str(run.region)]
    now = f"{timezone.localtime():%Y-%m-%d %H:%M:%S}"
    return [*asked, _("Exported by"), request.user.username, _("Time"), now]


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    """Readable by spreadsheet programs, and never as a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(_safe(str(cell)) for cell in row)
    return text.getvalue().encode("utf-8-sig")


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def _sentence(words: object) -> str:
    text = str(words)
    return text[:1].upper() + text[1:]


def _audit(request: HttpRequest, action: str, run: ImportRun) -> None:
    audit.write(
        vault(),
        request.user.username,
        action,
        ("import", str(run.pk)),
        region_code=run.region_id,
    )
