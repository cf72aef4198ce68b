"""What the centre wants of its kiosks' settings, who wanted it, and what the kiosks say to it.

Every change is a new version of the whole wish; none is ever edited. Going back is a new version
with old values, so that numbers only grow: a kiosk takes over nothing that is not newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from cloud_bridge.registry import audit
from cloud_bridge.registry.models import Device, KioskSettings, SettingsVersion
from cloud_bridge.registry.vault import Vault
from edge.domain.settings import SETTINGS, Refusal, Value, refusal
from edge.wire.desired import Reported

AT_ONCE = 50


class SettingsRefused(Exception):
    """Nothing was changed; why not, for each value that cannot be."""

    def __init__(self, refused: Sequence[Refusal]) -> None:
        super().__init__("; ".join(f"{why.key}: {why.reason} {why.detail}" for why in refused))
        self.refused = tuple(refused)


class UnknownVersion(Exception):
    """There never was such a version for this kiosk."""


@dataclass(frozen=True, slots=True)
class Change:
    """`put` these values, `drop` those keys: the site file's own hold for them again."""

    put: Mapping[str, Value]
    drop: frozenset[str] = frozenset()

    def over(self, values: Mapping[str, Value]) -> dict[str, Value]:
        kept = {key: value for key, value in values.items() if key not in self.drop}
        return kept | dict(self.put)


@dataclass(frozen=True, slots=True)
class Line:
    """One setting side by side: `wanted` here (None: the site file's), `told` by the kiosk."""

    key: str
    wanted: Value | None
    told: Value | None
    refused: Refusal | None


def refusals(change: Change) -> list[Refusal]:
    values = [why for key, value in change.put.items() if (why := refusal(key, value))]
    unknown = [
        why for key in sorted(change.drop) if key not in SETTINGS and (why := refusal(key, 0))
    ]
    return values + unknown


def wanted(device: Device) -> dict[str, Value]:
    """The newest wish; nothing before the first."""
    newest = history(device).first()
    return dict(newest.values) if newest else {}


def history(device: Device) -> Any:
    """All versions of one kiosk, newest first."""
    return SettingsVersion.objects.filter(device=device).order_by("-version")


def apply(
    devices: Iterable[Device], change: Change, vault: Vault, who: str, now: datetime
) -> dict[str, int]:
    """New versions where something really changes, by kiosk. Raises `SettingsRefused`.

    In many short transactions: a whole province's must not keep records waiting. What was
    interrupted can be done again, and makes no version twice.
    """
    refused = refusals(change)
    if refused:
        raise SettingsRefused(refused)
    made: dict[str, int] = {}
    todo = list(devices)
    for first in range(0, len(todo), AT_ONCE):
        with transaction.atomic():
            for device in todo[first : first + AT_ONCE]:
                made[device.kiosk_id] = _become(device, change, vault, who, now)
    return {kiosk_id: version for kiosk_id, version in made.items() if version}


def _become(device: Device, change: Change, vault: Vault, who: str, now: datetime) -> int:
    """The new version, 0 if nothing changes."""
    before = wanted(device)
    after = change.over(before)
    return _new_version(device, before, after, vault, who, now) if after != before else 0


@transaction.atomic
def go_back(device: Device, version: int, vault: Vault, who: str, now: datetime) -> int:
    """The values of an older version as a new one; 0 if they hold already.

    Version 0 is the site file alone. Raises `UnknownVersion`.
    """
    old = history(device).filter(version=version).first()
    if old is None and version:
        raise UnknownVersion(version)
    before, after = wanted(device), dict(old.values) if old else {}
    if after == before:
        return 0
    return _new_version(device, before, after, vault, who, now, back_to=version)


def previous_version(device: Device) -> int:
    """What undoing goes back to; 0 for the site file alone."""
    versions = list(history(device).values_list("version", flat=True)[:2])
    return versions[1] if len(versions) > 1 else 0


def _new_version(
    device: Device,
    before: Mapping[str, Value],
    after: Mapping[str, Value],
    vault: Vault,
    who: str,
    now: datetime,
    *,
    back_to: int | None = None,
) -> int:
    row, _ = KioskSettings.objects.select_for_update().get_or_create(device=device)
    told_seen = int(row.report.get("seen", 0)) if row.report else 0
    row.version = max(int(now.timestamp()), row.version + 1, told_seen + 1)
    row.due = True
    row.save()
    SettingsVersion.objects.create(
        device=device,
        version=row.version,
        values=dict(after),
        changed=differences(before, after),
        back_to=back_to,
        made_at=now,
        made_by=who,
    )
    words = ", ".join(_words(change) for change in differences(before, after))
    target, place = ("device", device.kiosk_id), device.site.region_id
    reason = f"{row.version}: {words}"
    audit.write(vault, who, "settings.set", target, reason=reason, region_code=place)
    return int(row.version)


def differences(
    before: Mapping[str, Value], after: Mapping[str, Value]
) -> list[dict[str, Value | None]]:
    """Rows of `key`, `before` and `after`; None is the site file's own value."""
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return [{"key": key, "before": before.get(key), "after": after.get(key)} for key in keys]


def _words(change: Mapping[str, Value | None]) -> str:
    return f"-{change['key']}" if change["after"] is None else f"{change['key']}={change['after']}"


def lines(device: Device) -> list[Line]:
    """All settings of a kiosk, also what it refused and nobody knows here."""
    row = KioskSettings.objects.filter(device=device).first()
    report = row.report if row else {}
    told = report.get("values", {})
    refused = {why["key"]: Refusal(**why) for why in report.get("refused", [])}
    here = wanted(device)
    keys = [*SETTINGS, *sorted({*here, *refused} - SETTINGS.keys())]
    return [Line(key, here.get(key), told.get(key), refused.get(key)) for key in keys]


def store_report(kiosk_id: str, reported: Reported, now: datetime) -> None:
    """Unsigned like presence: shown, never relied on."""
    told = asdict(reported) | {"state": reported.state.value}
    told["refused"] = list(told["refused"])  # as it comes back from the database
    del told["ask"]
    rows = KioskSettings.objects.filter(pk=kiosk_id)
    known = rows.values_list("report", flat=True).first()
    if known == told or (known is None and not Device.objects.filter(pk=kiosk_id).exists()):
        return
    if not rows.update(report=told, reported_at=now):
        KioskSettings.objects.create(device_id=kiosk_id, report=told, reported_at=now)


def to_send() -> Any:
    """Wishes that the broker has not taken yet."""
    return KioskSettings.objects.filter(due=True).order_by("version")


def sent(kiosk_id: str, version: int, now: datetime) -> None:
    rows = KioskSettings.objects.filter(pk=kiosk_id, version=version)
    rows.update(due=False, sent_at=now)
