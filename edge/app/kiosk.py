"""The kiosk process: a runner and a window, until somebody ends it."""

from __future__ import annotations

import logging
import signal

from edge.app.compose import compose
from edge.app.config import Config
from edge.app.lock import devices_of
from edge.app.runner import Runner
from edge.domain.errors import ConfigError
from edge.session.states import Language

log = logging.getLogger("edge.kiosk")


def run(config: Config) -> int:
    """Serve people until SIGTERM."""
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


def _serve(config: Config) -> int:
    from edge.ui.kivy_app import KioskApp

    parts = compose(config)
    runner = Runner(parts, Language(config.language))
    size = (config.screen.width, config.screen.height)
    app = KioskApp(runner, parts.facts, size=size, fullscreen=config.screen.fullscreen)
    signal.signal(signal.SIGTERM, lambda *_: app.stop())
    log.info("kiosk=started id=%s simulated=%s", config.kiosk_id, parts.facts.simulated)
    runner.start()
    try:
        app.run()
    finally:
        runner.close()
        log.info("kiosk=stopped")
    return 0
