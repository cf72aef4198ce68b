"""What staff type in to find people, to keep a question, and to take a list along."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cloud_bridge.console.forms import _Day, no_number
from cloud_bridge.registry.export import FORMATS
from cloud_bridge.registry.models import Category
from cloud_bridge.registry.people_list import STATUSES


def _no_number(name: str) -> None:
    """A name is part of the address of the page, and no number may ever be."""
    if sum(character.isdecimal() for character in name) >= 6:
        raise ValidationError(_("A name has no digits; a number goes into the field for it."))


class PeopleFilter(forms.Form):
    """Everything but the regions (S10–S15); the id number is never part of an address."""

    since = forms.DateField(label=_("Certified from"), required=False, widget=_Day())
    until = forms.DateField(label=_("Certified to"), required=False, widget=_Day())
    name = forms.CharField(label=_("Name"), max_length=60, required=False, validators=[_no_number])
    exact = forms.BooleanField(label=_("this name exactly"), required=False)
    number = forms.CharField(label=_("ID number"), max_length=20, required=False)
    category = forms.ChoiceField(
        label=_("Category"), required=False, choices=[("", _("All")), *Category.choices]
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("All")), *STATUSES]
    )
    covered = forms.ChoiceField(
        label=_("Covered"),
        required=False,
        choices=[("", _("All")), ("yes", _("Yes")), ("no", _("No"))],
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "number"):
            self.fields[name].widget.attrs.update(autocomplete="off")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean()
        since, until = values.get("since"), values.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day lies before the first."))
        return values


class FilterName(forms.Form):
    name = forms.CharField(label=_("Keep this search as"), max_length=60, validators=[_no_number])

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, auto_id="keep_%s", **kwargs)
        self.fields["name"].widget.attrs.update(autocomplete="off")


class ExportForm(forms.Form):
    format = forms.ChoiceField(label=_("File"), choices=FORMATS, widget=forms.RadioSelect)
    full = forms.BooleanField(label=_("with full ID numbers"), required=False)
    reason = forms.CharField(
        label=_("What the list is needed for"),
        min_length=4,
        max_length=120,
        validators=[no_number],
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, initial={"format": "xlsx"}, **kwargs)
        self.fields["reason"].widget.attrs.update(autocomplete="off")
