"""A picture of the staff console, taken in Debian's Chromium as a clerk would see it."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge.domain.errors import KioskError

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Raises `KioskError` saying which package is missing."""
    for name in ("chromium", "chromium-browser"):
        if found := shutil.which(name):
            return found
    raise KioskError("no Chromium here; install the Debian package chromium")


def take_picture(url: str, account: str, password: str, page: str, target: Path) -> None:
    """Sign in, open `page`, keep what is on the screen as a PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            tab = browser.new_page(viewport={"width": 1280, "height": 900}, locale="zh-CN")
            tab.goto(url)
            tab.fill("input[name=username]", account)
            tab.fill("input[name=password]", password)
            tab.press("input[name=password]", "Enter")
            tab.wait_for_selector("nav")
            tab.goto(url + page)
            tab.screenshot(path=str(target), full_page=True)
        finally:
            browser.close()
