"""One suite per port, over every implementation; real devices when they are named.

`pytest tests/conformance --hardware card_reader=/dev/ttyUSB0`, once per device;
what an address looks like for each stands in docs/devices.md. Somebody has to be
at the terminal, who is asked to handle the device.
`make conformance` also counts, for each device and implementation, what passed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.technician import AtTheTerminal, Technician
from tests.tools.conformance_table import Counts


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--hardware",
        action="append",
        default=[],
        metavar="PORT=ADDRESS",
        help="also run the suite of this port on a real device, card_reader=/dev/ttyUSB0 say",
    )
    parser.addoption(
        "--conformance-report",
        type=Path,
        metavar="FILE",
        help="count per device and implementation; print a table, write it to FILE as JSON",
    )


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--conformance-report", default=None)
    if path is not None:
        config.pluginmanager.register(Counts(path, config.getoption("--hardware")))


@pytest.fixture
def hardware(request: pytest.FixtureRequest) -> dict[str, str]:
    """Addresses of the real devices on this desk, by the name of their port."""
    named = request.config.getoption("--hardware", default=[])
    return dict(pair.split("=", 1) for pair in named)


@pytest.fixture
def technician(request: pytest.FixtureRequest) -> Technician:
    """Whoever is at the terminal; a rehearsal brings somebody of its own."""
    stand_in: Technician | None = request.config.pluginmanager.get_plugin("technician")
    return stand_in or AtTheTerminal(request.config)
