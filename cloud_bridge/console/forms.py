"""What staff type in."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models import Badge, Category

PENDING, CERTIFIED = "pending", "certified"


class SignInForm(forms.Form):
    username = forms.CharField(label=_("Account"), max_length=60)
    password = forms.CharField(label=_("Password"), max_length=200, widget=forms.PasswordInput)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs.update(autocomplete="username", autofocus=True)
        self.fields["password"].widget.attrs.update(autocomplete="current-password")


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PeopleFilter(forms.Form):
    """Everything but the regions; the id number is never part of an address."""

    name = forms.CharField(label=_("Name"), max_length=60, required=False)
    number = forms.CharField(label=_("ID number"), max_length=20, required=False)
    category = forms.ChoiceField(
        label=_("Category"), required=False, choices=[("", _("All")), *Category.choices]
    )
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("All")), (PENDING, _("Pending")), (CERTIFIED, _("Certified"))],
    )
    covered = forms.ChoiceField(
        label=_("Covered"),
        required=False,
        choices=[("", _("All")), ("yes", _("Yes")), ("no", _("No"))],
    )
    since = forms.DateField(label=_("Certified from"), required=False, widget=_Day())
    until = forms.DateField(label=_("Certified to"), required=False, widget=_Day())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].widget.attrs.update(autocomplete="off")


class CloseForm(forms.Form):
    note = forms.CharField(
        label=_("What was done"), min_length=4, max_length=200, widget=forms.Textarea({"rows": 3})
    )


class BadgeForm(forms.Form):
    """Who gets a badge for the kiosks, where it counts and until when."""

    name = forms.CharField(label=_("Name"), max_length=60)
    role = forms.ChoiceField(label=_("May do at the kiosk"), choices=Badge.Role.choices)
    region = forms.ModelChoiceField(label=_("Counts in"), queryset=None, empty_label=None)
    valid_until = forms.DateField(label=_("Valid to"), widget=_Day())

    def __init__(self, *args: object, places: Any, today: date, last: date, **kwargs: Any) -> None:
        super().__init__(*args, initial={"valid_until": last}, **kwargs)
        self.fields["region"].queryset = places
        self.fields["name"].widget.attrs.update(autocomplete="off")
        self.fields["valid_until"].validators += [MinValueValidator(today), MaxValueValidator(last)]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), min_length=4, max_length=200)
