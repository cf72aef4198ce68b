"""One suite per port, over every implementation; real devices when they are named.

`pytest tests/conformance --hardware card_reader=/dev/ttyUSB0`, once per device.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--hardware",
        action="append",
        default=[],
        metavar="PORT=ADDRESS",
        help="also run the suite of this port on a real device, card_reader=/dev/ttyUSB0 say",
    )


@pytest.fixture
def hardware(request: pytest.FixtureRequest) -> dict[str, str]:
    """Addresses of the real devices on this desk, by the name of their port."""
    named = request.config.getoption("--hardware", default=[])
    return dict(pair.split("=", 1) for pair in named)
