"""One console with a filled registry, one browser; staff who are signed in once each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.browser.world import code_at
from tests.fixtures_broker import free_port

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK = {"width": 1366, "height": 768}
EXPECTED = "the server responded with a status of 4"  # a page that says no, and is meant to


@dataclass
class Hall(AbstractContextManager["Hall"]):
    """`troubles`: foreign requests, script errors and breaches of the content policy, of all.

    `migrated`: an empty SQLite database to begin with; making one takes a while.
    """

    migrated: Path | None = None
    troubles: list[str] = field(default_factory=list)
    accounts: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    address: str = ""

    def __post_init__(self) -> None:
        self._stack = ExitStack()
        self._signed_in: dict[str, Any] = {}

    def __enter__(self) -> Hall:
        from playwright.sync_api import sync_playwright

        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hall-")))
        if self.migrated:
            shutil.copy(self.migrated, folder / "registry.sqlite3")
        told = json.loads(_run("tests.browser.world", str(folder)))
        self.accounts, self.places = told["accounts"], told["places"]
        self.address = self._stack.enter_context(_console(folder))
        running = self._stack.enter_context(sync_playwright())
        # Chromium's own words (年/月/日) are Chinese where Debian's chromium-l10n is installed.
        self._browser = running.chromium.launch(
            executable_path=str(CHROMIUM), args=ARGUMENTS, env={**os.environ, "LANGUAGE": "zh_CN"}
        )
        self._stack.callback(self._browser.close)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextmanager
    def tab(self, account: str = "", language: str = "zh-CN", **more: Any) -> Iterator[Any]:
        """A page of a fresh browser profile, signed in as `account` if there is one."""
        more.setdefault("viewport", DESK)
        if account:
            more["storage_state"] = self._state(account)
        context = self._browser.new_context(base_url=self.address, locale=language, **more)
        context.set_default_timeout(15_000)
        context.route("**/*", self._only_ours)
        tab = context.new_page()
        tab.on("console", lambda message: self._heard(message))
        tab.on("pageerror", lambda error: self.troubles.append(str(error)))
        try:
            yield tab
        finally:
            context.close()

    def _state(self, account: str) -> Any:
        """A code counts once in half a minute, so everybody signs in only once."""
        if account not in self._signed_in:
            with self.tab() as tab:
                self.sign_in(tab, account)
                self._signed_in[account] = tab.context.storage_state()
        return self._signed_in[account]

    def sign_in(self, tab: Any, account: str) -> None:
        tab.goto("/")
        tab.fill("#id_username", account)
        tab.fill("#id_password", self.accounts[account]["password"])
        tab.click("main button.main")
        if tab.locator("#id_code").count():
            tab.fill("#id_code", self.code(account))
            tab.click("main button.main")
        tab.wait_for_selector("nav.menu")

    def code(self, account: str) -> str:
        return code_at(self.accounts[account]["key"], datetime.now(UTC))

    def _only_ours(self, route: Any) -> None:
        if route.request.url.startswith(self.address):
            route.continue_()
        else:
            self.troubles.append(route.request.url)
            route.abort()

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning") and EXPECTED not in message.text:
            self.troubles.append(message.text)


@contextmanager
def _console(folder: Path) -> Iterator[str]:
    """Served as in production, over this folder's registry."""
    port = free_port()
    command = [sys.executable, "-m", "cloud_bridge", "--config", str(folder / "registry.toml")]
    process = subprocess.Popen(
        [*command, "console", "--port", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == f"console on http://127.0.0.1:{port}/\n"
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def _run(module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
