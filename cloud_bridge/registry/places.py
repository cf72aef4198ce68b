"""Where kiosks stand that anybody may use, and whether they work just now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_bridge.registry import queries
from cloud_bridge.registry.models import Device, Region

NEEDED = frozenset({"card_reader", "camera"})
"""Without one of these a visit ends with staff; without paper it does not."""
MOST = 200
_COUNTY: Any = Region.Level.COUNTY


@dataclass(frozen=True, slots=True)
class Place:
    """One site. `heard_at`: when the centre last heard of any of its kiosks."""

    name: str
    address: str
    region: str
    works: bool
    prints: bool
    heard_at: datetime | None


def near(region: Region) -> list[Place]:
    """Sites of a region, those that work first. Demonstration kiosks are nobody's way."""
    rows = _public().filter(region.within("site__region_id"))
    by_site: dict[int, list[Device]] = {}
    for row in rows.order_by("site__region_id", "site__name")[:MOST]:
        by_site.setdefault(row.site_id, []).append(row)
    codes = {devices[0].site.region_id for devices in by_site.values()}
    names = queries.region_names(codes)
    places = [_place(devices, names) for devices in by_site.values()]
    return sorted(places, key=lambda place: not place.works)


def counties() -> list[Region]:
    """Counties, or what lies above, in which there is a kiosk to go to."""
    sites = _public().values_list("site__region_id", flat=True).distinct()
    codes = {_county(code) for code in sites}
    return list(Region.objects.filter(pk__in=codes).order_by("code"))


def _county(code: str) -> str:
    if Region.level_of(code) <= _COUNTY:
        return code
    return code[: Region.digits_of(_COUNTY)].ljust(len(code), "0")


def _public() -> Any:
    return Device.objects.filter(simulated_only=False).select_related("site__region")


def _place(devices: Sequence[Device], names: Any) -> Place:
    site = devices[0].site
    working = [device for device in devices if device.online and _has(device, NEEDED)]
    return Place(
        name=site.name,
        address=site.address,
        region="".join(names[site.region_id].values()),
        works=bool(working),
        prints=any(_has(device, {"printer"}) for device in working),
        heard_at=_latest(devices),
    )


def _has(device: Device, parts: Iterable[str]) -> bool:
    """None of these is told to be broken."""
    broken = {part["device"] for part in device.health if not part["works"]}
    return not broken & set(parts)


def _latest(devices: Sequence[Device]) -> datetime | None:
    moments = [at for device in devices for at in (device.seen_at, device.health_at) if at]
    return max(moments, default=None)
