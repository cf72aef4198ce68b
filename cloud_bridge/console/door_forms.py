"""What staff type in at the door, and about their own account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cloud_bridge.registry.models import Account

PASSWORD_LENGTH = 200


def _password(label: str, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput({"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=PASSWORD_LENGTH, strip=False, widget=widget)


class SignInForm(forms.Form):
    username = forms.CharField(label=_("Account"), max_length=60)
    password = _password(_("Password"), "current-password")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs.update(autocomplete="username", autofocus=True)


class _Once(forms.TextInput):
    """What was typed is not shown again: it is used up, or was wrong."""

    def format_value(self, value: object) -> None:
        del value


class CodeForm(forms.Form):
    """Six digits of a phone, or a recovery code."""

    code = forms.CharField(label=_("Code"), max_length=20, widget=_Once)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(
            autocomplete="one-time-code", autofocus=True, autocapitalize="off", spellcheck="false"
        )


class PasswordForm(forms.Form):
    """A new password of one's own."""

    old = _password(_("Present password"), "current-password")
    new = _password(_("New password"), "new-password")
    again = _password(_("New password again"), "new-password")

    def __init__(self, *args: object, account: Account, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._account = account

    def clean_new(self) -> str:
        new: str = self.cleaned_data["new"]
        validate_password(new, self._account)
        if new == self.cleaned_data.get("old"):
            raise ValidationError(_("This is the present password; please choose another."))
        return new

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if "new" in values and values.get("again") != values["new"]:
            self.add_error("again", _("The two are not the same."))
        return values
