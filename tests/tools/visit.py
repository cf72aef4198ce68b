"""One visit of a headless kiosk as a process of its own, so that a test can kill it.

python tests/tools/visit.py SITE_FILE MODELS_DIR SCENARIO
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from edge.app import logs
from edge.app.config import load
from edge.drivers.sim.scenario import SCENARIOS
from edge.session.events import Event
from edge.session.machine import Transition
from tests.headless import HeadlessKiosk


def main() -> None:
    site, models, scenario = sys.argv[1:]
    logs.setup()
    config = replace(load(Path(site)), models=models)
    with HeadlessKiosk(config, SCENARIOS[scenario], tell) as kiosk:
        kiosk.play()


def tell(_event: Event | None, transition: Transition) -> None:
    print(type(transition.session.state).__name__, flush=True)


if __name__ == "__main__":
    main()
