"""What staff type in about one person: 认证, 死亡, and what takes either back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from cloud_bridge.console.forms import _Day, no_number
from cloud_bridge.console.labels import LABELS
from cloud_bridge.registry import cycle_rules, evidence, visits
from cloud_bridge.registry.cycles import Rule
from cloud_bridge.registry.evidence import NotEvidence, Sheet
from cloud_bridge.registry.models import DeathReport, Proof
from cloud_bridge.registry.visits import Entry
from edge.domain.cycles import Cycle


class _ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class EvidenceField(forms.FileField):
    """One or more photographs or papers, checked by what they contain."""

    def __init__(self, **kwargs: Any) -> None:
        accept = ".jpg,.jpeg,.png,.webp,.pdf,image/jpeg,image/png,image/webp,application/pdf"
        super().__init__(widget=_ManyFiles(attrs={"accept": accept}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Sheet]:
        files = data if isinstance(data, list | tuple) else [data]
        given = [super(EvidenceField, self).clean(file, initial) for file in files if file]
        if len(given) > evidence.MAX_FILES:
            raise forms.ValidationError(LABELS["entry_refused"]["too_many"])
        return [_sheet(file) for file in given]


def _sheet(file: UploadedFile) -> Sheet:
    """The name of the file is told to whoever sent it and to nobody else."""
    if file.size is not None and file.size > evidence.MAX_FILE_BYTES:
        raise forms.ValidationError(LABELS["not_evidence"]["too_large"])
    try:
        return evidence.clean(file.read())
    except NotEvidence as error:
        raise forms.ValidationError(LABELS["not_evidence"][error.word]) from error


class CertifyForm(forms.Form):
    """认证 after a visit or call."""

    method = forms.ChoiceField(
        label=_("Method"),
        choices=[choice for choice in Proof.Method.choices if choice[0] in visits.METHODS],
        widget=forms.RadioSelect,
    )
    on = forms.DateField(label=_("Day of the visit or call"), widget=_Day())
    place = forms.CharField(
        label=_("Place"),
        min_length=visits.MIN_PLACE,
        max_length=visits.MAX_PLACE,
        validators=[no_number],
    )
    files = EvidenceField(label=_("Evidence (photographs or PDF)"), required=False)
    exemption = forms.CharField(
        label=_("If there is no evidence: why"),
        required=False,
        min_length=visits.MIN_EXEMPTION,
        max_length=visits.MAX_EXEMPTION,
        widget=forms.Textarea({"rows": 2}),
        validators=[no_number],
    )
    note = forms.CharField(
        label=_("Remark"), required=False, max_length=200, validators=[no_number]
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean()
        neither = not values.get("files") and not values.get("exemption")
        if neither and not self.errors.keys() & {"files", "exemption"}:
            self.add_error("files", LABELS["entry_refused"]["no_evidence"])
        return values

    @property
    def entry(self) -> Entry:
        values = self.cleaned_data
        return Entry(
            method=values["method"],
            on=values["on"],
            place=values["place"],
            note=values["note"],
            exemption=values["exemption"],
            sheets=values["files"],
        )


ENTRY_FIELDS = {
    "method": "method",
    "future": "on",
    "too_early": "on",
    "twice": "on",
    "place": "place",
    "no_evidence": "files",
    "too_many": "files",
}
"""Beside which field a refusal is shown; all others stand above the form."""


class DeathForm(forms.Form):
    died_on = forms.DateField(label=_("Day of death"), widget=_Day())
    source = forms.ChoiceField(
        label=_("Known from"), choices=[("", "——"), *DeathReport.Source.choices]
    )
    note = forms.CharField(
        label=_("Remark"), required=False, max_length=200, validators=[no_number]
    )


DEATH_FIELDS = {"future": "died_on", "before_birth": "died_on", "source": "source"}


class WhyForm(forms.Form):
    """Why something is taken back, refused or accepted."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=4,
        max_length=150,
        widget=forms.Textarea({"rows": 2}),
        validators=[no_number],
    )


class SpanForm(forms.Form):
    """A span of days, both included."""

    since = forms.DateField(label=_("From"), widget=_Day())
    until = forms.DateField(label=_("To"), widget=_Day())


class RuleForm(forms.Form):
    """How often people of one category come."""

    cycle = forms.ChoiceField(label=_("Cycle"), choices=list(LABELS["cycle"].items()))
    early_days = forms.IntegerField(
        label=_("Days before the due date"),
        min_value=0,
        max_value=max(cycle_rules.MAX_EARLY.values()),
    )
    grace_days = forms.IntegerField(
        label=_("Days of grace"), min_value=0, max_value=cycle_rules.MAX_GRACE
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean()
        if {"cycle", "early_days"} <= values.keys():
            most = cycle_rules.MAX_EARLY[Cycle(values["cycle"])]
            if values["early_days"] > most:
                self.add_error("early_days", _("At most %(days)d for this cycle.") % {"days": most})
        return values

    @property
    def rule(self) -> Rule:
        values = self.cleaned_data
        return Rule(Cycle(values["cycle"]), values["early_days"], values["grace_days"])


def add_refusal(
    form: forms.Form, word: str, kind: str, beside: dict[str, str] | None = None
) -> None:
    """Say why something was not saved, beside the field it is about."""
    form.add_error((beside or {}).get(word), LABELS[kind].get(word, word))
