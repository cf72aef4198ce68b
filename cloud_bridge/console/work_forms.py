"""What staff type in on the pages of their day: tasks, due lists, visit plans, dashboards."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cloud_bridge.console.forms import no_number
from cloud_bridge.registry import work
from cloud_bridge.registry.models import Task

OLDER_DAYS = (1, 3, 7, 30)
ANY = "any"


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class TaskFilter(forms.Form):
    """Of the whole queue; the region is chosen beside it."""

    kind = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("All")), *Task.Kind.choices]
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("open")), (Task.State.DONE, _("Done")), (ANY, _("All"))],
    )
    older = forms.TypedChoiceField(
        label=_("Waiting for"),
        required=False,
        coerce=int,
        empty_value=0,
        choices=[
            ("", _("All")),
            ("1", _("more than a day")),
            ("3", _("more than 3 days")),
            ("7", _("more than a week")),
            ("30", _("more than 30 days")),
        ],
    )
    who = forms.ChoiceField(
        label=_("Who is on it"),
        required=False,
        choices=[("", _("All")), (work.MINE, _("I am")), (work.NOBODY, _("nobody yet"))],
    )
    name = forms.CharField(label=_("Name begins with"), max_length=60, required=False)


class NoteForm(forms.Form):
    """Why a closed task is opened again, or what was done for many."""

    note = forms.CharField(min_length=4, max_length=200, validators=[no_number])


class PlanForm(forms.Form):
    """Whom to visit, who goes and when."""

    name = forms.CharField(label=_("Name of the plan"), max_length=60, validators=[no_number])
    day = forms.DateField(label=_("Day of the visits"), widget=Day())
    account = forms.ModelChoiceField(label=_("Who goes"), queryset=None, empty_label=None)

    def __init__(self, *args: object, workers: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = workers
        self.fields["account"].label_from_instance = lambda row: row.username
        self._today = today

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not self._today <= day <= self._today + timedelta(days=366):
            raise ValidationError(_("A day from today on, within a year."))
        return day


class RangeForm(forms.Form):
    """The days a dashboard is about."""

    since = forms.DateField(label=_("From"), required=False, widget=Day())
    until = forms.DateField(label=_("To"), required=False, widget=Day())
