"""Signals of life and death by API take the road that files take: judged whole, applied whole."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from ninja.errors import ValidationError

from cloud_bridge.api.shapes import Signals
from cloud_bridge.registry.imports import runs
from cloud_bridge.registry.imports.faults import WORDS, ImportRefused
from cloud_bridge.registry.imports.judging import Scope
from cloud_bridge.registry.imports.runs import Order
from cloud_bridge.registry.imports.sources import of_bytes
from cloud_bridge.registry.keyring import vault
from cloud_bridge.registry.models import ApiClient, ImportRun

_FIRST_LINE = 2
"""The heading is line 1."""


def take(client: ApiClient, told: Signals, now: datetime) -> dict[str, int]:
    """Counts of what became of the rows. Raises `ValidationError` and then changes nothing."""
    scope = Scope(client.region, vault(), timezone.localdate())
    order = Order(_file(told), ImportRun.Kind(told.kind), scope, f"api {client.name}")
    run = runs.look(order, now)
    if run.faults:
        raise _refused(run.errors)
    try:
        runs.apply(run, order, now)
    except ImportRefused as refused:
        raise _refused([[f.line, f.column, f.word] for f in refused.faults]) from refused
    return {name: getattr(run, name) for name in ("rows", "added", "unchanged", "unknown")} | {
        "run": run.pk
    }


def _file(told: Signals) -> Any:
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(("id_number", "date", "source"))
    lines.writerows((row.number, row.on.isoformat(), told.source) for row in told.rows)
    return of_bytes("api.csv", text.getvalue().encode())


def _refused(faults: list[list[Any]]) -> ValidationError:
    """In English, as every error of the API."""
    with translation.override("en"):
        rows = [
            {"loc": ("body", "rows", line - _FIRST_LINE, column), "msg": str(WORDS[word])}
            for line, column, word in faults
        ]
    return ValidationError(rows)
