"""The list of people as a file, with the reason it is needed for (feature 24)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cloud_bridge.console.people_forms import ExportForm
from cloud_bridge.console.people_views import Asked, asked, harmless
from cloud_bridge.console.views import _audit, _audit_person
from cloud_bridge.registry import export as files
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import Category, Person
from cloud_bridge.registry.people_list import STATUSES, PeopleList

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> Any:
    """Asks what the list is for; then it is logged, and sent."""
    found = asked(request)
    if found.question is None:
        messages.warning(request, _("This search makes no sense as it stands."))
        return redirect("people")
    listed = PeopleList(request.user, found.question, found.sort, timezone.localdate())
    rows = listed.count(files.MOST_ROWS)
    form = ExportForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and rows <= files.MOST_ROWS:
        return _send(request, found, listed, form.cleaned_data)
    context = {
        "form": form if request.method == "POST" else ExportForm(),
        "about": asked_in_words(found),
        "rows": rows,
        "too_many": rows > files.MOST_ROWS,
        "most": files.MOST_ROWS,
        "query": found.address,
        "back": f"{reverse('people')}?{found.address}",
    }
    return render(request, "console/export.html", context)


def _send(
    request: HttpRequest, found: Asked, listed: PeopleList, values: dict[str, Any]
) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """Logged before the first byte leaves, whatever becomes of the others."""
    assert found.question is not None
    action = "people.export.full" if values["full"] else "people.export"
    reason = "; ".join(filter(None, (values["reason"], values["format"], harmless(found.question))))
    one = Person.objects.seen_by(request.user).filter(pk=found.question.person_id).first()
    if one is not None:  # whoever asks who looked at them finds this look, too
        _audit_person(request, action, one, reason)
    else:
        _audit(request, action, ("people", ""), reason=reason)
    words = _words(request, found, values)
    rows = files.Rows(listed, vault(), words, full=values["full"])
    name = f"{_('Proof of life')}-{timezone.localtime():%Y%m%d-%H%M}.{values['format']}"
    if values["format"] == "xlsx":
        book = files.as_xlsx(rows, words)
        return FileResponse(book, as_attachment=True, filename=name, content_type=_XLSX)
    response = StreamingHttpResponse(files.as_csv(rows, words), content_type="text/csv")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def asked_in_words(found: Asked) -> list[tuple[str, str]]:
    """Label and value of everything that was asked by."""
    fields = found.form.fields
    region = [(_("Region"), str(found.region))] if found.region else []
    told = [
        (str(fields[name].label), _in_words(fields[name], value))
        for name, value in found.form.cleaned_data.items()
        if value and name not in ("number", "exact")
    ]
    if found.form.cleaned_data["exact"]:
        told.append((str(fields["exact"].label), _("Yes")))
    if found.query.get("person"):
        told.append((_("Name"), _("one person")))
    return [*region, *told] or [(_("Filter"), _("All"))]


def _in_words(field: Any, value: Any) -> str:
    return str(dict(getattr(field, "choices", ())).get(value, value))


def _words(request: HttpRequest, found: Asked, values: dict[str, Any]) -> files.Words:
    """Made before the file, in this request's language."""
    account = request.user
    number = _("full") if values["full"] else _("masked")
    return files.Words(
        about=[
            *asked_in_words(found),
            (_("ID number"), number),
            (_("Scope of the account"), str(account.region)),
            (_("Exported by"), account.username),
            (_("Time"), f"{timezone.localtime():%Y-%m-%d %H:%M:%S}"),
            (_("What the list is needed for"), values["reason"]),
        ],
        header=[
            _("County"), _("Street"), _("Community"), _("Name"), _("ID number"), _("Category"),
            _("Covered"), _("Certified on"), _("Status"),
        ],
        categories={word: str(label) for word, label in Category.choices},
        statuses={word: str(label) for word, label in STATUSES},
        yes=_("Yes"),
        no=_("No"),
        unreadable=_("cannot be read"),
        rows=_("Number of rows"),
        sheet=_("Proof of life"),
        about_sheet=_("About this list"),
    )  # fmt: skip
