"""The kiosk process: a runner and a window, until somebody ends it or a new start is due."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

from edge.app.clock import mono_ns
from edge.app.compose import compose
from edge.app.config import Config
from edge.app.exits import EXIT_OK, EXIT_POWER_OFF, EXIT_RESTART, EXIT_START_AGAIN
from edge.app.lock import devices_of
from edge.app.runner import Runner
from edge.app.settings import KioskSettings
from edge.domain.errors import ConfigError
from edge.session.staff_states import PowerWish
from edge.session.states import Language
from edge.ui.theme import Panel

log = logging.getLogger("edge.kiosk")

POWER_CODES = {PowerWish.OFF: EXIT_POWER_OFF, PowerWish.RESTART: EXIT_RESTART}
"""This process may not switch a machine off; whoever started it reads its exit code."""


def run(config: Config) -> int:
    """Serve people until SIGTERM. `config` is the site file; the centre's settings go over it."""
    simulated = [
        name
        for name in ("card_reader", "camera", "printer", "voice")
        if getattr(config.devices, name) == "sim"
    ]
    if simulated:
        raise ConfigError(
            f"devices.{simulated[0]}", "`run` serves real devices only; use `simulate`"
        )
    with devices_of(config, wait=True):  # until a technician's doctor has finished
        return _serve(config)


def _serve(site: Config) -> int:
    from edge.ui.kivy_app import KioskApp

    settings = KioskSettings(site, mono_ns)
    config = settings.start()
    parts = compose(config, settings=settings)
    codes = [EXIT_OK]

    def end(code: int) -> None:
        codes.append(code)
        os.kill(os.getpid(), signal.SIGTERM)  # the main thread alone may end the window

    runner = Runner(
        parts,
        Language(config.language),
        start_again=lambda: end(EXIT_START_AGAIN),
        power=lambda wish: end(POWER_CODES[wish]),
        fresh_after_s=config.screen.fresh_start_min * 60,
    )
    panel = Panel(config.screen.width, config.screen.height, config.screen.dpi)
    full = config.screen.fullscreen
    app = KioskApp(runner, parts.facts, panel=panel, fullscreen=full, cache=cache_dir())
    signal.signal(signal.SIGTERM, lambda *_: app.stop())
    log.info("kiosk=started id=%s simulated=%s", config.kiosk_id, parts.facts.simulated)
    runner.start()
    try:
        app.run()
    finally:
        runner.close()
        log.info("kiosk=stopped")
    return codes[-1]


def cache_dir() -> Path:
    """For cut fonts and Kivy's own files: what the unit's CacheDirectory= names, as all else on
    the disk is closed to it; by hand `.cache` in the working directory."""
    return Path(os.environ.get("CACHE_DIRECTORY", ".cache"))
