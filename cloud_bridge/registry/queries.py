"""Questions the console asks, always within one account's region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Count, Q

from cloud_bridge.registry.models import (
    ROOT_REGION,
    Account,
    AuditEntry,
    Certification,
    Device,
    Opinion,
    Quarantine,
    Region,
    Rehearsal,
    Site,
    Task,
)

LEVELS = (1, 2, 3, 4, 5)


def certifications(account: Account) -> Any:
    """Records about people of the region; about unknown people: from kiosks of the region."""
    region = account.region
    theirs = region.within("person__region_id")
    unknown = Q(person=None) & region.within("device__site__region_id")
    rows = Certification.objects.filter(theirs | unknown).defer("envelope")
    return rows.select_related("person__region", "device__site")


def helped(
    account: Account, *, since: date | None, until: date | None, named_by: str, helper_key: str
) -> Any:
    """Records with a helper, newest first."""
    rows = certifications(account).exclude(helper_key="").order_by("-filed_at", "record_id")
    if since:
        rows = rows.filter(certified_on__gte=since)
    if until:
        rows = rows.filter(certified_on__lte=until)
    if named_by:
        rows = rows.filter(named_by=named_by)
    return rows.filter(helper_key=helper_key) if helper_key else rows


def rehearsals(account: Account) -> Any:
    rows = Rehearsal.objects.filter(account.region.within("device__site__region_id"))
    return rows.select_related("device__site").defer("envelope").order_by("-filed_at", "record_id")


def tasks(account: Account) -> Any:
    rows = Task.objects.filter(account.region.within("region_id")).order_by(
        "-state", "-urgent", "low", "created_at"
    )
    rows = rows.select_related(
        "person", "record__device__site", "matter__device__site", "signal", "region"
    )
    return rows.defer("record__envelope", "matter__envelope")


def opinions(account: Account) -> Any:
    rows = Opinion.objects.filter(account.region.within("device__site__region_id"))
    return rows.select_related("device__site").defer("envelope").order_by("-at", "record_id")


MISFITS = ("fork", "chain", "other_bytes")
"""What a kiosk cannot send by accident: its chain forked, or one id for two contents."""


def devices(account: Account) -> Any:
    rows = Device.objects.filter(account.region.within("site__region_id"))
    rows = rows.select_related("site__region", "settings_row")
    rows = rows.prefetch_related("chains", "notices")
    misfits = Count("quarantined", filter=Q(quarantined__reason__in=MISFITS))
    return rows.annotate(aside=Count("quarantined"), misfits=misfits).order_by("kiosk_id")


def badge_regions(account: Account) -> Any:
    """Where a badge may be issued for: regions with kiosks below them, within the account's."""
    sites = Site.objects.filter(account.region.within("region_id"))
    codes = {part for site in sites for part in line(site.region_id)}
    within = [code for code in codes if account.region.covers(code)]
    return Region.objects.filter(pk__in=[account.region_id, *within]).order_by("code")


def quarantine(account: Account) -> Any:
    """What unknown kiosks sent is only for accounts of the whole."""
    seen = account.region.within("device__site__region_id")
    if account.region_id == ROOT_REGION:
        seen |= Q(device=None)
    rows = Quarantine.objects.filter(seen).select_related("device__site").defer("payload")
    return rows.order_by("-last_seen_at")


def audit_entries(account: Account) -> Any:
    return AuditEntry.objects.filter(account.region.within("region_code")).order_by("-number")


def region_names(codes: Iterable[str]) -> Mapping[str, Mapping[int, str]]:
    """For each region code the names of its line, by level."""
    lines = {code: line(code) for code in set(codes)}
    wanted = {code for codes_of in lines.values() for code in codes_of}
    known = Region.objects.in_bulk(list(wanted))
    return {
        code: {known[part].level: known[part].name for part in parts if part in known}
        for code, parts in lines.items()
    }


def line(code: str) -> list[str]:
    """Codes from the province down to this region."""
    parts = [code]
    while Region.level_of(parts[0]) > 1:
        parts.insert(0, Region.parent_code(parts[0]))
    return parts
