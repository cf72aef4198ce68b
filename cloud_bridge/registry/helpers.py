"""Who helped somebody at a kiosk (帮亲友): kept apart from the person the record is about.

Name and number lie encrypted in one column and can be found by the number alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.registry.models import FiledRecord
from cloud_bridge.registry.vault import Vault


@dataclass(frozen=True, slots=True)
class Helper:
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    card_kind: str
    flags: tuple[str, ...]


def columns(told: Mapping[str, Any] | None, record_id: str, vault: Vault) -> dict[str, Any]:
    """What a record's row keeps of its helper."""
    if told is None:
        return {}
    text = json.dumps({name: told[name] for name in ("name", "id_number", "card_kind", "flags")})
    return {
        "helper_key": vault.lookup(told["id_number"]),
        "helper_sealed": vault.seal(text, _owner(record_id)),
    }


def of(row: FiledRecord, vault: Vault) -> Helper | None:
    """Raises `VaultError` for a damaged row."""
    if not row.helper_key:
        return None
    told = json.loads(vault.open(row.helper_sealed, _owner(row.record_id)))
    return Helper(told["name"], told["id_number"], told["card_kind"], tuple(told["flags"]))


def _owner(record_id: str) -> str:
    return f"{record_id} helper"
