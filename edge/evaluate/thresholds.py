"""Thresholds, frozen: a report is only made of those that the history names last.

`thresholds.toml` has every number that decides, `history.toml` when and why each set of them
was frozen. Both are written by `python -m edge evaluate --freeze WHY` and are committed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from edge.domain.errors import ConfigError
from edge.evaluate.settings import read_toml
from edge.models import embedding, gate, watcher
from edge.models.observation import Limits

Numbers = dict[str, float]


def of_the_product() -> Numbers:
    """Every number the check and the comparison decide by."""
    usual, slow = asdict(Limits()), asdict(Limits.slow())
    numbers = {f"check.{name}": float(value) for name, value in usual.items()}
    differ = {name: value for name, value in slow.items() if value != usual[name]}
    numbers |= {f"slow.{name}": float(value) for name, value in differ.items()}
    numbers["liveness"] = watcher.LIVENESS_THRESHOLD
    numbers["likeness"] = embedding.LIKENESS_THRESHOLD
    numbers["likeness.grey"] = gate.GREY_THRESHOLD
    return dict(sorted(numbers.items()))


def sha256_of(numbers: Numbers) -> str:
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


def verify(folder: Path, product: Numbers) -> str:
    """The hash of the frozen thresholds. Raises `ConfigError` if the product's are others."""
    path = folder / "thresholds.toml"
    frozen = {name: float(value) for name, value in read_toml(path)["numbers"].items()}
    names = sorted(frozen.keys() | product.keys())
    changed = [name for name in names if frozen.get(name) != product.get(name)]
    if changed:
        raise ConfigError(str(path), f"{_MOVED}: {', '.join(changed)}; {_HOW}")
    history = folder / "history.toml"
    if read_toml(history)["frozen"][-1]["sha256"] != sha256_of(frozen):
        raise ConfigError(str(history), f"its last entry is not of these thresholds; {_HOW}")
    return sha256_of(frozen)


_MOVED = "thresholds are no longer the frozen ones"
_HOW = 'say why: python -m edge evaluate --freeze "WHY"'


def freeze(folder: Path, numbers: Numbers, today: date, why: str) -> str:
    """Write them down as the frozen ones; returns their hash."""
    digest = sha256_of(numbers)
    lines = [f'"{name}" = {value!r}' for name, value in numbers.items()]
    head = "# Written by: python -m edge evaluate --freeze WHY. Not to be edited.\n\n[numbers]\n"
    (folder / "thresholds.toml").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    entry = f"\n[[frozen]]\ndate = {today.isoformat()}\nsha256 = {json.dumps(digest)}\n"
    reason = f"why = {json.dumps(why, ensure_ascii=False)}\n"
    with (folder / "history.toml").open("a", encoding="utf-8") as file:
        file.write(entry + reason)
    return digest


def history(folder: Path) -> list[dict[str, str]]:
    rows = read_toml(folder / "history.toml")["frozen"]
    return [{name: str(value) for name, value in row.items()} for row in rows]
