"""Exit codes of the kiosk's programs."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
"""Wrong use, configuration or models."""
EXIT_POWER_OFF, EXIT_RESTART = 80, 81
"""Staff asked for it at the service screen; `systemd/edge-kiosk.service` does it."""
EXIT_START_AGAIN = 75
"""Nothing is wrong: settings have changed, and whoever started the program shall do it again."""
