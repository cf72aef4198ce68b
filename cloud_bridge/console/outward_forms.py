"""What the county types in about other systems."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cloud_bridge.console.labels import LABELS
from cloud_bridge.registry import api_clients, webhooks
from cloud_bridge.registry.api_clients import SCOPES
from cloud_bridge.registry.events import TELLABLE
from cloud_bridge.registry.models import Account, Region


class _WithRegion(forms.Form):
    """A region within the account's own."""

    def __init__(self, *args: object, account: Account, **kwargs: object) -> None:
        super().__init__(*args, initial={"region": account.region_id}, **kwargs)
        self._account = account
        self.fields["name"].widget.attrs.update(autocomplete="off")
        self.fields["region"].widget.attrs.update(list="regions", inputmode="numeric")

    def clean_region(self) -> Region:
        rows = Region.objects.filter(self._account.region.within("code"))
        region: Region | None = rows.filter(pk=self.cleaned_data["region"]).first()
        if region is None:
            raise forms.ValidationError(_("There is no such region within yours."))
        return region


class ClientForm(_WithRegion):
    name = forms.CharField(label=gettext_lazy("System"), max_length=api_clients.NAME_CHARACTERS)
    region = forms.CharField(label=gettext_lazy("Region code"), min_length=12, max_length=12)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May ask"),
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )


class WebhookForm(_WithRegion):
    name = forms.CharField(label=gettext_lazy("System"), max_length=webhooks.NAME_CHARACTERS)
    url = forms.CharField(label=gettext_lazy("Address, https://…"), max_length=300)
    region = forms.CharField(label=gettext_lazy("Region code"), min_length=12, max_length=12)
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Is told of"),
        choices=[(event, LABELS["event"][event]) for event in TELLABLE],
        widget=forms.CheckboxSelectMultiple,
    )
