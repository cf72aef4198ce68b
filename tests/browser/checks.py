"""What every page is held to (WCAG 2.2 AA, as far as a machine can tell)."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

NARROW = {"width": 320, "height": 640}
SMALLEST_PX = 24
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_SMALL = """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter(e => e.checkVisibility() && e.type !== 'hidden' && !e.closest('.skip'))
  .filter(e => !(e.tagName === 'A' && getComputedStyle(e).display === 'inline'))
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([_, box]) => box.width < SMALLEST || box.height < SMALLEST)
  .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""


def faults(tab: Any) -> list[str]:
    """Everything below, of the page as it is; the window is as wide as before afterwards."""
    return [*form(tab), *serious(tab), *small_targets(tab), *narrow(tab)]


def form(tab: Any) -> list[str]:
    found = []
    if tab.locator("h1").filter(visible=True).count() != 1:
        found.append("not exactly one heading of the first level")
    if tab.title().startswith("–"):
        found.append("no title")
    if width := overflow(tab):
        found.append(f"{width} px wider than the window")
    return found


def serious(tab: Any) -> list[str]:
    """Violations that axe calls serious or critical."""
    report = Axe().run(tab, options={"runOnly": {"type": "tag", "values": TAGS}}).response
    return [
        f"{found['id']}: {node['html'][:120]}"
        for found in report["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def small_targets(tab: Any) -> list[str]:
    """Links within a line of text are exempt (2.5.8)."""
    small = tab.evaluate(_SMALL.replace("SMALLEST", str(SMALLEST_PX)))
    return [f"small target {text}" for text in small]


def narrow(tab: Any) -> list[str]:
    """Reflow (1.4.10): at 320 px only tables scroll, each in its own frame."""
    before = tab.viewport_size
    tab.set_viewport_size(NARROW)
    width = overflow(tab)
    tab.set_viewport_size(before)
    return [f"{width} px wider than a window of 320"] if width else []


def overflow(tab: Any) -> int:
    return max(0, int(tab.evaluate("document.documentElement.scrollWidth - innerWidth")))
