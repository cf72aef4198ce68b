"""`make browser`: a picture of every page, and what was found wrong with it.

Writes `browser-out/` with PNG and PDF files, `report.json` and `index.html`; exit code 1 if a
page has a fault. Each page is looked at in Chinese with script, and again without.
"""

from __future__ import annotations

import argparse
import html
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from tests.browser import checks
from tests.browser.hall import Hall
from tests.browser.pages import PAGES, Page

PAPER = {"width": 1030, "height": 700}  # what A4 across leaves between its margins, in CSS pixels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("browser-out"))
    parser.add_argument("--only", nargs="*", help="names of pages")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    pages = [page for page in PAGES if not options.only or page.name in options.only]
    with Hall() as hall:
        found = list(_visits(hall, pages, options.out))
        report = {"pages": found, "foreign_requests_and_script_errors": hall.troubles}
    (options.out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1))
    (options.out / "index.html").write_text(_index(found), "utf-8")
    faulty = {row["name"]: row["faults"] for row in found if row["faults"]}
    print(json.dumps(faulty | {"elsewhere": hall.troubles}, ensure_ascii=False, indent=1))
    return 1 if faulty or hall.troubles else 0


def _visits(hall: Hall, pages: Sequence[Page], out: Path) -> Iterator[dict[str, Any]]:
    for page in track(pages, "pages"):
        shown, faults = _with_script(hall, page, out)
        without = _without_script(hall, page)
        if shown != without:
            faults.append(f"without script {without} instead of {shown}")
        if page.also_english:
            faults += _in_english(hall, page, out)
        yield {"name": page.name, "path": page.path, "items": page.items, "faults": faults}


def _with_script(hall: Hall, page: Page, out: Path) -> tuple[list[int], list[str]]:
    with hall.tab(page.account) as tab:
        tab.goto(page.path.format(**hall.places))
        tab.screenshot(path=out / f"{page.name}.png", full_page=True)
        faults = checks.faults(tab)
        shown = _shown(tab)
        if page.printed:
            tab.pdf(path=out / f"{page.name}.pdf", prefer_css_page_size=True)
            tab.set_viewport_size(PAPER)
            tab.emulate_media(media="print")
            tab.screenshot(path=out / f"{page.name}-print.png", full_page=True)
        return shown, faults


def _without_script(hall: Hall, page: Page) -> list[int]:
    with hall.tab(page.account, java_script_enabled=False) as tab:
        tab.goto(page.path.format(**hall.places))
        return _shown(tab)


def _shown(tab: Any) -> list[int]:
    """How many headings, forms, links of the menu and tables there are."""
    return [tab.locator(what).count() for what in ("h1", "h2", "form", "nav a", "thead")]


def _in_english(hall: Hall, page: Page, out: Path) -> list[str]:
    with hall.tab(page.account, "en") as tab:
        tab.goto(page.path.format(**hall.places))
        tab.screenshot(path=out / f"{page.name}-en.png", full_page=True)
        lang = tab.locator("html").get_attribute("lang")
        return [] if lang == "en" else [f"language is {lang}"]


def _index(found: Sequence[dict[str, Any]]) -> str:
    rows = "".join(
        f"<h2>{html.escape(row['name'])} <small>{html.escape(row['items'])}</small></h2>"
        f"<p>{html.escape('; '.join(row['faults']) or 'no fault')}</p>"
        f"<img src='{row['name']}.png' width='900' alt=''>"
        for row in found
    )
    return f"<!DOCTYPE html><meta charset='utf-8'><title>Console</title>{rows}"


if __name__ == "__main__":
    sys.exit(main())
