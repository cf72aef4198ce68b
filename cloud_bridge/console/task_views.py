"""The queue of tasks: found, taken on, closed with a word of what was done, opened again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cloud_bridge.console import places
from cloud_bridge.console.forms import CloseForm
from cloud_bridge.console.views import _audit, _audit_person, _page, _query_without_page
from cloud_bridge.console.work_forms import ANY, NoteForm, TaskFilter
from cloud_bridge.registry import queries, visits, work
from cloud_bridge.registry.models import Task

AT_ONCE = 100
"""More are not taken from one page."""


@require_safe
def tasks(request: HttpRequest) -> HttpResponse:
    place = places.chosen(request)
    form = TaskFilter(request.GET)
    values = form.cleaned_data if form.is_valid() else {}
    page = _queue_page(request, _question(values, place))
    asked = [name for name, value in values.items() if value]
    reason = ", ".join([place.region.code, *asked, f"page {page.number}"])
    _audit(request, "tasks.view", ("tasks", ""), reason=reason, region_code=place.region.code)
    context = {
        "form": form,
        "place": place,
        "page_rows": page,
        "query": _query_without_page(request),
        "harmless": values.get("kind") in work.HARMLESS,
    }
    return render(request, "console/tasks.html", context)


def _queue_page(request: HttpRequest, question: work.Question) -> Any:
    """Which tasks first, by their ids alone; a queue of many is not joined with all it is about."""
    rows = work.queue(request.user, question, timezone.now())
    page = _page(request, rows.values_list("pk", flat=True))
    found = {row.pk: row for row in rows.filter(pk__in=list(page))}
    page.object_list = [found[pk] for pk in page if pk in found]
    return page


def _question(values: dict[str, Any], place: places.Place) -> work.Question:
    state = str(values.get("state") or Task.State.OPEN)
    return work.Question(
        region=place.region,
        kind=values.get("kind", ""),
        state="" if state == ANY else state,
        older_than_days=values.get("older", 0),
        who=values.get("who", ""),
        name=values.get("name", ""),
    )


@require_safe
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    row = _find(request, task_id)
    _audit_task(request, "task.view", row)
    return render(request, "console/task.html", _context(request, row, CloseForm(), NoteForm()))


@require_POST
def close_task(request: HttpRequest, task_id: int) -> HttpResponse:
    """A member of staff has dealt with it; nothing else changes by that."""
    row = _find(request, task_id)
    form = CloseForm(request.POST)
    if not form.is_valid():
        _audit_task(request, "task.view", row)
        return render(request, "console/task.html", _context(request, row, form, NoteForm()))
    note = form.cleaned_data["note"]
    if work.close(row, request.user, note, timezone.now()):
        _audit_task(request, "task.close", row, note)
        messages.success(request, _("The task is closed."))
    else:
        messages.warning(request, _why_not(row))
    return redirect("task", task_id=row.pk)


def _why_not(row: Task) -> str:
    row.refresh_from_db(fields=["state", "claimed_by"])
    if row.state == Task.State.DONE:
        return _("The task was closed by somebody else before.")
    return _("%(name)s is on it; only they or a supervisor can give it back.") % {
        "name": row.claimed_by
    }


@require_POST
def reopen_task(request: HttpRequest, task_id: int) -> HttpResponse:
    """What was closed by mistake is open again, in the hands of whoever did this."""
    row = _find(request, task_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        _audit_task(request, "task.view", row)
        return render(request, "console/task.html", _context(request, row, CloseForm(), form))
    if work.reopen(row, request.user, timezone.now()):
        _audit_task(request, "task.reopen", row, form.cleaned_data["note"])
        messages.success(request, _("The task is open again, and you are on it."))
    return redirect("task", task_id=row.pk)


@require_POST
def take_tasks(request: HttpRequest) -> HttpResponse:
    """One or many: claimed, given back, or closed where that is harmless."""
    rows = _chosen(request)
    deed = request.POST.get("deed", "")
    if not rows:
        messages.warning(request, _("Nothing was chosen."))
    elif deed == "claim":
        _claim(request, rows)
    elif deed == "release":
        _release(request, rows)
    elif deed == "close":
        _close_harmless(request, rows)
    return redirect(_back(request))


def _chosen(request: HttpRequest) -> list[Task]:
    ids = [text for text in request.POST.getlist("task")[:AT_ONCE] if text.isdecimal()]
    ids = [text for text in ids if len(text) <= 18]
    return list(queries.tasks(request.user).filter(pk__in=ids))


def _claim(request: HttpRequest, rows: list[Task]) -> None:
    done = work.claim(rows, request.user, timezone.now())
    for row in done:
        _audit_task(request, "task.claim", row)
    _tell(request, len(done), _("You are on it: %(count)d"))
    if len(done) < len(rows):
        messages.warning(request, _("Somebody else is on the others, or they are closed."))


def _release(request: HttpRequest, rows: list[Task]) -> None:
    done = work.release(rows, request.user)
    for row in done:
        _audit_task(request, "task.release", row)
    _tell(request, len(done), _("Given back: %(count)d"))
    if len(done) < len(rows):
        messages.warning(request, _("The others are not yours to give back."))


def _close_harmless(request: HttpRequest, rows: list[Task]) -> None:
    form = NoteForm(request.POST)
    if not form.is_valid() or any(row.kind not in work.HARMLESS for row in rows):
        messages.warning(
            request, _("Only tasks about an unsure day are closed together, with a note.")
        )
        return
    note, now = form.cleaned_data["note"], timezone.now()
    done = [row for row in rows if work.close(row, request.user, note, now)]
    for row in done:
        _audit_task(request, "task.close", row, note)
    _tell(request, len(done), _("Closed: %(count)d"))


def _tell(request: HttpRequest, count: int, words: str) -> None:
    if count:
        messages.success(request, words % {"count": count})


def _back(request: HttpRequest) -> str:
    """Where one came from, if that is a page of ours."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if safe else "tasks"


def _find(request: HttpRequest, task_id: int) -> Task:
    row: Task | None = queries.tasks(request.user).filter(pk=task_id).first()
    if row is None:
        raise Http404
    return row


def _context(
    request: HttpRequest, row: Task, form: CloseForm, reopening: NoteForm
) -> dict[str, Any]:
    return {
        "task": row,
        "form": form,
        "reopening": reopening,
        "others": bool(row.claimed_by) and row.claimed_by != request.user.username,
        "may_release": work.may_release_others(request.user),
        "may_accept": row.record is not None and visits.may_accept(row.record),
    }


def _audit_task(request: HttpRequest, action: str, row: Task, reason: str = "") -> None:
    _audit(request, action, ("task", str(row.pk)), region_code=row.region_id, reason=reason)
    if row.person:
        _audit_person(request, action, row.person, reason)
