"""The places where processes are killed are there, and each process has its share."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.points import POINTS

ROOT = Path(__file__).parents[2]


def methods(module: str) -> set[str]:
    """`Class.method` of everything a module defines."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        f"{found.name}.{node.name}"
        for found in classes
        for node in found.body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", POINTS)
def test_a_point_names_a_method_of_the_product(name: str) -> None:
    module, _, path = POINTS[name].where.partition(":")
    assert path in methods(module)


@pytest.mark.parametrize("name", POINTS)
def test_a_point_is_named_after_who_dies_there(name: str) -> None:
    assert name.startswith(f"{POINTS[name].dies}: ")


def test_every_process_dies_at_several_places() -> None:
    shares = Counter(point.dies for point in POINTS.values())
    assert set(shares) == {"kiosk", "sync", "bridge", "broker"}
    assert min(shares.values()) >= 4
