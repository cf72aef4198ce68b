"""The console in a real browser: served as in production, in both languages, by keyboard."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from cloud_bridge import demo
from cloud_bridge.bridge.opening import Arrival
from tests.fixtures_broker import free_port
from tests.fixtures_cloud import NOW, PASSWORD, TestRegistry, copy_keys

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
SCRYPT = "django.contrib.auth.hashers.ScryptPasswordHasher"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


@pytest.fixture
def filled(registry: TestRegistry) -> TestRegistry:
    """One record, one rehearsal, two accounts; made before the browser's event loop runs."""
    kiosk, stage = registry.kiosk(), registry.kiosk("k-002", demo=True)
    review = kiosk.record(outcome="needs_review", reasons=["not_alike"])
    registry.ingest.ingest([Arrival("k-001", kiosk.record()), Arrival("k-001", review)], NOW)
    registry.ingest.ingest([Arrival("k-002", stage.record(provenance="simulated"))], NOW)
    # The console is a process of its own and knows only the real hasher.
    with override_settings(PASSWORD_HASHERS=[SCRYPT]):
        registry.account("li", "worker", "100101001000")
        registry.account("chen", "supervisor")
    return registry


@pytest.fixture
def address(filled: TestRegistry) -> Iterator[str]:
    """The console as a process of its own over this test's registry."""
    registry = filled
    copy_keys(registry.folder)
    port = free_port()
    (registry.folder / "registry.toml").write_text(registry.toml)
    config = str(registry.folder / "registry.toml")
    command = [sys.executable, "-m", "cloud_bridge", "--config", config, "console"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == f"console on http://127.0.0.1:{port}/\n"
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """A page that fails the test for any error, foreign request or breach of the policy."""
    troubles: list[str] = []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = browser.new_context(
            base_url=address, locale="zh-CN", viewport={"width": 1366, "height": 768}
        )
        tab = context.new_page()
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("request", lambda request: _only_ours(request.url, address, troubles))
        yield tab
        browser.close()
    assert troubles == []


def _only_ours(url: str, address: str, troubles: list[str]) -> None:
    if not url.startswith(address):
        troubles.append(url)


def sign_in(tab: Any, name: str) -> None:
    tab.goto("/")
    tab.fill("#id_username", name)
    tab.fill("#id_password", PASSWORD)
    tab.click("button.main")


def test_a_clerk_finds_a_person_by_keyboard(page: Any, tmp_path: Path) -> None:
    tab = page
    tab.goto("/")
    tab.wait_for_selector("#id_username:focus")
    tab.keyboard.type("li")
    tab.keyboard.press("Tab")
    tab.keyboard.type(PASSWORD)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/people/")
    assert tab.locator("tbody tr").count() == 7
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.get_by_label("姓名").focus()
    tab.keyboard.type("王")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/people/?name=*")
    assert tab.locator("tbody th").all_inner_texts() == [demo.DEMO_NAME]
    assert "已认证" in tab.locator("tbody tr").inner_text()
    tab.screenshot(path=tmp_path / "people.png", full_page=True)
    tab.get_by_role("link", name=re.compile(demo.DEMO_NAME)).press("Enter")
    tab.wait_for_url("**/people/p*/")
    assert "100000********0010" in tab.locator("main").inner_text()


def test_pages_fit_and_switch_language(page: Any) -> None:
    tab = page
    sign_in(tab, "chen")
    for width, height in ((1366, 768), (390, 800)):
        tab.set_viewport_size({"width": width, "height": height})
        settings = "/devices/k-001/settings/"
        for path in ("/people/", "/tasks/", "/rehearsals/", "/devices/", "/quarantine/", settings):
            tab.goto(path)
            overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, (path, width)
    tab.goto("/rehearsals/")
    tab.get_by_role("button", name="English").click()
    tab.wait_for_load_state()
    assert tab.locator("h1").inner_text() == "Rehearsal records"
    assert tab.locator("html").get_attribute("lang") == "en"


def test_a_clerk_closes_a_task_by_keyboard(page: Any) -> None:
    tab = page
    sign_in(tab, "li")
    tab.goto("/tasks/")
    tab.get_by_role("link", name=re.compile("查看 ")).press("Enter")
    tab.wait_for_url("**/tasks/*/")
    tab.get_by_label("如何处理").focus()
    tab.keyboard.type("上门核实，本人健在")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("[role=status]")
    assert "该待办已办结" in tab.locator("[role=status]").inner_text()
    assert "上门核实，本人健在" in tab.locator("main").inner_text()
    assert tab.locator("textarea").count() == 0


def test_printed_lists_show_no_buttons(page: Any) -> None:
    tab = page
    sign_in(tab, "li")
    tab.emulate_media(media="print")
    assert not tab.locator("button").filter(visible=True).count()
    assert "li" in tab.locator(".printed").inner_text()
    assert tab.locator("tbody tr").count() == 7
