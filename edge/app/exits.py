"""Exit codes of the kiosk's programs."""

from __future__ import annotations

import sys
from collections.abc import Callable

from edge.domain.errors import ConfigError, KioskError, ModelError

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
"""Wrong use, configuration or models."""
EXIT_POWER_OFF, EXIT_RESTART = 80, 81
"""Staff asked for it at the service screen; `systemd/edge-kiosk.service` does it."""
EXIT_START_AGAIN = 75
"""Nothing is wrong: settings have changed, and whoever started the program shall do it again."""


def exit_code(run: Callable[[], int]) -> int:
    """What `run` returns; of what goes wrong on purpose, one line and its code."""
    try:
        return run()
    except (ConfigError, ModelError) as error:
        sys.stderr.write(f"edge: {error}\n")
        return EXIT_USAGE
    except KioskError as error:
        sys.stderr.write(f"edge: {error}\n")
        return EXIT_FAILED
