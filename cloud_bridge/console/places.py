"""Where in the tree of regions a page is asked about; never outside of one's own."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from cloud_bridge.registry import queries
from cloud_bridge.registry.models import Account, Region


@dataclass(frozen=True, slots=True)
class Place:
    """`line` leads from the account's own region down to this one, `parts` are one level below."""

    region: Region
    line: tuple[Region, ...]
    parts: tuple[Region, ...]

    @property
    def parent(self) -> Region | None:
        """One level up, if that is the account's to see."""
        return self.line[-2] if len(self.line) > 1 else None


def chosen(request: HttpRequest) -> Place:
    """What `region` in the address says; without one, everything that is the account's."""
    account: Account = request.user
    code = request.GET.get("region", "") or account.region_id
    region = Region.objects.filter(code=code).first() if account.region.covers(code) else None
    if region is None:
        raise Http404
    return Place(region, _line(account, region), tuple(region.children.order_by("code")))


def _line(account: Account, region: Region) -> tuple[Region, ...]:
    codes = {account.region_id, *queries.line(region.code)}
    above = Region.objects.filter(account.region.within("code"), code__in=codes)
    return tuple(above.order_by("level"))
