"""What the documentation names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SOURCES = [path for package in ("edge", "cloud_bridge") for path in (ROOT / package).rglob("*.py")]
FUNCTION = re.compile(r"`([\w/]+\.py):([\w.]+)`")
PATH = re.compile(r"`((?:edge|cloud_bridge|provisioning|systemd|tests|docs)/[\w./*-]*)`")
TARGET = re.compile(r"`make ([a-z][a-z-]*)")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


def defined(path: Path) -> set[str]:
    """Functions, classes and methods (`Class.method`) of a file."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef)]
            names.update(f"{node.name}.{method}" for method in methods)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_paths_and_links_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for file, name in FUNCTION.findall(text):
        assert name in defined(ROOT / file), f"{page.name} names {file}:{name}"
    for path in PATH.findall(text):
        assert (ROOT / path).exists(), f"{page.name} names {path}"
    for link in LINK.findall(text):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_what_the_pages_say_to_make_can_be_made() -> None:
    known = set(
        re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    told = {(page.name, word) for page in PAGES for word in TARGET.findall(page.read_text("utf-8"))}
    assert len(told) > 20
    assert {(page, word) for page, word in told if word not in known} == set()


def test_the_journey_is_there_to_be_checked() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert len(FUNCTION.findall(text)) >= 15


def test_identifiers_of_the_glossary_exist_in_the_code() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\|[^|]+\| `(\w+)` \|", text, re.MULTILINE)
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    missing = [name for name in rows if not re.search(rf"\b{name}\b", code)]
    assert len(rows) > 20
    assert missing == []


def test_readme_shows_both_commands_and_real_pictures() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
    assert len(re.findall(r"!\[[^\]]*\]\(docs/pictures/[\w-]+\.png\)", text)) >= 4
