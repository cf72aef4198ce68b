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
from tests.headless import HeadlessKiosk


def main() -> None:
    site, models, scenario = sys.argv[1:]
    logs.setup()
    config = replace(load(Path(site)), models=models)
    with HeadlessKiosk(config, SCENARIOS[scenario]) as kiosk:
        kiosk.play()
    assert kiosk.evidence.record is not None
    print(kiosk.evidence.record.record_id)


if __name__ == "__main__":
    main()
