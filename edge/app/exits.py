"""Exit codes of the kiosk's programs."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
"""Wrong use, configuration or models."""
EXIT_START_AGAIN = 75
"""Nothing is wrong: settings have changed, and whoever started the program shall do it again."""
