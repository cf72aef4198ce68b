"""What staff type in."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from cloud_bridge.console.labels import LABELS
from cloud_bridge.logs import redacted
from cloud_bridge.registry.badges import may_give
from cloud_bridge.registry.models import Account, Badge, Recheck
from edge.domain.settings import SETTINGS, Choice, Setting, Text, Value, Whole, from_text


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def no_number(text: str) -> None:
    """Free words are kept as they are, and logged; an id number never is."""
    plain = unicodedata.normalize("NFKC", text)
    if redacted(plain) != plain:
        raise ValidationError(_("Please leave the ID number out: this text is kept as it is."))


class HelpedFilter(forms.Form):
    """The helper's number is never part of an address."""

    number = forms.CharField(label=_("ID number of the helper"), max_length=20, required=False)
    named_by = forms.ChoiceField(
        label=_("Named by"), required=False, choices=[("", _("All")), *LABELS["named_by"].items()]
    )
    since = forms.DateField(label=_("From"), required=False, widget=_Day())
    until = forms.DateField(label=_("To"), required=False, widget=_Day())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].widget.attrs.update(autocomplete="off")


class CloseForm(forms.Form):
    note = forms.CharField(
        label=_("What was done"),
        min_length=4,
        max_length=200,
        widget=forms.Textarea({"rows": 3}),
        validators=[no_number],
    )


class BadgeForm(forms.Form):
    """Who gets a badge for the kiosks, where it counts and until when."""

    name = forms.CharField(label=_("Name"), max_length=60)
    role = forms.ChoiceField(label=_("May do at the kiosk"))
    region = forms.ModelChoiceField(label=_("Counts in"), queryset=None, empty_label=None)
    valid_until = forms.DateField(label=_("Valid to"), widget=_Day())

    def __init__(
        self,
        *args: object,
        account: Account,
        places: Any,
        today: date,
        last: date,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, initial={"valid_until": last}, **kwargs)
        roles = [choice for choice in Badge.Role.choices if may_give(account, choice[0])]
        self.fields["role"].choices = roles
        self.fields["region"].queryset = places
        self.fields["name"].widget.attrs.update(autocomplete="off")
        self.fields["valid_until"].validators += [MinValueValidator(today), MaxValueValidator(last)]


class RecheckForm(forms.Form):
    finding = forms.ChoiceField(
        choices=[choice for choice in Recheck.Finding.choices if choice[0]],
        widget=forms.HiddenInput,
    )
    note = forms.CharField(min_length=4, max_length=200, validators=[no_number])


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), min_length=4, max_length=200, validators=[no_number]
    )


class SettingsForm(forms.Form):
    """One field for each setting of `edge.domain.settings`; empty means the site file's own."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: object, wanted: Mapping[str, Value], version: int, **kwargs: object
    ) -> None:
        super().__init__(*args, initial={**wanted, "version": version}, **kwargs)
        self._wanted = wanted
        for key, setting in SETTINGS.items():
            self.fields[key] = _setting_field(setting)
            self.fields[key].widget.attrs.update(placeholder=_("as the site file says"))

    def put(self) -> dict[str, Value]:
        """What is wanted and was not before."""
        given = {k: from_text(k, str(self.cleaned_data[k])) for k in SETTINGS if self._has(k)}
        return {key: value for key, value in given.items() if value != self._wanted.get(key)}

    def drop(self) -> frozenset[str]:
        return frozenset(key for key in SETTINGS if key in self._wanted and not self._has(key))

    def _has(self, key: str) -> bool:
        return self.cleaned_data[key] not in (None, "")


def _setting_field(setting: Setting) -> forms.Field:
    label = LABELS["setting"].get(setting.key, setting.key)
    match setting.kind:
        case Whole(low, high):
            return forms.IntegerField(label=label, min_value=low, max_value=high, required=False)
        case Choice(words):
            named = [(word, LABELS["choice"].get(word, word)) for word in words]
            own = ("", _("as the site file says"))
            return forms.ChoiceField(label=label, choices=[own, *named], required=False)
        case Text(longest):
            return forms.CharField(label=label, max_length=longest, required=False)
